//! A sample of a stream in bounded memory.

use crate::chance::{Chance, Purpose};
use crate::units::RequestId;

/// Keeps everything up to a number, and beyond it a sample in which each item is as likely as any
/// other (Algorithm R: J. S. Vitter, ACM Trans. Math. Softw. 11, 1985, doi:10.1145/3147.3165). What
/// it keeps is a function of the stream alone.
#[derive(Clone, Debug)]
pub(super) struct Reservoir<T> {
    items: Vec<T>,
    seen: u64,
    most: usize,
}

impl<T> Reservoir<T> {
    /// For `most` items.
    pub(super) const fn new(most: usize) -> Self {
        Self { items: Vec::new(), seen: 0, most }
    }

    /// What is kept, in no particular order once something was left out.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// How many items came.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn add(&mut self, item: T) {
        self.seen += 1;
        if self.items.len() < self.most {
            self.items.push(item);
            return;
        }
        let draw = Chance::new(SEED, 0).request(RequestId(self.seen), 0).draw(Purpose::Sample, 0);
        let place = (u128::from(draw.bits()) * u128::from(self.seen)) >> 64;
        if let Some(kept) = self.items.get_mut(place as usize) {
            *kept = item;
        }
    }
}

/// Chosen: any constant.
const SEED: u64 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 100,000 numbers 10,000 are kept: their mean has a standard deviation of
    /// 100,000 / sqrt(12 * 10,000) * sqrt(0.9) = 274, their number in the first half one of
    /// 50 * sqrt(0.9) = 47.
    #[test]
    fn a_sample_is_as_likely_to_keep_the_first_as_the_last() {
        let mut reservoir = Reservoir::new(10_000);
        (0..100_000_u32).for_each(|number| reservoir.add(number));
        assert_eq!((reservoir.items().len(), reservoir.seen()), (10_000, 100_000));
        let mean = reservoir.items().iter().map(|n| f64::from(*n)).sum::<f64>() / 1e4;
        assert!((mean - 49_999.5).abs() < 4.0 * 274.0, "{mean}");
        let early = reservoir.items().iter().filter(|n| **n < 50_000).count() as f64;
        assert!((early - 5_000.0).abs() < 4.0 * 47.0, "{early}");
    }

    #[test]
    fn up_to_its_size_everything_is_kept_in_order() {
        let mut reservoir = Reservoir::new(3);
        (0..3).for_each(|number| reservoir.add(number));
        assert_eq!(reservoir.items(), [0, 1, 2]);
    }
}
