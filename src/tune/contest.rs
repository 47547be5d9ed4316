//! The best rule sets and the present one, tried with rules in force on faults and seeds that no
//! search has used, and without faults.

use std::sync::Arc;

use super::batch::{Answer, Batch, Run, Watching};
use super::played::Played;
use super::present::{PRESENT, acts, observed, told_only, with_more};
use super::shortfall::shortfalls;
use super::subject::Subject;
use super::tried::{Alarms, OnFault, Tried, expected, mean, ratio};
use super::tuned::{FailedCheck, Normal, Round, Tuned};
use super::yardstick::Yardstick;
use crate::engine::{
    RawNotification, RawRules, RawTrigger, RuleSet, RulesError, Safeguards, Trigger, TriggerKind,
};
use crate::scenario::{NamedFault, Scenario};
use crate::stats::Confidence;
use crate::study::{Seeds, ShareOfRuns};
use crate::units::Ratio;

/// Rule sets that are tried.
#[derive(Debug)]
pub(super) struct Contest {
    subject: Subject,
    faults: Vec<NamedFault>,
    check: Check,
    /// The present rules first, if any of them roll back; then that which is to be proved, if there
    /// is one; then the others.
    contestants: Vec<Contestant>,
    has_present: bool,
    /// Whether there is one to be proved.
    proves: bool,
    /// The healthy scenario under all triggers, then each fault under each of the contestants.
    scenarios: Vec<Arc<Scenario>>,
    watching: Arc<Watching>,
}

/// What a check is made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// The probability of a false rollback that is allowed.
    pub(super) limit: Ratio,
    /// The seeds of each fault; the healthy runs begin with the same one.
    pub(super) seeds: Seeds,
    /// How many healthy runs there are.
    pub(super) healthy: u64,
    /// Which one it is, from 0.
    pub(super) number: usize,
    /// At which what it proves is proved.
    pub(super) confidence: Confidence,
}

#[derive(Debug)]
struct Contestant {
    rules: RuleSet,
    /// The places of its triggers.
    triggers: Vec<usize>,
}

impl Contest {
    /// The rules of `subject`, whose triggers that roll back are the first `present` of `triggers`,
    /// and the sets of others, of which the first is to be proved if `proved` is 1; against
    /// `faults`, each of which stands in the scenario of its place in `bad`.
    pub(super) fn new(
        (subject, faults, bad): (Subject, Vec<NamedFault>, Vec<Scenario>),
        (triggers, present): (&[RawTrigger], usize),
        (sets, proved): (Vec<Vec<usize>>, usize),
        check: Check,
    ) -> Result<Self, RulesError> {
        let own = (present > 0).then(|| Contestant {
            rules: subject.rules().clone(),
            triggers: (0..present).collect(),
        });
        let mut contestants: Vec<Contestant> = own.into_iter().collect();
        for set in sets {
            let acting = set.iter().map(|one| triggers[*one].clone()).collect();
            // What only tells stays as it is.
            let conditions = with_more(acting, told_only(subject.rules(), &subject));
            let rules = in_force(RawRules { conditions, ..subject.rules().to_raw() })?;
            contestants.push(Contestant { rules, triggers: set });
        }
        let watched = observed(subject.rules(), triggers)?;
        let mut scenarios = vec![Arc::new(subject.ruled(subject.healthy().clone(), watched))];
        for contestant in &contestants {
            let ruled = bad.iter().map(|scenario| {
                Arc::new(subject.ruled(scenario.clone(), contestant.rules.clone()))
            });
            scenarios.extend(ruled);
        }
        let watching = Arc::new(Watching { subject: subject.clone(), triggers: triggers.len() });
        let (has_present, proves) = (present > 0, proved > 0);
        Ok(Self { subject, faults, check, contestants, has_present, proves, scenarios, watching })
    }

    /// Which check it is, from 0.
    pub(super) const fn number(&self) -> usize {
        self.check.number
    }

