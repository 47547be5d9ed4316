//! Where the rollout of a model at a gateway elsewhere stands, by its journal.

use std::mem;

use crate::engine::{Change, RolloutState};
use crate::units::VersionId;

/// A model's rollout.
#[derive(Clone, Debug, Default)]
pub(super) struct FarRollout {
    state: RolloutState,
    /// The canary, or the version that was promoted while rules cover it.
    version: Option<VersionId>,
}

/// That a rollout went from one state to another.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Moved {
    pub(super) version: VersionId,
    pub(super) from: RolloutState,
    pub(super) to: RolloutState,
}

impl FarRollout {
    /// One that ended in this state, as a status names it, or none at all.
    pub(super) fn ended(state: &str) -> Self {
        let state = match state {
            "rolled_back" => RolloutState::RolledBack,
            "aborted" => RolloutState::Aborted,
            _ => RolloutState::Idle,
        };
        Self { state, version: None }
    }

    /// A change of its model: how that moves it.
    pub(super) fn follow(&mut self, change: &Change) -> Option<Moved> {
        let is_under_way = self.version.is_some();
        let (to, named) = match change {
            Change::RolloutStarted { version, state, .. } => (*state, Some(version)),
            Change::RolloutStepped { state, .. } => (*state, None),
            Change::RolloutPaused { stage } => (RolloutState::Paused(*stage), None),
            Change::RolloutResumed { stage } => (RolloutState::Stepping(*stage), None),
            Change::RolloutAborted { .. } => (RolloutState::Aborted, None),
            Change::Promoted { version, .. } => (RolloutState::Promoted, Some(version)),
            Change::BakeOver => (RolloutState::Idle, None),
            Change::RolledBack { .. } if is_under_way => (RolloutState::RolledBack, None),
            _ => return None,
        };
        let from = mem::replace(&mut self.state, to);
        let version = self.version.take().or_else(|| named.cloned())?;
        let goes_on = to.stage().is_some() || to == RolloutState::Promoted;
        self.version = goes_on.then(|| named.cloned().unwrap_or_else(|| version.clone()));
        (from != to).then_some(Moved { version, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Shift, StageIndex};
    use crate::units::Duration;

    fn id(name: &str) -> VersionId {
        VersionId::new(name).unwrap()
    }

    fn promoted(version: &str) -> Change {
        Change::Promoted {
            version: id(version),
            former_stable: None,
            bake: Duration::ZERO,
            shift: Shift::default(),
        }
    }

    fn rolled_back() -> Change {
        Change::RolledBack {
            version: None,
            marked: Vec::new(),
            target: id("old"),
            shift: Shift::default(),
        }
    }

    #[test]
    fn a_rollout_moves_by_what_the_journal_says() {
        let mut rollout = FarRollout::ended("aborted");
        assert_eq!(rollout.follow(&rolled_back()), None, "there is nothing to roll back");
        let first = RolloutState::Promoted;
        let moved = rollout.follow(&promoted("new")).unwrap();
        assert_eq!(
            (moved.version, moved.from, moved.to),
            (id("new"), RolloutState::Aborted, first)
        );
        let over = rollout.follow(&Change::BakeOver).unwrap();
        assert_eq!((over.version, over.to), (id("new"), RolloutState::Idle));
        let paused = Change::RolloutStepped {
            state: RolloutState::Paused(StageIndex(2)),
            shift: Shift::default(),
        };
        rollout.follow(&promoted("new"));
        assert_eq!(rollout.follow(&paused).unwrap().to, RolloutState::Paused(StageIndex(2)));
        let resumed = rollout.follow(&Change::RolloutResumed { stage: StageIndex(2) }).unwrap();
        assert_eq!(resumed.from, RolloutState::Paused(StageIndex(2)));
        let back = rollout.follow(&rolled_back()).unwrap();
        assert_eq!((back.version, back.to), (id("new"), RolloutState::RolledBack));
        assert_eq!(rollout.follow(&rolled_back()), None);
    }
}
