//! The own time of a workload: it passes as that of the run, or for a while faster or slower.

use crate::units::Duration;

/// Tells the time of the run by that of the workload, and the other way round, since the last
/// change of speed. Both begin at the same instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The times at the last change of speed.
    own: Duration,
    run: Duration,
    /// How many times as fast as the run's the workload's own passes; at 0 it stands still.
    speed: f64,
}

impl Clock {
    /// Both pass alike.
    pub(super) const fn new() -> Self {
        Self { own: Duration::ZERO, run: Duration::ZERO, speed: 1.0 }
    }

    /// From `run` on, which is no earlier than the last change, the own time passes `speed` times
    /// as fast as that of the run.
    pub(super) fn set_speed(&mut self, run: Duration, speed: f64) {
        *self = Self { own: self.own(run), run, speed };
    }

    /// The workload's own time at `run`.
    pub(super) fn own(&self, run: Duration) -> Duration {
        self.own.saturating_add(times(run.saturating_sub(self.run), self.speed))
    }

    /// The time of the run when it is `own`; the end of all time where that stands still. What is
    /// earlier than the last change, be it by rounding, is at the change.
    pub(super) fn run(&self, own: Duration) -> Duration {
        if self.speed == 0.0 {
            return Duration::MAX;
        }
        self.run.saturating_add(times(own.saturating_sub(self.own), 1.0 / self.speed))
    }
}

/// Exact where nothing is to be done.
fn times(duration: Duration, factor: f64) -> Duration {
    if factor == 1.0 { duration } else { duration.mul_f64(factor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn time_passes_faster_and_slower_and_as_it_was() {
        let mut clock = Clock::new();
        assert_eq!((clock.own(seconds(7)), clock.run(seconds(7))), (seconds(7), seconds(7)));
        clock.set_speed(seconds(10), 4.0);
        assert_eq!((clock.own(seconds(15)), clock.run(seconds(30))), (seconds(30), seconds(15)));
        // It was 30 s after 15 s.
        clock.set_speed(seconds(15), 0.5);
        assert_eq!((clock.own(seconds(25)), clock.run(seconds(35))), (seconds(35), seconds(25)));
        clock.set_speed(seconds(25), 1.0);
        assert_eq!((clock.own(seconds(26)), clock.run(seconds(36))), (seconds(36), seconds(26)));
        assert_eq!(clock.run(seconds(1)), seconds(25), "the past does not come again");
    }

    #[test]
    fn nothing_comes_while_time_stands_still_and_all_of_it_afterwards() {
        let mut clock = Clock::new();
        clock.set_speed(seconds(10), 0.0);
        assert_eq!((clock.own(seconds(15)), clock.run(seconds(10))), (seconds(10), Duration::MAX));
        clock.set_speed(seconds(15), 1.0);
        assert_eq!((clock.own(seconds(15)), clock.run(seconds(10))), (seconds(10), seconds(15)));
    }

    #[test]
    fn what_lies_beyond_all_time_stays_there() {
        let mut clock = Clock::new();
        clock.set_speed(seconds(1), 0.001);
        assert_eq!(clock.run(Duration::MAX), Duration::MAX);
    }
}
