//! Sliding windows over whole seconds.
//!
//! A window of w seconds read at second t covers the seconds [t - w, t): what happened in second t
//! or later is not in it. Time never goes back: neither the seconds that are added nor those that
//! are read. Only seconds in which something happened take memory and work, so an add costs the
//! same however long nothing happened before it.

use std::collections::VecDeque;
use std::collections::vec_deque;

use super::bins::Bin;
use crate::units::Duration;

/// Counts trials and hits over the last seconds.
///
/// ```
/// use coalmine::stats::{CountWindow, Counts};
/// let mut window = CountWindow::new(60);
/// window.add(100, true);
/// window.add(101, false);
/// assert_eq!(window.counts(101), Counts { hits: 1, total: 1 });
/// assert_eq!(window.counts(160), Counts { hits: 1, total: 2 });
/// assert_eq!(window.counts(161), Counts { hits: 0, total: 1 });
/// ```
#[derive(Clone, Debug)]
pub struct CountWindow {
    seconds: i64,
    /// The second that is being filled.
    newest: SecondCounts,
    /// Earlier seconds that were not empty, oldest first.
    sealed: VecDeque<SecondCounts>,
    /// Over `sealed`.
    sum: Counts,
}

/// What a [`CountWindow`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Trials that hit.
    pub hits: u64,
    /// All trials.
    pub total: u64,
}

#[derive(Clone, Copy, Debug)]
struct SecondCounts {
    second: i64,
    hits: u32,
    total: u32,
}

impl CountWindow {
    /// An empty window of `seconds` seconds.
    ///
    /// # Panics
    /// `seconds` is 0.
    pub fn new(seconds: u32) -> Self {
        assert!(seconds > 0, "a window covers at least 1 second");
        Self {
            seconds: i64::from(seconds),
            newest: SecondCounts::EMPTY,
            sealed: VecDeque::new(),
            sum: Counts::default(),
        }
    }

    /// Adds a trial in `second`, at most 2^32 - 1 in one second.
    ///
    /// # Panics
    /// `second` lies before one added earlier.
    #[inline]
    pub fn add(&mut self, second: i64, hit: bool) {
        if second != self.newest.second {
            self.begin(second);
        }
        self.newest.hits += u32::from(hit);
        self.newest.total += 1;
    }

    /// What the seconds [end - w, end) hold. Forgets what lies before them: later reads must not
    /// end earlier.
    ///
    /// # Panics
    /// `end_second` lies before the newest second added to.
    pub fn counts(&mut self, end_second: i64) -> Counts {
        let newest = self.newest;
        assert!(
            end_second >= newest.second,
            "a window read at second {end_second} was added to in second {}",
            newest.second
        );
        let start = end_second.saturating_sub(self.seconds);
        self.expire(start);
        if newest.second < end_second && newest.second >= start {
            Counts {
                hits: self.sum.hits + u64::from(newest.hits),
                total: self.sum.total + u64::from(newest.total),
            }
        } else {
            self.sum
        }
    }

    /// Forgets everything, also which second was the newest.
    pub fn clear(&mut self) {
        self.newest = SecondCounts::EMPTY;
        self.sealed.clear();
        self.sum = Counts::default();
    }

    /// Makes `second` the newest one.
    #[inline(never)]
    fn begin(&mut self, second: i64) {
        let newest = self.newest;
        assert!(second > newest.second, "second {second} follows second {}", newest.second);
        if newest.total > 0 {
            self.sealed.push_back(newest);
            self.sum.hits += u64::from(newest.hits);
            self.sum.total += u64::from(newest.total);
        }
        self.newest = SecondCounts { second, hits: 0, total: 0 };
        self.expire(second.saturating_sub(self.seconds));
    }

    /// Forgets the seconds before `start`.
    fn expire(&mut self, start: i64) {
        while let Some(oldest) = self.sealed.front().filter(|oldest| oldest.second < start) {
            self.sum.hits -= u64::from(oldest.hits);
            self.sum.total -= u64::from(oldest.total);
            self.sealed.pop_front();
        }
    }
}

