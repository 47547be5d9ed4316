//! How many requests a window can expect, by the traffic and the weights of a plan.

use crate::engine::{Action, CommandKind, Ladder, Target, Trigger};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::Duration;

use super::command_plan::Instruction;
use super::plan::{PhasePlan, Scenario, Traffic};

/// How many requests a window holds of a version in its busiest phase.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Supply {
    /// Which version.
    pub version: VersionIndex,
    /// The phase, an index.
    pub phase: usize,
    /// How many on average, at most: retries aside, and with all that the weights can come to.
    pub requests: f64,
}

impl Scenario {
    /// How many requests a window of a trigger holds at most, on average, for each version that it
    /// can watch and that gets traffic. `from` is the phase from which on the trigger is in force.
    /// Empty where nothing says how much traffic there is, as of a trace.
    pub fn supply(
        &self,
        model: ModelIndex,
        trigger: &Trigger,
        window: Duration,
        from: usize,
    ) -> Vec<Supply> {
        let watched = self.watched(model, trigger).into_iter();
        watched.filter_map(|version| self.supply_of(version, window, from)).collect()
    }

    fn supply_of(&self, version: VersionIndex, window: Duration, from: usize) -> Option<Supply> {
        let model = self.model_of(version);
        let asked = self.population().share_by_split(model)?;
        let is_refuge = |trigger: &Trigger| match &trigger.action {
            Action::RollbackTo(target) => self.may_name(target, version),
            _ => false,
        };
        let least = if self.triggers(model).any(is_refuge) { 1.0 } else { 0.0 };
        let (mut weight, mut best) = (least, None::<Supply>);
        for (index, phase) in self.phases.iter().enumerate() {
            let (within, after) = self.weights(phase, model, version, weight);
            weight = after.max(least);
            if index < from || within.max(least) == 0.0 {
                continue;
            }
            let requests = self.expected_in(phase, window)? * asked * within.max(least);
            if best.is_none_or(|best| requests > best.requests) {
                best = Some(Supply { version, phase: index, requests });
            }
        }
        best
    }

    /// How many requests for all models come within `window` of a phase at most, on average.
    fn expected_in(&self, phase: &PhasePlan, window: Duration) -> Option<f64> {
        let change = phase.workload.as_ref();
        let rate = match (change.and_then(|change| change.arrivals()), &self.traffic) {
            (Some(arrivals), _) => Some(arrivals.highest_rate()),
            (None, Traffic::Generated(workload)) => {
                Some(workload.arrivals.highest_rate() * change.map_or(1.0, |change| change.speed()))
            }
            (None, Traffic::Replayed { .. }) => None,
        };
        let count = rate.map(|rate| rate * window.as_secs_f64());
        let limit = self.traffic.limit().map(|limit| limit as f64);
        match (count, limit) {
            (Some(count), Some(limit)) => Some(count.min(limit)),
            (count, limit) => count.or(limit),
        }
    }

    /// The largest weight that a version can have in a phase, and after it, by the plan: firings
    /// aside. `before` is that before it.
    fn weights(
        &self,
        phase: &PhasePlan,
        model: ModelIndex,
        version: VersionIndex,
        before: f64,
    ) -> (f64, f64) {
        let split = phase.split.iter().flatten();
        let split = split.filter(|(named, _)| self.model_of_named(named) == model);
        // What names tags that may have moved may be refused.
        let is_set = split.clone().next().is_some() && split.clone().all(|(v, _)| v.is_fixed());
        let least = if is_set { 0.0 } else { before };
        let named = split.filter(|(named, _)| named.may_be(version));
        let mut weight = named.map(|(_, weight)| weight.get()).fold(least, f64::max);
        if let Some(rollout) = phase.rollout.as_ref().filter(|it| it.version.may_be(version)) {
            let last = last_step(&rollout.ladder);
            weight = if rollout.version.is_fixed() { last } else { weight.max(last) };
        }
        let mut within = weight;
        for command in phase.commands.iter().filter(|command| command.model == Some(model)) {
            let Instruction::Engine(kind) = &command.instruction else { continue };
            weight = match kind {
                CommandKind::Split { shares, .. } => {
                    let named = shares.iter().filter(|(name, _)| self.may_name(name, version));
                    named.map(|(_, weight)| weight.get()).fold(0.0, f64::max)
                }
                CommandKind::StartRollout { version: name, steps, .. }
                    if self.may_name(name, version) =>
                {
                    last_step(steps)
                }
                CommandKind::Rollback(Some(name)) | CommandKind::Promote { version: name, .. }
                    if self.may_name(name, version) =>
                {
                    1.0
                }
                _ => weight,
            };
            within = within.max(weight);
        }
        (within, weight)
    }

    /// Whether a name can be that of a version: its id, or a tag, which can move.
    fn may_name(&self, name: &Target, version: VersionIndex) -> bool {
        self.version_named(name.as_str()).is_none_or(|named| named == version)
    }
}

