//! The first reading of a trace: which versions there are, when each began and ended, and how many
//! requests all of them had had by then, so that the share of each in any stretch between is known.
//! Memory is constant.

use super::error::{BacktestError, MOST_VERSIONS};
use super::observation::Unusable;
use crate::exchange::Ending;
use crate::trace::TraceRecord;
use crate::units::{Duration, ModelId, VersionId};

/// The first reading of a trace.
#[derive(Clone, Debug)]
pub struct Survey {
    asked: Option<ModelId>,
    models: Vec<ModelId>,
    /// Whether there was a request of the model that is asked for.
    met: bool,
    found: Surveyed,
}

/// What a trace holds of one model.
#[derive(Clone, Debug, Default)]
pub struct Surveyed {
    /// The model, where the trace names one.
    pub model: Option<ModelId>,
    /// Whether it was asked for: requests of others are none of this.
    pub(super) asked: bool,
    /// The versions with requests that can be used, in the order of their first.
    pub(super) versions: Vec<Tenure>,
    /// Requests that can be used.
    pub requests: u64,
    /// Requests that cannot.
    pub unusable: Unusable,
    /// Requests of other models.
    pub others: u64,
    /// Successes whose output tokens are not known.
    pub(super) without_output: u64,
    /// Successes of which it is known when their first token came.
    pub(super) with_first_token: u64,
    /// The last request that can be used.
    pub(super) end: Duration,
}

/// The requests of one version, from its first to its last.
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    pub(super) id: VersionId,
    pub(super) requests: u64,
    /// Its first request, and what all versions had had before it.
    pub(super) first: Mark,
    /// Its last request, and what all versions had had with it.
    pub(super) last: Mark,
    /// How many requests of all versions followed.
    pub(super) since_last: u64,
    /// When so many had followed: fewer than an eighth lies between two.
    pub(super) steps: Vec<(u64, Duration)>,
    /// The most requests in a row, between two of its own, that others had.
    pub(super) gap: Gap,
}

/// An instant of a trace, with how many requests each version had had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub(super) at: Duration,
    /// By version; those that had none yet may be missing at the end.
    pub(super) counts: Vec<u64>,
}

/// A stretch in which a version had no request.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Gap {
    pub(super) requests: u64,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Survey {
    /// A survey of the requests of `model`; `None`: of the only one.
    pub fn new(model: Option<ModelId>) -> Self {
        Self { asked: model, models: Vec::new(), met: false, found: Surveyed::default() }
    }

    /// Takes in the next record, in the order of time.
    ///
    /// # Errors
    /// There are too many versions.
    pub fn add(&mut self, record: &TraceRecord) -> Result<(), BacktestError> {
        let is_asked = self.asked.is_some() && record.model == self.asked;
        self.met |= is_asked;
        // Once the one is met that is asked for, the others are not told.
        if let Some(model) = &record.model
            && !self.met
            && !self.models.contains(model)
            && self.models.len() < MOST_MODELS
        {
            self.models.push(model.clone());
        }
        if self.asked.is_some() && !is_asked {
            self.found.others += 1;
            return Ok(());
        }
        self.found.add(record)
    }

    /// What the trace holds.
    ///
    /// # Errors
    /// There are several models and none was asked for, the one that was asked for is not there, or
    /// no request can be used.
    pub fn finish(self) -> Result<Surveyed, BacktestError> {
        let Self { asked, mut models, met, found } = self;
        let is_asked = asked.is_some();
        models.sort();
        let model = match (asked, models.as_slice()) {
            (Some(asked), _) if !met => {
                return Err(BacktestError::UnknownModel { asked, known: models });
            }
            (Some(asked), _) => Some(asked),
            (None, [] | [_]) => models.pop(),
            (None, _) => return Err(BacktestError::SeveralModels(models)),
        };
        if found.requests == 0 {
            let Unusable { without_version, without_duration, without_ending } = found.unusable;
            let rows = found.unusable.sum();
            return Err(BacktestError::NothingUsable {
                rows,
                without_version,
                without_duration,
                without_ending,
            });
        }
        Ok(Surveyed { model, asked: is_asked, ..found })
    }
}

