//! Folds what happens in a run into its record.

use super::lockouts::Lockouts;
use super::series::SeriesBuilder;
use super::{
    Arm, Attempt, Blast, Bursts, Cell, Happening, JournalCopy, KeyRefusal, LostTag, ModelInfo,
    Observer, Onsets, Outcome, PhaseSpan, Promotion, Record, Rollback, RuleHealth, Series,
    SplitSpan, Tally, Timeline, UndoneCommand,
};
use crate::engine::{Evidence, RolloutState, Sealed};
use crate::exchange::{Class, ModelIndex, VersionIndex};
use crate::units::{Duration, KeyId, Ratio, Timestamp};

/// What is known of a run before it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct RunHeader {
    /// The seed of all draws.
    pub seed: u64,
    /// Engine time of the first instant.
    pub start: Timestamp,
    /// The models under rehearsal.
    pub models: Vec<ModelInfo>,
    /// The access keys of the workload's clients, in its order.
    pub clients: Vec<KeyId>,
    /// The names of the phases.
    pub phases: Vec<String>,
}

/// The observer that builds a [`Record`]. Its memory does not grow with the number of requests.
#[derive(Clone, Debug)]
pub struct Recorder {
    header: RunHeader,
    /// How many versions there are.
    versions: usize,
    /// By phase, version and arm; made when first used.
    tallies: Vec<Option<Box<Tally>>>,
    /// The same of what took several attempts.
    several: Vec<Option<Box<Several>>>,
    /// `None`: traffic over time is not kept.
    series: Option<SeriesBuilder>,
    timeline: Timeline,
    phases: Vec<PhaseSpan>,
    rollbacks: Vec<Rollback>,
    splits: Vec<SplitSpan>,
    /// By model, the split in force, with how many requests each version had had when it began.
    open_splits: Vec<Option<SplitSpan>>,
    /// By version, requests that a cache answered.
    cached: Vec<u64>,
    promotions: Vec<Promotion>,
    lost_tags: Vec<LostTag>,
    undone_commands: Vec<UndoneCommand>,
    blasts: Vec<Blast>,
    journal: JournalCopy,
    lockouts: Lockouts,
    onsets: Onsets,
    /// The evidence of the firing that a rollback follows.
    fired: Option<Box<Evidence>>,
}

impl Recorder {
    /// A recorder of a run that is about to begin.
    pub fn new(header: RunHeader) -> Self {
        let versions = header.models.iter().map(|model| model.versions.len()).sum();
        Self {
            versions,
            tallies: vec![None; header.phases.len() * versions * ARMS],
            several: vec![None; header.phases.len() * versions * ARMS],
            series: Some(SeriesBuilder::new(header.start, versions)),
            timeline: Timeline::default(),
            phases: Vec::new(),
            rollbacks: Vec::new(),
            splits: Vec::new(),
            open_splits: vec![None; header.models.len()],
            cached: vec![0; versions],
            promotions: Vec::new(),
            lost_tags: Vec::new(),
            undone_commands: Vec::new(),
            blasts: Vec::new(),
            journal: JournalCopy::default(),
            lockouts: Lockouts::default(),
            onsets: Onsets::new(versions),
            fired: None,
            header,
        }
    }

    /// The same without traffic over time, which takes a fifth of a run's time: the series of its
    /// record has no slots.
    pub fn without_series(header: RunHeader) -> Self {
        Self { series: None, ..Self::new(header) }
    }

    /// The record, at the end of the run, with what is known only then.
    pub fn finish(mut self, end: Timestamp, rules: Vec<RuleHealth>, bursts: Vec<Bursts>) -> Record {
        self.end_phase(end);
        (0..self.open_splits.len()).for_each(|model| self.close_split(model));
        let versions = self.versions;
        let counted = self.tallies.into_iter().zip(self.several).enumerate();
        let cells: Vec<Cell> = counted
            .filter_map(|(index, (tally, several))| {
                if tally.is_none() && several.is_none() {
                    return None;
                }
                let Several { attempts, finals } =
                    several.map(|several| *several).unwrap_or_default();
                Some(Cell {
                    phase: (index / ARMS / versions) as u16,
                    version: VersionIndex((index / ARMS % versions) as u16),
                    arm: Arm::ALL[index % ARMS],
                    tally: tally.map(|tally| *tally).unwrap_or_default(),
                    attempts,
                    finals,
                })
            })
            .collect();
        let limits = limits(&cells, versions);
        Record {
            seed: self.header.seed,
            start: self.header.start,
            end,
            models: self.header.models,
            clients: self.header.clients,
            phases: self.phases,
            cells,
            series: match self.series {
                Some(series) => series.finish().within(&limits),
                None => Series::without_slots(self.header.start, versions),
            },
            splits: self.splits,
            timeline: self.timeline,
            rollbacks: self.rollbacks,
            promotions: self.promotions,
            lost_tags: self.lost_tags,
            undone_commands: self.undone_commands,
            blasts: self.blasts,
            bursts,
            key_rejections: self.lockouts.finish(),
            rules,
            journal: self.journal,
        }
    }

