//! How much of a core may be spent on watching the clock.

use std::time::{Duration, Instant};

/// Time that is earned evenly and spent on watching. Where deadlines are dense, watching for each
/// of them would occupy a core that those who are woken need: what is not granted is slept through,
/// and ends as late as the system's timers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: Duration,
    /// Up to when it is earned.
    earned: Instant,
}

impl Allowance {
    /// All that can be saved up.
    pub(super) const fn full(now: Instant) -> Self {
        Self { left: MOST, earned: now }
    }

    /// Whether `length` may be watched through from `now` on; then it is spent.
    pub(super) fn spend(&mut self, length: Duration, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.earned) / ONE_IN;
        self.left = (self.left + earned).min(MOST);
        self.earned = self.earned.max(now);
        let is_granted = length <= self.left;
        if is_granted {
            self.left -= length;
        }
        is_granted
    }
}

/// The share of a core, as one in so many. Chosen: 2,000 lonely deadlines a second, each of which
/// takes some 60 us of watching, are just within it; a machine of two cores can do without it.
const ONE_IN: u32 = 5;
/// What can be saved up. Chosen: enough for a cluster of deadlines after a pause.
const MOST: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::os_time;

    const MICRO: Duration = Duration::from_micros(1);

    #[test]
    fn a_fifth_of_the_time_is_granted_whatever_is_asked_for() {
        let start = os_time::now();
        let mut allowance = Allowance::full(start);
        // 10 s of which all would be watched, in pieces of 100 us: what was saved up, and a fifth.
        let granted = (0..100_000_u32)
            .filter(|piece| allowance.spend(MICRO * 100, start + MICRO * 100 * *piece))
            .count();
        assert_eq!(granted, 20 + 20_000 - 1);
    }

    #[test]
    fn seldom_deadlines_are_always_watched_for_and_long_watches_never() {
        let start = os_time::now();
        let mut allowance = Allowance::full(start);
        for deadline in 1..1_000_u32 {
            assert!(allowance.spend(MICRO * 120, start + MICRO * 600 * deadline), "{deadline}");
        }
        assert!(!allowance.spend(MOST + MICRO, start + Duration::from_secs(3_600)));
        assert!(allowance.spend(MOST, start), "what was earned stays, also if time goes back");
    }
}
