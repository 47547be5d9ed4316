//! With what probability judges fire at all in the course of a plan, on versions that are no worse.
//!
//! Each judge holds to its share of its rule set's `alpha` from the moment it begins to look at a
//! version until it is done with that one, whatever it sees and however often. Those that look at
//! one time share one `alpha`; those that begin later, on a version that is deployed anew or under
//! rules that a command sets, have shares of their own. All shares together bound the probability
//! (union bound): that is their sum. A judge with an `alpha` of its own shares that among the
//! versions that it looks at, and has no part in its rule set's. It is worked out from the plan as
//! it stands: that other rules take a version's traffic away, which the plan may give back, and
//! that commands are refused is left aside.

use crate::engine::{CommandKind, Judge, RuleSet, Target, Trigger};
use crate::exchange::{ModelIndex, VersionIndex};

use super::command_plan::Instruction;
use super::named_version::NamedVersion;
use super::names::STABLE;
use super::plan::{PhasePlan, Scenario, VersionPlan};

/// What the judges of a model may spend.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FalseAlarms {
    /// Each time that judges began, the share of their rule set's `alpha` that they were given, and
    /// that of their own of those that have one.
    pub shares: Vec<f64>,
}

impl FalseAlarms {
    /// The most that the probability of a firing can be on canaries that are no worse; 1 where the
    /// shares sum to more.
    pub fn sum(&self) -> f64 {
        self.shares.iter().sum::<f64>().min(1.0)
    }
}

impl Scenario {
    /// What the judges of `model` may spend in the course of the plan.
    pub fn false_alarms(&self, model: ModelIndex) -> FalseAlarms {
        let rules = &self.models[usize::from(model.0)].rules;
        let mut bench = Bench {
            plan: self,
            model,
            rules,
            canaries: Some(Vec::new()),
            active: Vec::new(),
            stable_may_move: false,
            alarms: FalseAlarms::default(),
        };
        for phase in &self.phases {
            bench.phase(phase);
        }
        bench.alarms
    }
}

/// The judges of a model as a plan goes on.
struct Bench<'a> {
    plan: &'a Scenario,
    model: ModelIndex,
    rules: &'a RuleSet,
    /// The versions that get traffic and may be judged; `None` where tags that may have moved by
    /// then name them.
    canaries: Option<Vec<VersionIndex>>,
    /// All that get traffic, as far as that is known.
    active: Vec<VersionIndex>,
    /// Whether another version than at the start may be the stable by now.
    stable_may_move: bool,
    alarms: FalseAlarms,
}

/// How many pairs of a judge and a version begin, of how many that there are then.
struct Begun<'a> {
    trigger: &'a Trigger,
    judge: &'a Judge,
    new: usize,
    all: usize,
}

impl<'a> Bench<'a> {
    fn phase(&mut self, phase: &'a PhasePlan) {
        let is_own = |named: &NamedVersion| self.plan.model_of_named(named) == self.model;
        let split = phase.split.iter().flatten().filter(|(named, _)| is_own(named));
        let split: Vec<_> = split.collect();
        let rollout = phase.rollout.as_ref().map(|rollout| &rollout.version);
        let rollout = rollout.filter(|named| is_own(named));
        if !split.is_empty() {
            let active = split.into_iter().filter(|(_, weight)| weight.get() > 0.0);
            self.deploy(active.map(|(named, _)| named.fixed()).collect());
        }
        if let Some(named) = rollout {
            self.climb(named.fixed());
        }
        for command in &phase.commands {
            match &command.instruction {
                Instruction::Engine(kind) if command.model == Some(self.model) => {
                    self.command(kind);
                }
                _ => {}
            }
        }
    }

    fn command(&mut self, kind: &'a CommandKind) {
        let named = |target: &Target| self.plan.version_named(target.as_str());
        match kind {
            CommandKind::Rules(rules) => self.set_rules(rules),
            CommandKind::Split { shares, .. } => {
                let active = shares.iter().filter(|(_, weight)| weight.get() > 0.0);
                self.deploy(active.map(|(target, _)| named(target)).collect());
            }
            CommandKind::StartRollout { version, .. } => self.climb(named(version)),
            // All traffic is with one version: nothing is there to compare it with.
            CommandKind::Rollback(_) | CommandKind::Abort => self.canaries = Some(Vec::new()),
            CommandKind::Promote { .. } => {
                self.canaries = Some(Vec::new());
                self.stable_may_move = true;
            }
            CommandKind::Tag { tag, .. } => {
                let is_stable = tag.as_str() == STABLE;
                let is_judged = |judge: &Trigger| {
                    judge.version.as_ref().is_some_and(|name| name.as_str() == tag.as_str())
                };
                self.stable_may_move |= is_stable;
                if is_stable || self.judges().any(|(judge, _)| is_judged(judge)) {
                    self.deploy(None);
                }
            }
            _ => {}
        }
    }

