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
    pub tokens: TokenFit,
    /// Tokens of prompts and answers that were given for sides that were not recorded.
    pub given_tokens: Option<[u32; 2]>,
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

/// How large requests are; `None`: nobody recorded it.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenFit {
    /// Of prompts.
    pub input: Option<QuantileTable>,
    /// Of answers.
    pub output: Option<QuantileTable>,
    /// Spearman's rank correlation of the two, 0 where they were never recorded together.
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
    /// What the recording calls it, if anything.
    pub recorded_id: Option<VersionId>,
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
        let tokens = TokenFit::of(observed.sizes.items().iter());
        let models = models(observed, stable, &tokens);
        let known = observed.streams;
        let streams = (known.known > 0).then(|| known.yes as f64 / known.known as f64);
        Ok(Self {
            requests,
            span: observed.span(),
            arrivals: ArrivalFit::of(&observed.arrivals()),
            tokens,
            given_tokens: None,
            stream: streams,
            users: UserFit::of(observed.users.counts.values().copied()),
            sessions: SessionFit::of(observed),
            models,
            timeout: timeout(observed),
        })
    }

    /// Whether an upstream's latency was recorded anywhere.
    pub fn has_latency(&self) -> bool {
        let mut versions = self.models.iter().flat_map(|model| &model.versions);
        versions.any(|version| {
            matches!(version.latency, LatencyFit::Total { .. } | LatencyFit::Parts(_))
        })
    }
}

impl TokenFit {
    #[expect(clippy::needless_pass_by_value, reason = "iterators are handed on by value")]
    fn of<'a>(sizes: impl Iterator<Item = &'a Size> + Clone) -> Self {
        let table = |of: fn(&Size) -> Option<f64>| {
            let mut values: Vec<f64> = sizes.clone().filter_map(of).collect();
            values.sort_by(f64::total_cmp);
            QuantileTable::of(&values)
        };
        let pairs: Vec<_> = sizes.clone().filter_map(Size::pair).collect();
        Self {
            input: table(|size| size.input),
            output: table(|size| size.output),
            rank_correlation: significant(rank_correlation(&pairs).unwrap_or(0.0), 3),
        }
    }

    /// Of one model among several: what too few of its requests tell is that of `all`. `None` where
    /// they tell nothing.
    fn own<'a>(sizes: impl Iterator<Item = &'a Size> + Clone, all: &Self) -> Option<Self> {
        let told =
            |of: fn(&Size) -> bool| sizes.clone().filter(|size| of(size)).count() >= LEAST_SIZES;
        let (input, output) =
            (told(|size| size.input.is_some()), told(|size| size.output.is_some()));
        let together = told(|size| size.pair().is_some());
        if !input && !output {
            return None;
        }
        let own = Self::of(sizes);
        Some(Self {
            input: if input { own.input } else { all.input.clone() },
            output: if output { own.output } else { all.output.clone() },
            rank_correlation: if together { own.rank_correlation } else { all.rank_correlation },
        })
    }
}

