//! What commands change about the rules of all models: those that a model has while it has none of
//! its own.

use super::core::Engine;
use super::decision::refuse_blind_judges;
use super::model_state::Occasion;
use super::{Change, Command, CommandError, CommandKind, Entry, EventKind, Sealed};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

impl Engine {
    /// What a command changes about the rules of all models; `None`: nothing, it is about something
    /// else or changes nothing.
    ///
    /// # Errors
    /// A model that would have the rules cannot take them.
    pub(super) fn decide_on_rules(
        &self,
        command: &Command,
    ) -> Result<Option<Change>, CommandError> {
        match &command.kind {
            CommandKind::DefaultRules(rules) => {
                for deployment in self.deployments.iter().filter(|d| !d.state.has_own_rules) {
                    refuse_blind_judges(deployment.state.assignment, rules)?;
                }
                Ok(Some(Change::DefaultRules { rules: Box::new(rules.clone()) }))
            }
            CommandKind::FollowDefaultRules => {
                let state = &self.deployment(command.model)?.state;
                refuse_blind_judges(state.assignment, &self.default_rules)?;
                let rules = Box::new(self.default_rules.clone());
                Ok(state.has_own_rules.then_some(Change::DefaultRulesFollowed { rules }))
            }
            _ => Ok(None),
        }
    }

    /// Carries out a sealed change of the rules of all models.
    pub(super) fn enact_default_rules(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        sealed: Box<Sealed>,
    ) {
        let Entry { number, cause, change, .. } = sealed.entry();
        let Change::DefaultRules { rules } = change else { return };
        let occasion = Occasion { entry: *number, at, cause };
        self.default_rules.clone_from(rules);
        for deployment in self.deployments.iter_mut().filter(|d| !d.state.has_own_rules) {
            deployment.apply(occasion, change);
        }
        for state in self.dormant.values_mut() {
            let done = state.apply(occasion, change);
            done.expect("rules can follow on any state");
        }
        self.entries = *number;
        self.last_entry = Some(at);
        self.head = sealed.hash();
        self.emit(at, model, EventKind::Journal(sealed));
    }
}
