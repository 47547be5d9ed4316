//! The best rule sets and the present one, tried with rules in force on faults and seeds that no
//! search has used, and without faults.

use std::sync::Arc;

use super::batch::{Answer, Batch, Run, Watching};
use super::played::Played;
use super::present::{PRESENT, observed, present_triggers};
use super::search::ONE_SIDED;
use super::shortfall::shortfalls;
use super::subject::Subject;
use super::tried::{Alarms, OnFault, Tried, expected, mean, ratio};
use super::tuned::{Normal, Round, Tuned};
use super::yardstick::Yardstick;
use crate::engine::{RawNotification, RawRules, RawTrigger, RuleSet, RulesError, Safeguards};
use crate::scenario::{NamedFault, Scenario};
use crate::study::Seeds;
use crate::units::Ratio;

/// Rule sets that are tried.
#[derive(Debug)]
pub(super) struct Contest {
    subject: Subject,
    faults: Vec<NamedFault>,
    limit: Ratio,
    seeds: Seeds,
    healthy: u64,
    /// The present rules first, if any of them roll back; then the others, those first that may be
    /// recommended.
    contestants: Vec<Contestant>,
    /// How many may be recommended.
    eligible: usize,
    /// The healthy scenario under the triggers of all of them, then each fault under each of them.
    scenarios: Vec<Arc<Scenario>>,
    watching: Watching,
}

#[derive(Debug)]
struct Contestant {
    rules: RuleSet,
    is_present: bool,
    /// The places of its triggers among those of all.
    triggers: Vec<usize>,
}

impl Contest {
    /// The rules of `found`, of which the first `eligible` may be recommended, and those that
    /// `subject` has, against `faults`, each of which stands in the scenario of its place in `bad`.
    pub(super) fn new(
        (subject, faults, bad): (Subject, Vec<NamedFault>, Vec<Scenario>),
        (found, eligible): (Vec<RawRules>, usize),
        (limit, seeds, healthy): (Ratio, Seeds, u64),
    ) -> Result<Self, RulesError> {
        let mut all: Vec<RawTrigger> = Vec::new();
        let mut place_of = |raw: &RawTrigger| match all.iter().position(|known| known == raw) {
            Some(place) => place,
            None => {
                all.push(raw.clone());
                all.len() - 1
            }
        };
        let mut contestants = Vec::new();
        let own = present_triggers(subject.rules());
        if !own.is_empty() {
            contestants.push(Contestant {
                rules: subject.rules().clone(),
                is_present: true,
                triggers: own.iter().map(&mut place_of).collect(),
            });
        }
        for raw in found {
            let triggers = raw.conditions.iter().map(&mut place_of).collect();
            contestants.push(Contestant { rules: in_force(raw)?, is_present: false, triggers });
        }
        let watched = observed(subject.rules(), &all)?;
        let mut scenarios = vec![Arc::new(subject.ruled(subject.healthy().clone(), watched))];
        for contestant in &contestants {
            let ruled = bad.iter().map(|scenario| {
                Arc::new(subject.ruled(scenario.clone(), contestant.rules.clone()))
            });
            scenarios.extend(ruled);
        }
        let watching = Watching { canary: subject.canary(), triggers: all.len() };
        Ok(Self {
            subject,
            faults,
            limit,
            seeds,
            healthy,
            contestants,
            eligible,
            scenarios,
            watching,
        })
    }

    /// How many runs it makes.
    pub(super) fn runs(&self) -> u64 {
        self.healthy + (self.scenarios.len() as u64 - 1) * self.seeds.count
    }

    pub(super) fn batch(&self) -> Batch {
        let (canary, model) = (self.subject.canary(), self.subject.model());
        let seeds = || (0..self.seeds.count).map(|index| self.seeds.at(index));
        let bad = (1..self.scenarios.len()).flat_map(|scenario| {
            seeds().map(move |seed| Run::Play { scenario, seed, canary, model })
        });
        let healthy =
            (0..self.healthy).map(|index| Run::Watch { scenario: 0, seed: self.seeds.at(index) });
        Batch::new(self.scenarios.clone(), bad.chain(healthy).collect(), Some(self.watching))
    }

    /// What the answers to its batch come to.
    pub(super) fn conclude(
        self,
        answers: Vec<Answer>,
        normal: Yardstick,
        rounds: Vec<Round>,
    ) -> Tuned {
        let mut alarms = vec![0; self.contestants.len()];
        let mut runs: Vec<Vec<Played>> = vec![Vec::new(); self.scenarios.len() - 1];
        for answer in answers {
            match answer {
                Answer::Watched(_, seen) => {
                    let fired = |one: &Contestant| {
                        one.triggers.iter().any(|trigger| seen.firings[*trigger].is_some())
                    };
                    let firing = self.contestants.iter().map(fired);
                    alarms.iter_mut().zip(firing).for_each(|(sum, one)| *sum += u64::from(one));
                }
                Answer::Played(scenario, played) => runs[scenario - 1].push(played),
                Answer::Measured(_) => {}
            }
        }
        self.summed_up(&alarms, &runs, normal, rounds)
    }

