//! The histogram of durations that summaries are made from.

use serde::{Deserialize, Serialize};

use super::interval::Moments;
use super::micro_counts::{MicroBin, MicroCounts};
use crate::units::Duration;

/// Durations by microsecond, with three significant digits.
///
/// A value read back is within 0.1 % of the one recorded, or half a microsecond where that is more;
/// mean, variance, smallest and largest are exact to the nanosecond. Every aggregate is an integer:
/// merging gives the same in any order. Takes no memory worth mentioning until something is
/// recorded, then 4 KB for each octave from the smallest to the largest duration. At most 2^32 - 1
/// durations of one bin are told apart.
///
/// Written to files as integers, bins without a count left out; reading gives the same histogram.
///
/// ```
/// use coalmine::stats::DurationHistogram;
/// use coalmine::units::Duration;
/// let mut latencies = DurationHistogram::default();
/// for millis in 1..=1_000 {
///     latencies.record(Duration::from_millis(millis));
/// }
/// let p99 = latencies.quantile(990).unwrap();
/// assert!((p99.as_millis_f64() - 990.0).abs() < 0.99);
/// assert_eq!(latencies.mean(), Some(Duration::from_micros(500_500)));
/// ```
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct DurationHistogram(Option<Box<Recorded>>);

/// At least one duration.
#[derive(Clone, PartialEq, Debug)]
struct Recorded {
    /// By the nearest microsecond.
    bins: MicroCounts,
    count: u64,
    nanos: u128,
    /// Of nanoseconds: 128 bits hold 2^45 durations of one hour.
    squares: u128,
    min: Duration,
    max: Duration,
}

impl DurationHistogram {
    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |recorded| recorded.count)
    }

    /// The mean, rounded to a nanosecond; `None` where nothing was recorded.
    pub fn mean(&self) -> Option<Duration> {
        let recorded = self.0.as_ref()?;
        let count = u128::from(recorded.count);
        Some(Duration::from_nanos(((recorded.nanos + count / 2) / count) as u64))
    }

    /// The sum of all, in nanoseconds.
    pub fn sum_nanos(&self) -> u128 {
        self.0.as_ref().map_or(0, |recorded| recorded.nanos)
    }

    /// Number, mean and variance in nanoseconds, for an interval of the mean.
    pub fn moments_nanos(&self) -> Option<Moments> {
        let recorded = self.0.as_ref()?;
        Moments::of_sums(recorded.count, recorded.nanos, recorded.squares)
    }

    /// The smallest.
    pub fn min(&self) -> Option<Duration> {
        self.0.as_ref().map(|recorded| recorded.min)
    }

    /// The largest.
    pub fn max(&self) -> Option<Duration> {
        self.0.as_ref().map(|recorded| recorded.max)
    }

    /// The value of this rank, counted from 1 for the smallest; `None` for rank 0 and beyond the
    /// number of values. The first and the last are exact.
    pub fn at_rank(&self, rank: u64) -> Option<Duration> {
        let recorded = self.0.as_ref()?;
        if rank <= 1 || rank >= recorded.count {
            return match rank {
                0 => None,
                1 => Some(recorded.min),
                _ => (rank == recorded.count).then_some(recorded.max),
            };
        }
        let mut below = 0;
        let found = self.iter().find(|(_, count)| {
            below += count;
            below >= rank
        });
        found.map(|(value, _)| value)
    }

    /// The quantile in thousandths (990 is the 99th percentile): the value of rank ceil(q n), the
    /// smallest for q = 0. `None` where nothing was recorded.
    ///
    /// # Panics
    /// `per_mille` above 1000.
    pub fn quantile(&self, per_mille: u64) -> Option<Duration> {
        assert!(per_mille <= 1_000, "quantile {per_mille} of 1000");
        let rank = (u128::from(self.count()) * u128::from(per_mille)).div_ceil(1_000) as u64;
        self.at_rank(rank.max(1))
    }

    /// The same with each duration so many times as long, to within 0.1 %.
    #[must_use]
    pub fn scaled(&self, times: f64) -> Self {
        let mut scaled = Self::default();
        for (value, count) in self.iter() {
            let value = value.mul_f64(times);
            (0..count).for_each(|_| scaled.record(value));
        }
        scaled
    }

    /// How many values are at most `limit`, as far as their bins tell: to within 0.1 % of it.
    pub fn count_up_to(&self, limit: Duration) -> u64 {
        self.iter().take_while(|(value, _)| *value <= limit).map(|(_, count)| count).sum()
    }

    /// The values and how often each occurred, in rising order; values of one bin count as one.
    pub fn iter(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.0.iter().flat_map(|recorded| {
            recorded.bins.iter().map(|(bin, count)| {
                // The middle of the last bin of all lies beyond what a duration can express.
                let middle = bin.middle().min(Duration::MAX.as_micros());
                let value = Duration::from_micros(middle).clamp(recorded.min, recorded.max);
                (value, u64::from(count))
            })
        })
    }

    /// Between which durations the values of each bin lie, both included, and how many these are,
    /// in rising order.
    pub fn spans(&self) -> impl Iterator<Item = ([Duration; 2], u64)> {
        self.0.iter().flat_map(|recorded| {
            let within = |end: Duration| end.clamp(recorded.min, recorded.max);
            recorded.bins.iter().map(move |(bin, count)| (ends(bin).map(within), u64::from(count)))
        })
    }

    /// Records a duration.
    #[inline]
    pub fn record(&mut self, value: Duration) {
        match &mut self.0 {
            Some(recorded) => recorded.record(value),
            empty => {
                let mut recorded = Box::new(Recorded::new());
                recorded.record(value);
                *empty = Some(recorded);
            }
        }
    }

    /// Adds all that `other` recorded.
    pub fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.0 else { return };
        let Some(ours) = &mut self.0 else {
            self.0.clone_from(&other.0);
            return;
        };
        ours.bins.merge(&theirs.bins);
        ours.count += theirs.count;
        ours.nanos += theirs.nanos;
        ours.squares = ours.squares.saturating_add(theirs.squares);
        ours.min = ours.min.min(theirs.min);
        ours.max = ours.max.max(theirs.max);
    }
}

