//! Requests in flight, counted by the second in which they started.

use std::collections::VecDeque;

use crate::units::{Duration, Timestamp};

/// How many requests are in flight for how long, to a second: what a latency condition needs to see
/// a version that hangs.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    /// The second of the first count.
    first: i64,
    /// By start second; the first is not 0 unless it is the only one.
    counts: VecDeque<u32>,
}

/// Requests in flight for longer than a latency condition's threshold, at a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Overdue {
    /// How many.
    pub(super) count: u64,
    /// The sum of their ages so far.
    pub(super) age: Duration,
}

impl InFlight {
    #[inline]
    pub(super) fn start(&mut self, start: Timestamp) {
        let second = start.second();
        if self.counts.is_empty() {
            self.first = second;
        }
        let index = (second - self.first) as usize;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
    }

    #[inline]
    pub(super) fn end(&mut self, start: Timestamp) {
        let index = (start.second() - self.first) as usize;
        self.counts[index] -= 1;
        while self.counts.front() == Some(&0) {
            self.counts.pop_front();
            self.first += 1;
        }
    }

    /// The requests that started in a second which ended at least `limit` before `now`: certain to
    /// be in flight for longer.
    pub(super) fn overdue(&self, now: Timestamp, limit: Duration) -> Overdue {
        let last = now.saturating_sub(limit).second();
        let mut overdue = Overdue::default();
        for (offset, count) in self.counts.iter().enumerate() {
            let second = self.first + offset as i64;
            if second >= last {
                break;
            }
            overdue.count += u64::from(*count);
            overdue.age += now.since(Timestamp::from_second(second + 1)) * u64::from(*count);
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_overdue_once_its_whole_second_is() {
        let mut in_flight = InFlight::default();
        in_flight.start(Timestamp::from_nanos(10_900_000_000));
        in_flight.start(Timestamp::from_nanos(12_000_000_000));
        let limit = Duration::from_secs(3);
        let at = |second| in_flight.overdue(Timestamp::from_second(second), limit).count;
        assert_eq!((at(13), at(14), at(15), at(16)), (0, 1, 1, 2));
    }

    #[test]
    fn what_ended_is_not_in_flight() {
        let mut in_flight = InFlight::default();
        let (first, second) = (Timestamp::from_second(10), Timestamp::from_second(500));
        in_flight.start(first);
        in_flight.start(second);
        in_flight.end(first);
        assert_eq!(in_flight.counts.len(), 1);
        let overdue = in_flight.overdue(Timestamp::from_second(600), Duration::from_secs(1));
        assert_eq!(overdue.count, 1);
        assert_eq!(overdue.age, Duration::from_secs(99));
        in_flight.end(second);
        in_flight.start(Timestamp::from_second(9_999));
        assert_eq!(in_flight.counts.len(), 1);
    }
}