impl SecondCounts {
    /// Before all seconds.
    const EMPTY: Self = Self { second: i64::MIN, hits: 0, total: 0 };
}

/// Keeps the durations of the last seconds, each in two bytes.
///
/// ```
/// use coalmine::stats::SampleWindow;
/// use coalmine::units::Duration;
/// let mut window = SampleWindow::new(60);
/// for millis in [10, 20, 90] {
///     window.add(100, Duration::from_millis(millis));
/// }
/// let view = window.read(101, 30);
/// assert_eq!(view.mean(), Some(Duration::from_millis(40)));
/// let median = view.at_rank(2).unwrap();
/// assert!((median.as_millis_f64() - 20.0).abs() < 0.2);
/// ```
#[derive(Clone, Debug)]
pub struct SampleWindow {
    seconds: i64,
    newest: i64,
    /// The bins of all samples, in the order in which they came.
    bins: VecDeque<Bin>,
    /// How many samples came before the first of `bins`.
    dropped: u64,
    /// The sum of all samples ever added.
    nanos: u128,
    /// The seconds that are not empty, oldest first; the newest is the last.
    starts: VecDeque<SecondStart>,
}

/// What had been added before a second began.
#[derive(Clone, Copy, Debug)]
struct SecondStart {
    second: i64,
    count: u64,
    nanos: u128,
}

impl SampleWindow {
    /// An empty window that keeps `seconds` seconds.
    ///
    /// # Panics
    /// `seconds` is 0.
    pub fn new(seconds: u32) -> Self {
        assert!(seconds > 0, "a window covers at least 1 second");
        Self {
            seconds: i64::from(seconds),
            newest: i64::MIN,
            bins: VecDeque::new(),
            dropped: 0,
            nanos: 0,
            starts: VecDeque::new(),
        }
    }

    /// Adds a sample in `second`.
    ///
    /// # Panics
    /// `second` lies before one added earlier.
    #[inline]
    pub fn add(&mut self, second: i64, sample: Duration) {
        if second != self.newest {
            self.begin(second);
        }
        self.bins.push_back(Bin::of(sample));
        self.nanos += u128::from(sample.as_nanos());
    }

    /// The samples of the seconds [end - w, end), where w is `window_seconds`.
    ///
    /// # Panics
    /// `window_seconds` is more than the window keeps, or `end_second` lies before the newest
    /// second added to.
    pub fn read(&self, end_second: i64, window_seconds: u32) -> SampleView<'_> {
        let window = i64::from(window_seconds);
        assert!(window <= self.seconds, "{window} s of a window of {} s", self.seconds);
        assert!(
            end_second >= self.newest,
            "a window read at second {end_second} was added to in second {}",
            self.newest
        );
        let (from, from_nanos) = self.before(end_second.saturating_sub(window));
        let (to, to_nanos) = self.before(end_second);
        let place = |count: u64| (count - self.dropped) as usize;
        SampleView {
            bins: self.bins.range(place(from)..place(to)),
            count: to - from,
            nanos: to_nanos - from_nanos,
        }
    }

    /// Forgets everything, also which second was the newest.
    pub fn clear(&mut self) {
        self.newest = i64::MIN;
        self.bins.clear();
        self.dropped = 0;
        self.nanos = 0;
        self.starts.clear();
    }

    /// Number and sum of all samples before `second`, of those kept and those dropped.
    fn before(&self, second: i64) -> (u64, u128) {
        let index = self.starts.partition_point(|start| start.second < second);
        match self.starts.get(index) {
            Some(start) => (start.count, start.nanos),
            None => (self.dropped + self.bins.len() as u64, self.nanos),
        }
    }

    /// Makes `second` the newest one and drops what no window read from now on can cover.
    #[inline(never)]
    fn begin(&mut self, second: i64) {
        assert!(second > self.newest, "second {second} follows second {}", self.newest);
        let first = second.saturating_sub(self.seconds);
        let mut expired = false;
        while self.starts.front().is_some_and(|oldest| oldest.second < first) {
            self.starts.pop_front();
            expired = true;
        }
        if expired {
            let kept_from = match self.starts.front() {
                Some(oldest) => oldest.count,
                None => self.dropped + self.bins.len() as u64,
            };
            self.bins.drain(..(kept_from - self.dropped) as usize);
            self.dropped = kept_from;
        }
        self.newest = second;
        let count = self.dropped + self.bins.len() as u64;
        self.starts.push_back(SecondStart { second, count, nanos: self.nanos });
    }
}

