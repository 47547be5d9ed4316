//! Who is told of what happens in a run.

use super::{Arm, Attempt, Happening, KeyRefusal, Outcome};
use crate::engine::Sealed;
use crate::exchange::VersionIndex;
use crate::units::Timestamp;

/// Told of everything that happens, in the order of time. Statically dispatched: a driver is
/// generic over it.
pub trait Observer {
    /// A request was assigned to `version` in phase `phase`.
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm);

    /// Another attempt at a request began, on `version`. Its first one begins when it is assigned.
    fn attempt_began(&mut self, at: Timestamp, version: VersionIndex, arm: Arm);

    /// An attempt ended. Told of each attempt at a request that takes several, or would have if its
    /// client had stayed, before [`Observer::completed`]; the only attempt at another request is
    /// told by that alone.
    fn attempted(&mut self, attempt: &Attempt);

    /// A request ended.
    fn completed(&mut self, outcome: &Outcome);

    /// A request was refused for its access key: no version saw it.
    fn key_rejected(&mut self, refusal: &KeyRefusal);

    /// A request of a client (an index into those of the workload) was let in, the first since one
    /// of it was refused for its key.
    fn let_in(&mut self, at: Timestamp, client: u16);

    /// A version became bad, or one that is bad was activated: from here on its requests are
    /// harmed.
    fn became_bad(&mut self, at: Timestamp, version: VersionIndex);

    /// The engine wrote an entry into its journal.
    fn journalled(&mut self, entry: &Sealed);

    /// Something else happened.
    fn happened(&mut self, at: Timestamp, happening: Happening);

    /// Whether it has seen enough: then the run ends where it is. Asked after events.
    fn is_satisfied(&self) -> bool {
        false
    }
}