impl SessionFit {
    fn of(observed: &Observed) -> Option<Self> {
        let counts = observed.sessions.counts.values();
        let mut lengths: Vec<f64> = counts.map(|count| *count as f64).collect();
        lengths.sort_by(f64::total_cmp);
        // Rounded up, so that no recorded session would be two.
        let gap = observed.longest_pause.max(Duration::from_secs(1)).ceil_secs();
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
fn models(observed: &Observed, stable: Option<&VersionId>, all_sizes: &TokenFit) -> Vec<ModelFit> {
    let named = observed.models.iter().any(|model| model.id.is_some());
    let is_part = |model: &SeenModel| model.id.is_some() || !named;
    let parts = || observed.models.iter().enumerate().filter(|(_, model)| is_part(model));
    let all: u64 = parts().map(|(_, model)| model.requests).sum();
    let several = parts().count() > 1;
    // In a split that would be the tag.
    let mut taken = vec![STABLE.to_owned()];
    let model = |(place, model): (usize, &SeenModel)| {
        let name = model.id.as_ref().map_or_else(|| "model".to_owned(), ToString::to_string);
        let own = observed.sizes.items().iter().filter(move |size| size.model == place);
        let tokens = several.then(|| TokenFit::own(own, all_sizes));
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
            let kept = version.id.as_ref().map_or(UNNAMED, VersionId::as_str);
            let id = unused(kept, name, taken);
            taken.push(id.clone());
            VersionFit {
                id,
                recorded_id: version.id.clone(),
                place,
                is_stable: Some(place) == first,
                share: version.requests as f64 / all as f64,
                active: (version.first_at, version.last_at),
                latency: LatencyFit::of(version.answers.items(), version.longest_answer),
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
/// any answer took; otherwise longer than any answer. No answer of the twin takes longer than the
/// recorded ones, so that none is given up beside those that fail by themselves.
fn timeout(observed: &Observed) -> Option<Duration> {
    let longest = observed.versions.iter().map(|version| version.longest_answer);
    let longest = longest.fold(0.0, f64::max);
    let failures = observed.versions.iter().flat_map(|version| version.failures.items());
    let given_up = failures.filter(|failure| failure.ending == crate::exchange::Ending::Timeout);
    let mut given_up: Vec<f64> = given_up.filter_map(|failure| failure.duration).collect();
    given_up.sort_by(f64::total_cmp);
    let middle = (!given_up.is_empty()).then(|| quantile(&given_up, 0.5));
    let waited = match middle {
        // Rounding must not make it shorter than an answer.
        Some(middle) if middle > longest => {
            Some(significant(middle, 4)).filter(|short| *short > longest).unwrap_or(middle)
        }
        _ if longest > 0.0 => (longest * 1.5).max(60.0).ceil(),
        _ => return None,
    };
    Some(Duration::from_secs_f64(waited))
}

/// The tag of the version that is known to be good.
const STABLE: &str = "stable";
/// What a version is called that the recording does not name.
pub(super) const UNNAMED: &str = "recorded";
/// Chosen: fewer tell nothing about when requests come.
const LEAST_REQUESTS: u64 = 50;
/// Chosen: fewer tell no distribution; the model's requests are then as large as all.
const LEAST_SIZES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceRecord;
    use crate::units::Tokens;

    fn observed(records: impl Iterator<Item = TraceRecord>) -> Observed {
        let mut observed = Observed::default();
        records.for_each(|record| observed.add(&record).unwrap());
        observed
    }

    fn answer(number: u64, version: &str, duration: Duration) -> TraceRecord {
        TraceRecord {
            at: Duration::from_millis(20 * number),
            version: Some(VersionId::new(version).unwrap()),
            status: Some(200),
            duration: Some(duration),
            ..TraceRecord::default()
        }
    }

    /// Of 100,000 answers 65,536 are kept: the longest need not be one of them.
    #[test]
    fn the_longest_answer_and_pause_are_those_of_all_requests() {
        for place in [70_000, 80_001, 99_999] {
            let of = |number: u64| TraceRecord {
                session: Some(if number == 0 || number == place { 1 } else { number + 2 }),
                ..answer(number, "v", Duration::from_secs(if number == place { 900 } else { 1 }))
            };
            let observed = observed((0..100_000).map(of));
            assert_eq!(timeout(&observed), Some(Duration::from_secs(1_350)));
            let gap = Duration::from_millis(20 * place).ceil_secs();
            assert_eq!(SessionFit::of(&observed).unwrap().gap, gap);
        }
    }

    /// `stable` in a split is the tag, so the version gets another name, and it is told.
    #[test]
    fn a_version_called_stable_is_renamed() {
        let of = |number: u64| {
            let version = if number.is_multiple_of(4) { "canary" } else { "stable" };
            answer(number * number % 7 + 50 * number, version, Duration::from_millis(300 + number))
        };
        let fitted = Fitted::of(&observed((0..200).map(of)), None).unwrap();
        let ids: Vec<&str> = fitted.models[0].versions.iter().map(|v| v.id.as_str()).collect();
        assert_eq!(ids, ["canary", "stable.model"]);
        let told = fitted.choices();
        assert!(told.iter().any(|words| words.contains("is called stable.model")), "{told:?}");
        let stable = VersionId::new("stable").unwrap();
        let fitted = Fitted::of(&observed((0..200).map(of)), Some(&stable)).unwrap();
        assert_eq!(fitted.models[0].versions[0].id, "stable.model");
    }

    /// Prompts are known of all requests, answers of every second one, and of a tenth of those they
    /// have no tokens.
    #[test]
    fn what_is_known_of_one_side_counts_without_the_other() {
        let of = |number: u32| TraceRecord {
            at: Duration::from_secs(number.into()),
            input: Some(Tokens::new(100 + number % 50)),
            output: number
                .is_multiple_of(2)
                .then(|| Tokens::new(if number.is_multiple_of(20) { 0 } else { 7 })),
            ..TraceRecord::default()
        };
        let observed = observed((0..1_000).map(of));
        let tokens = TokenFit::of(observed.sizes.items().iter());
        assert!((tokens.input.unwrap().mean() - 124.5).abs() < 0.5);
        assert_eq!(tokens.output.unwrap().only_value(), Some(7.0));
        assert_eq!((observed.sizes.items().len(), observed.extras.empty_answers), (1_000, 50));
    }
}
