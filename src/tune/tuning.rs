//! The course of a search for rules: which runs are to be made next, and what becomes of them.
//!
//! It begins with what is normal, narrows the triggers down in rounds, and then tries the best sets
//! on faults and seeds that no round has used. Whoever has threads makes the runs of a [`Batch`]
//! and [enters](Tuning::enter) their answers, until there is no further one.

use std::sync::Arc;

use super::batch::{Answer, Batch, Run, Watching};
use super::contest::{Check, Contest};
use super::field::Field;
use super::halving::{MOST_TRIGGERS, ROUNDS, RoundSize, best_sets, rounds, survivors};
use super::library::library;
use super::present::{PRESENT, observed, present_triggers, with_more};
use super::search::{CHECKS, ONE_SIDED, runs_that_prove, search, upper};
use super::subject::{Subject, Unfit};
use super::tuned::{FailedCheck, Round, Tuned};
use super::yardstick::Yardstick;
use crate::engine::{RawTrigger, RuleSet, RulesError};
use crate::record::Record;
use crate::scenario::{NamedFault, Scenario};
use crate::stats::Confidence;
use crate::study::Seeds;
use crate::units::Ratio;

/// What is sought, and with how many runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Goal {
    /// The probability of a false rollback of a healthy release that is allowed.
    pub limit: Ratio,
    /// The seeds of each bad release in the last round; the check takes as many others.
    pub seeds: Seeds,
    /// How many runs of the healthy release the last round makes, and the check once more; `None`:
    /// as many as prove the limit with one alarm among them.
    pub healthy: Option<u64>,
    /// How many searches there are of which the best is told, at least 1: each is a chance to be
    /// lucky, which the confidence of all takes into account.
    pub searches: usize,
}

/// A search for rules.
#[derive(Debug)]
pub struct Tuning {
    subject: Subject,
    faults: Vec<NamedFault>,
    /// The scenario under each of the faults.
    bad: Vec<Scenario>,
    goal: Goal,
    /// The triggers that are tried; those of the present rules first.
    triggers: Vec<RawTrigger>,
    /// Whether the user has given them.
    given: bool,
    /// How many are of the present rules.
    present: usize,
    /// What is normal for the stable and for the canary, once it is known.
    normal: Option<[Yardstick; 2]>,
    rounds: Vec<Round>,
    failed: Vec<FailedCheck>,
    stage: Stage,
}

/// Where a search stands.
#[derive(Debug)]
enum Stage {
    /// What is normal is measured.
    Measuring,
    /// A round of the halving, with what the rounds before have left.
    Halving { round: usize, field: Field },
    /// The best sets are tried on the healthy release; with what the rounds, and checks before,
    /// have seen.
    Guarding { contest: Box<Contest>, field: Field },
    /// And on bad ones; with the answers of the healthy one.
    Playing { contest: Box<Contest>, guarded: Vec<Answer> },
    /// All is known.
    Over(Box<Tuned>),
}

/// Why a search cannot begin.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TuneError {
    /// The scenario does not fit.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Nothing is to be tried.
    #[error(
        "there is no trigger to try: neither the present rules nor those of --triggers have one \
         that can take the canary's traffic away"
    )]
    NoTriggers,
    /// The search may see no fault.
    #[error("every fault is held out: the search has nothing to go by")]
    AllHeldOut,
    /// A trigger that was given is refused.
    #[error(transparent)]
    Refused(#[from] RulesError),
}

impl Tuning {
    /// A search for rules for `subject` against `faults`, with the triggers that are `given`, or
    /// with a library of them.
    ///
    /// # Errors
    /// The faults do not fit the scenario, or a trigger is refused.
    pub fn new(
        subject: Subject,
        faults: Vec<NamedFault>,
        goal: Goal,
        given: Option<Vec<RawTrigger>>,
    ) -> Result<Self, TuneError> {
        if faults.iter().all(|fault| fault.held_out) {
            return Err(TuneError::AllHeldOut);
        }
        let bad = faults.iter().map(|fault| subject.under(fault)).collect::<Result<_, _>>()?;
        let own = present_triggers(subject.rules(), &subject);
        let (present, is_given) = (own.len(), given.is_some());
        let triggers = with_more(own, given.unwrap_or_default());
        if is_given && triggers.is_empty() {
            return Err(TuneError::NoTriggers);
        }
        observed(subject.rules(), &triggers)?;
        Ok(Self {
            subject,
            faults,
            bad,
            goal,
            triggers,
            given: is_given,
            present,
            normal: None,
            rounds: Vec::new(),
            failed: Vec::new(),
            stage: Stage::Measuring,
        })
    }