/// The samples of a stretch of time, as [`SampleWindow::read`] found them.
#[derive(Clone, Debug)]
pub struct SampleView<'a> {
    bins: vec_deque::Iter<'a, Bin>,
    count: u64,
    nanos: u128,
}

impl SampleView<'_> {
    /// How many samples there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean, exact but for the rounding to a nanosecond; `None` where there are none.
    pub fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.count);
        let mean = (self.nanos + count / 2).checked_div(count)?;
        Some(Duration::from_nanos(mean as u64))
    }

    /// How many samples lie above `limit` (where `at_limit`: or at it), each taken as the middle of
    /// its bin, as [`SampleView::at_rank`] takes it. Takes time proportional to the number of
    /// samples.
    pub fn count_beyond(&self, limit: Duration, at_limit: bool) -> u64 {
        let first = Bin::of(limit);
        let middle = first.middle();
        let inside = if at_limit { middle >= limit } else { middle > limit };
        let beyond = |bin: &&Bin| if inside { **bin >= first } else { **bin > first };
        self.bins.clone().filter(beyond).count() as u64
    }

    /// The sample of this rank, counted from 1 for the smallest, within 0.8 %; `None` for rank 0
    /// and beyond the number of samples. Takes time proportional to the number of samples.
    pub fn at_rank(&self, rank: u64) -> Option<Duration> {
        if rank == 0 || rank > self.count {
            return None;
        }
        // Two counting passes, first over groups of bins and then inside one group, need less
        // memory and time than one pass over all bins.
        let mut groups = [0; Bin::GROUPS];
        self.bins.clone().for_each(|bin| groups[bin.group()] += 1);
        let (group, rank) = locate(&groups, rank)?;
        let mut places = [0; Bin::GROUP];
        let in_group = self.bins.clone().filter(|bin| bin.group() == group);
        in_group.for_each(|bin| places[bin.place()] += 1);
        let (place, _) = locate(&places, rank)?;
        Some(Bin::at(group, place).middle())
    }
}

