//! One run of a canary under triggers that are watched and may not act: when each of them would
//! have rolled it back, and how much harm there had been by then.
//!
//! A trigger whose action is to notify changes nothing. So up to the instant at which it fires
//! first a run is that of any rule set that holds it: of many triggers, in whatever sets, one run
//! tells all. A set rolls back when the first of its triggers fires; harm only grows, so its harm
//! is the least of theirs. That is exact for what fires and when; of the harm it leaves out what a
//! rollback does to requests that are in flight by then, where they are retried or wait in a line.

use crate::chance::Chance;
use crate::engine::Sealed;
use crate::exchange::{Class, VersionIndex};
use crate::record::{Arm, Attempt, Happening, KeyRefusal, Observer, Outcome};
use crate::run::{FIRST_RUN, source_of};
use crate::scenario::Scenario;
use crate::simulator::{SimulationError, simulate};
use crate::units::{Duration, Timestamp};
use crate::workload::TraceInput;

/// What became of one run under triggers that may not act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    /// From the beginning of the run to the first instant at which the canary was bad; `None`: it
    /// never was.
    pub onset: Option<Duration>,
    /// By trigger, its first firing; `None`: it never fired.
    pub firings: Vec<Option<Firing>>,
    /// The harm of the whole run: requests of the bad canary that failed, or were answered more
    /// than 20 % slower than the stable would have.
    pub harm: u64,
}

/// The first firing of a trigger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Firing {
    /// From the beginning of the run.
    pub after: Duration,
    /// The harm of requests that were assigned before it.
    pub harm: u64,
}

impl Observation {
    /// The harm with which a trigger would have ended the run; that of all of it where it never
    /// fired.
    pub fn harm_under(&self, trigger: usize) -> u64 {
        self.firings[trigger].map_or(self.harm, |firing| firing.harm)
    }
}

/// Watches `canary` in a run of `scenario` under `seed`, whose rules hold `triggers` triggers for
/// its model, of which none acts.
///
/// # Errors
/// A trace that the scenario replays is broken, or the plan asks for what the engine refuses.
///
/// # Panics
/// There are not as many traces as the scenario replays: a bug of the caller.
pub fn observe(
    scenario: &Scenario,
    (canary, triggers): (VersionIndex, usize),
    seed: u64,
    traces: Vec<TraceInput>,
) -> Result<Observation, SimulationError> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, traces, chance)?;
    let mut watcher = Watcher {
        canary,
        start: scenario.start,
        onset: None,
        fired: vec![None; triggers],
        harmed: Vec::new(),
    };
    simulate(scenario, chance, source, &mut watcher)?;
    Ok(watcher.finish())
}

struct Watcher {
    canary: VersionIndex,
    start: Timestamp,
    onset: Option<Timestamp>,
    fired: Vec<Option<Timestamp>>,
    /// When each harmed request was assigned, in the order in which they ended.
    harmed: Vec<Timestamp>,
}

impl Watcher {
    fn finish(mut self) -> Observation {
        self.harmed.sort_unstable();
        let harmed = &self.harmed;
        let firing = |at: Timestamp| Firing {
            after: at.since(self.start),
            // A check comes before the requests of its instant.
            harm: harmed.partition_point(|assigned| *assigned < at) as u64,
        };
        Observation {
            onset: self.onset.map(|onset| onset.since(self.start)),
            firings: self.fired.iter().map(|fired| fired.map(firing)).collect(),
            harm: harmed.len() as u64,
        }
    }
}

