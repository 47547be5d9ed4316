//! Compact log-linear bins for durations: 64 to the octave, numbered in 16 bits.

use crate::units::Duration;

/// The bin that a duration falls into. Bins are ordered as the durations in them.
///
/// Durations under 128 ns have a bin each; from there every octave has 64 bins of equal width, so
/// that a bin is at most 1/64 of its lower edge wide and its middle within 1/128 (0.8 %) of every
/// duration in it. All durations are covered by 3,776 bins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bin(u16);

impl Bin {
    /// How many consecutive bins make a group.
    pub(super) const GROUP: usize = 64;
    /// How many groups cover all durations.
    pub(super) const GROUPS: usize = 59;

    /// How many bins there are.
    pub const COUNT: usize = Self::GROUPS * Self::GROUP;

    /// The bin of this duration.
    #[inline]
    pub const fn of(duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        // The seven leading bits are kept; setting a bit below them avoids a case for zero.
        let shift = 57 - (nanos | 64).leading_zeros();
        Self((shift << 6) as u16 + (nanos >> shift) as u16)
    }

    /// The bin at `place` in group `group`.
    pub(super) const fn at(group: usize, place: usize) -> Self {
        Self((group * Self::GROUP + place) as u16)
    }

    /// Its place among all bins, from 0.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The bin at a place that [`Bin::index`] gave.
    ///
    /// # Panics
    /// There is no bin at this place.
    pub const fn from_index(index: usize) -> Self {
        assert!(index < Self::COUNT, "no such bin");
        Self(index as u16)
    }

    /// The group that it lies in.
    #[inline]
    pub(super) const fn group(self) -> usize {
        self.0 as usize / Self::GROUP
    }

    /// Its place in its group.
    #[inline]
    pub(super) const fn place(self) -> usize {
        self.0 as usize % Self::GROUP
    }

    /// The shortest duration in it.
    pub const fn lower_edge(self) -> Duration {
        let shift = (self.0 >> 6).saturating_sub(1);
        Duration::from_nanos(((self.0 - (shift << 6)) as u64) << shift)
    }

    /// The duration in the middle of it, which stands for all durations in it.
    pub const fn middle(self) -> Duration {
        let shift = (self.0 >> 6).saturating_sub(1);
        Duration::from_nanos(self.lower_edge().as_nanos() + (1 << shift >> 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bin(nanos: u64) -> Bin {
        Bin::of(Duration::from_nanos(nanos))
    }

    #[test]
    fn the_shortest_durations_have_a_bin_each() {
        for nanos in 0..128 {
            assert_eq!(bin(nanos).middle().as_nanos(), nanos);
        }
        assert_eq!(bin(128), bin(129));
        assert_eq!(bin(128).middle().as_nanos(), 129);
    }

    #[test]
    fn the_longest_duration_has_the_last_bin() {
        let last = Bin::of(Duration::MAX);
        assert_eq!(last, Bin::at(Bin::GROUPS - 1, Bin::GROUP - 1));
        assert!(last.middle().as_nanos() > u64::MAX / 128 * 127);
    }

    proptest! {
        #[test]
        fn a_bin_is_within_a_hundredth_of_its_durations(leading: u64, shift in 0..63) {
            let nanos = leading >> shift;
            let middle = bin(nanos).middle().as_nanos();
            prop_assert!(middle.abs_diff(nanos) as f64 <= nanos as f64 / 128.0);
            prop_assert_eq!(bin(middle), bin(nanos));
            let edge = bin(nanos).lower_edge().as_nanos();
            prop_assert!(edge <= nanos && bin(edge) == bin(nanos));
            prop_assert!(edge == 0 || bin(edge - 1) < bin(nanos));
        }

        #[test]
        fn bins_keep_the_order_and_split_into_group_and_place(a: u64, b: u64, shift in 0..63) {
            let (small, large) = (a.min(b) >> shift, a.max(b) >> shift);
            prop_assert!(bin(small) <= bin(large));
            prop_assert!(bin(small) <= bin(small.saturating_add(1)));
            prop_assert_eq!(Bin::at(bin(a).group(), bin(a).place()), bin(a));
        }
    }
}
