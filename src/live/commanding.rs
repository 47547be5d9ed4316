//! The commands of a plan, given through the gateway's interface.

use super::conductor::Conductor;
use super::error::LiveError;
use super::live_watch::LiveWatch;
use super::operator::Refused;
use super::orders::Ask;
use super::rule_numbers::RulesSet;
use super::secrets::shown;
use super::status::rollout_state;
use crate::engine::{CommandKind, RuleSet};
use crate::exchange::ModelIndex;
use crate::record::{Happening, Refusal};
use crate::scenario::{CommandPlan, Instruction};
use crate::units::Timestamp;

/// Whether a command changes anything, or why it is refused.
pub(super) type Given = Result<bool, Refused>;

impl Conductor<'_> {
    /// Gives a command of the plan. That it is refused is told, and the run goes on.
    pub(super) fn command(
        &mut self,
        at: Timestamp,
        (phase, command): (u16, usize),
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let plan = &self.scenario.phases[usize::from(phase)].commands[command];
        let (model, order) = (plan.model, plan.instruction.order());
        self.happened(at, Happening::Commanded { model, order: order.clone() });
        match self.carry_out(plan, (usize::from(phase), command), watch)? {
            Ok(true) => {}
            Ok(false) => self.happened(at, Happening::CommandIdle { model, order }),
            Err(refused) => {
                let why = Refusal::Told(refused.why);
                self.happened(at, Happening::CommandRefused { model, order, why });
            }
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        plan: &CommandPlan,
        place: (usize, usize),
        watch: &mut LiveWatch<'_>,
    ) -> Result<Given, LiveError> {
        // What is for all models is the same whichever passes it on.
        let model = plan.model.unwrap_or(ModelIndex(0));
        match &plan.instruction {
            Instruction::Engine(CommandKind::Rules(rules)) => {
                self.set_rules((model, place), rules, watch)
            }
            Instruction::Engine(kind) => self.give(model, kind, watch),
            Instruction::NewSecret { key, grace, adopted_after, version } => {
                let operator = &self.stage.operator;
                let answer = match version {
                    None => operator.ask(&Ask::new_secret(key, *grace))?,
                    // For a version its client asks, by its own key.
                    Some(version) => {
                        let own = self.secrets.newest(key).unwrap_or_default();
                        operator.ask_by(&Ask::own_secret(*grace, version), own)?
                    }
                };
                if let Ok(answer) = &answer {
                    let secret = shown(answer, key)?;
                    self.secrets.made(key, secret, self.clock.now() + *adopted_after);
                }
                self.hear_effects(watch)?;
                Ok(answer.map(|_| true))
            }
        }
    }

    /// Gives a model other rules, whose triggers have numbers of their own.
    fn set_rules(
        &mut self,
        (model, place): (ModelIndex, (usize, usize)),
        rules: &RuleSet,
        watch: &mut LiveWatch<'_>,
    ) -> Result<Given, LiveError> {
        let before = self.health(model)?;
        let old = self.present[usize::from(model.0)].clone();
        let set = RulesSet { place, before: old, now: rules.clone() };
        self.rules().expect(model, set);
        let given = self.give(model, &CommandKind::Rules(rules.clone()), watch)?;
        self.rules().expect_none(model);
        if given.is_ok() {
            self.present[usize::from(model.0)] = rules.clone();
            let now: Vec<usize> = {
                let numbers = self.rules();
                (0..rules.triggers.len()).map(|place| numbers.number(model, place)).collect()
            };
            self.ended.extend(before.into_iter().filter(|one| !now.contains(&one.trigger)));
        }
        Ok(given.map(|_| true))
    }

    /// Gives the gateway a command, and tells what comes of it.
    pub(super) fn give(
        &mut self,
        model: ModelIndex,
        kind: &CommandKind,
        watch: &mut LiveWatch<'_>,
    ) -> Result<Given, LiveError> {
        let id = &self.scenario.models[usize::from(model.0)].id;
        let ask = Ask::command(id, kind).ok_or_else(|| {
            LiveError::Interface("the plan has a command that no request asks for".to_owned())
        })?;
        let answer = self.stage.operator.ask(&ask)?;
        if let Some(far) = self.far.as_mut().filter(|_| answer.is_ok()) {
            far.retelling.asks(model, kind);
        }
        self.hear_effects(watch)?;
        Ok(answer.map(|answer| {
            let is_moved = answer.get("journal_entry").is_none_or(|entry| !entry.is_null());
            let tagged = answer.get("version_id");
            is_moved && tagged.is_none_or(|now| answer.get("previous_version_id") != Some(now))
        }))
    }

    /// Whether a rollout of a model is under way, or has promoted what rules still cover.
    pub(super) fn is_in_rollout(&self, model: ModelIndex) -> Result<bool, LiveError> {
        let status = self.stage.operator.read(&Ask::status())?;
        let state = rollout_state(&status, &self.scenario.models[usize::from(model.0)].id);
        Ok(matches!(state, Some("stepping" | "paused" | "promoted")))
    }
}