    /// A rollout begins, and may come to its end.
    fn climb(&mut self, version: Option<VersionIndex>) {
        let stable = self.stable();
        self.deploy(version.zip(stable).map(|(version, stable)| vec![stable, version]));
        self.stable_may_move = true;
    }

    /// These versions get traffic from now on.
    fn deploy(&mut self, active: Option<Vec<VersionIndex>>) {
        let before = self.canaries.take();
        let Some(active) = active else {
            self.active.clear();
            return self.spend_all();
        };
        let mut canaries = active.clone();
        let alone = canaries.len() < 2;
        let stable = self.stable().filter(|_| !self.stable_may_move);
        canaries.retain(|version| !alone && Some(*version) != stable);
        let anew = self.stable_may_move;
        let goes_on = |version: &VersionIndex| {
            !anew && before.as_ref().is_some_and(|before| before.contains(version))
        };
        let new: Vec<_> = canaries.iter().copied().filter(|version| !goes_on(version)).collect();
        let newly = |version: &VersionIndex| !self.active.contains(version);
        let new_active: Vec<_> = active.iter().copied().filter(newly).collect();
        let begun = |(trigger, judge): (&'a Trigger, &'a Judge)| {
            let looks_at = |versions: &[VersionIndex]| self.looks_at(trigger, versions);
            let (new, all) = match judge.is_relative() {
                true => (looks_at(&new), looks_at(&canaries)),
                // It asks for no stable, and may look at that.
                false => (looks_at(&new_active), looks_at(&active)),
            };
            Begun { trigger, judge, new, all }
        };
        let begun: Vec<_> = self.judges().map(begun).collect();
        self.canaries = Some(canaries);
        self.active = active;
        self.spend(&begun);
    }

    /// Other rules are in force from now on. What is in both goes on.
    fn set_rules(&mut self, rules: &'a RuleSet) {
        let old = std::mem::replace(&mut self.rules, rules);
        let Some(canaries) = &self.canaries else { return self.spend_all() };
        let kept: Vec<_> = (0..old.triggers.len())
            .filter_map(|place| rules.position_of(old, place))
            .map(|place| rules.triggers[place].id.as_str())
            .collect();
        let begun = |(trigger, judge): (&'a Trigger, &'a Judge)| {
            let versions = if judge.is_relative() { canaries } else { &self.active };
            let all = self.looks_at(trigger, versions);
            let new = if kept.contains(&trigger.id.as_str()) { 0 } else { all };
            Begun { trigger, judge, new, all }
        };
        let begun: Vec<_> = self.judges().map(begun).collect();
        self.spend(&begun);
    }

