//! Log-linear bins of whole numbers: those of HdrHistogram (G. Tene).

/// The bin that a number falls into: numbers below 2^(BITS + 1) have one each, from there on there
/// are 2^BITS of equal width to the octave. So a bin's middle is within 2^-(BITS + 1) of every
/// number in it, as a share of the number. Bins are ordered as the numbers in them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LogBin<const BITS: u32>(usize);

impl<const BITS: u32> LogBin<BITS> {
    /// How many bins there are to an octave.
    pub(crate) const PER_OCTAVE: usize = 1 << BITS;

    /// The bin of a number.
    #[inline]
    pub(crate) const fn of(number: u64) -> Self {
        // The leading bits are kept; setting a bit below them avoids a case for zero.
        let shift = 63 - BITS - (number | Self::PER_OCTAVE as u64).leading_zeros();
        Self(((shift as usize) << BITS) + (number >> shift) as usize)
    }

    /// The bin at a place that [`LogBin::index`] gave.
    pub(crate) const fn from_index(index: usize) -> Self {
        Self(index)
    }

    /// Its place among all bins, from 0.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    /// The lowest number in it.
    pub(crate) const fn lowest(self) -> u64 {
        ((self.0 - (self.shift() << BITS)) as u64) << self.shift()
    }

    /// How many numbers fall into it.
    pub(crate) const fn width(self) -> u64 {
        1 << self.shift()
    }

    /// The number in its middle, the upper of two.
    pub(crate) const fn middle(self) -> u64 {
        self.lowest() + (self.width() >> 1)
    }

    const fn shift(self) -> usize {
        (self.0 >> BITS).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_lies_in_its_bin_near_the_middle() {
        let numbers =
            (0..64).flat_map(|shift| [1_u64 << shift, (1 << shift) + 1, u64::MAX >> shift]);
        for number in numbers.chain(0..5_000) {
            let bin = LogBin::<6>::of(number);
            let lowest = bin.lowest();
            assert!(lowest <= number && number - lowest < bin.width(), "{number} in {bin:?}");
            let allowed = number as f64 / 128.0;
            assert!(bin.middle().abs_diff(number) as f64 <= allowed, "{number} in {bin:?}");
            assert_eq!(LogBin::<6>::from_index(bin.index()), bin);
        }
    }

    #[test]
    fn small_numbers_have_a_bin_each_and_bins_follow_each_other() {
        for number in 0..100_000_u64 {
            let (bin, next) = (LogBin::<6>::of(number), LogBin::<6>::of(number + 1));
            assert!(next.index() - bin.index() <= 1);
            assert_eq!(bin.width() == 1, number < 128, "{number}");
        }
    }
}