impl Recorded {
    /// Ready for the first duration.
    fn new() -> Self {
        Self {
            bins: MicroCounts::default(),
            count: 0,
            nanos: 0,
            squares: 0,
            min: Duration::MAX,
            max: Duration::ZERO,
        }
    }

    #[inline]
    fn record(&mut self, value: Duration) {
        let nanos = u128::from(value.as_nanos());
        self.bins.record(MicroBin::of(nearest_micro(value)));
        self.count += 1;
        self.nanos += nanos;
        self.squares = self.squares.saturating_add(nanos * nanos);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

/// The smallest and the largest duration whose nearest microsecond is in a bin.
fn ends(bin: MicroBin) -> [Duration; 2] {
    // The end of the last bin of all lies beyond what a duration can express.
    let start = |micro: u64| Duration::from_nanos(micro.saturating_mul(1_000).saturating_sub(500));
    let next = start(bin.lowest().saturating_add(bin.width()));
    [start(bin.lowest()), next.saturating_sub(Duration::from_nanos(1))]
}

/// The form in files. Sums are split into high and low 64 bits: JSON's readers know no more.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    count: u64,
    sum_ns: (u64, u64),
    sum_of_squares_ns2: (u64, u64),
    min_ns: Duration,
    max_ns: Duration,
    /// Lowest microsecond and count of every bin that is not empty, in rising order.
    bins_us: Vec<(u64, u32)>,
}

impl From<DurationHistogram> for Stored {
    fn from(histogram: DurationHistogram) -> Self {
        let Some(recorded) = histogram.0 else { return Self::default() };
        let bins = recorded.bins.iter().map(|(bin, count)| (bin.lowest(), count));
        Self {
            count: recorded.count,
            sum_ns: halves(recorded.nanos),
            sum_of_squares_ns2: halves(recorded.squares),
            min_ns: recorded.min,
            max_ns: recorded.max,
            bins_us: bins.collect(),
        }
    }
}

impl TryFrom<Stored> for DurationHistogram {
    type Error = HistogramError;

