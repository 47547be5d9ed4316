//! What a run has asked a gateway elsewhere for, and which journal entries come of that.

use crate::engine::{Change, CommandKind};
use crate::exchange::ModelIndex;

/// The commands that were accepted and whose entries have not been heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Vec<(ModelIndex, CommandKind)>);

impl Asked {
    /// A command of a model was accepted.
    pub(super) fn push(&mut self, model: ModelIndex, kind: &CommandKind) {
        self.0.push((model, kind.clone()));
    }

    /// All entries have been heard that there were: commands that are left have changed nothing.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a change was asked for; each is but once. `model`: `None` for one of keys.
    pub(super) fn take(&mut self, model: Option<ModelIndex>, change: &Change) -> bool {
        let fitting = |(of, kind): &(ModelIndex, CommandKind)| {
            model.is_none_or(|model| model == *of) && fits(kind, change)
        };
        let place = self.0.iter().position(fitting);
        place.map(|place| self.0.remove(place)).is_some()
    }
}

/// Whether a command can lead to a change.
fn fits(kind: &CommandKind, change: &Change) -> bool {
    match (kind, change) {
        (CommandKind::Split { .. }, Change::Split { .. })
        | (CommandKind::Rollback(_), Change::RolledBack { .. })
        | (CommandKind::StartRollout { .. }, Change::RolloutStarted { .. })
        // Of a version that was promoted before it ends the time in which rules cover it.
        | (CommandKind::Promote { .. }, Change::Promoted { .. } | Change::BakeOver)
        | (CommandKind::Pause, Change::RolloutPaused { .. })
        | (CommandKind::Resume, Change::RolloutResumed { .. })
        | (CommandKind::Abort, Change::RolloutAborted { .. }) => true,
        (CommandKind::Tag { tag, .. }, Change::Tagged { tag: set, .. }) => tag == set,
        (CommandKind::Rules(rules), Change::Rules { rules: set }) => rules == &**set,
        (CommandKind::RevokeKey(key), Change::KeyRevoked { key: revoked }) => key == revoked,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Shift, StageIndex};

    const MODEL: ModelIndex = ModelIndex(1);

    #[test]
    fn a_command_leads_to_one_change_of_its_kind_and_its_model() {
        let mut asked = Asked::default();
        asked.push(MODEL, &CommandKind::Pause);
        let paused = Change::RolloutPaused { stage: StageIndex(0) };
        let split = Change::Split { shift: Shift::default() };
        assert!(!asked.take(Some(MODEL), &split), "another change");
        assert!(!asked.take(Some(ModelIndex(0)), &paused), "another model");
        assert!(asked.take(Some(MODEL), &paused));
        assert!(!asked.take(Some(MODEL), &paused), "somebody else has paused it too");
    }

    #[test]
    fn a_command_that_changed_nothing_is_no_excuse_later() {
        let mut asked = Asked::default();
        asked.push(MODEL, &CommandKind::Pause);
        asked.clear();
        assert!(!asked.take(Some(MODEL), &Change::RolloutPaused { stage: StageIndex(0) }));
    }
}