    #[inline]
    fn tally(&mut self, phase: u16, version: VersionIndex, arm: Arm) -> &mut Tally {
        let index = self.index(phase, version, arm);
        self.tallies[index].get_or_insert_default()
    }

    #[cold]
    fn several(&mut self, phase: u16, version: VersionIndex, arm: Arm) -> &mut Several {
        let index = self.index(phase, version, arm);
        self.several[index].get_or_insert_default()
    }

    #[inline]
    fn index(&self, phase: u16, version: VersionIndex, arm: Arm) -> usize {
        let row = usize::from(phase) * self.versions + usize::from(version.0);
        row * ARMS + arm as usize
    }

    fn end_phase(&mut self, at: Timestamp) {
        if let Some(last) = self.phases.last_mut() {
            last.end = at;
        }
    }

    /// The requests that each version of a model has had so far.
    fn requests_of(&self, model: usize) -> Vec<u64> {
        let before = self.header.models.iter().take(model);
        let first: usize = before.map(|model| model.versions.len()).sum();
        let own = first..first + self.header.models[model].versions.len();
        let requests = |version: usize| {
            let rows = (0..self.header.phases.len()).map(|phase| phase * self.versions + version);
            // What was asked for is not the split's doing.
            let chosen = [Arm::Stable, Arm::Canary].map(|arm| arm as usize);
            let tallies = rows.flat_map(|row| chosen.map(|arm| &self.tallies[row * ARMS + arm]));
            let assigned = tallies.flatten().map(|tally| tally.assigned).sum::<u64>();
            assigned + self.cached[version]
        };
        own.map(requests).collect()
    }

    /// A split of a model is in force from `at` on.
    fn open_split(&mut self, at: Timestamp, model: usize, weights: Vec<Ratio>) {
        let observed = self.requests_of(model);
        let (phase, model_index) = (self.phase(), ModelIndex(model as u16));
        let span = SplitSpan { model: model_index, phase, at, weights, observed };
        self.open_splits[model] = Some(span);
    }

    fn close_split(&mut self, model: usize) {
        let Some(mut span) = self.open_splits[model].take() else { return };
        for (before, now) in span.observed.iter_mut().zip(self.requests_of(model)) {
            *before = now - *before;
        }
        if span.observed.iter().any(|requests| *requests > 0) {
            self.splits.push(span);
        }
    }

    /// The phase that began last (an index).
    fn phase(&self) -> u16 {
        self.phases.len().saturating_sub(1) as u16
    }

    /// The harm of `version` that still goes on.
    fn open_blast(&mut self, version: VersionIndex) -> Option<&mut Blast> {
        self.blasts.iter_mut().find(|blast| blast.version == version && blast.drained.is_none())
    }

    #[cold]
    fn harm(&mut self, outcome: &Outcome) {
        let failed = outcome.class == Class::Error;
        let Some(blast) = self.open_blast(outcome.assigned) else { return };
        blast.requests += 1;
        blast.failed += u64::from(failed);
        if let Some(counterfactual) = outcome.counterfactual {
            blast.failed_anyway += u64::from(failed && counterfactual.failed);
            blast.slowed += u64::from(counterfactual.slowed);
        }
    }

    fn rolled_back(&mut self, at: Timestamp, version: VersionIndex, target: VersionIndex) {
        let Some(evidence) = self.fired.take() else { return };
        let phase = self.phase();
        let onset = self.onsets.of(version);
        let evidence = *evidence;
        self.rollbacks.push(Rollback { at, phase, version, target, evidence, onset });
    }

    /// A command was refused, or never given.
    fn undone(&mut self, at: Timestamp, model: Option<ModelIndex>, given: bool) {
        self.undone_commands.push(UndoneCommand { at, phase: self.phase(), model, given });
    }
}

