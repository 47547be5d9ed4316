//! What the engine tells, in the words of the record.

use super::model_state::ModelState;
use crate::engine::{EventKind, PinShare, Slot, Waiting};
use crate::exchange::ModelIndex;
use crate::record::{ArmCount, Happening};
use crate::units::Ratio;

/// An event of the engine as a happening; `None` where it takes more than the event, or is told
/// otherwise. `state` is that of `model`.
pub(super) fn happening(
    kind: EventKind,
    model: ModelIndex,
    state: &ModelState,
) -> Option<Happening> {
    let place = |slot| state.place(slot);
    let happening = match kind {
        EventKind::BreachBegan { trigger, version } => {
            Happening::BreachBegan { trigger: state.trigger(trigger), version: place(version) }
        }
        EventKind::BreachEnded { trigger, version } => {
            Happening::BreachEnded { trigger: state.trigger(trigger), version: place(version) }
        }
        EventKind::Fired { trigger, version, evidence } => {
            let trigger = state.trigger(trigger);
            Happening::Fired { trigger, version: place(version), evidence }
        }
        EventKind::Notified { trigger, version, recipients } => {
            let trigger = state.trigger(trigger);
            Happening::Notified { trigger, version: place(version), recipients }
        }
        EventKind::RolledBack { version, target } => {
            Happening::RolledBack { version: version.map(place), target: place(target) }
        }
        EventKind::RollbackRefused { version, why, .. } => {
            Happening::RollbackRefused { version: place(version), why: Some(why) }
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
            let waiting = told(waiting, state);
            Happening::StepWaits { version: place(version), stage, waiting }
        }
        EventKind::SplitChanged | EventKind::ObservationLost { .. } | EventKind::Journal(_) => {
            return None;
        }
    };
    Some(happening)
}

/// What a step waits for, with the plan's numbers for triggers.
fn told(mut waiting: Waiting, state: &ModelState) -> Waiting {
    let triggers = match &mut waiting {
        Waiting::InsufficientData { without_data, .. } => without_data,
        Waiting::InBreach { triggers } => triggers,
    };
    triggers.iter_mut().for_each(|trigger| *trigger = state.trigger(*trigger));
    waiting
}
