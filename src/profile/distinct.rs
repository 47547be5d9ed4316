//! How many different numbers there are: counted while there are few, estimated from then on.

use std::collections::BTreeSet;

use super::figures::Distinct;
use crate::chance::mix;
use crate::math;

/// A set of numbers, of which only the size is wanted. Takes 16 KB where it is large.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum DistinctCount {
    /// All of them.
    Few(BTreeSet<u64>),
    /// The registers of HyperLogLog: of the numbers whose hash begins with the register's own
    /// place, the most zeros that the rest of a hash begins with, and one.
    Many(Vec<u8>),
}

impl Default for DistinctCount {
    fn default() -> Self {
        Self::Few(BTreeSet::new())
    }
}

impl DistinctCount {
    /// The standard deviation of an estimate, as a share of it: 1.04 over the root of the number
    /// of registers (P. Flajolet, E. Fusy, O. Gandouet and F. Meunier, HyperLogLog, 2007).
    pub(super) const RELATIVE_DEVIATION: f64 = 1.04 / 128.0;

    #[inline]
    pub(super) fn add(&mut self, number: u64) {
        match self {
            Self::Many(registers) => register(registers, number),
            Self::Few(numbers) => {
                if numbers.insert(number) && numbers.len() > FEW {
                    self.registers();
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(numbers) => numbers.iter().for_each(|number| self.add(*number)),
            Self::Many(theirs) => {
                let ours = self.registers().iter_mut();
                ours.zip(theirs).for_each(|(ours, theirs)| *ours = (*ours).max(*theirs));
            }
        }
    }

    /// How many there are among `of` numbers: not more than these, whatever an estimate says.
    pub(super) fn figure(&self, of: u64) -> Distinct {
        match self {
            Self::Few(numbers) => Distinct { count: numbers.len() as u64, relative_deviation: 0.0 },
            Self::Many(registers) => Distinct {
                count: (estimate(registers).round() as u64).min(of),
                relative_deviation: Self::RELATIVE_DEVIATION,
            },
        }
    }

    /// The registers, filled with the numbers that were kept so far where there are none yet.
    fn registers(&mut self) -> &mut Vec<u8> {
        if let Self::Few(numbers) = self {
            let mut registers = vec![0; REGISTERS];
            numbers.iter().for_each(|number| register(&mut registers, *number));
            *self = Self::Many(registers);
        }
        match self {
            Self::Many(registers) => registers,
            Self::Few(_) => unreachable!("what was kept has become registers"),
        }
    }
}

/// A set bit at the end of the hash ends its zeros.
fn register(registers: &mut [u8], number: u64) {
    let hash = mix(number ^ SALT);
    let place = (hash >> (64 - PLACE_BITS)) as usize;
    let zeros = (hash << PLACE_BITS | 1 << (PLACE_BITS - 1)).leading_zeros() as u8;
    registers[place] = registers[place].max(zeros + 1);
}

/// How many different numbers have filled the registers.
///
/// Source: O. Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017),
/// arXiv:1702.01284, algorithm 6: unbiased from none to 2^64 without a table.
fn estimate(registers: &[u8]) -> f64 {
    let mut with = [0_u64; MOST_ZEROS + 2];
    registers.iter().for_each(|zeros| with[usize::from(*zeros)] += 1);
    let all = registers.len() as f64;
    let share = |zeros: usize| with[zeros] as f64 / all;
    let mut sum = all * tau(1.0 - share(MOST_ZEROS + 1));
    for zeros in (1..=MOST_ZEROS).rev() {
        sum = 0.5 * (sum + with[zeros] as f64);
    }
    sum += all * sigma(share(0));
    all * all / (2.0 * math::ln(2.0) * sum)
}

/// x + the sum of x^(2^k) 2^(k - 1) for k from 1 on.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut factor, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * factor;
        factor += factor;
        if sum == before {
            return sum;
        }
    }
}

/// (1 - x - the sum of (1 - x^(2^-k))^2 2^-k for k from 1 on) / 3.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut factor, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * factor;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// Chosen: a set of so many takes as long to fill as its registers are worth.
const FEW: usize = 16_384;
const PLACE_BITS: u32 = 14;
const REGISTERS: usize = 1 << PLACE_BITS;
/// The zeros that the rest of a hash can begin with.
const MOST_ZEROS: usize = 64 - PLACE_BITS as usize;
/// Keeps the number 0 from having the hash 0: the first bits of pi.
const SALT: u64 = 0x243f_6a88_85a3_08d3;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl Iterator<Item = u64>) -> DistinctCount {
        let mut count = DistinctCount::default();
        numbers.for_each(|number| count.add(number));
        count
    }

    #[test]
    fn few_numbers_are_counted() {
        let few = of((0..FEW as u64).chain(0..FEW as u64)).figure(2 * FEW as u64);
        assert_eq!(few, Distinct { count: 16_384, relative_deviation: 0.0 });
        let more = of(0..=FEW as u64).figure(FEW as u64 + 1);
        assert_eq!(more.relative_deviation, DistinctCount::RELATIVE_DEVIATION);
    }

    #[test]
    fn estimates_are_as_near_as_they_say() {
        // Of 30 sets of each size, whatever their numbers are: the mean of the errors is 0 within
        // three standard errors, and their deviation is what is stated within the 99.9 % limits of
        // its own distribution, roots of chi-squared over 30 (scipy.stats.chi2.ppf).
        for size in [16_500_u64, 40_000, 300_000] {
            let errors = (0..30_u64).map(|set| {
                let numbers = (0..size).map(|number| number * (2 * set + 1) + (set << 50));
                of(numbers).figure(u64::MAX).count as f64 / size as f64 - 1.0
            });
            let errors: Vec<f64> = errors.collect();
            let mean = errors.iter().sum::<f64>() / 30.0;
            let stated = DistinctCount::RELATIVE_DEVIATION;
            assert!(mean.abs() < 3.0 * stated / 30.0_f64.sqrt(), "{size}: {mean}");
            let deviation = (errors.iter().map(|error| error * error).sum::<f64>() / 30.0).sqrt();
            let least = if size < 20_000 { 0.3 } else { 0.59 };
            assert!((least..1.45).contains(&(deviation / stated)), "{size}: {deviation}");
        }
    }

    #[test]
    fn parts_merge_to_the_whole_in_any_order() {
        for sizes in [[100, 200], [10_000, 12_000], [100, 40_000], [40_000, 50_000]] {
            let [first, second] = sizes.map(|size: u64| of(size / 2..size * 2));
            let whole = of((sizes[0] / 2..sizes[0] * 2).chain(sizes[1] / 2..sizes[1] * 2));
            for (mut one, other) in [(first.clone(), second.clone()), (second, first)] {
                one.merge(&other);
                assert_eq!(one, whole);
            }
        }
    }

    #[test]
    fn no_number_breaks_the_registers() {
        let mut registers = vec![0; REGISTERS];
        [0, 1, u64::MAX, SALT].iter().for_each(|number| register(&mut registers, *number));
        assert!(registers.iter().all(|zeros| usize::from(*zeros) <= MOST_ZEROS + 1));
        assert_eq!(estimate(&vec![0; REGISTERS]), 0.0);
    }
}