    /// The judges that hold to a probability of a false alarm.
    fn judges(&self) -> impl Iterator<Item = (&'a Trigger, &'a Judge)> + use<'a> {
        self.rules.judges().filter(|(_, judge)| judge.has_alpha())
    }

    /// At how many of these versions a judge looks.
    fn looks_at(&self, judge: &Trigger, versions: &[VersionIndex]) -> usize {
        let watched = self.plan.watched(self.model, judge);
        versions.iter().filter(|version| watched.contains(version)).count()
    }

    /// All judges begin, at nobody knows how many versions.
    fn spend_all(&mut self) {
        let begun = |(trigger, judge)| Begun { trigger, judge, new: 1, all: 1 };
        let begun: Vec<_> = self.judges().map(begun).collect();
        self.spend(&begun);
    }

    /// Judges begin, those without an `alpha` of their own with parts of their rule set's.
    fn spend(&mut self, begun: &[Begun<'_>]) {
        if !self.rules.enable {
            return;
        }
        let (own, shared): (Vec<_>, Vec<_>) =
            begun.iter().partition(|begun| begun.judge.alpha.is_some());
        self.share(self.rules.alpha.get(), &shared);
        for begun in own {
            self.share(begun.judge.alpha.unwrap_or_default().get(), &[begun]);
        }
    }

    /// These share one `alpha`.
    fn share(&mut self, alpha: f64, begun: &[&Begun<'_>]) {
        let new: usize = begun.iter().map(|begun| begun.new).sum();
        let all: usize = begun.iter().map(|begun| begun.all).sum();
        if new == 0 {
            return;
        }
        // A judge of what a tag names looks at one version, whichever that is: there may be fewer
        // pairs than were counted, and each then has more than an even share.
        let is_tag = |name: &Target| self.plan.version_named(name.as_str()).is_none();
        let by_tag = |begun: &&&Begun<'_>| begun.trigger.version.as_ref().is_some_and(is_tag);
        let part = if begun.iter().any(|one| by_tag(&one)) { 1.0 } else { new as f64 / all as f64 };
        self.alarms.shares.push(alpha * part);
    }

    /// The version that is the stable at the start.
    fn stable(&self) -> Option<VersionIndex> {
        let first = self.plan.first_version(self.model).0;
        let mut versions = (first..).zip(&self.plan.models[usize::from(self.model.0)].versions);
        let is_stable = |version: &VersionPlan| version.tags.iter().any(|t| t.as_str() == STABLE);
        versions.find(|(_, version)| is_stable(version)).map(|(index, _)| VersionIndex(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixture::load_text;

    const JUDGE: &str = "{judge: sequential, action: rollback_to_last_stable}";
    const OTHER: &str = "{judge: sequential, prior_strength: 3, action: notify}";
    const CONDITION: &str = "{metric: error_rate, operator: '>', threshold: 0.5, \
                             duration_seconds: 60, action: rollback_to_last_stable}";

    /// The shares of the judges of `conditions`, in millionths, with an alpha of a thousandth.
    fn shares(conditions: &str, phases: &str) -> Vec<f64> {
        let text = format!(
            "schema: 1
name: judged
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{tags: [beta], upstream: {{latency: 1s}}}}
      v3: {{upstream: {{latency: 1s}}}}
    rules: {{alpha: 0.001, conditions: [{conditions}]}}
phases: [{phases}]
"
        );
        let loaded = load_text(&text).unwrap_or_else(|error| panic!("{error}"));
        let alarms = loaded.scenario.false_alarms(ModelIndex(0));
        let sum: f64 = alarms.shares.iter().sum();
        assert!((alarms.sum() - sum.min(1.0)).abs() < 1e-15);
        alarms.shares.iter().map(|share| (share * 1e6).round()).collect()
    }

    fn phase(name: &str, more: &str) -> String {
        format!("{{name: {name}, for: 1m, {more}}}")
    }

    fn split(name: &str, second: u32, third: u32) -> String {
        let first = 100 - second - third;
        phase(name, &format!("split: {{v1: {first}%, v2: {second}%, v3: {third}%}}"))
    }

    #[test]
    fn judges_of_one_deployment_share_one_alpha() {
        assert_eq!(shares(JUDGE, &split("a", 10, 0)), [1_000.0]);
        assert_eq!(shares(&format!("{JUDGE}, {OTHER}"), &split("a", 10, 0)), [1_000.0]);
        assert_eq!(shares(JUDGE, &split("a", 10, 10)), [1_000.0]);
        assert_eq!(shares(CONDITION, &split("a", 10, 0)), [0.0; 0]);
        assert_eq!(shares(JUDGE, &split("a", 0, 0)), [0.0; 0]);
    }

    #[test]
    fn steps_of_one_deployment_spend_nothing_more_and_a_new_canary_its_share() {
        let [a, b] = [split("a", 1, 0), split("b", 10, 0)];
        assert_eq!(shares(JUDGE, &format!("{a}, {b}")), [1_000.0]);
        // v2 has had the whole alpha; v3 gets one of two halves.
        let c = split("c", 10, 10);
        assert_eq!(shares(JUDGE, &format!("{a}, {b}, {c}")), [1_000.0, 500.0]);
        // Two judges on two canaries are four, of which two begin.
        let both = format!("{JUDGE}, {OTHER}");
        assert_eq!(shares(&both, &format!("{a}, {c}")), [1_000.0, 500.0]);
    }

    #[test]
    fn what_is_deployed_anew_spends_again() {
        let [a, gap, b] = [split("a", 10, 0), split("gap", 0, 0), split("b", 10, 0)];
        assert_eq!(shares(JUDGE, &format!("{a}, {gap}, {b}")), [1_000.0, 1_000.0]);
        let rules = format!("{JUDGE}, {CONDITION}");
        assert_eq!(shares(&rules, &format!("{a}, {b}")), [1_000.0], "firings are left aside");
        let by_command = phase(
            "c",
            "commands: [{at: 1s, rollback: {}}, {at: 9s, split: {v1: 50%, v2: 50%}, redeploy: true}]",
        );
        assert_eq!(shares(JUDGE, &format!("{a}, {by_command}")), [1_000.0, 1_000.0]);
    }

    #[test]
    fn a_judge_with_an_alpha_of_its_own_shares_none() {
        let own = JUDGE.replace("judge", "alpha: 0.0001, judge");
        assert_eq!(shares(&own, &split("a", 10, 0)), [100.0]);
        assert_eq!(shares(&own, &split("a", 10, 10)), [100.0], "shared by its canaries");
        let both = format!("{own}, {OTHER}");
        assert_eq!(shares(&both, &split("a", 10, 0)), [1_000.0, 100.0]);
        let ranks = "{judge: mann_whitney, metric: latency_p95, action: notify}";
        assert_eq!(shares(ranks, &split("a", 10, 0)), [0.0; 0], "it holds to none");
        let objective = "{judge: objective, metric: error_rate, threshold: 0.1, version: v1, \
                         action: notify}";
        let twice = [split("a", 0, 0), split("b", 10, 0)].join(", ");
        assert_eq!(shares(objective, &twice), [1_000.0], "it looks at the stable, once");
    }

    #[test]
    fn judges_that_a_command_sets_spend_the_alpha_of_their_rules() {
        let set = |alpha: &str, conditions: &str| {
            let rules = format!("{{alpha: {alpha}, conditions: [{conditions}]}}");
            let more =
                format!("split: {{v1: 90%, v2: 10%}}, commands: [{{at: 9s, rules: {rules}}}]");
            shares(JUDGE, &phase("a", &more))
        };
        assert_eq!(set("0.002", JUDGE), [1_000.0, 2_000.0], "another alpha");
        assert_eq!(set("0.001", JUDGE), [1_000.0], "it goes on");
        assert_eq!(set("0.001", OTHER), [1_000.0, 1_000.0]);
        assert_eq!(set("0.001", &format!("{JUDGE}, {OTHER}")), [1_000.0, 500.0]);
        assert_eq!(set("0.001", CONDITION), [1_000.0]);
    }

    #[test]
    fn where_another_version_may_be_the_stable_all_begin_anew() {
        let rollout = "rollout: {version: v2, steps: [{weight: 10%, hold: 5s}]}";
        let first = split("a", 0, 0);
        let climbed = phase("b", rollout);
        assert_eq!(shares(JUDGE, &format!("{first}, {climbed}")), [1_000.0]);
        let next = split("c", 50, 0);
        assert_eq!(shares(JUDGE, &format!("{first}, {climbed}, {next}")), [1_000.0, 1_000.0]);
        let tagged = phase("b", "commands: [{at: 1s, tag: {tag: stable, version: v2}}]");
        let deployed = split("a", 10, 0);
        assert_eq!(shares(JUDGE, &format!("{deployed}, {tagged}")), [1_000.0, 1_000.0]);
        let golden = tagged.replace("stable", "golden");
        assert_eq!(shares(JUDGE, &format!("{deployed}, {golden}")), [1_000.0]);
    }

    #[test]
    fn a_judge_of_one_version_spends_when_that_is_deployed() {
        let of = |version: &str| JUDGE.replace("judge", &format!("version: {version}, judge"));
        assert_eq!(shares(&of("v3"), &split("a", 10, 0)), [0.0; 0]);
        assert_eq!(shares(&of("v2"), &split("a", 10, 10)), [1_000.0]);
        let both = [split("a", 10, 0), split("b", 10, 10)].join(", ");
        assert_eq!(shares(&format!("{}, {OTHER}", of("v3")), &both), [1_000.0, 667.0]);
    }
}
