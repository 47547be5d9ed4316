//! Engine time as it passes on the wall.

use std::time::Instant;

use super::os_time;
use super::time_scale::TimeScale;
use super::timer::Timer;
use crate::units::{Duration, Timestamp};

/// Tells the engine's time and waits for it. Copies tell the same time.
///
/// It starts at the system's time in UTC and counts from there on by a clock that never goes back,
/// so a system clock that is set later does not show.
///
/// ```
/// # use coalmine::clock::{TimeScale, WallClock};
/// # use coalmine::units::Duration;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// let clock = WallClock::new(TimeScale::new(100.0).unwrap());
/// let at = clock.now() + Duration::from_millis(500);
/// clock.sleep_until(at).await; // 5 ms on the wall
/// assert!(clock.now() >= at);
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    scale: TimeScale,
    /// What the time was, and on the wall.
    start: Timestamp,
    start_on_wall: Instant,
}

impl WallClock {
    /// A clock that starts now and runs at this scale.
    pub fn new(scale: TimeScale) -> Self {
        Self { scale, start: os_time::utc(), start_on_wall: os_time::now() }
    }

    /// A clock that shows `start`, stands still for as long as `held` on the wall, and then runs
    /// at this scale: what is set up meanwhile takes none of its time.
    pub fn starting_at(start: Timestamp, scale: TimeScale, held: Duration) -> Self {
        let held = std::time::Duration::from_nanos(held.as_nanos());
        Self { scale, start, start_on_wall: os_time::now() + held }
    }

    /// How fast it runs.
    pub const fn scale(&self) -> TimeScale {
        self.scale
    }

    /// The time, never before one that was told.
    pub fn now(&self) -> Timestamp {
        let passed = os_time::now().saturating_duration_since(self.start_on_wall);
        self.start + self.scale.engine(os_time::nanos(passed))
    }

    /// How long a stretch of its time takes on the wall.
    pub fn on_the_wall(&self, length: Duration) -> std::time::Duration {
        std::time::Duration::from_nanos(self.scale.wall(length).as_nanos())
    }

    /// How long it is until `at` on the wall; zero where that has passed.
    pub fn until(&self, at: Timestamp) -> std::time::Duration {
        self.on_wall(at).saturating_duration_since(os_time::now())
    }

    /// How long ago it was `at`, on the wall; zero where it is not yet.
    pub fn since(&self, at: Timestamp) -> Duration {
        os_time::nanos(os_time::now().saturating_duration_since(self.on_wall(at)))
    }

    /// Waits until `at`, never less; for ever where that is [`Timestamp::MAX`]. Returns how late it
    /// ended, in wall time. Where `at` has passed it ends at once, and is that late.
    ///
    /// Dropping the future takes the wait back. Ends some 10 us late as a rule, see the module
    /// `timer`; where no thread can be started for that, it needs a tokio runtime with timers.
    pub async fn sleep_until(&self, at: Timestamp) -> Duration {
        if at == Timestamp::MAX {
            std::future::pending::<()>().await;
        }
        let deadline = self.on_wall(at);
        wait_until(deadline).await;
        os_time::nanos(os_time::now().saturating_duration_since(deadline))
    }

    /// When it is `at`, or the start where that is before it.
    pub(super) fn on_wall(&self, at: Timestamp) -> Instant {
        let length = self.on_the_wall(at.since(self.start));
        // Instants reach further than the 584 years that a duration can have, on all platforms
        // that we know; else a century does.
        let century = std::time::Duration::from_secs(100 * 365 * 86_400);
        self.start_on_wall.checked_add(length).unwrap_or_else(|| self.start_on_wall + century)
    }
}

/// Waits until `deadline`, by the timer of the process where that has a thread.
pub(super) async fn wait_until(deadline: Instant) {
    match Timer::of_process() {
        Some(timer) => timer.sleep_until(deadline).await,
        None => tokio::time::sleep_until(deadline.into()).await,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{FutureExt, join_all};

    use super::*;

    fn clock(times: f64) -> WallClock {
        WallClock::new(TimeScale::new(times).unwrap())
    }

    #[test]
    fn time_never_goes_back_and_copies_agree() {
        let clock = clock(7.3);
        let mut last = clock.now();
        for _ in 0..10_000 {
            let copy = clock;
            let now = copy.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_second_takes_a_hundredth_at_a_hundred_times() {
        let clock = clock(100.0);
        let at = clock.start + Duration::from_secs(1_000);
        assert_eq!(clock.on_wall(at) - clock.start_on_wall, std::time::Duration::from_secs(10));
        assert!(clock.until(at) <= std::time::Duration::from_secs(10));
        assert_eq!(clock.until(clock.start), std::time::Duration::ZERO);
        assert_eq!(clock.until(Timestamp::EPOCH), std::time::Duration::ZERO);
        assert_eq!(clock.since(at), Duration::ZERO);
        let passed = clock.now().since(clock.start);
        assert!(clock.since(clock.start) >= clock.scale().wall(passed));
    }

    #[test]
    fn a_clock_that_is_held_stands_still_and_its_waits_count_from_there() {
        let start = Timestamp::from_second(1_000);
        let hour = Duration::from_secs(3_600);
        let clock = WallClock::starting_at(start, TimeScale::new(10.0).unwrap(), hour);
        assert_eq!(clock.now(), start);
        let at = start + Duration::from_secs(600);
        assert_eq!(clock.on_wall(at) - clock.start_on_wall, std::time::Duration::from_secs(60));
        assert_eq!(
            clock.on_the_wall(Duration::from_secs(5)),
            std::time::Duration::from_millis(500)
        );
        let until = clock.until(start);
        assert!(until > std::time::Duration::from_secs(3_000), "{until:?}: it begins in an hour");
    }

    #[tokio::test]
    async fn no_sleep_ends_early_and_all_end() {
        let clock = clock(100.0);
        let start = clock.now();
        let sleeps = (0..500_u64).map(|number| async move {
            // Out of order, up to 3 s of engine time.
            let at = start + Duration::from_millis(number * 7_919 % 3_000);
            clock.sleep_until(at).await;
            assert!(clock.now() >= at, "{number}");
        });
        assert_eq!(join_all(sleeps).await.len(), 500);
    }

    #[tokio::test]
    async fn what_has_passed_is_not_waited_for_and_never_is_never() {
        let clock = clock(1.0);
        let late = clock.sleep_until(clock.start - Duration::from_secs(5)).now_or_never();
        assert!(late.is_some());
        assert!(clock.sleep_until(Timestamp::MAX).now_or_never().is_none());
    }
}