/// Where the element of `rank` (from 1) lies among counted cells, and its rank in there.
fn locate(counts: &[u64], rank: u64) -> Option<(usize, u64)> {
    let mut left = rank;
    for (index, count) in counts.iter().enumerate() {
        if left <= *count {
            return Some((index, left));
        }
        left -= count;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seconds to the next event, whether it is a read, and a payload.
    fn arb_steps() -> impl Strategy<Value = Vec<(i64, bool, u64)>> {
        let gap = prop_oneof![
            6 => Just(0_i64),
            6 => 1..4_i64,
            2 => 5..30_i64,
            1 => Just(1_000_000_000_i64),
        ];
        prop::collection::vec((gap, prop::bool::weighted(0.3), 0..10_000_000_000_u64), 1..300)
    }

    proptest! {
        #[test]
        fn counts_are_those_of_a_naive_window(
            seconds in 1..20_u32, start in -50..50_i64, steps in arb_steps(),
        ) {
            let mut window = CountWindow::new(seconds);
            let mut all: Vec<(i64, bool)> = Vec::new();
            let mut now = start;
            for (gap, read, payload) in steps {
                now += gap;
                if read {
                    let inside = now - i64::from(seconds)..now;
                    let naive: Vec<_> = all.iter().filter(|(at, _)| inside.contains(at)).collect();
                    let expected = Counts {
                        hits: naive.iter().filter(|(_, hit)| *hit).count() as u64,
                        total: naive.len() as u64,
                    };
                    prop_assert_eq!(window.counts(now), expected);
                } else {
                    window.add(now, payload % 3 == 0);
                    all.push((now, payload % 3 == 0));
                }
                prop_assert!(window.sealed.len() <= seconds as usize);
            }
        }

        #[test]
        fn samples_are_those_of_a_naive_window(
            seconds in 1..20_u32, part in 0..20_u32, start in -50..50_i64, steps in arb_steps(),
        ) {
            let mut window = SampleWindow::new(seconds);
            let read_seconds = seconds - part % seconds;
            let mut all: Vec<(i64, u64)> = Vec::new();
            let mut now = start;
            for (gap, read, nanos) in steps {
                now += gap;
                if !read {
                    window.add(now, Duration::from_nanos(nanos));
                    all.push((now, nanos));
                    let kept = all.iter().filter(|(at, _)| *at >= now - i64::from(seconds)).count();
                    prop_assert_eq!(window.bins.len(), kept);
                    continue;
                }
                let inside = now - i64::from(read_seconds)..now;
                let mut naive: Vec<u64> =
                    all.iter().filter(|(at, _)| inside.contains(at)).map(|(_, ns)| *ns).collect();
                naive.sort_unstable();
                let view = window.read(now, read_seconds);
                prop_assert_eq!(view.count(), naive.len() as u64);
                let count = naive.len() as u64;
                let mean = (naive.iter().sum::<u64>() + count / 2).checked_div(count);
                prop_assert_eq!(view.mean().map(Duration::as_nanos), mean);
                for (index, exact) in naive.iter().enumerate() {
                    let found = view.at_rank(index as u64 + 1).unwrap().as_nanos();
                    prop_assert!(found.abs_diff(*exact) as f64 <= *exact as f64 / 128.0);
                }
                let limit = Duration::from_nanos(naive.first().copied().unwrap_or(nanos));
                for at_limit in [false, true] {
                    let beyond = (1..=count).filter(|rank| {
                        let sample = view.at_rank(*rank).unwrap();
                        sample > limit || (at_limit && sample == limit)
                    });
                    prop_assert_eq!(view.count_beyond(limit, at_limit), beyond.count() as u64);
                }
                prop_assert_eq!(view.at_rank(0), None);
                prop_assert_eq!(view.at_rank(count + 1), None);
            }
        }
    }

    #[test]
    fn a_cleared_window_may_start_anywhere() {
        let mut counts = CountWindow::new(5);
        let mut samples = SampleWindow::new(5);
        counts.add(100, true);
        samples.add(100, Duration::from_millis(3));
        counts.clear();
        samples.clear();
        assert_eq!(counts.counts(10), Counts::default());
        assert_eq!(samples.read(10, 5).count(), 0);
        assert_eq!(samples.read(10, 5).mean(), None);
        counts.add(10, false);
        samples.add(10, Duration::from_millis(7));
        assert_eq!(counts.counts(11), Counts { hits: 0, total: 1 });
        assert_eq!(samples.read(11, 1).mean(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn the_end_of_time_is_within_range() {
        let mut counts = CountWindow::new(5);
        counts.add(i64::MIN + 1, true);
        assert_eq!(counts.counts(i64::MIN + 2).total, 1);
        counts.add(i64::MAX, true);
        assert_eq!(counts.counts(i64::MAX).total, 0);
    }

    #[test]
    #[should_panic(expected = "second 9 follows second 10")]
    fn time_does_not_go_back() {
        let mut counts = CountWindow::new(5);
        counts.add(10, true);
        counts.add(9, true);
    }
}
