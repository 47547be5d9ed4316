//! What there is to be fitted in a recording: one pass over its requests, in memory that does not
//! grow with their number.
//!
//! Counts are exact. Token counts, latencies and the like are exact up to [`MOST_SIZES`] requests
//! and [`MOST_ANSWERS`] answers of a version; of more a sample is kept in which each is as likely
//! as any other.

use std::collections::{BTreeMap, BTreeSet};

use super::arrivals::RecordedArrivals;
use super::counts::SecondCounts;
use super::error::FitError;
use super::outcome_counts::OutcomeCounts;
use super::reservoir::Reservoir;
use crate::exchange::Ending;
use crate::stats::Moments;
use crate::trace::TraceRecord;
use crate::units::{Duration, ModelId, Tokens, VersionId};

/// Gathers what there is to be fitted, request by request.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Of one model alone, where that was asked for.
    only: Option<ModelId>,
    /// The models that were left out for it.
    others: BTreeSet<ModelId>,
    pub(super) requests: u64,
    pub(super) last: Duration,
    pub(super) counts: SecondCounts,
    gaps: Option<Moments>,
    pub(super) sizes: Reservoir<Size>,
    pub(super) streams: Known,
    pub(super) users: Tally,
    pub(super) sessions: Tally,
    /// The longest that any session had.
    pub(super) longest_pause: Duration,
    last_of_session: BTreeMap<u64, Duration>,
    pub(super) models: Vec<SeenModel>,
    pub(super) versions: Vec<SeenVersion>,
    /// What the recording has that no scenario can have.
    pub(super) extras: Extras,
}

/// How large a request was.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Size {
    pub(super) model: usize,
    /// At least one of the two is known.
    pub(super) input: Option<f64>,
    /// More than 0.
    pub(super) output: Option<f64>,
}

impl Size {
    /// Both, where both are known.
    pub(super) fn pair(&self) -> Option<(f64, f64)> {
        self.input.zip(self.output)
    }
}

/// Of how many a yes or no is known, and how often it is yes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Known {
    pub(super) known: u64,
    pub(super) yes: u64,
}

/// How often each of many numbers came, up to [`MOST_NAMES`] of them.
#[derive(Clone, Default, Debug)]
pub(super) struct Tally {
    pub(super) counts: BTreeMap<u64, u64>,
    /// How many came that were not counted, because there were too many others.
    pub(super) left_out: u64,
}

/// A model that was asked for.
#[derive(Clone, Debug)]
pub(super) struct SeenModel {
    /// `None` where the recording does not say which.
    pub(super) id: Option<ModelId>,
    pub(super) requests: u64,
}

/// A version that answered.
#[derive(Clone, Debug)]
pub(super) struct SeenVersion {
    pub(super) model: usize,
    /// `None` where the recording does not say which.
    pub(super) id: Option<VersionId>,
    pub(super) requests: u64,
    /// By how they ended, where that is known.
    pub(super) endings: BTreeMap<Ending, u64>,
    pub(super) outcomes: OutcomeCounts,
    pub(super) answers: Reservoir<Answer>,
    /// Seconds that the longest complete answer took; 0 where no time was recorded.
    pub(super) longest_answer: f64,
    pub(super) failures: Reservoir<SeenFailure>,
    /// When it was sent its first request, and its last.
    pub(super) first_at: Duration,
    pub(super) last_at: Duration,
}

/// A complete answer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Answer {
    pub(super) input: Option<f64>,
    pub(super) output: Option<f64>,
    /// Seconds.
    pub(super) first_token: Option<f64>,
    pub(super) duration: Option<f64>,
    /// Dollars.
    pub(super) cost: Option<f64>,
}

/// A request that failed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct SeenFailure {
    pub(super) second: u32,
    pub(super) ending: Ending,
    /// Seconds.
    pub(super) duration: Option<f64>,
}

