//! Everything that was fitted to a recording.

use super::arrivals::ArrivalFit;
use super::error::FitError;
use super::failure_fit::FailureFit;
use super::latency_fit::LatencyFit;
use super::observed::{Observed, SeenModel, SeenVersion, Size};
use super::price_fit::PriceFit;
use super::quantile_table::{QuantileTable, quantile, significant};
use super::rank_correlation::rank_correlation;
use super::user_fit::UserFit;
use crate::units::{Duration, VersionId};

/// A scenario's parameters, as a recording has them.
#[derive(Clone, PartialEq, Debug)]
pub struct Fitted {
    /// How many requests it was fitted to.
    pub requests: u64,
    /// From the beginning of the recording to its last request.
    pub span: Duration,
    /// When requests come.
    pub arrivals: ArrivalFit,
    /// How large they are, where that was recorded.
    pub tokens: Option<TokenFit>,
    /// The share whose answer is streamed, where that was recorded.
    pub stream: Option<f64>,
    /// Who sends them, where that was recorded.
    pub users: Option<UserFit>,
    /// How they form sessions, likewise.
    pub sessions: Option<SessionFit>,
    /// What is asked for, and what answers.
    pub models: Vec<ModelFit>,
    /// How long the gateway waits for an answer, where the recording tells.
    pub timeout: Option<Duration>,
}

/// How large requests are.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenFit {
    /// Of prompts.
    pub input: QuantileTable,
    /// Of answers.
    pub output: QuantileTable,
    /// Spearman's rank correlation of the two.
    pub rank_correlation: f64,
}

/// How requests form sessions.
#[derive(Clone, PartialEq, Debug)]
pub struct SessionFit {
    /// How many requests each has.
    pub requests: QuantileTable,
    /// The longest pause within one.
    pub gap: Duration,
}

/// A model and its versions.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelFit {
    /// What clients ask for.
    pub name: String,
    /// The share of requests that ask for it.
    pub share: f64,
    /// Token counts of its own, where there are several models.
    pub tokens: Option<TokenFit>,
    /// What answers.
    pub versions: Vec<VersionFit>,
}

/// A version.
#[derive(Clone, PartialEq, Debug)]
pub struct VersionFit {
    /// Its id, in the scenario.
    pub id: String,
    /// Which of the recording's it is.
    pub(super) place: usize,
    /// Whether it is the stable one.
    pub is_stable: bool,
    /// The share of its model's requests that it was sent.
    pub share: f64,
    /// When it was sent its first request, and its last.
    pub active: (Duration, Duration),
    /// How long complete answers take.
    pub latency: LatencyFit,
    /// How it fails; `None` where no end was recorded.
    pub failures: Option<FailureFit>,
    /// What tokens cost, where that was recorded.
    pub price: Option<PriceFit>,
}

impl Fitted {
    /// What describes `observed`; `stable` names the version, of those recorded, that the tag
    /// `stable` is to point to (default: of each model the first that answered).
    ///
    /// # Errors
    /// Too few requests, or all at one instant; no version is called `stable`.
    pub fn of(observed: &Observed, stable: Option<&VersionId>) -> Result<Self, FitError> {
        let requests = observed.requests();
        if requests < LEAST_REQUESTS {
            return Err(FitError::TooFew { requests, least: LEAST_REQUESTS });
        }
        if observed.span().is_zero() {
            return Err(FitError::NoTime { requests });
        }
        check_stable(observed, stable)?;
        let sizes = observed.sizes.items();
        let known = observed.streams;
        let streams = (known.known > 0).then(|| known.yes as f64 / known.known as f64);
        Ok(Self {
            requests,
            span: observed.span(),
            arrivals: ArrivalFit::of(&observed.arrivals()),
            tokens: TokenFit::of(sizes.iter()),
            stream: streams,
            users: UserFit::of(observed.users.counts.values().copied()),
            sessions: SessionFit::of(observed),
            models: models(observed, stable),
            timeout: timeout(observed),
        })
    }

    /// Whether an upstream's latency was recorded anywhere.
    pub fn has_latency(&self) -> bool {
        let mut versions = self.models.iter().flat_map(|model| &model.versions);
        versions.any(|version| version.latency != LatencyFit::Unknown)
    }
}

impl TokenFit {
    #[expect(clippy::needless_pass_by_value, reason = "iterators are handed on by value")]
    fn of<'a>(sizes: impl Iterator<Item = &'a Size> + Clone) -> Option<Self> {
        let sorted = |of: fn(&Size) -> f64| {
            let mut values: Vec<f64> = sizes.clone().map(of).collect();
            values.sort_by(f64::total_cmp);
            QuantileTable::of(&values)
        };
        let pairs: Vec<_> = sizes.clone().map(|size| (size.input, size.output)).collect();
        Some(Self {
            input: sorted(|size| size.input)?,
            output: sorted(|size| size.output)?,
            rank_correlation: significant(rank_correlation(&pairs).unwrap_or(0.0), 3),
        })
    }
}

