//! For how long a version can get traffic in the course of a plan, and so how often a trigger can
//! look at it.

use crate::engine::{Action, CommandKind, Trigger};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::Duration;

use super::command_plan::{CommandPlan, Instruction};
use super::outlook::Outlook;
use super::plan::Scenario;

/// How often a trigger can look at a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Which version.
    pub version: VersionIndex,
    /// The longest stretch of traffic that the version can have while the trigger is in force.
    pub longest: Duration,
    /// The most checks that can happen in it.
    pub checks: u64,
}

impl Scenario {
    /// On which of the versions that it can watch a trigger never fires, because too few checks
    /// happen while they get traffic, and on how many it may fire. `phase` is the one from which on
    /// the trigger is in force. Versions that never get traffic are not among them.
    pub fn out_of_reach(
        &self,
        model: ModelIndex,
        trigger: &Trigger,
        phase: usize,
    ) -> (Vec<Reach>, usize) {
        let needed = Outlook::of(trigger).checks;
        let interval = trigger.check_interval.as_nanos().max(1);
        let (mut never, mut may) = (Vec::new(), 0);
        for version in self.watched(model, trigger) {
            let Some(longest) = self.longest_tenure(version, phase) else {
                may += 1;
                continue;
            };
            if longest.is_zero() {
                continue;
            }
            // Checks count from the activation, which may lie before the trigger came into force.
            let checks = longest.as_nanos() / interval + u64::from(phase > 0);
            if checks < needed {
                never.push(Reach { version, longest, checks });
            } else {
                may += 1;
            }
        }
        (never, may)
    }

    /// The longest stretch in which a version can get traffic, of the phases from `from` on; `None`
    /// where nothing bounds it. It ends where another split takes the traffic, at the earliest:
    /// what fires before is left aside.
    fn longest_tenure(&self, version: VersionIndex, from: usize) -> Option<Duration> {
        let model = self.model_of(version);
        let (mut active, mut run, mut longest) = (false, Duration::ZERO, Duration::ZERO);
        // A rule may send all traffic to it at any time.
        let is_refuge = |trigger: &Trigger| matches!(trigger.action, Action::RollbackTo(_));
        let may_be_refuge = self.triggers(model).any(is_refuge);
        for (index, phase) in self.phases.iter().enumerate() {
            let split = phase.split.iter().flatten();
            let mut split = split.filter(|(named, _)| self.model_of_named(named) == model);
            if split.clone().next().is_some() {
                // What names tags that may have moved may be refused.
                active &= !split.clone().all(|(named, _)| named.is_fixed());
                active |= split.any(|(named, weight)| named.may_be(version) && weight.get() > 0.0);
                if !active {
                    run = Duration::ZERO;
                }
            }
            active |= may_be_refuge;
            active |= phase.rollout.as_ref().is_some_and(|rollout| rollout.version.may_be(version));
            active |= phase.commands.iter().any(|command| may_move_traffic(command, model));
            if active && index >= from {
                run = run.saturating_add(phase.end.longest()?);
                longest = longest.max(run);
            }
        }
        if active {
            // Its last requests are waited for.
            longest = longest.max(run.saturating_add(self.limits.client));
        }
        Some(longest)
    }

    /// The versions that a trigger can watch.
    pub(super) fn watched(&self, model: ModelIndex, trigger: &Trigger) -> Vec<VersionIndex> {
        let first = self.first_version(model).0;
        let versions = &self.models[usize::from(model.0)].versions;
        let own = || (first..).map(VersionIndex).zip(versions);
        let Some(target) = &trigger.version else {
            let canaries =
                own().filter(|(_, v)| !v.tags.iter().any(|tag| tag.as_str() == "stable"));
            return canaries.map(|(index, _)| index).collect();
        };
        let by_id = own().find(|(_, version)| version.id.as_str() == target.as_str());
        // A tag may come to name any of them.
        by_id.map_or_else(|| own().map(|(index, _)| index).collect(), |(index, _)| vec![index])
    }
}

