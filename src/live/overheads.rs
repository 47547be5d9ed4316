//! How much the harness adds to what was planned.

use crate::clock::TimeScale;
use crate::exchange::{Ending, Observed};
use crate::mock::Planned;
use crate::run::Overhead;
use crate::stats::DurationHistogram;
use crate::units::Duration;

/// What was measured of the harness, in the time of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Overheads {
    lag: DurationHistogram,
    whole: DurationHistogram,
    service: DurationHistogram,
    /// Requests that never reached the gateway, or of which it never told the end.
    pub(super) lost: u64,
}

impl Overheads {
    /// A request was sent so much later than intended.
    pub(super) fn sent(&mut self, lag: Duration) {
        self.lag.record(lag);
    }

    /// A request was planned so, in its only attempt, and this is what came of it.
    pub(super) fn compare(&mut self, plan: &Planned, observed: &Observed, lag: Duration) {
        if plan.ending == Ending::Success && observed.ending == Ending::Success {
            let whole = observed.latency.saturating_sub(plan.latency);
            self.whole.record(whole);
            self.service.record(whole.saturating_sub(lag));
        }
    }

    /// How late requests were sent.
    pub(super) fn dispatch_lag(&self, scale: TimeScale) -> Overhead {
        on_the_wall(&self.lag, scale)
    }

    /// How much longer than planned successes took, and the part of it that is not the lag.
    pub(super) fn added(&self, scale: TimeScale) -> [Overhead; 2] {
        [on_the_wall(&self.whole, scale), on_the_wall(&self.service, scale)]
    }
}

fn on_the_wall(measured: &DurationHistogram, scale: TimeScale) -> Overhead {
    let wall = |time: Option<Duration>| time.map(|time| time.mul_f64(1.0 / scale.times()));
    let Overhead { count, mean, p50, p99, max, times } = Overhead::of(measured);
    let (mean, p50, p99, max) = (wall(mean), wall(p50), wall(p99), wall(max));
    Overhead { count, mean, p50, p99, max, times: times.scaled(1.0 / scale.times()) }
}
