//! Ranks by popularity: Zipf's law.

use std::num::NonZeroU32;

use super::parameter::{DistributionError, Parameter, check};
use crate::math;
use crate::units::Draw;

/// Draws one of `count` ranks, of which rank k, counted from 1, has a probability proportional to
/// k^-exponent; at exponent 0 all are equally likely.
///
/// By inverse transform, one draw each, as the distributions: exact sums for the first 4,096
/// ranks, beyond them the integral of x^-s by the midpoint rule. Its relative error, at most
/// s (s + 1) / 24 k^2 for rank k, stays under 3e-8 for exponents up to 3, and for larger ones
/// there is next to nothing out there.
#[derive(Clone, PartialEq, Debug)]
pub struct Zipf {
    count: NonZeroU32,
    exponent: f64,
    /// The sum of the first weights, up to each rank of the head; empty at exponent 0.
    head: Box<[f64]>,
    /// The sum of all weights.
    total: f64,
}

impl Zipf {
    /// Ranks 0 to `count` - 1 with weights that fall with this exponent, 0 to 10.
    ///
    /// # Errors
    /// `exponent` out of range.
    pub fn new(count: NonZeroU32, exponent: f64) -> Result<Self, DistributionError> {
        check(Parameter::Exponent, exponent, 0.0, LARGEST_EXPONENT)?;
        if exponent == 0.0 {
            return Ok(Self::uniform(count));
        }
        let mut sum = 0.0;
        let ranks = 1..=count.get().min(HEAD);
        let head: Box<[f64]> = ranks
            .map(|rank| {
                sum += math::pow(f64::from(rank), -exponent);
                sum
            })
            .collect();
        let mut zipf = Self { count, exponent, head, total: sum };
        if count.get() > HEAD {
            zipf.total = sum + zipf.integral(f64::from(count.get()) + 0.5)
                - zipf.integral(f64::from(HEAD) + 0.5);
        }
        Ok(zipf)
    }

    /// Ranks 0 to `count` - 1, equally likely.
    pub fn uniform(count: NonZeroU32) -> Self {
        Self { count, exponent: 0.0, head: Box::default(), total: f64::from(count.get()) }
    }

    /// How many ranks there are.
    pub const fn count(&self) -> NonZeroU32 {
        self.count
    }

    /// The exponent.
    pub const fn exponent(&self) -> f64 {
        self.exponent
    }

    /// The rank of this draw, from 0, the most likely, on. Never falls as the draw grows.
    #[inline]
    pub fn rank(&self, draw: Draw) -> u32 {
        if self.head.is_empty() {
            return ((u128::from(draw.bits()) * u128::from(self.count.get())) >> 64) as u32;
        }
        self.skewed_rank(draw.unit())
    }

    /// How likely `rank`, from 0 on and below the count, is.
    pub fn probability(&self, rank: u32) -> f64 {
        math::pow(f64::from(rank) + 1.0, -self.exponent) / self.total
    }

    fn skewed_rank(&self, unit: f64) -> u32 {
        let wanted = unit * self.total;
        let rank = self.head.partition_point(|sum| *sum < wanted);
        let last = self.count.get() - 1;
        if rank < self.head.len() {
            return rank as u32;
        }
        // Beyond the head, or by rounding beyond the end.
        let before = self.head.last().copied().unwrap_or_default();
        let x = self.inverse(self.integral(f64::from(HEAD) + 0.5) + (wanted - before));
        // Rank k, from 1 on, takes from k - 1/2 to k + 1/2.
        ((x - 0.5) as u32).max(self.head.len() as u32).min(last)
    }

    /// An integral of x^-exponent.
    fn integral(&self, x: f64) -> f64 {
        let power = 1.0 - self.exponent;
        // Near 1 the power would cancel; the series of the logarithm's neighbourhood does not.
        let log = math::ln(x);
        if power.abs() * log < 1e-8 { log } else { math::exp_m1(power * log) / power }
    }

    fn inverse(&self, integral: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if (power * integral).abs() < 1e-8 {
            math::exp(integral)
        } else {
            math::exp(math::ln_1p(power * integral) / power)
        }
    }
}

/// Chosen: 32 KB; beyond it the integral is as good as the sum.
const HEAD: u32 = 4_096;
/// Chosen: the second rank has then a thousandth of the first.
const LARGEST_EXPONENT: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    fn zipf(count: u32, exponent: f64) -> Zipf {
        Zipf::new(count.try_into().unwrap(), exponent).unwrap()
    }

    fn ranks(zipf: &Zipf, count: u64) -> impl Iterator<Item = u32> {
        let chance = Chance::new(12, 0);
        (0..count).map(move |id| zipf.rank(chance.request(RequestId(id), 0).draw(Purpose::User, 0)))
    }

    /// One over the sum of k^-s, summed with numpy in extended precision.
    #[test]
    fn probabilities_agree_with_exact_sums() {
        for (count, exponent, first) in [
            (10, 1.0, 0.341_417_152_147_405_5),
            (1_000_000, 1.0, 0.069_479_537_773_151_77),
            (1_000_000, 0.5, 0.000_500_365_230_218_703_6),
            (1_000_000, 1.5, 0.383_086_670_011_662_74),
            (5_000, 3.0, 0.831_907_386_419_337_3),
        ] {
            let found = zipf(count, exponent).probability(0);
            assert!((found / first - 1.0).abs() < 1e-9, "{count} {exponent}: {found}");
        }
    }

    #[test]
    fn ranks_come_as_often_as_they_are_likely() {
        for (count, exponent) in [(3, 0.0), (10, 1.0), (100_000, 1.1), (1_000_000, 0.8)] {
            let zipf = zipf(count, exponent);
            let total = 200_000;
            let mut found = [0.0; 8];
            // Ranks 0, 1, 2 and then up to growing bounds.
            let bounds = [1, 2, 3, 10, 4_096, 5_000, 50_000, count];
            for rank in ranks(&zipf, total) {
                assert!(rank < count);
                found[bounds.partition_point(|bound| *bound <= rank)] += 1.0;
            }
            let mut from = 0;
            for (bound, found) in bounds.into_iter().zip(found) {
                let to = bound.min(count).max(from);
                let share: f64 = (from..to).map(|rank| zipf.probability(rank)).sum();
                let expected = share * total as f64;
                let error = 4.5 * expected.sqrt() + 1.0;
                assert!((found - expected).abs() < error, "{from}..{to}: {found} {expected}");
                from = to;
            }
        }
    }

    #[test]
    fn the_rank_never_falls_and_reaches_both_ends() {
        for (count, exponent) in [(1, 2.0), (7, 1.0), (4_096, 1.0), (4_097, 1.0), (u32::MAX, 0.9)] {
            let zipf = zipf(count, exponent);
            let at = |bits: u64| zipf.rank(Draw::from_bits(bits));
            assert_eq!((at(0), at(u64::MAX)), (0, count - 1));
            let ranks: Vec<u32> = (0..5_000_u64).map(|n| at(n << 51 | n)).collect();
            assert!(ranks.is_sorted(), "{count} {exponent}");
        }
    }

    #[test]
    fn an_exponent_out_of_range_is_refused() {
        for exponent in [-0.1, 10.1, f64::NAN] {
            assert!(Zipf::new(NonZeroU32::MIN, exponent).is_err());
        }
    }
}