/// Whether a command can give traffic of `model` to any of its versions.
fn may_move_traffic(command: &CommandPlan, model: ModelIndex) -> bool {
    let moves = matches!(
        command.instruction,
        Instruction::Engine(
            CommandKind::Split { .. }
                | CommandKind::Rollback(_)
                | CommandKind::StartRollout { .. }
                | CommandKind::Promote { .. }
                | CommandKind::Abort
        )
    );
    moves && command.model.is_none_or(|of| of == model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixture::load_text;

    /// The checks that are too few, and the number of versions on which the rule may fire: a rule of
    /// 60 s that is checked every 15 s, and so needs five checks in a row.
    fn reach(phases: &str) -> (Vec<u64>, usize) {
        let text = format!(
            "schema: 1
name: short
workload: {{arrivals: {{poisson: 10/s}}, requests: 900, tokens: {{input: 10, output: 10}}, \
             client_timeout: 10s}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{upstream: {{latency: 1s}}}}
      v3: {{upstream: {{latency: 1s}}}}
    rules: {{conditions: [{{metric: error_rate, operator: '>', threshold: 0.05, \
             duration_seconds: 60, action: notify}}]}}
phases: [{phases}]
"
        );
        let loaded = load_text(&text).unwrap_or_else(|error| panic!("{error}"));
        let trigger = &loaded.scenario.models[0].rules.triggers[0];
        let (never, may) = loaded.scenario.out_of_reach(ModelIndex(0), trigger, 0);
        (never.into_iter().map(|reach| reach.checks).collect(), may)
    }

    #[test]
    fn a_canary_of_one_phase_is_checked_as_often_as_the_interval_fits_in_it() {
        let phase = |length: &str| {
            format!(
                "{{name: a, for: {length}, split: {{v1: 50%, v2: 50%}}}}, \
                 {{name: b, for: 1h, split: {{v1: 100%}}}}"
            )
        };
        // At 15, 30, 45 and 60 s; the fifth would be at 75 s.
        assert_eq!(reach(&phase("74s")), (vec![4], 0));
        assert_eq!(reach(&phase("75s")), (vec![], 1));
        // In the last phase its requests are waited for, for 10 s at most.
        assert_eq!(reach("{name: a, for: 64s, split: {v1: 50%, v2: 50%}}"), (vec![4], 0));
        assert_eq!(reach("{name: a, for: 65s, split: {v1: 50%, v2: 50%}}"), (vec![], 1));
    }

    #[test]
    fn phases_that_leave_the_canary_its_traffic_are_one_stretch() {
        let a = "{name: a, for: 40s, split: {v1: 50%, v2: 50%}}";
        let end = "{name: z, for: 1h, split: {v1: 100%}}";
        let grown = "{name: b, for: 40s, split: {v1: 10%, v2: 90%}}, {name: c, for: 1s}";
        assert_eq!(reach(&format!("{a}, {grown}, {end}")), (vec![], 1));
        let gap = "{name: b, for: 1h, split: {v1: 100%}}";
        let again = "{name: c, for: 40s, split: {v1: 50%, v2: 50%}}";
        assert_eq!(reach(&format!("{a}, {gap}, {again}, {end}")), (vec![2], 0));
        let other = "{name: b, for: 1h, split: {v1: 50%, v3: 50%}}";
        assert_eq!(reach(&format!("{a}, {other}, {end}")), (vec![2], 1));
    }

    #[test]
    fn what_nothing_bounds_may_fire() {
        assert_eq!(reach("{name: a, for: rest, split: {v1: 50%, v2: 50%}}"), (vec![], 1));
        assert_eq!(reach("{name: a, requests: 5, split: {v1: 50%, v2: 50%}}"), (vec![], 1));
        // An operator may bring back any version.
        let brought = "{name: a, for: 1h, commands: [{at: 1s, rollback: {to: v2}}]}";
        assert_eq!(reach(brought), (vec![], 2));
        assert_eq!(reach("{name: a, for: 1h, split: {v1: 100%}}"), (vec![], 0));
    }
}
