//! The timeline: what happened beside requests, bounded in number.

use serde::{Deserialize, Serialize};

use super::{KeyFault, Order, Refusal};
use crate::engine::{Evidence, NoTarget, Notification, RolloutState, StageIndex, Waiting};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::{KeyId, Ratio, TagName, Timestamp};

/// Something other than a request's end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Happening {
    /// A phase began; its name stands in the record's list of phases.
    PhaseBegan {
        /// The phase (an index).
        phase: u16,
    },
    /// A phase ended without the event that it was to last until.
    WaitEnded {
        /// The phase (an index).
        phase: u16,
        /// What it had waited for, in words.
        what: String,
    },
    /// The weights of a model changed.
    SplitChanged {
        /// Which (an index into the record's models).
        model: ModelIndex,
        /// The weight of each of its versions, in the record's order.
        weights: Vec<Ratio>,
    },
    /// A fault began on a version.
    FaultBegan {
        /// Which.
        version: VersionIndex,
        /// What it does, in words.
        what: String,
    },
    /// A fault ended.
    FaultEnded {
        /// On which version.
        version: VersionIndex,
        /// What it did, in words.
        what: String,
    },
    /// A fault never began: all traffic was over before its time.
    FaultMissed {
        /// On which version.
        version: VersionIndex,
        /// What it would have done, in words.
        what: String,
    },
    /// The workload became another for a phase, which began at this instant.
    WorkloadChanged {
        /// What is different about it, in words.
        what: String,
    },
    /// A command was given.
    Commanded {
        /// Which model it was for (an index into the record's models); absent for one about keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelIndex>,
        /// What it asked for.
        order: Order,
    },
    /// The command that was just given changed nothing: all stood already as it asks.
    CommandIdle {
        /// Which model it was for (an index into the record's models); absent for one about keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelIndex>,
        /// What it asked for.
        order: Order,
    },
    /// A command was refused: nothing changed by it.
    CommandRefused {
        /// Which model it was for (an index into the record's models); absent for one about keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelIndex>,
        /// What it asked for.
        order: Order,
        /// Why.
        why: Refusal,
    },
    /// A command was never given: its phase, or all traffic, was over before its time.
    CommandMissed {
        /// Which model it was for (an index into the record's models); absent for one about keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelIndex>,
        /// What it would have asked for.
        order: Order,
    },
    /// A trigger's comparison began to hold.
    BreachBegan {
        /// The trigger (an index into those of the version's model).
        trigger: usize,
        /// On which version.
        version: VersionIndex,
    },
    /// A trigger's comparison ceased to hold before the trigger fired.
    BreachEnded {
        /// The trigger (an index into those of the version's model).
        trigger: usize,
        /// On which version.
        version: VersionIndex,
    },
    /// A trigger fired.
    Fired {
        /// The trigger (an index into those of the version's model).
        trigger: usize,
        /// On which version.
        version: VersionIndex,
        /// What it saw.
        evidence: Box<Evidence>,
    },
    /// A firing was to be told to those whom the rules name; a rehearsal sends nothing.
    Notified {
        /// The trigger (an index into those of the version's model).
        trigger: usize,
        /// On which version it fired.
        version: VersionIndex,
        /// To whom.
        recipients: Notification,
    },
    /// All traffic went to one version.
    RolledBack {
        /// The version at fault; absent for a rollback by command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<VersionIndex>,
        /// Where the traffic went.
        target: VersionIndex,
    },
    /// A rollback had nowhere to go.
    RollbackRefused {
        /// The version at fault.
        version: VersionIndex,
        /// Why; absent where an older version of coalmine did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<NoTarget>,
    },
    /// A rollout went from one state to another.
    RolloutMoved {
        /// The canary, or the version that was promoted.
        version: VersionIndex,
        /// Where it stood.
        from: RolloutState,
        /// Where it stands.
        to: RolloutState,
    },
    /// A step of a rollout has lasted long enough, and waits all the same.
    StepWaits {
        /// The canary.
        version: VersionIndex,
        /// Which step.
        stage: StageIndex,
        /// For what.
        waiting: Waiting,
    },
    /// A tag that named a version was lost.
    TagLost {
        /// The tag.
        tag: TagName,
        /// The version that it named last.
        version: VersionIndex,
    },
    /// A rollback invalidated access keys that were made for the version: a safeguard is off.
    KeysInvalidated {
        /// The version that was rolled back.
        version: VersionIndex,
        /// The keys.
        keys: Vec<KeyId>,
    },
    /// The requests of a client began to be refused for its access key.
    LockedOut {
        /// Whose (an index into the record's clients).
        client: u16,
        /// Why.
        reason: KeyFault,
        /// How many were refused in a row.
        requests: u64,
        /// When one was let in again, or refused for another reason; absent where none was before
        /// the end of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Requests did not fall on the versions of a model as the weights say.
    SplitSkew {
        /// Each version that should have got some.
        arms: Vec<ArmCount>,
        /// The probability of counts like these by chance, whenever they are looked at.
        p_value: f64,
    },
    /// More requests were pinned than the split can spare.
    PinShare {
        /// Whose.
        model: ModelIndex,
        /// Pinned requests under the present split.
        pinned: u64,
        /// All requests under it.
        requests: u64,
        /// The share above which it is told.
        limit: Ratio,
    },
    /// The last request of a version that was rolled back ended.
    Drained {
        /// Which.
        version: VersionIndex,
    },
}

/// What fell on a version, and what should have.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ArmCount {
    /// Which.
    pub version: VersionIndex,
    /// Its share by the weights.
    pub weight: Ratio,
    /// Requests that fell on it; where keys stick, keys.
    pub count: u64,
}

/// A happening and its time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened, in order, up to a bound.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// What came first, at most [`Timeline::CAPACITY`].
    pub events: Vec<TimelineEvent>,
    /// How many were left out.
    pub omitted: u64,
}

impl Timeline {
    /// How many events there were.
    pub fn total(&self) -> u64 {
        self.events.len() as u64 + self.omitted
    }

    /// How many events are kept. Chosen: more than a person reads, a megabyte at the most.
    pub const CAPACITY: usize = 2_000;

    /// Adds an event and returns its place, or counts it where there is no room: breaches, which
    /// can come without end, take at most half of it.
    pub fn push(&mut self, at: Timestamp, happening: Happening) -> Option<usize> {
        let breach =
            matches!(happening, Happening::BreachBegan { .. } | Happening::BreachEnded { .. });
        let room = if breach { Self::CAPACITY / 2 } else { Self::CAPACITY };
        if self.events.len() < room {
            self.events.push(TimelineEvent { at, happening });
            Some(self.events.len() - 1)
        } else {
            self.omitted += 1;
            None
        }
    }

    /// What the event at a place tells, for what is known of it only later.
    pub(super) fn happening_mut(&mut self, place: usize) -> Option<&mut Happening> {
        self.events.get_mut(place).map(|event| &mut event.happening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_timeline_counts_what_it_leaves_out() {
        let mut timeline = Timeline::default();
        for second in 0..2_005 {
            let at = Timestamp::from_second(second);
            timeline.push(at, Happening::PhaseBegan { phase: 0 });
        }
        assert_eq!(timeline.events.len(), Timeline::CAPACITY);
        assert_eq!(timeline.omitted, 5);
    }
}