/// The largest weight that a rollout gives to its canary.
fn last_step(ladder: &Ladder) -> f64 {
    ladder.steps().last().map_or(0.0, |step| step.weight.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixture::load_text;

    /// For each watched version with traffic its id, phase and requests in 60 s, of a workload of
    /// 10 requests/s, 60 % of them for the model.
    fn supply(changes: &[(&str, &str)], phases: &str, from: usize) -> Vec<(String, usize, f64)> {
        let mut text = format!(
            "schema: 1
name: supplied
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}, \
             models: {{m: 60%, n: 40%}}}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{tags: [beta], upstream: {{latency: 1s}}}}
      v3: {{upstream: {{latency: 1s}}}}
    rules: {{conditions: [{{metric: error_rate, operator: '>', threshold: 0.05, \
             duration_seconds: 60, action: notify}}]}}
  n: {{versions: {{w: {{upstream: {{latency: 1s}}}}}}}}
phases: [{phases}]
"
        );
        for (from, to) in changes {
            text = text.replace(from, to);
        }
        let scenario = load_text(&text).unwrap_or_else(|error| panic!("{error}")).scenario;
        let trigger = &scenario.models[0].rules.triggers[0];
        let supply = scenario.supply(ModelIndex(0), trigger, Duration::from_secs(60), from);
        let told = |of: Supply| {
            let requests = (of.requests * 1e6).round() / 1e6;
            (scenario.version(of.version).id.to_string(), of.phase, requests)
        };
        supply.into_iter().map(told).collect()
    }

    fn of(version: &str, phase: usize, requests: f64) -> (String, usize, f64) {
        (version.to_owned(), phase, requests)
    }

    const CANARY: &str = "{name: a, for: 1m, split: {v1: 90%, v2: 10%}}";

    #[test]
    fn a_window_holds_rate_times_share_times_weight() {
        // 10/s x 60 s x 60 % x 10 %.
        assert_eq!(supply(&[], CANARY, 0), [of("v2", 0, 36.0)]);
        let busier = format!("{CANARY}, {{name: b, for: 1m, workload: {{speed: 2}}}}");
        assert_eq!(supply(&[], &busier, 0), [of("v2", 1, 72.0)]);
        let own =
            format!("{CANARY}, {{name: b, for: 1m, workload: {{arrivals: {{poisson: 5/s}}}}}}");
        assert_eq!(supply(&[], &own, 0), [of("v2", 0, 36.0)]);
        assert_eq!(supply(&[], &own, 1), [of("v2", 1, 18.0)], "rules set in the second phase");
        let still = "{name: a, for: 1m, workload: {speed: 0}, split: {v1: 90%, v2: 10%}}";
        assert_eq!(supply(&[], still, 0), [of("v2", 0, 0.0)]);
    }

    #[test]
    fn the_whole_workload_bounds_it_and_pinned_requests_do_not_count() {
        let few = [("output: 10}, ", "output: 10}, requests: 50, ")];
        assert_eq!(supply(&few, CANARY, 0), [of("v2", 0, 3.0)]);
        let pinned =
            "output: 10}, clients: [{key: a, share: 75%}, {key: b, share: 25%, pin: v2}], ";
        assert_eq!(supply(&[("output: 10}, ", pinned)], CANARY, 0), [of("v2", 0, 27.0)]);
    }

    #[test]
    fn commands_and_rollouts_raise_it() {
        let with = |more: &str| format!("{{name: a, for: 1m, split: {{v1: 100%}}, {more}}}");
        let split = with(
            "commands: [{at: 1s, split: {v1: 50%, v2: 50%}}, {at: 9s, rollback: {}, model: m}]",
        );
        assert_eq!(supply(&[], &split, 0), [of("v2", 0, 180.0)]);
        let promoted = with("commands: [{at: 1s, promote: v3}]");
        assert_eq!(supply(&[], &promoted, 0), [of("v3", 0, 360.0)]);
        let ladder = "version: v2, steps: [{weight: 5%, hold: 5s}, {weight: 20%, hold: 5s}]";
        let rollout = format!("{{name: a, for: 1m, rollout: {{{ladder}}}}}");
        assert_eq!(supply(&[], &rollout, 0), [of("v2", 0, 72.0)]);
        assert_eq!(supply(&[], "{name: a, for: 1m}", 0), []);
    }

    #[test]
    fn each_model_of_arrivals_has_its_busiest_time() {
        for (arrivals, per_second) in [
            ("constant: 4/s", 4.0),
            ("gamma: {rate: 4/s, cv: 2}", 4.0),
            ("piecewise: {every: 10s, rates: [1/s, 7/s, 2/s]}", 7.0),
            ("ramp: {from: 9/s, to: 1/s, over: 1m}", 9.0),
            ("diurnal: {mean: 4/s, amplitude: 50%}", 6.0),
            ("on_off: {on: 10s, off: 30s, rate: 8/s}", 2.0),
            ("closed: {users: 6, think: 3s}", 2.0),
            ("sum: [{constant: 1/s}, {poisson: 2/s}]", 3.0),
        ] {
            let expected = [of("v2", 0, (per_second * 3.6_f64 * 1e6).round() / 1e6)];
            assert_eq!(supply(&[("poisson: 10/s", arrivals)], CANARY, 0), expected, "{arrivals}");
        }
    }
}