    fn summed_up(
        &self,
        alarms: &[u64],
        runs: &[Vec<Played>],
        normal: Yardstick,
        rounds: Vec<Round>,
    ) -> Tuned {
        let count = self.faults.len();
        let own = |place: usize| &runs[place * count..(place + 1) * count];
        let has_present = self.contestants.first().is_some_and(|one| one.is_present);
        let first = usize::from(has_present);
        // Each set that may be recommended is one more chance to pass by luck.
        let shared = ONE_SIDED.shared_by(self.eligible);
        let tried = |place: usize| {
            let one = &self.contestants[place];
            let may_be = place >= first && place < first + self.eligible;
            let (hits, n) = (alarms[place], self.healthy);
            let alarms = if may_be { Alarms::of(hits, n, shared) } else { Alarms::at_95(hits, n) };
            self.tried(one, alarms, own(place))
        };
        let all: Vec<Tried> = (0..self.contestants.len()).map(tried).collect();
        let keeps = |place: &usize| all[*place].alarms.upper <= self.limit.get();
        let recommended = (first..first + self.eligible).find(keeps);
        let present = has_present.then_some(0);
        let pair = present.zip(recommended);
        let against = |held_out: bool| {
            let (present, best) = pair?;
            let (of, other) =
                (self.expected(own(best), held_out), self.expected(own(present), held_out));
            ratio(&of?, &other?)
        };
        let short = present.map(|present| shortfalls(own(present), recommended.map(own)));
        let mut all = all.into_iter().enumerate();
        let present = if has_present { all.next().map(|(_, tried)| tried) } else { None };
        let (others, recommended) = lettered(all.collect(), recommended);
        Tuned {
            normal: Normal {
                error_rate: normal.error_rate,
                latency_p50: normal.latency_p50,
                latency_p99: normal.latency_p99,
            },
            rounds,
            present,
            tried: others,
            recommended,
            against_present: against(false),
            against_present_held_out: against(true),
            shortfalls: short.unwrap_or_default(),
        }
    }

    fn tried(&self, one: &Contestant, alarms: Alarms, runs: &[Vec<Played>]) -> Tried {
        let judges = one.rules.judges().count();
        let promised = (judges == one.rules.triggers.len()).then(|| one.rules.false_alarms());
        let on_fault = |runs: &Vec<Played>| OnFault::of(&runs.iter().collect::<Vec<_>>());
        Tried {
            name: NAME_OF_PRESENT.to_owned(),
            // A webhook is a secret: a report is passed on.
            rules: RawRules { notification: RawNotification::default(), ..one.rules.to_raw() },
            promised: promised.flatten(),
            alarms,
            harm: mean(&self.expected(runs, false).unwrap_or_default()),
            harm_held_out: self.expected(runs, true).map(|harms| mean(&harms)),
            faults: runs.iter().map(on_fault).collect(),
        }
    }

    /// By seed, the expected harm of a bad release, of all faults or of those that were held out;
    /// `None` where none was.
    fn expected(&self, runs: &[Vec<Played>], held_out: bool) -> Option<Vec<f64>> {
        let all = self.faults.iter().zip(runs).filter(|(fault, _)| !held_out || fault.held_out);
        let faults: Vec<_> = all.map(|(fault, runs)| (fault, runs.as_slice())).collect();
        (!faults.is_empty()).then(|| expected(&faults))
    }
}

/// The sets by their harm, the least first, each with a letter; and that of the one of this place.
fn lettered(mut all: Vec<(usize, Tried)>, place: Option<usize>) -> (Vec<Tried>, Option<String>) {
    let harm = |tried: &Tried| tried.harm.value.unwrap_or(f64::MAX);
    all.sort_by(|(_, one), (_, other)| harm(one).total_cmp(&harm(other)));
    let mut name = None;
    let named = ('A'..='Z').zip(all).map(|(letter, (own, tried))| {
        let letter = letter.to_string();
        if Some(own) == place {
            name = Some(letter.clone());
        }
        Tried { name: letter, ..tried }
    });
    (named.collect(), name)
}

/// Rules as they act, their triggers without what told where they came from.
fn in_force(raw: RawRules) -> Result<RuleSet, RulesError> {
    let mut conditions: Vec<RawTrigger> = Vec::new();
    for condition in raw.conditions {
        let id = condition.id.map(|id| id.strip_prefix(PRESENT).unwrap_or(&id).to_owned());
        // Of the present rules and of the library alike: one of them says it all.
        if !conditions.iter().any(|known| known.id == id) {
            conditions.push(RawTrigger { id, ..condition });
        }
    }
    let raw = RawRules { enable: true, conditions, ..raw };
    RuleSet::new(&raw, Safeguards { refuse_long_interval: false, ..Safeguards::default() })
}

const NAME_OF_PRESENT: &str = "present";