impl SessionFit {
    fn of(observed: &Observed) -> Option<Self> {
        let counts = observed.sessions.counts.values();
        let mut lengths: Vec<f64> = counts.map(|count| *count as f64).collect();
        lengths.sort_by(f64::total_cmp);
        let longest = observed.pauses.items().iter().copied().max();
        // Rounded up, so that no recorded session would be two.
        let gap = longest.unwrap_or_default().max(Duration::from_secs(1)).ceil_secs();
        Some(Self { requests: QuantileTable::of(&lengths)?, gap })
    }
}

fn check_stable(observed: &Observed, stable: Option<&VersionId>) -> Result<(), FitError> {
    let Some(stable) = stable else { return Ok(()) };
    let ids = || observed.versions.iter().filter_map(|version| version.id.as_ref());
    if ids().any(|id| id == stable) {
        return Ok(());
    }
    let mut known: Vec<&str> = ids().map(VersionId::as_str).collect();
    known.dedup();
    let known = if known.is_empty() { "none with a name".to_owned() } else { known.join(", ") };
    Err(FitError::UnknownVersion { version: stable.to_string(), known })
}

/// The models with their versions. What names no model, or no version, where others do is no part
/// of the twin.
fn models(observed: &Observed, stable: Option<&VersionId>) -> Vec<ModelFit> {
    let named = observed.models.iter().any(|model| model.id.is_some());
    let is_part = |model: &SeenModel| model.id.is_some() || !named;
    let parts = || observed.models.iter().enumerate().filter(|(_, model)| is_part(model));
    let all: u64 = parts().map(|(_, model)| model.requests).sum();
    let several = parts().count() > 1;
    let mut taken = Vec::new();
    let model = |(place, model): (usize, &SeenModel)| {
        let name = model.id.as_ref().map_or_else(|| "model".to_owned(), ToString::to_string);
        let own = observed.sizes.items().iter().filter(move |size| size.model == place);
        let tokens = (several && own.clone().count() >= LEAST_SIZES).then(|| TokenFit::of(own));
        ModelFit {
            share: model.requests as f64 / all as f64,
            tokens: tokens.flatten(),
            versions: versions(observed, place, &name, stable, &mut taken),
            name,
        }
    };
    parts().map(model).collect()
}

fn versions(
    observed: &Observed,
    model: usize,
    name: &str,
    stable: Option<&VersionId>,
    taken: &mut Vec<String>,
) -> Vec<VersionFit> {
    let of_model = || observed.versions.iter().enumerate().filter(|(_, v)| v.model == model);
    let named = of_model().any(|(_, version)| version.id.is_some());
    let parts = || of_model().filter(|(_, version)| version.id.is_some() || !named);
    let all: u64 = parts().map(|(_, version)| version.requests).sum();
    let is_named = |version: &SeenVersion| stable.is_some() && version.id.as_ref() == stable;
    let first = parts().find(|(_, version)| is_named(version)).or_else(|| parts().next());
    let first = first.map(|(place, _)| place);
    let mut fitted: Vec<VersionFit> = parts()
        .map(|(place, version)| {
            let kept = version.id.as_ref().map_or("recorded", |id| id.as_str());
            let id = unused(kept, name, taken);
            taken.push(id.clone());
            VersionFit {
                id,
                place,
                is_stable: Some(place) == first,
                share: version.requests as f64 / all as f64,
                active: (version.first_at, version.last_at),
                latency: LatencyFit::of(version.answers.items()),
                failures: FailureFit::of(version),
                price: PriceFit::of(version.answers.items()),
            }
        })
        .collect();
    // The stable one stands first, where people look for it.
    fitted.sort_by_key(|version| !version.is_stable);
    fitted
}

/// An id that no version has: ids are told apart over all models.
fn unused(id: &str, model: &str, taken: &[String]) -> String {
    if !taken.iter().any(|other| other == id) {
        return id.to_owned();
    }
    let model = model.replace('/', "-");
    let named = format!("{id}.{model}");
    let numbered = (2..).map(|number| format!("{named}.{number}"));
    let mut candidates = std::iter::once(named.clone()).chain(numbered);
    candidates.find(|name| !taken.contains(name)).unwrap_or(named)
}

/// How long the gateway waited: as long as requests took that it gave up, where that is longer than
/// any answer took; otherwise longer than any answer.
fn timeout(observed: &Observed) -> Option<Duration> {
    let answered = observed.versions.iter().flat_map(|version| version.answers.items());
    let longest = answered.filter_map(|answer| answer.duration).fold(0.0, f64::max);
    let failures = observed.versions.iter().flat_map(|version| version.failures.items());
    let given_up = failures.filter(|failure| failure.ending == crate::exchange::Ending::Timeout);
    let mut given_up: Vec<f64> = given_up.filter_map(|failure| failure.duration).collect();
    given_up.sort_by(f64::total_cmp);
    let middle = (!given_up.is_empty()).then(|| quantile(&given_up, 0.5));
    let waited = match middle {
        Some(middle) if middle > longest => significant(middle, 4),
        _ if longest > 0.0 => (longest * 1.5).max(60.0).ceil(),
        _ => return None,
    };
    Some(Duration::from_secs_f64(waited))
}

/// Chosen: fewer tell nothing about when requests come.
const LEAST_REQUESTS: u64 = 50;
/// Chosen: fewer tell no distribution; the model's requests are then as large as all.
const LEAST_SIZES: usize = 200;
