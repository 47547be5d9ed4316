//! Users: how many there are, and how uneven they are.

use super::quantile_table::significant;
use crate::chance::Zipf;
use crate::math;
use std::num::NonZeroU32;

/// Users by Zipf's law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UserFit {
    /// How many there are, those who sent nothing while it was recorded among them.
    pub count: u32,
    /// How uneven they are: the k-th most frequent comes in proportion to k^-zipf; 0 to 3.
    pub zipf: f64,
    /// How many sent a request.
    pub seen: u64,
}

impl UserFit {
    /// The users of whom each sent so many requests; `None` of fewer than 2.
    ///
    /// Number and exponent are those with which as many users would be seen on average as were, and
    /// two requests would come from one user as often: the expected number seen is
    /// sum(1 - (1 - p_k)^n), and sum(c (c - 1)) / (n (n - 1)) estimates sum(p_k^2) without bias (E.
    /// H. Simpson, Nature 163, 1949, doi:10.1038/163688a0). The exponent is not read off the sorted
    /// counts: sorting makes even users look uneven.
    pub(super) fn of(counts: impl Iterator<Item = u64> + Clone) -> Option<Self> {
        let seen = counts.clone().count() as u64;
        let requests: u64 = counts.clone().sum();
        if seen < 2 || requests < 2 {
            return None;
        }
        let n = requests as f64;
        let pairs: f64 = counts.map(|count| count as f64 * (count as f64 - 1.0)).sum();
        let together = pairs / (n * (n - 1.0));
        // The more uneven, the more users there must be to see as many, and the more pairs.
        let (mut low, mut high) = (0.0, MOST_ZIPF);
        for _ in 0..30 {
            let zipf = 0.5 * (low + high);
            let count = count_for(seen as f64, n, zipf);
            if Blocks::new(count, zipf).sum(|p| p * p) < together {
                low = zipf;
            } else {
                high = zipf;
            }
        }
        let zipf = if low == 0.0 { 0.0 } else { significant(low, 3) };
        let zipf = if zipf < LEAST_ZIPF { 0.0 } else { zipf };
        Some(Self { count: count_for(seen as f64, n, zipf), zipf, seen })
    }
}

/// How many users there are for so many to be seen.
fn count_for(seen: f64, requests: f64, zipf: f64) -> u32 {
    let (mut low, mut high) = (seen as u32, MOST_USERS.max(seen as u32));
    while low < high {
        let middle = low + (high - low) / 2;
        let expected = Blocks::new(middle, zipf)
            .sum(|p| -math::exp_m1(requests * math::ln_1p(-p.min(1.0 - 1e-12))));
        if expected < seen { low = middle + 1 } else { high = middle }
    }
    low.max(1)
}

/// Zipf's law by ranks of about the same probability.
struct Blocks(Vec<(f64, f64)>);

impl Blocks {
    fn new(count: u32, zipf: f64) -> Self {
        let law = NonZeroU32::new(count).and_then(|count| Zipf::new(count, zipf).ok());
        let Some(law) = law else { return Self(Vec::new()) };
        let (mut blocks, mut from) = (Vec::new(), 0_u32);
        while from < count {
            let to = from.saturating_add(1 + from / 64).min(count);
            blocks.push((f64::from(to - from), law.probability(from + (to - from) / 2)));
            from = to;
        }
        Self(blocks)
    }

    /// The sum of `value` over all ranks.
    fn sum(&self, value: impl Fn(f64) -> f64) -> f64 {
        self.0.iter().map(|(ranks, probability)| ranks * value(*probability)).sum()
    }
}

/// Chosen: of a law so steep the first users send everything.
const MOST_ZIPF: f64 = 3.0;
/// Chosen: less is no unevenness.
const LEAST_ZIPF: f64 = 0.05;
/// Chosen: what sessions may have.
const MOST_USERS: u32 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;
    use std::collections::BTreeMap;

    fn fitted(count: u32, zipf: f64, requests: u64) -> UserFit {
        let law = Zipf::new(count.try_into().unwrap(), zipf).unwrap();
        let chance = Chance::new(4, 0);
        let mut counts = BTreeMap::new();
        for id in 0..requests {
            let user = law.rank(chance.request(RequestId(id), 0).draw(Purpose::User, 0));
            *counts.entry(user).or_insert(0_u64) += 1;
        }
        UserFit::of(counts.values().copied()).unwrap()
    }

    #[test]
    fn number_and_exponent_are_found_again() {
        for (count, zipf) in [(1_000, 0.0), (1_000, 1.0), (5_000, 0.8), (300, 1.4)] {
            let found = fitted(count, zipf, 30_000);
            assert!((found.zipf - zipf).abs() < 0.06, "{count} {zipf}: {found:?}");
            let ratio = f64::from(found.count) / f64::from(count);
            assert!((ratio - 1.0).abs() < 0.25, "{count} {zipf}: {found:?}");
        }
    }
}