    fn try_from(stored: Stored) -> Result<Self, HistogramError> {
        let mut bins = MicroCounts::default();
        let mut counted = 0_u64;
        for (micros, count) in &stored.bins_us {
            if *micros > Duration::MAX.as_micros() {
                return Err(HistogramError::BinTooHigh { micros: *micros });
            }
            bins.add(MicroBin::of(*micros), *count);
            counted = counted.saturating_add(u64::from(*count));
        }
        if counted != stored.count {
            return Err(HistogramError::CountDiffers { stated: stored.count, counted });
        }
        if counted == 0 {
            return Ok(Self(None));
        }
        let (min, max) = (stored.min_ns, stored.max_ns);
        let (lowest, highest) = (bins.iter().next(), bins.iter().last());
        let [lowest, highest] = [lowest, highest].map(|bin| bin.map(|(bin, _)| bin));
        let bin = |value: Duration| Some(MicroBin::of(nearest_micro(value)));
        if min > max || bin(min) != lowest || bin(max) != highest {
            return Err(HistogramError::EndsDiffer { min, max });
        }
        Ok(Self(Some(Box::new(Recorded {
            bins,
            count: counted,
            nanos: whole(stored.sum_ns),
            squares: whole(stored.sum_of_squares_ns2),
            min,
            max,
        }))))
    }
}

/// Why a stored histogram is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HistogramError {
    /// The bins hold another number of durations than the histogram says.
    #[error("bins hold {counted} durations where {stated} are stated")]
    CountDiffers {
        /// What the histogram says.
        stated: u64,
        /// The sum over its bins.
        counted: u64,
    },
    /// Smallest and largest do not lie in the first and the last bin.
    #[error("min {min} and max {max} do not lie in the first and the last bin")]
    EndsDiffer {
        /// The stated smallest duration.
        min: Duration,
        /// The stated largest duration.
        max: Duration,
    },
    /// A bin lies beyond all durations.
    #[error("a bin at {micros} us is above the longest duration, 2^64 ns")]
    BinTooHigh {
        /// The bin's lowest microsecond.
        micros: u64,
    },
}

#[inline]
const fn nearest_micro(duration: Duration) -> u64 {
    duration.saturating_add(Duration::from_nanos(500)).as_micros()
}

const fn halves(sum: u128) -> (u64, u64) {
    ((sum >> 64) as u64, sum as u64)
}