/// Counts of what a scenario does not reproduce.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Extras {
    pub(super) prefixes: u64,
    pub(super) parents: u64,
    pub(super) closed_by_client: u64,
    /// Answers of no tokens.
    pub(super) empty_answers: u64,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            only: None,
            others: BTreeSet::new(),
            requests: 0,
            last: Duration::ZERO,
            counts: SecondCounts::default(),
            gaps: None,
            sizes: Reservoir::new(MOST_SIZES),
            streams: Known::default(),
            users: Tally::default(),
            sessions: Tally::default(),
            longest_pause: Duration::ZERO,
            last_of_session: BTreeMap::new(),
            models: Vec::new(),
            versions: Vec::new(),
            extras: Extras::default(),
        }
    }
}

impl Observed {
    /// Of requests for `model` alone; those that name no model count as such.
    pub fn only(model: ModelId) -> Self {
        Self { only: Some(model), ..Self::default() }
    }

    /// Whether there is nothing for the model that was asked for.
    ///
    /// # Errors
    /// There is not: with what the recording has.
    pub fn check_model(&self) -> Result<(), FitError> {
        match &self.only {
            Some(model) if self.requests == 0 => {
                let known: Vec<&str> = self.others.iter().map(ModelId::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(FitError::UnknownModel { model: model.clone(), known })
            }
            _ => Ok(()),
        }
    }

    /// How many requests there were.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// From the beginning of the recording to the last request.
    pub const fn span(&self) -> Duration {
        self.last
    }

    /// Takes a request, sent no earlier than the one before.
    ///
    /// # Errors
    /// It was sent more than 90 days after the beginning, or there are more models and versions
    /// than a scenario may have.
    pub fn add(&mut self, record: &TraceRecord) -> Result<(), FitError> {
        if let (Some(only), Some(model)) = (&self.only, &record.model)
            && only != model
        {
            self.others.insert(model.clone());
            return Ok(());
        }
        self.counts.add(record.at)?;
        if self.requests > 0 {
            let gap = record.at.saturating_sub(self.last).as_secs_f64();
            let gap = Moments { count: 1, mean: gap, variance: 0.0 };
            self.gaps = Some(self.gaps.map_or(gap, |gaps| gaps.merged(gap)));
        }
        (self.requests, self.last) = (self.requests + 1, record.at);
        let model = self.model(record)?;
        self.models[model].requests += 1;
        self.add_size(record, model);
        if let Some(stream) = record.stream {
            self.streams.known += 1;
            self.streams.yes += u64::from(stream);
        }
        self.add_identity(record);
        self.add_outcome(record, model)
    }

    fn add_size(&mut self, record: &TraceRecord, model: usize) {
        // A failure has no answer to tell the length of one by.
        if !matches!(record.ending(), None | Some(Ending::Success)) {
            return;
        }
        let count = |tokens: Tokens| f64::from(tokens.get());
        let (input, output) = (record.input.map(count), record.output.map(count));
        // No scenario has answers of none.
        self.extras.empty_answers += u64::from(output == Some(0.0));
        let output = output.filter(|tokens| *tokens > 0.0);
        if input.is_some() || output.is_some() {
            self.sizes.add(Size { model, input, output });
        }
    }

    fn add_identity(&mut self, record: &TraceRecord) {
        self.extras.prefixes += u64::from(record.prefix.is_some());
        self.extras.parents += u64::from(record.parent.is_some());
        if let Some(user) = record.user {
            self.users.add(user);
        }
        let Some(session) = record.session else { return };
        if self.sessions.add(session)
            && let Some(before) = self.last_of_session.insert(session, record.at)
        {
            self.longest_pause = self.longest_pause.max(record.at.saturating_sub(before));
        }
    }

    fn add_outcome(&mut self, record: &TraceRecord, model: usize) -> Result<(), FitError> {
        let place = self.version(record, model)?;
        let version = &mut self.versions[place];
        version.requests += 1;
        version.last_at = record.at;
        let Some(ending) = record.ending() else { return Ok(()) };
        *version.endings.entry(ending).or_default() += 1;
        let duration = record.duration.map(Duration::as_secs_f64);
        match ending {
            Ending::ClientClosed => self.extras.closed_by_client += 1,
            Ending::Success => {
                version.longest_answer = version.longest_answer.max(duration.unwrap_or(0.0));
                version.outcomes.add(record.at, false);
                version.answers.add(Answer {
                    input: record.input.map(|tokens| f64::from(tokens.get())),
                    output: record.output.map(|tokens| f64::from(tokens.get())),
                    first_token: record.first_token.map(Duration::as_secs_f64),
                    duration,
                    cost: record.cost.map(|cost| cost.as_usd()),
                });
            }
            ending => {
                version.outcomes.add(record.at, true);
                let second = record.at.as_secs() as u32;
                version.failures.add(SeenFailure { second, ending, duration });
            }
        }
        Ok(())
    }

    fn model(&mut self, record: &TraceRecord) -> Result<usize, FitError> {
        let id = record.model.as_ref().or(self.only.as_ref());
        let known = self.models.iter().position(|model| model.id.as_ref() == id);
        if let Some(place) = known {
            return Ok(place);
        }
        if self.models.len() >= MOST_MODELS {
            return Err(FitError::TooMany { what: "models", most: MOST_MODELS });
        }
        let id = id.cloned();
        self.models.push(SeenModel { id, requests: 0 });
        Ok(self.models.len() - 1)
    }

    fn version(&mut self, record: &TraceRecord, model: usize) -> Result<usize, FitError> {
        let is_it = |version: &SeenVersion| version.model == model && version.id == record.version;
        if let Some(place) = self.versions.iter().position(is_it) {
            return Ok(place);
        }
        if self.versions.len() >= MOST_VERSIONS {
            return Err(FitError::TooMany { what: "versions", most: MOST_VERSIONS });
        }
        self.versions.push(SeenVersion::new(model, record.version.clone(), record.at));
        Ok(self.versions.len() - 1)
    }

    /// Standard deviation over mean of the gaps between requests.
    pub(super) fn gap_cv(&self) -> Option<f64> {
        let gaps = self.gaps.filter(|gaps| gaps.count >= 2 && gaps.mean > 0.0)?;
        Some(gaps.variance.sqrt() / gaps.mean)
    }

    /// The arrivals alone.
    pub(super) fn arrivals(&self) -> RecordedArrivals {
        RecordedArrivals {
            counts: self.counts.clone(),
            span: self.last,
            requests: self.requests,
            gap_cv: self.gap_cv(),
        }
    }
}

impl SeenVersion {
    pub(super) fn new(model: usize, id: Option<VersionId>, at: Duration) -> Self {
        Self {
            model,
            id,
            requests: 0,
            endings: BTreeMap::new(),
            outcomes: OutcomeCounts::default(),
            answers: Reservoir::new(MOST_ANSWERS),
            longest_answer: 0.0,
            failures: Reservoir::new(MOST_ANSWERS),
            first_at: at,
            last_at: at,
        }
    }

    /// The complete answers' values of one kind, rising.
    pub(super) fn sorted(&self, of: impl Fn(&Answer) -> Option<f64>) -> Vec<f64> {
        let mut values: Vec<f64> = self.answers.items().iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

impl Tally {
    /// Whether it is counted.
    fn add(&mut self, number: u64) -> bool {
        if self.counts.len() >= MOST_NAMES && !self.counts.contains_key(&number) {
            self.left_out += 1;
            return false;
        }
        *self.counts.entry(number).or_default() += 1;
        true
    }
}

/// Chosen: 10 MB; a P99 is then known to 0.02 % of rank.
pub(super) const MOST_SIZES: usize = 262_144;
/// Chosen: 5 MB for each version.
pub(super) const MOST_ANSWERS: usize = 65_536;
/// Chosen: some 50 MB of users or sessions.
const MOST_NAMES: usize = 1_000_000;
/// Chosen: more are not models but something else in their place.
const MOST_MODELS: usize = 64;
const MOST_VERSIONS: usize = 256;
