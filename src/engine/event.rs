//! What the engine tells its driver.

use super::{
    Action, Evidence, NoTarget, Notification, PinShare, RolloutState, Sealed, Slot, SplitSkew,
    StageIndex, Waiting,
};
use crate::exchange::ModelIndex;
use crate::units::{KeyId, Timestamp};

/// Something that happened in the engine, in the order in which it happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When: the nominal time of a check, the time of a command.
    pub at: Timestamp,
    /// In whose deployment.
    pub model: ModelIndex,
    /// What.
    pub kind: EventKind,
}

/// The kinds of [`Event`].
#[derive(Clone, PartialEq, Debug)]
pub enum EventKind {
    /// The weights changed; [`Engine::split`](super::Engine::split) has them.
    SplitChanged,
    /// A condition began to hold (or a judge to reject) at a check.
    BreachBegan {
        /// The trigger's place in the rule set.
        trigger: usize,
        /// On which version.
        version: Slot,
    },
    /// A condition ceased to hold before it fired.
    BreachEnded {
        /// The trigger's place in the rule set.
        trigger: usize,
        /// On which version.
        version: Slot,
    },
    /// A trigger fired; its action follows.
    Fired {
        /// The trigger's place in the rule set.
        trigger: usize,
        /// On which version.
        version: Slot,
        /// What it saw.
        evidence: Box<Evidence>,
    },
    /// A firing is to be told to those whom the rules name; the driver sends it, or not.
    Notified {
        /// The trigger's place in the rule set.
        trigger: usize,
        /// On which version it fired.
        version: Slot,
        /// To whom: somebody at least.
        recipients: Notification,
    },
    /// All traffic went to `target`.
    RolledBack {
        /// The version at fault; `None` for a rollback by command.
        version: Option<Slot>,
        /// Where the traffic went.
        target: Slot,
    },
    /// A trigger's rollback had nowhere to go; traffic stays where it is.
    RollbackRefused {
        /// The version at fault.
        version: Slot,
        /// What was wanted.
        action: Action,
        /// Why it is not to be had.
        why: NoTarget,
    },
    /// The last request in flight of a version that was rolled back has ended.
    Drained(Slot),
    /// A rollout went from one state to another.
    RolloutMoved {
        /// The canary, or the version that was promoted.
        version: Slot,
        /// Where it stood.
        from: RolloutState,
        /// Where it stands.
        to: RolloutState,
    },
    /// A step of a rollout has lasted long enough, and waits all the same. Told anew when the
    /// reason changes.
    StepWaits {
        /// The canary.
        version: Slot,
        /// Which step.
        stage: StageIndex,
        /// For what.
        waiting: Waiting,
    },
    /// The engine was restarted: what it had seen of these versions is lost.
    ObservationLost {
        /// Those that were being watched.
        versions: Vec<Slot>,
    },
    /// Requests do not fall on the versions as the weights say: told once for a split.
    SplitSkew(Box<SplitSkew>),
    /// More requests are pinned than the split can spare: told once for a split.
    PinShare(PinShare),
    /// A rollback invalidated keys that were made for a version: the safeguard is off.
    KeysInvalidated {
        /// The version that was rolled back.
        version: Slot,
        /// The keys.
        keys: Vec<KeyId>,
    },
    /// An entry for the journal.
    Journal(Box<Sealed>),
}
