//! What the engine tells, in the words of the record.

use crate::engine::{EventKind, PinShare, Slot};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{ArmCount, Happening};
use crate::units::Ratio;

/// An event of the engine as a happening; `None` where it takes more than the event, or is told
/// otherwise. `place` is the plan's number for a version of `model`.
pub(super) fn happening(
    kind: EventKind,
    model: ModelIndex,
    place: impl Fn(Slot) -> VersionIndex,
) -> Option<Happening> {
    let happening = match kind {
        EventKind::BreachBegan { trigger, version } => {
            Happening::BreachBegan { trigger, version: place(version) }
        }
        EventKind::BreachEnded { trigger, version } => {
            Happening::BreachEnded { trigger, version: place(version) }
        }
        EventKind::Fired { trigger, version, evidence } => {
            Happening::Fired { trigger, version: place(version), evidence }
        }
        EventKind::RolledBack { version, target } => {
            Happening::RolledBack { version: version.map(&place), target: place(target) }
        }
        EventKind::RollbackRefused { version, .. } => {
            Happening::RollbackRefused { version: place(version) }
        }
        EventKind::KeysInvalidated { version, keys } => {
            Happening::KeysInvalidated { version: place(version), keys }
        }
        EventKind::SplitSkew(skew) => {
            let arm = |&(version, weight, count): &(Slot, Ratio, u64)| ArmCount {
                version: place(version),
                weight,
                count,
            };
            let arms = skew.arms.iter().map(arm).collect();
            Happening::SplitSkew { arms, p_value: skew.p_value }
        }
        EventKind::PinShare(PinShare { pinned, requests, limit }) => {
            Happening::PinShare { model, pinned, requests, limit }
        }
        EventKind::Drained(version) => Happening::Drained { version: place(version) },
        EventKind::RolloutMoved { version, from, to } => {
            Happening::RolloutMoved { version: place(version), from, to }
        }
        EventKind::StepWaits { version, stage, waiting } => {
            Happening::StepWaits { version: place(version), stage, waiting }
        }
        EventKind::SplitChanged | EventKind::ObservationLost { .. } | EventKind::Journal(_) => {
            return None;
        }
    };
    Some(happening)
}
