//! How a live run is made.

use std::num::NonZeroUsize;

use super::elsewhere::Elsewhere;
use crate::clock::TimeScale;
use crate::units::Duration;

/// How a live run is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveSettings {
    /// How many times as fast as on the wall its time runs.
    pub scale: TimeScale,
    /// How many threads each of mock and gateway has; the load has one.
    pub threads: NonZeroUsize,
    /// Above which P99 of the dispatch lag, in the run's own time, the run shows nothing.
    pub lag_limit: Duration,
    /// The gateway that serves; `None`: one of the harness's own. One elsewhere keeps its own time:
    /// the scale must be that of the wall.
    pub elsewhere: Option<Elsewhere>,
}