    /// The triggers of `rules` that can roll the canary of `subject` back, each by itself, to be
    /// given to a search.
    pub fn candidates(rules: &RuleSet, subject: &Subject) -> Vec<RawTrigger> {
        let own = |raw: RawTrigger| {
            let id = raw.id.map(|id| id.strip_prefix(PRESENT).unwrap_or(&id).to_owned());
            RawTrigger { id, ..raw }
        };
        present_triggers(rules, subject).into_iter().map(own).collect()
    }

    /// Whether so many runs of the healthy release as are wanted can prove the limit at all.
    pub fn can_prove(&self) -> bool {
        upper(0, self.healthy_of_check(), self.confidence()) <= self.goal.limit.get()
    }

    /// The confidence of each check.
    fn confidence(&self) -> Confidence {
        ONE_SIDED.shared_by(CHECKS * self.goal.searches.max(1))
    }

    /// How many runs are still to be made, as far as is known.
    pub fn runs_left(&self) -> u64 {
        let faults = self.faults.len() as u64;
        let sought = self.sought().count() as u64;
        let contest = self.healthy_of_check() + faults * self.goal.seeds.count * CONTESTANTS as u64;
        let last = self.last_round();
        let halving = last.healthy + sought * last.seeds;
        match &self.stage {
            Stage::Measuring => MEASURED + halving + contest,
            Stage::Halving { round, .. } => {
                let before = round.checked_sub(1).map(|before| rounds(last)[before]);
                let made = before.map_or(0, |size| size.healthy + sought * size.seeds);
                halving - made + contest
            }
            Stage::Guarding { contest, .. } => contest.runs().iter().sum(),
            Stage::Playing { contest, .. } => contest.runs()[1],
            Stage::Over(_) => 0,
        }
    }

    /// The runs to be made next; `None`: all is known.
    ///
    /// # Errors
    /// The triggers are refused together: a bug.
    pub fn batch(&self) -> Result<Option<Batch>, RulesError> {
        match &self.stage {
            Stage::Measuring => Ok(Some(self.measuring())),
            Stage::Halving { round, field } => self.halving(*round, field).map(Some),
            Stage::Guarding { contest, .. } => Ok(Some(contest.healthy())),
            Stage::Playing { contest, .. } => Ok(Some(contest.bad())),
            Stage::Over(_) => Ok(None),
        }
    }