impl Surveyed {
    fn add(&mut self, record: &TraceRecord) -> Result<(), BacktestError> {
        let Some(observed) = self.unusable.take(record) else { return Ok(()) };
        let Some(id) = &record.version else { return Ok(()) };
        self.requests += 1;
        self.end = record.at;
        let is_success = observed.ending == Ending::Success;
        self.without_output += u64::from(is_success && record.output.is_none());
        self.with_first_token += u64::from(is_success && observed.first_token.is_some());
        let own = match self.versions.iter().position(|version| version.id == *id) {
            Some(own) => own,
            None if self.versions.len() == MOST_VERSIONS => {
                return Err(BacktestError::TooManyVersions(id.clone()));
            }
            None => {
                let counts = self.versions.iter().map(|version| version.requests).collect();
                self.versions.push(Tenure::new(id.clone(), Mark { at: record.at, counts }));
                self.versions.len() - 1
            }
        };
        let version = &mut self.versions[own];
        version.requests += 1;
        for (index, version) in self.versions.iter_mut().enumerate() {
            if index != own {
                version.follow(record.at);
            }
        }
        let counts = self.versions.iter().map(|version| version.requests).collect();
        self.versions[own].come(Mark { at: record.at, counts });
        Ok(())
    }

    /// The place of a version.
    pub(super) fn place(&self, id: &VersionId) -> Option<usize> {
        self.versions.iter().position(|version| version.id == *id)
    }

    /// The ids of the versions.
    pub(super) fn ids(&self) -> Vec<VersionId> {
        self.versions.iter().map(|version| version.id.clone()).collect()
    }
}

impl Tenure {
    fn new(id: VersionId, first: Mark) -> Self {
        Self {
            id,
            requests: 0,
            last: first.clone(),
            first,
            since_last: 0,
            steps: Vec::new(),
            gap: Gap::default(),
        }
    }

    /// Another version had a request.
    fn follow(&mut self, at: Duration) {
        self.since_last += 1;
        let next = self.steps.last().map_or(1, |(count, _)| count + (count / 8).max(1));
        if self.since_last == next {
            self.steps.push((next, at));
        }
    }

    /// It had one itself.
    fn come(&mut self, last: Mark) {
        if self.since_last > self.gap.requests {
            self.gap = Gap { requests: self.since_last, from: self.last.at, to: last.at };
        }
        self.last = last;
        self.since_last = 0;
        self.steps.clear();
    }

    /// Its share of the requests from its first to its last; a request more of another version
    /// keeps one that had a single one from having had all.
    pub(super) fn share(&self) -> f64 {
        let requests = self.last.index() - self.first.index() + 1;
        self.requests as f64 / requests as f64
    }
}

impl Mark {
    /// How many requests there had been.
    pub(super) fn index(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Chosen: what more of them are called is of no help.
const MOST_MODELS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::super::example::request;
    use super::*;

    #[test]
    fn a_model_that_is_asked_for_is_found_behind_any_number_of_others() {
        let model = |name: &str| ModelId::new(name).unwrap();
        let of = |name: &str| TraceRecord { model: Some(model(name)), ..request(0, "v1", 200, 1) };
        let survey = |last: &str| {
            let mut survey = Survey::new(Some(model("asked")));
            let others = (0..1_200).map(|number| of(&format!("m{number}")));
            others.chain([of(last)]).for_each(|record| survey.add(&record).unwrap());
            survey.finish()
        };
        let found = survey("asked").unwrap();
        assert_eq!((found.requests, found.others), (1, 1_200));
        assert_eq!(found.model, Some(model("asked")));
        assert!(matches!(survey("other"), Err(BacktestError::UnknownModel { .. })));
    }
}
