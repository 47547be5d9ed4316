//! What is slow by the stable's measure: durations above a multiple of its own quantile.
//!
//! The limit of a request is fixed before it begins: it is made from requests of the stable that
//! had ended by then. So neither the request itself nor the version that it goes to has a part in
//! it, and where both versions are as fast a slow request falls on each by its share of the
//! traffic, also while both drift.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::Slowness;
use super::judged_end::JudgedEnd;
use super::time_meter::duration_of;
use crate::exchange::Class;
use crate::metric::{Measure, Quantile, Sample};
use crate::stats::Bin;
use crate::units::Duration;

/// The limits of late, with the durations that the next is made from.
#[derive(Clone, Debug)]
pub(super) struct SlowLimit {
    sample: Sample,
    quantile: Quantile,
    /// How many times the quantile the limit is.
    times: f64,
    window_seconds: i64,
    /// What has ended on the stable within the window, by stretches, the oldest first.
    stretches: VecDeque<Stretch>,
    /// Over all of them.
    ended: BTreeMap<Bin, u64>,
    /// The one under way.
    present: Stretch,
    /// Each with the second from which on it holds, the oldest first.
    limits: VecDeque<(i64, Option<Duration>)>,
    /// From this second on the last of them is out of date.
    renew_at: i64,
}

/// The durations of a stretch of time, counted by bins: memory does not grow with the traffic.
#[derive(Clone, Debug, Default)]
struct Stretch {
    /// Its first second.
    from: i64,
    counts: BTreeMap<Bin, u64>,
}

impl SlowLimit {
    /// As `slowness` says; without any limit before enough requests of the stable have ended.
    pub(super) fn new(slowness: &Slowness) -> Self {
        let Measure::Quantile(sample, quantile) = slowness.metric.measure() else {
            unreachable!("a judge of slow requests looks at a quantile of durations")
        };
        Self {
            sample,
            quantile,
            times: 1.0 + slowness.effect,
            window_seconds: slowness.window.as_secs() as i64,
            stretches: VecDeque::new(),
            ended: BTreeMap::new(),
            present: Stretch::default(),
            limits: VecDeque::new(),
            renew_at: i64::MIN,
        }
    }

    /// Takes in a request that ended; whether it was slow.
    pub(super) fn take(&mut self, end: &JudgedEnd<'_>) -> bool {
        let value = duration_of(self.sample, end.class, end.observed);
        let Some(value) = value.filter(|_| end.class == Class::Success) else { return false };
        let second = end.at.second();
        if second >= self.renew_at {
            self.renew(second);
        }
        if !end.of_canary {
            *self.present.counts.entry(Bin::of(value)).or_default() += 1;
        }
        self.limit_at(end.began).is_some_and(|limit| value > limit)
    }

    /// What is slow of requests that begin from now on.
    pub(super) fn latest(&self) -> Option<Duration> {
        self.limits.back().and_then(|(_, limit)| *limit)
    }

    /// Makes a limit from what ended before the present stretch of time.
    fn renew(&mut self, second: i64) {
        let from = second - second.rem_euclid(RENEWED_EVERY);
        self.renew_at = from + RENEWED_EVERY;
        let present = std::mem::replace(&mut self.present, Stretch { from, ..Stretch::default() });
        for (bin, count) in &present.counts {
            *self.ended.entry(*bin).or_default() += count;
        }
        self.stretches.push_back(present);
        let oldest = from - self.window_seconds;
        while self.stretches.front().is_some_and(|stretch| stretch.from < oldest) {
            self.forget_oldest();
        }
        let measure = self.measure();
        let limit = measure.map(|measure| {
            Duration::from_nanos((measure.as_nanos() as f64 * self.times).round() as u64)
        });
        if self.limits.len() == KEPT {
            self.limits.pop_front();
        }
        self.limits.push_back((from, limit));
    }

    fn forget_oldest(&mut self) {
        for (bin, count) in self.stretches.pop_front().into_iter().flat_map(|old| old.counts) {
            if let Entry::Occupied(mut ended) = self.ended.entry(bin) {
                *ended.get_mut() -= count;
                if *ended.get() == 0 {
                    ended.remove();
                }
            }
        }
    }

    /// The stable's quantile over the stretches, to the middle of its bin (within 0.8 %); `None`
    /// where fewer than three requests lie beyond it.
    fn measure(&self) -> Option<Duration> {
        let all: u64 = self.ended.values().sum();
        if all * (1_000 - self.quantile.per_mille()) < 3_000 {
            return None;
        }
        let mut rank = self.quantile.rank(all);
        for (bin, count) in &self.ended {
            if *count >= rank {
                return Some(bin.middle());
            }
            rank -= count;
        }
        None
    }

    /// That of a request that began in this second; `None` too where that is too long ago.
    fn limit_at(&self, second: i64) -> Option<Duration> {
        self.limits.iter().rev().find(|(from, _)| *from <= second)?.1
    }
}

/// Seconds. Chosen: a thirtieth of the default window, so that drift is followed, and cheap.
const RENEWED_EVERY: i64 = 10;
/// Chosen: ten minutes, longer than gateways wait for an answer.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Ending, Observed};
    use crate::metric::Metric;
    use crate::units::Timestamp;

    fn limit() -> SlowLimit {
        SlowLimit::new(&Slowness {
            metric: Metric::by_name("latency_p95").unwrap(),
            effect: 0.5,
            window: Duration::from_secs(300),
            burst_block: Duration::ZERO,
        })
    }

    fn take(limit: &mut SlowLimit, of_canary: bool, (began, second): (i64, i64), ms: u64) -> bool {
        let observed = Observed::without_answer(Ending::Success, Duration::from_millis(ms));
        let class = Class::Success;
        let at = Timestamp::from_second(second);
        let (owner, observed) = (None, &observed);
        let (under_present_weights, begun) = (true, 0);
        limit.take(&JudgedEnd {
            of_canary,
            under_present_weights,
            begun,
            began,
            at,
            owner,
            class,
            observed,
        })
    }

    #[test]
    fn a_limit_holds_for_requests_that_begin_after_it_was_made() {
        let mut limit = limit();
        // 95 % of a second, 5 % of two: by ranks the 57th of 60 is the quantile, a second.
        for number in 0..60 {
            assert!(!take(&mut limit, false, (0, 5), if number < 57 { 1_000 } else { 2_000 }));
        }
        assert!(!take(&mut limit, true, (9, 12), 5_000), "it began before there was a limit");
        assert!(take(&mut limit, true, (10, 12), 1_520), "1.5 s within the bin's 1 %");
        assert!(!take(&mut limit, true, (10, 12), 1_480));
    }

    #[test]
    fn there_is_no_limit_before_three_requests_lie_beyond_the_quantile() {
        let mut limit = limit();
        (0..59).for_each(|_| {
            take(&mut limit, false, (0, 5), 1_000);
        });
        assert!(!take(&mut limit, true, (10, 12), 60_000));
        assert_eq!(limit.latest(), None);
        take(&mut limit, false, (10, 12), 1_000);
        assert!(take(&mut limit, true, (20, 22), 60_000));
    }

    #[test]
    fn requests_of_the_canary_have_no_part_in_it() {
        let mut limit = limit();
        (0..60).for_each(|_| {
            take(&mut limit, false, (0, 5), 1_000);
        });
        (0..600).for_each(|_| {
            take(&mut limit, true, (0, 6), 10_000);
        });
        assert!(take(&mut limit, true, (10, 12), 1_520));
    }
}