    /// The answers of all runs of the last batch, in their order.
    ///
    /// # Errors
    /// The triggers are refused together: a bug.
    pub fn enter(&mut self, answers: Vec<Answer>) -> Result<(), RulesError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Measuring);
        self.stage = match stage {
            Stage::Measuring => self.measured(answers),
            Stage::Halving { round, field } => self.halved(round, field, answers)?,
            Stage::Guarding { contest, field } => self.checked(contest, field, answers)?,
            Stage::Playing { contest, mut guarded } => {
                guarded.extend(answers);
                Stage::Over(Box::new(self.concluded(&contest, guarded)))
            }
            over @ Stage::Over(_) => over,
        };
        Ok(())
    }

    /// What was found, once all is known.
    pub fn found(self) -> Option<Tuned> {
        match self.stage {
            Stage::Over(tuned) => Some(*tuned),
            _ => None,
        }
    }

    /// The faults that the search may see, with their places in the list.
    fn sought(&self) -> impl Iterator<Item = (usize, &NamedFault)> {
        self.faults.iter().enumerate().filter(|(_, fault)| !fault.held_out)
    }

    fn last_round(&self) -> RoundSize {
        RoundSize { seeds: self.goal.seeds.count, healthy: self.healthy_of_check() }
    }

    fn healthy_of_check(&self) -> u64 {
        let needed = || runs_that_prove(self.goal.limit, 1, self.confidence());
        self.goal.healthy.unwrap_or_else(needed)
    }

    /// The first seed that no round uses.
    fn unused(&self) -> u64 {
        let RoundSize { seeds, healthy } = self.last_round();
        self.goal.seeds.first.wrapping_add(seeds.max(healthy).max(MEASURED))
    }

    fn watching(&self) -> Arc<Watching> {
        Arc::new(Watching { subject: self.subject.clone(), triggers: self.triggers.len() })
    }

    fn measuring(&self) -> Batch {
        let runs = (0..MEASURED).map(|index| {
            let seed = self.goal.seeds.at(index);
            Run::Measure { scenario: 0, seed }
        });
        let healthy = Arc::new(self.subject.healthy().clone());
        Batch::new(vec![healthy], runs.collect(), self.watching())
    }

    fn measured(&mut self, answers: Vec<Answer>) -> Stage {
        let records: Vec<Record> = answers.into_iter().filter_map(Answer::into_record).collect();
        let normal = Yardstick::of(&records, self.subject.stable());
        self.normal = Some([normal, Yardstick::of(&records, self.subject.canary())]);
        if !self.given {
            let by_chance = self.subject.is_assigned_by_chance();
            let library = library(&normal, self.goal.limit.get(), by_chance);
            self.triggers = with_more(std::mem::take(&mut self.triggers), library);
        }
        Stage::Halving { round: 0, field: Field::new(self.triggers.len()) }
    }

    /// The runs of a round that those before it have not made.
    fn halving(&self, round: usize, field: &Field) -> Result<Batch, RulesError> {
        let sizes = rounds(self.last_round());
        let size = sizes[round];
        let before = round.checked_sub(1).map_or(0, |before| sizes[before].seeds);
        let rules = observed(self.subject.rules(), &self.triggers)?;
        let watched =
            |scenario: &Scenario| Arc::new(self.subject.ruled(scenario.clone(), rules.clone()));
        let mut scenarios = vec![watched(self.subject.healthy())];
        scenarios.extend(self.bad.iter().map(watched));
        let at = |index| self.goal.seeds.at(index);
        let bad = self.sought().flat_map(|(fault, _)| {
            (before..size.seeds)
                .map(move |index| Run::Watch { scenario: fault + 1, seed: at(index) })
        });
        let healthy = (field.healthy_runs()..size.healthy)
            .map(|index| Run::Guard { scenario: 0, seed: at(index) });

        Ok(Batch::new(scenarios, bad.chain(healthy).collect(), self.watching()))
    }

    fn halved(
        &mut self,
        round: usize,
        mut field: Field,
        answers: Vec<Answer>,
    ) -> Result<Stage, RulesError> {
        for answer in answers {
            match answer {
                Answer::Fired(firing) => field.add_healthy(&firing),
                Answer::Watched(scenario, run) => {
                    let fault = scenario - 1;
                    field.add_bad(fault, self.faults[fault].weight, &run);
                }
                Answer::Measured(_) | Answer::Played(..) => {}
            }
        }
        let size = rounds(self.last_round())[round];
        self.rounds.push(Round {
            triggers: self.triggers.len() as u64,
            seeds: size.seeds,
            healthy: size.healthy,
        });
        if round + 1 == ROUNDS {
            let contest = Box::new(self.contest(&field, 0)?);
            return Ok(Stage::Guarding { contest, field });
        }
        let always: Vec<usize> = (0..self.present).collect();
        let faults: Vec<usize> = self.sought().map(|(fault, _)| fault).collect();
        let kept = survivors(&field, &faults, self.goal.limit, &always);
        self.triggers = kept.iter().map(|one| self.triggers[*one].clone()).collect();
        Ok(Stage::Halving { round: round + 1, field: field.reduced(&kept) })
    }

    /// What a check came to: bad releases, or, where chance had let a set look better than it is,
    /// another check of a set that is chosen with all that was seen.
    fn checked(
        &mut self,
        contest: Box<Contest>,
        mut field: Field,
        answers: Vec<Answer>,
    ) -> Result<Stage, RulesError> {
        for answer in &answers {
            if let Answer::Fired(firing) = answer {
                field.add_healthy(firing);
            }
        }
        let next = contest.number() + 1;
        if let Some(failed) = contest.failed(&answers) {
            self.failed.push(failed);
            if next < CHECKS {
                let contest = Box::new(self.contest(&field, next)?);
                return Ok(Stage::Guarding { contest, field });
            }
        }
        Ok(Stage::Playing { contest, guarded: answers })
    }

    fn concluded(&mut self, contest: &Contest, answers: Vec<Answer>) -> Tuned {
        let (rounds, failed) = (std::mem::take(&mut self.rounds), std::mem::take(&mut self.failed));
        contest.conclude(answers, self.normal.unwrap_or_default(), (rounds, failed))
    }

    /// The present rules, the set that is to be proved and the others of the frontier, to be tried
    /// on what nothing has used so far.
    fn contest(&self, field: &Field, check: usize) -> Result<Contest, RulesError> {
        let candidate = self.candidate(field, check);
        let mut sets: Vec<Vec<usize>> = candidate.into_iter().collect();
        let proved = sets.len();
        for set in best_sets(field, self.goal.limit) {
            if sets.len() < CONTESTANTS - 1 && !sets.contains(&set) {
                sets.push(set);
            }
        }
        let (limit, healthy) = (self.goal.limit, self.healthy_of_check());
        let first = self.unused().wrapping_add(check as u64 * healthy.max(self.goal.seeds.count));
        Contest::new(
            (self.subject.clone(), self.faults.clone(), self.bad.clone()),
            (&self.triggers, self.present),
            (sets, proved),
            Check {
                limit,
                seeds: self.goal.seeds.from(first),
                healthy,
                number: check,
                confidence: self.confidence(),
            },
        )
    }

    /// The set that a check is to prove: the least harm of those that fired so seldom that it will
    /// hardly fail; in the last check the best of judges alone that promise to keep the limit,
    /// where there is one. `None`: there is no such set.
    fn candidate(&self, field: &Field, check: usize) -> Option<Vec<usize>> {
        let most = field.healthy_runs() as f64 * self.goal.limit.get() * MARGIN;
        let seldom = |set: &[usize]| field.false_alarms(set) as f64 <= most;
        // Each with a part of what they may spend together, so that several find room.
        let limit = self.goal.limit.get();
        let part = |one: &usize| self.promised(&[*one]) <= limit * PART;
        let promises =
            |set: &[usize]| seldom(set) && set.iter().all(part) && self.promised(set) <= limit;
        let found = |allowed: &dyn Fn(&[usize]) -> bool| {
            Some(search(field, allowed, MOST_TRIGGERS)).filter(|set| !set.is_empty())
        };
        let judges = if check + 1 == CHECKS { found(&promises) } else { None };
        judges.or_else(|| found(&seldom))
    }

    /// The probability of a false rollback that a set promises whatever the traffic, by the union
    /// bound; 1 where one of its triggers promises nothing.
    fn promised(&self, set: &[usize]) -> f64 {
        let promises = |one: &usize| {
            let raw = &self.triggers[*one];
            let is_bound = raw.judge.as_deref().is_some_and(|name| name != "mann_whitney");
            raw.alpha.filter(|_| is_bound).unwrap_or(1.0)
        };
        // A sum of shares such as 0.3, 0.3, 0.3 and 0.1 is the whole but for its last bits.
        set.iter().map(promises).sum::<f64>() * (1.0 - 1e-9)
    }
}

