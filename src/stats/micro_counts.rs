//! How many durations fell into each bin of whole microseconds. Knows nothing of their sums.

use super::log_bin::LogBin;

/// A bin of whole microseconds with three significant digits: 1 us wide below 2,048 us, then 1,024
/// to the octave.
pub(super) type MicroBin = LogBin<10>;

/// Counts by bin, with room for the octaves from the lowest to the highest that has any.
///
/// Latencies of one upstream span a few octaves of the twenty up to a second: room for all from 0
/// would cost a study more in fresh memory than the counting itself.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct MicroCounts {
    /// The place of the first bin that there is room for: the first of its octave.
    first: usize,
    counts: Vec<u32>,
}

impl MicroCounts {
    /// Counts one; a bin holds at most 2^32 - 1.
    #[inline]
    pub(super) fn record(&mut self, bin: MicroBin) {
        // Below the first the difference wraps round to a place that is in no list.
        match self.counts.get_mut(bin.index().wrapping_sub(self.first)) {
            Some(count) => *count = count.saturating_add(1),
            None => self.add(bin, 1),
        }
    }

    /// Counts so many.
    #[cold]
    pub(super) fn add(&mut self, bin: MicroBin, count: u32) {
        if count == 0 {
            return;
        }
        let place = bin.index();
        self.make_room(place, place + 1);
        let counted = &mut self.counts[place - self.first];
        *counted = counted.saturating_add(count);
    }

    /// Adds all that `other` counted.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.counts.is_empty() {
            return;
        }
        self.make_room(other.first, other.first + other.counts.len());
        let ours = &mut self.counts[other.first - self.first..];
        for (ours, theirs) in ours.iter_mut().zip(&other.counts) {
            *ours = ours.saturating_add(*theirs);
        }
    }

    /// The bins that are not empty with their counts, in rising order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MicroBin, u32)> {
        let bins = (self.first..).zip(&self.counts).filter(|(_, count)| **count > 0);
        bins.map(|(place, count)| (MicroBin::from_index(place), *count))
    }

    /// Makes room for the octaves of these places, the last one excluded: this is rare then.
    fn make_room(&mut self, from: usize, to: usize) {
        let octave = MicroBin::PER_OCTAVE;
        let (from, to) = (from / octave * octave, to.next_multiple_of(octave));
        if self.counts.is_empty() {
            self.first = from;
        }
        if from < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - from));
            self.first = from;
        }
        if self.counts.len() < to - self.first {
            self.counts.resize(to - self.first, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn counted(places: &[u64]) -> MicroCounts {
        let mut counts = MicroCounts::default();
        places.iter().for_each(|micros| counts.record(MicroBin::of(*micros)));
        counts
    }

    proptest! {
        #[test]
        fn what_was_counted_is_found_in_any_order(
            one in prop::collection::vec(0_u64..5_000_000, 0..30),
            other in prop::collection::vec(1_000_u64..90_000, 0..30),
        ) {
            let mut expected = BTreeMap::new();
            for micros in one.iter().chain(&other) {
                *expected.entry(MicroBin::of(*micros)).or_insert(0) += 1;
            }
            let expected: Vec<(MicroBin, u32)> = expected.into_iter().collect();
            let (mut there, mut back) = (counted(&one), counted(&other));
            there.merge(&counted(&other));
            back.merge(&counted(&one));
            prop_assert_eq!(there.iter().collect::<Vec<_>>(), expected);
            prop_assert_eq!(there, back);
        }
    }

    #[test]
    fn there_is_room_for_the_octaves_that_have_any_and_no_more() {
        let octave = MicroBin::PER_OCTAVE;
        let mut counts = counted(&[1_000_000, 1_100_000]);
        assert_eq!(counts.counts.len(), 2 * octave, "of 2^19 and of 2^20 us");
        counts.record(MicroBin::of(150_000));
        assert_eq!(counts.counts.len(), 4 * octave, "from 2^17 us on");
        counts.add(MicroBin::of(1), 0);
        assert_eq!(counts.counts.len(), 4 * octave, "where nothing is counted none is needed");
        assert_eq!(MicroCounts::default().counts.capacity(), 0);
    }

    #[test]
    fn a_full_bin_stays_full() {
        let bin = MicroBin::of(7);
        let mut counts = MicroCounts::default();
        counts.add(bin, u32::MAX);
        counts.record(bin);
        counts.merge(&counts.clone());
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(bin, u32::MAX)]);
    }
}
