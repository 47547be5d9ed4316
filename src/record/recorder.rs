//! Folds what happens in a run into its record.

use super::series::SeriesBuilder;
use super::{
    Arm, Blast, Cell, Happening, ModelInfo, Observer, Outcome, PhaseSpan, Record, Rollback,
    RuleHealth, Tally, Timeline,
};
use crate::engine::Evidence;
use crate::exchange::{Class, VersionIndex};
use crate::units::Timestamp;

/// What is known of a run before it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct RunHeader {
    /// The seed of all draws.
    pub seed: u64,
    /// Engine time of the first instant.
    pub start: Timestamp,
    /// The models under rehearsal.
    pub models: Vec<ModelInfo>,
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
    series: SeriesBuilder,
    timeline: Timeline,
    phases: Vec<PhaseSpan>,
    rollbacks: Vec<Rollback>,
    blasts: Vec<Blast>,
    /// By version, when it became bad; forgotten when it loses its traffic.
    onsets: Vec<Option<Timestamp>>,
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
            series: SeriesBuilder::new(header.start, versions),
            timeline: Timeline::default(),
            phases: Vec::new(),
            rollbacks: Vec::new(),
            blasts: Vec::new(),
            onsets: vec![None; versions],
            fired: None,
            header,
        }
    }

    /// The record, at the end of the run.
    pub fn finish(mut self, end: Timestamp, rules: Vec<RuleHealth>) -> Record {
        self.end_phase(end);
        let versions = self.versions;
        let cells = self.tallies.into_iter().enumerate().filter_map(|(index, tally)| {
            let arm = if index % ARMS == 0 { Arm::Stable } else { Arm::Canary };
            Some(Cell {
                phase: (index / ARMS / versions) as u16,
                version: VersionIndex((index / ARMS % versions) as u16),
                arm,
                tally: *tally?,
            })
        });
        Record {
            seed: self.header.seed,
            start: self.header.start,
            end,
            models: self.header.models,
            phases: self.phases,
            cells: cells.collect(),
            series: self.series.finish(),
            timeline: self.timeline,
            rollbacks: self.rollbacks,
            blasts: self.blasts,
            rules,
        }
    }

    #[inline]
    fn tally(&mut self, phase: u16, version: VersionIndex, arm: Arm) -> &mut Tally {
        let row = usize::from(phase) * self.versions + usize::from(version.0);
        let index = row * ARMS + arm as usize;
        self.tallies[index].get_or_insert_default()
    }

    fn end_phase(&mut self, at: Timestamp) {
        if let Some(last) = self.phases.last_mut() {
            last.end = at;
        }
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
        let phase = self.phases.len().saturating_sub(1) as u16;
        let onset = self.onsets[usize::from(version.0)];
        let evidence = *evidence;
        self.rollbacks.push(Rollback { at, phase, version, target, evidence, onset });
    }
}

impl Observer for Recorder {
    #[inline]
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm) {
        self.tally(phase, version, arm).assigned += 1;
        self.series.assigned(at, version);
    }

    #[inline]
    fn completed(&mut self, outcome: &Outcome) {
        self.tally(outcome.phase, outcome.assigned, outcome.arm).complete(outcome);
        match outcome.class {
            Class::Success => {
                let latency = Some(outcome.observed.latency);
                self.series.completed(outcome.ended, outcome.assigned, latency);
            }
            Class::Error => self.series.completed(outcome.ended, outcome.assigned, None),
            Class::ClientError | Class::Neutral => {}
        }
        if outcome.after_onset {
            self.harm(outcome);
        }
    }

    fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        self.onsets[usize::from(version.0)] = Some(at);
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

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        match &happening {
            Happening::PhaseBegan { phase } => {
                self.end_phase(at);
                let name = self.header.phases[usize::from(*phase)].clone();
                self.phases.push(PhaseSpan { name, start: at, end: at });
            }
            Happening::SplitChanged { model, weights } => {
                let before = self.header.models.iter().take(usize::from(model.0));
                let first = before.map(|model| model.versions.len()).sum();
                for (onset, weight) in self.onsets.iter_mut().skip(first).zip(weights) {
                    onset.take_if(|_| weight.get() == 0.0);
                }
            }
            Happening::Fired { evidence, .. } => self.fired = Some(evidence.clone()),
            Happening::RolledBack { version: Some(version), target } => {
                self.rolled_back(at, *version, *target);
            }
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

/// Stable and canary.
const ARMS: usize = 2;
