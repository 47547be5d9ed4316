//! Who is told of what happens in a run.

use super::{Arm, Happening, Outcome};
use crate::exchange::VersionIndex;
use crate::units::Timestamp;

/// Told of everything that happens, in the order of time. Statically dispatched: a driver is
/// generic over it.
pub trait Observer {
    /// A request was assigned to `version` in phase `phase`.
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm);

    /// A request ended.
    fn completed(&mut self, outcome: &Outcome);

    /// A version became bad, or one that is bad was activated: from here on its requests are
    /// harmed.
    fn became_bad(&mut self, at: Timestamp, version: VersionIndex);

    /// Something else happened.
    fn happened(&mut self, at: Timestamp, happening: Happening);
}