    /// The place of the contestant that is to be proved.
    fn candidate(&self) -> Option<usize> {
        self.proves.then_some(usize::from(self.has_present))
    }

    /// The set that was to be proved, where it raised more false alarms than it may have: with
    /// fewer runs than prove anything it does not fail, and is not proved either.
    pub(super) fn failed(&self, answers: &[Answer]) -> Option<FailedCheck> {
        let place = self.candidate()?;
        let hits = self.alarms(answers)[place];
        let alarms = self.told(hits);
        let failed = hits > 0 && !self.keeps(hits);
        let acting = || self.acting(&self.contestants[place]);
        let triggers = acting().map(|trigger| trigger.id.clone()).collect();
        failed.then_some(FailedCheck { triggers, alarms })
    }

    /// Those of its triggers that can roll the canary back.
    fn acting<'a>(&'a self, one: &'a Contestant) -> impl Iterator<Item = &'a Trigger> {
        one.rules.triggers.iter().filter(|trigger| acts(trigger, &self.subject))
    }

    /// Whether so many false alarms prove the limit.
    fn keeps(&self, hits: u64) -> bool {
        self.told(hits).upper <= self.check.limit.get()
    }

    /// At a confidence that holds for all checks together.
    fn told(&self, hits: u64) -> Alarms {
        Alarms::of(hits, self.check.healthy, self.check.confidence)
    }

    /// In how many of the healthy runs each contestant would have rolled back.
    fn alarms(&self, answers: &[Answer]) -> Vec<u64> {
        let mut alarms = vec![0; self.contestants.len()];
        for answer in answers {
            let Answer::Fired(firing) = answer else { continue };
            let fired = |one: &Contestant| firing.iter().any(|own| one.triggers.contains(own));
            let firing = self.contestants.iter().map(fired);
            alarms.iter_mut().zip(firing).for_each(|(sum, one)| *sum += u64::from(one));
        }
        alarms
    }

    /// How many runs of the healthy release it makes, and how many of bad ones.
    pub(super) const fn runs(&self) -> [u64; 2] {
        let bad = self.scenarios.len() as u64 - 1;
        [self.check.healthy, bad * self.check.seeds.count]
    }

    /// The runs of the healthy release: a set that they disprove is not played against bad ones.
    pub(super) fn healthy(&self) -> Batch {
        let at = |index| Run::Guard { scenario: 0, seed: self.check.seeds.at(index) };
        self.batch((0..self.check.healthy).map(at).collect())
    }

    /// The runs of bad releases.
    pub(super) fn bad(&self) -> Batch {
        let seeds = self.check.seeds;
        let of = |scenario| {
            let at = move |index| Run::Play { scenario, seed: seeds.at(index) };
            (0..seeds.count).map(at)
        };
        self.batch((1..self.scenarios.len()).flat_map(of).collect())
    }

    fn batch(&self, runs: Vec<Run>) -> Batch {
        Batch::new(self.scenarios.clone(), runs, Arc::clone(&self.watching))
    }

    /// What the answers to its batch come to.
    pub(super) fn conclude(
        &self,
        answers: Vec<Answer>,
        [stable, canary]: [Yardstick; 2],
        (rounds, failed): (Vec<Round>, Vec<FailedCheck>),
    ) -> Tuned {
        let alarms = self.alarms(&answers);
        let mut runs: Vec<Vec<Played>> = vec![Vec::new(); self.scenarios.len() - 1];
        for answer in answers {
            if let Answer::Played(scenario, played) = answer {
                runs[scenario - 1].push(played);
            }
        }
        let count = self.faults.len();
        let own = |place: usize| &runs[place * count..(place + 1) * count];
        let candidate = self.candidate();
        let tried = |place: usize| {
            let is_candidate = candidate == Some(place);
            let told = if is_candidate {
                self.told(alarms[place])
            } else {
                Alarms::at_95(alarms[place], self.check.healthy)
            };
            (place, self.tried(&self.contestants[place], told, own(place)))
        };
        let mut all: Vec<(usize, Tried)> = (0..self.contestants.len()).map(tried).collect();
        let best = candidate.filter(|place| self.keeps(alarms[*place]));
        let present = self.has_present.then(|| all.remove(0).1);
        let against = |held_out: bool| {
            let best = best.filter(|_| self.has_present)?;
            ratio(&self.expected(own(best), held_out)?, &self.expected(own(0), held_out)?)
        };
        let short = present.as_ref().map(|_| shortfalls(own(0), best.map(own)));
        let (tried, recommended) = lettered(&all, candidate);
        let recommended = recommended.filter(|_| best.is_some());
        Tuned {
            normal: Normal::of(stable),
            normal_canary: Normal::of(canary),
            rounds,
            checks: self.check.number as u64 + 1,
            failed,
            present,
            tried,
            recommended,
            against_present: against(false),
            against_present_held_out: against(true),
            shortfalls: short.unwrap_or_default(),
        }
    }