impl Observer for Recorder {
    #[inline]
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm) {
        self.tally(phase, version, arm).assigned += 1;
        if let Some(series) = &mut self.series {
            series.assigned(at, version);
        }
    }

    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}

    fn attempted(&mut self, attempt: &Attempt) {
        let Attempt { phase, version, arm, ended, class, ref observed, .. } = *attempt;
        let attempts = &mut self.several(phase, version, arm).attempts;
        attempts.get_or_insert_default().complete(class, observed);
        if let Some(series) = &mut self.series {
            series.completed(ended, version, class, observed.latency);
        }
    }

    #[inline(always)]
    fn completed(&mut self, outcome: &Outcome) {
        let Outcome { phase, assigned, arm, ended, class, ref observed, .. } = *outcome;
        if outcome.attempts == 1 && !outcome.retried {
            self.tally(phase, assigned, arm).complete(class, observed);
            if let Some(series) = &mut self.series {
                series.completed(ended, assigned, class, observed.latency);
            }
        } else {
            let cached = outcome.attempts == 0 && arm != Arm::Pinned;
            self.cached[usize::from(assigned.0)] += u64::from(cached);
            let finals = &mut self.several(phase, assigned, arm).finals;
            finals.get_or_insert_default().complete(class, observed);
        }
        if outcome.after_onset {
            self.harm(outcome);
        }
    }

    fn key_rejected(&mut self, refusal: &KeyRefusal) {
        self.lockouts.refused(refusal, &mut self.timeline);
    }

    fn let_in(&mut self, at: Timestamp, client: u16) {
        self.lockouts.let_in(at, client, &mut self.timeline);
    }

    fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        self.onsets.became_bad(at, version);
        if self.open_blast(version).is_none() {
            self.blasts.push(Blast {
                version,
                onset: at,
                drained: None,
                requests: 0,
                failed: 0,
                failed_anyway: 0,
                slowed: 0,
            });
        }
    }

    fn journalled(&mut self, entry: &Sealed) {
        self.journal.push(entry);
    }

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        match &happening {
            Happening::PhaseBegan { phase } => {
                self.end_phase(at);
                let models = 0..self.open_splits.len();
                let weights = |span: &Option<SplitSpan>| Some(span.as_ref()?.weights.clone());
                let in_force: Vec<_> = self.open_splits.iter().map(weights).collect();
                models.for_each(|model| self.close_split(model));
                let name = self.header.phases[usize::from(*phase)].clone();
                self.phases.push(PhaseSpan { name, start: at, end: at });
                for (model, weights) in in_force.into_iter().enumerate() {
                    if let Some(weights) = weights {
                        self.open_split(at, model, weights);
                    }
                }
            }
            Happening::SplitChanged { model, weights } => {
                self.close_split(usize::from(model.0));
                self.open_split(at, usize::from(model.0), weights.clone());
                let before = self.header.models.iter().take(usize::from(model.0));
                let first: usize = before.map(|model| model.versions.len()).sum();
                self.onsets.split_changed(VersionIndex(first as u16), weights);
            }
            Happening::Fired { evidence, .. } => self.fired = Some(evidence.clone()),
            Happening::RolledBack { version: Some(version), target } => {
                self.rolled_back(at, *version, *target);
            }
            Happening::RolloutMoved { version, to: RolloutState::Promoted, .. } => {
                self.promotions.push(Promotion { at, phase: self.phase(), version: *version });
            }
            Happening::TagLost { tag, version } => {
                let (tag, version) = (tag.clone(), *version);
                self.lost_tags.push(LostTag { at, phase: self.phase(), version, tag });
            }
            Happening::CommandRefused { model, .. } => self.undone(at, *model, true),
            Happening::CommandMissed { model, .. } => self.undone(at, *model, false),
            Happening::Drained { version } => {
                if let Some(blast) = self.open_blast(*version) {
                    blast.drained = Some(at);
                }
            }
            _ => {}
        }
        self.timeline.push(at, happening);
    }
}

/// By version, the least and the greatest latency of its successes; `None` without any.
fn limits(cells: &[Cell], versions: usize) -> Vec<Option<[Duration; 2]>> {
    let mut limits = vec![None; versions];
    for cell in cells {
        // What the slots of time count: attempts, where there were several.
        for tally in [Some(&cell.tally), cell.attempts.as_ref()].into_iter().flatten() {
            let own: &mut Option<[Duration; 2]> = &mut limits[usize::from(cell.version.0)];
            if let (Some(least), Some(greatest)) = (tally.latency.min(), tally.latency.max()) {
                let [low, high] = own.unwrap_or([least, greatest]);
                *own = Some([low.min(least), high.max(greatest)]);
            }
        }
    }
    limits
}

/// What took several attempts, or none.
#[derive(Clone, Debug, Default)]
struct Several {
    attempts: Option<Tally>,
    finals: Option<Tally>,
}