impl Observer for Watcher {
    fn assigned(&mut self, _: Timestamp, _: u16, _: VersionIndex, _: Arm) {}

    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}

    fn attempted(&mut self, _: &Attempt) {}

    #[inline]
    fn completed(&mut self, outcome: &Outcome) {
        if !outcome.after_onset || outcome.assigned != self.canary {
            return;
        }
        let slowed = outcome.counterfactual.is_some_and(|instead| instead.slowed);
        if outcome.class == Class::Error || slowed {
            self.harmed.push(outcome.started);
        }
    }

    fn key_rejected(&mut self, _: &KeyRefusal) {}

    fn let_in(&mut self, _: Timestamp, _: u16) {}

    fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        if version == self.canary {
            self.onset.get_or_insert(at);
        }
    }

    fn journalled(&mut self, _: &Sealed) {}

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        if let Happening::Fired { trigger, version, .. } = happening
            && version == self.canary
            && let Some(fired) = self.fired.get_mut(trigger)
        {
            fired.get_or_insert(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{faults, ladder, scenario, subject, triggers};
    use super::super::played::Played;
    use super::super::present::observed;
    use super::super::subject::Subject;
    use super::*;
    use crate::engine::{RawRules, RawTrigger, RuleSet, Safeguards};
    use crate::run::run_summed;

    fn in_force(triggers: &[RawTrigger]) -> RuleSet {
        let raw = RawRules { conditions: triggers.to_vec(), ..RawRules::default() };
        RuleSet::new(&raw, Safeguards::default()).unwrap()
    }

    /// By rules in force, when the canary was rolled back after its onset, and the harm.
    fn played(
        subject: &Subject,
        fault: usize,
        triggers: &[RawTrigger],
        seed: u64,
    ) -> (Option<Duration>, u64) {
        let rules = in_force(triggers);
        let scenario = subject.under(&faults()[fault]).unwrap();
        let scenario = subject.ruled(scenario, rules.clone());
        let record = run_summed(&scenario, seed, Vec::new()).unwrap();
        let played = Played::of(&record, subject, &rules);
        (played.found_after, played.harm)
    }

    #[test]
    fn what_is_watched_is_what_the_same_triggers_do_in_force_alone_and_together() {
        hold_to_rules_in_force(&subject());
    }

    #[test]
    fn on_a_ladder_too_that_does_not_bring_a_canary_back() {
        hold_to_rules_in_force(&Subject::of(&scenario(&ladder()), None).unwrap());
    }

    fn hold_to_rules_in_force(subject: &Subject) {
        let all = triggers();
        let rules = observed(subject.rules(), &all).unwrap();
        let (mut fired, mut silent) = (0, 0);
        for fault in 0..4 {
            for seed in 1..=3 {
                let watched =
                    subject.ruled(subject.under(&faults()[fault]).unwrap(), rules.clone());
                let seen =
                    observe(&watched, (subject.canary(), all.len()), seed, Vec::new()).unwrap();
                let onset = seen.onset.unwrap();
                let after = |one: usize| {
                    let firing = seen.firings[one]?;
                    // Before the onset it is a false alarm, and finds nothing: a check comes before
                    // the faults of its instant.
                    (firing.after > onset).then(|| firing.after.saturating_sub(onset))
                };
                for one in 0..all.len() {
                    let own = (after(one), seen.harm_under(one));
                    let in_force = played(subject, fault, &all[one..=one], seed);
                    assert_eq!(own, in_force, "{fault} {seed} {one}");
                    *(if own.0.is_some() { &mut fired } else { &mut silent }) += 1;
                }
                let firings = seen.firings.iter().flatten().map(|firing| firing.after);
                let first = firings.min().filter(|first| *first > onset);
                let first = first.map(|first| first.saturating_sub(onset));
                let least = (0..all.len()).map(|one| seen.harm_under(one)).min().unwrap();
                let in_force = played(subject, fault, &all, seed);
                assert_eq!((first, least), in_force, "{fault} {seed}");
            }
        }
        assert!(fired > 20 && silent > 10, "{fired} {silent}");
    }

    #[test]
    fn without_a_fault_there_is_no_onset_and_no_harm() {
        let (subject, all) = (subject(), triggers());
        let rules = observed(subject.rules(), &all).unwrap();
        let healthy = subject.ruled(subject.healthy().clone(), rules);
        let seen = observe(&healthy, (subject.canary(), all.len()), 1, Vec::new()).unwrap();
        assert_eq!((seen.onset, seen.harm), (None, 0));
    }
}