const fn whole((high, low): (u64, u64)) -> u128 {
    (high as u128) << 64 | low as u128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nanos: &[u64]) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        for value in nanos {
            histogram.record(Duration::from_nanos(*value));
        }
        histogram
    }

    /// Durations of all magnitudes, up to a day.
    fn arb_nanos() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec((0..86_400_000_000_000_u64, 0..40).prop_map(|(x, s)| x >> s), 1..200)
    }

    proptest! {
        #[test]
        fn ranks_are_within_a_thousandth_of_the_sorted_values(nanos in arb_nanos()) {
            let histogram = of(&nanos);
            let mut sorted = nanos;
            sorted.sort_unstable();
            for (index, exact) in sorted.iter().enumerate() {
                let found = histogram.at_rank(index as u64 + 1).unwrap().as_nanos();
                let allowed = (*exact as f64 * 1e-3).max(500.0);
                prop_assert!(found.abs_diff(*exact) as f64 <= allowed, "{found} for {exact}");
            }
            prop_assert_eq!(histogram.at_rank(0), None);
            prop_assert_eq!(histogram.at_rank(sorted.len() as u64 + 1), None);
            prop_assert_eq!(histogram.min().unwrap().as_nanos(), sorted[0]);
            prop_assert_eq!(histogram.max().unwrap().as_nanos(), sorted[sorted.len() - 1]);
        }

        #[test]
        fn merging_is_recording_together(a in arb_nanos(), b in arb_nanos()) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let together = of(&[a.clone(), b.clone()].concat());
            prop_assert_eq!(&merged, &together);
            let mut swapped = of(&b);
            swapped.merge(&of(&a));
            prop_assert_eq!(stored(&swapped), stored(&together));
        }

        #[test]
        fn reading_a_stored_histogram_gives_the_same(nanos in arb_nanos()) {
            let histogram = of(&nanos);
            let text = stored(&histogram);
            let read: DurationHistogram = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(stored(&read), text);
            prop_assert_eq!(read, histogram);
        }
    }

    proptest! {
        #[test]
        fn bins_are_those_of_hdr_histogram(leading: u64, shift in 10..64) {
            let micros = leading >> shift;
            let hdr = hdrhistogram::Histogram::<u32>::new(3).unwrap();
            let bin = MicroBin::of(micros);
            prop_assert_eq!(bin.lowest(), hdr.lowest_equivalent(micros));
            prop_assert_eq!(bin.middle(), hdr.median_equivalent(micros));
            prop_assert_eq!(MicroBin::of(hdr.highest_equivalent(micros)), bin);
            prop_assert_eq!(MicroBin::of(hdr.next_non_equivalent(micros)).index(), bin.index() + 1);
        }
    }

    fn stored(histogram: &DurationHistogram) -> String {
        serde_json::to_string(histogram).unwrap()
    }

    #[test]
    fn an_empty_histogram_has_no_values_and_survives_storage() {
        let empty = DurationHistogram::default();
        assert_eq!((empty.count(), empty.mean(), empty.quantile(500)), (0, None, None));
        assert_eq!(empty.moments_nanos(), None);
        assert_eq!(empty.iter().count(), 0);
        assert_eq!(serde_json::from_str::<DurationHistogram>(&stored(&empty)).unwrap(), empty);
        let mut merged = of(&[5_000]);
        merged.merge(&empty);
        assert_eq!(merged, of(&[5_000]));
    }

    #[test]
    fn sums_beyond_64_bits_survive_storage_through_any_reader() {
        let histogram = of(&[u64::MAX, u64::MAX / 2, 3]);
        let value = serde_json::to_value(&histogram).unwrap();
        assert_eq!(serde_json::from_value::<DurationHistogram>(value).unwrap(), histogram);
        assert_eq!(histogram.max(), Some(Duration::MAX));
        assert_eq!(histogram.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }

    #[test]
    fn quantiles_are_order_statistics() {
        let histogram = of(&[1_000_000, 2_000_000, 3_000_000, 4_000_000]);
        let millis = |per_mille| histogram.quantile(per_mille).unwrap().as_millis_f64().round();
        assert_eq!([0, 250, 251, 500, 750, 999].map(millis), [1.0, 1.0, 2.0, 2.0, 3.0, 4.0]);
        let counts: Vec<u64> = histogram.iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 1, 1]);
    }

    #[test]
    fn moments_are_exact() {
        // numpy: mean 2500, var(ddof=1) 5000000/3 of [1000, 2000, 3000, 4000].
        let moments = of(&[1_000, 2_000, 3_000, 4_000]).moments_nanos().unwrap();
        assert_eq!((moments.count, moments.mean), (4, 2_500.0));
        assert!((moments.variance - 5_000_000.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn damaged_histograms_are_refused() {
        let read =
            |text: &str| serde_json::from_str::<DurationHistogram>(text).unwrap_err().to_string();
        let text = stored(&of(&[7_000, 9_000]));
        assert!(read(&text.replace("\"count\":2", "\"count\":3")).contains("where 3 are stated"));
        assert!(read(&text.replace("\"min_ns\":7000", "\"min_ns\":1000")).contains("first"));
        assert!(read(&text.replace("[[7,", "[[18446744073709552,")).contains("above the longest"));
        assert!(read(&text.replace("min_ns", "minimum")).contains("unknown field"));
    }

    #[test]
    fn spans_hold_what_was_counted_in_them() {
        let mut state = 1_u64;
        for _ in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = Duration::from_nanos(state >> (state % 60 + 4));
            let mut histogram = DurationHistogram::default();
            for nanos in [0, value.as_nanos(), u64::MAX] {
                histogram.record(Duration::from_nanos(nanos));
            }
            let all: Vec<_> = histogram.spans().collect();
            assert_eq!(all.iter().map(|(_, count)| count).sum::<u64>(), 3);
            assert!(all.iter().any(|([low, high], _)| (low..=high).contains(&&value)), "{value}");
            assert!(all.windows(2).all(|two| two[0].0[1] < two[1].0[0]), "{all:?}");
        }
        // 800 ms are in a bin of 512 us, 1,562 of which end half a microsecond before 799.744 ms.
        let mut histogram = DurationHistogram::default();
        (0..3).for_each(|x| histogram.record(Duration::from_millis(600 + 200 * x)));
        let (span, count) = histogram.spans().nth(1).unwrap();
        let expected = [799_743_500, 800_255_499].map(Duration::from_nanos);
        assert_eq!((span, count), (expected, 1));
    }
}