const ARMS: usize = Arm::ALL.len();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Ending, Observed, Request};
    use crate::record::{KeyFault, KeyRejections, TimelineEvent, VersionInfo};
    use crate::units::{ModelId, RequestId, Tokens, VersionId};

    const STABLE: VersionIndex = VersionIndex(0);
    const CANARY: VersionIndex = VersionIndex(1);

    fn recorder() -> Recorder {
        let version =
            |id| VersionInfo { id: VersionId::new(id).unwrap(), tags: Vec::new(), price: None };
        let model = ModelInfo {
            id: ModelId::new("m").unwrap(),
            assignment: crate::engine::Assignment::default(),
            versions: vec![version("old"), version("new")],
            triggers: Vec::new(),
        };
        let header = RunHeader {
            seed: 1,
            start: Timestamp::EPOCH,
            models: vec![model],
            clients: Vec::new(),
            phases: vec!["all".to_owned()],
        };
        let mut recorder = Recorder::new(header);
        recorder.happened(Timestamp::EPOCH, Happening::PhaseBegan { phase: 0 });
        recorder
    }

    fn observed(ending: Ending) -> Observed {
        Observed::without_answer(ending, Duration::from_millis(100))
    }

    fn attempt(version: VersionIndex, arm: Arm, ending: Ending) -> Attempt {
        let class = if ending == Ending::Success { Class::Success } else { Class::Error };
        let ended = Timestamp::from_second(1);
        let first = version == CANARY;
        Attempt { phase: 0, version, arm, first, ended, class, observed: observed(ending) }
    }

    /// Assigned to the canary.
    fn outcome(served: VersionIndex, attempts: u8, ending: Ending) -> Outcome {
        let request = Request {
            id: RequestId(1),
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(1),
            output: Tokens::new(1),
            stream: false,
        };
        Outcome {
            request,
            phase: 0,
            assigned: CANARY,
            served,
            attempts,
            retried: attempts > 1,
            arm: Arm::Canary,
            started: Timestamp::EPOCH,
            ended: Timestamp::from_second(1),
            class: if ending == Ending::Success { Class::Success } else { Class::Error },
            observed: observed(ending),
            after_onset: false,
            counterfactual: None,
        }
    }

    #[test]
    fn attempts_count_for_the_version_that_was_tried_and_requests_for_the_one_assigned() {
        let mut recorder = recorder();
        recorder.completed(&outcome(CANARY, 1, Ending::Success));
        recorder.attempted(&attempt(CANARY, Arm::Canary, Ending::Status(503)));
        recorder.attempted(&attempt(STABLE, Arm::Stable, Ending::Success));
        recorder.completed(&outcome(STABLE, 2, Ending::Success));
        let record = recorder.finish(Timestamp::from_second(2), Vec::new(), Vec::new());
        let [stable, canary] = &record.cells[..] else { panic!("{:?}", record.cells) };
        assert_eq!((stable.version, stable.arm), (STABLE, Arm::Stable));
        assert_eq!(stable.tally, Tally::default());
        assert_eq!(stable.attempts.as_ref().unwrap().succeeded, 1);
        assert_eq!(stable.finals, None);
        assert_eq!((canary.version, canary.tally.succeeded), (CANARY, 1));
        assert_eq!(canary.attempts.as_ref().unwrap().failed.of("503"), 1);
        assert_eq!(canary.finals.as_ref().unwrap().succeeded, 1);
        let completed = |version: usize| -> u32 {
            record.series.versions[version].iter().map(|point| point.completed).sum()
        };
        assert_eq!((completed(0), completed(1)), (1, 2), "each attempt, and none twice");
    }

    #[test]
    fn a_request_whose_client_left_before_its_second_attempt_counts_once_as_a_request() {
        let mut recorder = recorder();
        recorder.attempted(&attempt(CANARY, Arm::Canary, Ending::Status(503)));
        let left = outcome(CANARY, 1, Ending::ClientClosed);
        recorder.completed(&Outcome { retried: true, class: Class::Neutral, ..left });
        let record = recorder.finish(Timestamp::from_second(2), Vec::new(), Vec::new());
        let [canary] = &record.cells[..] else { panic!("{:?}", record.cells) };
        assert_eq!(canary.tally, Tally::default());
        assert_eq!(canary.attempts.as_ref().unwrap().failed.of("503"), 1);
        assert_eq!(canary.finals.as_ref().unwrap().uncounted.of("client_closed"), 1);
        assert_eq!(record.requests(), 1);
    }

    #[test]
    fn refused_keys_are_counted_and_told() {
        let mut recorder = recorder();
        let at = Timestamp::from_second(3);
        let (phase, model, client, reason) = (0, ModelIndex(0), 5, KeyFault::Replaced);
        for _ in 0..3 {
            recorder.key_rejected(&KeyRefusal { at, phase, model, client, reason });
        }
        recorder.let_in(Timestamp::from_second(9), client);
        let record = recorder.finish(Timestamp::from_second(10), Vec::new(), Vec::new());
        let (client_told, told) = (Some(client), Some(reason));
        let expected = KeyRejections { phase, model, client: client_told, reason: told, count: 3 };
        assert_eq!(record.key_rejections, [expected]);
        assert_eq!(record.requests(), 3);
        let until = Some(Timestamp::from_second(9));
        let happening = Happening::LockedOut { client, reason, requests: 3, until };
        assert_eq!(record.timeline.events[1..], [TimelineEvent { at, happening }]);
    }
}