/// Chosen: forty thousand requests of a busy scenario tell its P99.
const MEASURED: u64 = 4;
/// A set is to be proved only if it was rolled back in at most this part of what is allowed.
/// Chosen: then a check that tolerates one alarm in 6 divided by the limit passes nine times out of
/// ten.
const MARGIN: f64 = 0.1;
/// Chosen: four judges share what they may spend together.
const PART: f64 = 0.25;
/// Chosen: how many rule sets are tried in the end, the present one among them.
const CONTESTANTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::example::{faults, goal, played, subject, triggers};
    use super::*;
    use crate::tune::Why;

    #[test]
    fn a_search_finds_rules_that_do_less_harm_and_keep_the_limit() {
        let tuning = Tuning::new(subject(), faults(), goal(), Some(triggers())).unwrap();
        let found = played(tuning);
        let best = found.best().unwrap();
        let present = found.present.as_ref().unwrap();
        // Of 4 requests a second 20.2 % fail for 260 s under a rule that sees more than 50 % alone:
        // 210, and the mean of eight runs has a standard deviation of 4.6.
        assert!(present.faults[1].found.hits == 0, "{present:?}");
        let errors = present.faults[1].harm.value.unwrap();
        assert!((192.0..228.0).contains(&errors), "{errors}");
        assert!(found.against_present.unwrap().high < 0.5, "{found:?}");
        assert!(found.against_present_held_out.unwrap().high < 0.5, "{found:?}");
        // Of 58 runs at most one is rolled back with 0.9^58 + 58 x 0.1 x 0.9^57 = 1.65 %, of 57
        // with 1.8 %: a third of 5 % is between them.
        assert!(best.alarms.upper <= 0.1 && best.alarms.n == 58, "{:?}", best.alarms);
        let short: Vec<(usize, Why)> =
            found.shortfalls.iter().map(|one| (one.fault, one.why)).collect();
        assert!(short.contains(&(3, Why::NeverInBreach)), "{short:?}");
        assert_eq!(found.rounds.len(), 4);
        assert_eq!(found.rounds[3].triggers, 7, "with the present one");
        let harms: Vec<f64> = found.tried.iter().filter_map(|one| one.harm.value).collect();
        assert!(harms.is_sorted() && harms.len() > 1, "{harms:?}");
    }

    #[test]
    fn the_runs_that_are_left_come_to_none() {
        let mut tuning = Tuning::new(subject(), faults(), goal(), Some(triggers())).unwrap();
        let mut left = vec![tuning.runs_left()];
        while let Some(batch) = tuning.batch().unwrap() {
            let answers = (0..batch.runs()).map(|run| batch.make(run, Vec::new()).unwrap());
            tuning.enter(answers.collect()).unwrap();
            left.push(tuning.runs_left());
        }
        assert!(left.is_sorted_by(|one, next| one > next), "{left:?}");
        assert_eq!(left.last(), Some(&0));
    }

    #[test]
    fn a_set_that_a_check_disproves_is_told_and_meets_no_bad_release() {
        let mut tuning = Tuning::new(subject(), faults(), goal(), Some(triggers())).unwrap();
        let mut disproved = false;
        while let Some(batch) = tuning.batch().unwrap() {
            if !disproved && matches!(tuning.stage, Stage::Guarding { .. }) {
                let all = Answer::Fired((0..tuning.triggers.len()).collect());
                tuning.enter(vec![all; batch.runs()]).unwrap();
                assert!(matches!(tuning.stage, Stage::Guarding { .. }), "{:?}", tuning.stage);
                disproved = true;
                continue;
            }
            let answers = (0..batch.runs()).map(|run| batch.make(run, Vec::new()).unwrap());
            tuning.enter(answers.collect()).unwrap();
        }
        let found = tuning.found().unwrap();
        let [failed] = found.failed.as_slice() else { panic!("{:?}", found.failed) };
        assert_eq!((failed.alarms.hits, failed.alarms.n, found.checks), (58, 58, 2));
        assert!(!failed.triggers.is_empty());
        // Whatever is tried has fired in every run of the first check.
        assert_eq!(found.recommended, None);
    }

    #[test]
    fn what_cannot_be_sought_is_refused_before_the_first_run() {
        let mut held_out = faults();
        held_out.iter_mut().for_each(|fault| fault.held_out = true);
        let error = Tuning::new(subject(), held_out, goal(), None).unwrap_err();
        assert_eq!(error, TuneError::AllHeldOut);
        let odd = RawTrigger { threshold: Some(7.0), ..triggers().swap_remove(0) };
        let error = Tuning::new(subject(), faults(), goal(), Some(vec![odd])).unwrap_err();
        assert!(error.to_string().contains("threshold"), "{error}");
    }
}