    fn tried(&self, one: &Contestant, alarms: Alarms, runs: &[Vec<Played>]) -> Tried {
        let acting = || self.acting(one);
        let only_judges = acting().all(|one| matches!(one.kind, TriggerKind::Judge(_)));
        let promised = only_judges.then(|| one.rules.false_alarms());
        let on_fault = |runs: &Vec<Played>| OnFault::of(&runs.iter().collect::<Vec<_>>());
        Tried {
            name: NAME_OF_PRESENT.to_owned(),
            triggers: acting().map(|trigger| trigger.id.clone()).collect(),
            // A webhook is a secret: a report is passed on.
            rules: RawRules { notification: RawNotification::default(), ..one.rules.to_raw() },
            promised: promised.flatten(),
            alarms,
            harm: mean(&self.expected(runs, false).unwrap_or_default()),
            harm_held_out: self.expected(runs, true).map(|harms| mean(&harms)),
            missed: missed(runs),
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

/// The runs of bad releases, of each fault, in which the canary was not rolled back.
fn missed(runs: &[Vec<Played>]) -> ShareOfRuns {
    let all = || runs.iter().flatten();
    let missed = all().filter(|run| run.found_after.is_none()).count();
    ShareOfRuns::of(missed as u64, all().count() as u64)
}

/// The sets by their harm, the least first, each with a letter; and that of the one of this place,
/// which is kept in any case. Of the others those are left out than which another is no worse in
/// anything: harm, false alarms, number of triggers.
fn lettered(all: &[(usize, Tried)], place: Option<usize>) -> (Vec<Tried>, Option<String>) {
    let harm = |tried: &Tried| tried.harm.value.unwrap_or(f64::MAX);
    let figures =
        |tried: &Tried| [harm(tried), tried.alarms.hits as f64, tried.triggers.len() as f64];
    let is_worse = |(own, tried): &(usize, Tried)| {
        let figures_of_own = figures(tried);
        all.iter().filter(|(other, _)| other != own).any(|(other, better)| {
            let others = figures(better);
            let as_good = others.iter().zip(&figures_of_own).all(|(one, own)| one <= own);
            as_good && (others != figures_of_own || other < own)
        })
    };
    let kept = all.iter().filter(|one| Some(one.0) == place || !is_worse(one));
    let mut kept: Vec<(usize, Tried)> = kept.cloned().collect();
    kept.sort_by(|(_, one), (_, other)| harm(one).total_cmp(&harm(other)));
    let mut name = None;
    let named = ('A'..='Z').zip(kept).map(|(letter, (own, tried))| {
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
    let conditions = raw.conditions.into_iter().map(|condition| {
        let id = condition.id.map(|id| id.strip_prefix(PRESENT).unwrap_or(&id).to_owned());
        RawTrigger { id, ..condition }
    });
    let conditions = conditions.collect();
    let raw = RawRules { enable: true, conditions, ..raw };
    RuleSet::new(&raw, Safeguards { refuse_long_interval: false, ..Safeguards::default() })
}

const NAME_OF_PRESENT: &str = "present";
