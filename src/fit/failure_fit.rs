//! How a version fails: how often, in which ways, how fast, and whether failures come together.

use std::collections::BTreeMap;

use super::failure_chain::FailureChain;
use super::failure_episode::FailureEpisode;
use super::observed::{SeenFailure, SeenVersion};
use super::outcome_counts::{OutcomeCounts, Unevenness};
use super::quantile_table::{QuantileTable, quantile, rounded};
use crate::exchange::Ending;

/// How a version fails.
#[derive(Clone, PartialEq, Debug)]
pub struct FailureFit {
    /// Requests whose end is known, and those of them that failed.
    pub ended: u64,
    /// Of these.
    pub failed: u64,
    /// At all times.
    pub normal: Vec<FailureKindFit>,
    /// How failures come together.
    pub pattern: FailurePattern,
    /// Dispersion of the failures in windows of 10 s against that of requests which fail each for
    /// itself, 1; and by how many standard errors it exceeds that.
    pub dispersion: Option<(f64, f64)>,
    /// Whether they come together in a recording that is too long to look for bursts.
    pub is_too_long: bool,
}

/// How failures come together.
#[derive(Clone, PartialEq, Debug)]
pub enum FailurePattern {
    /// Each request fails for itself.
    Even,
    /// In bursts, with failures beside the normal ones.
    Bursts {
        /// How probable it is that one begins in a second.
        enter: f64,
        /// How probable it is that it ends in a second.
        leave: f64,
        /// Beside the normal ones.
        failures: Vec<FailureKindFit>,
    },
    /// In one stretch of time: an incident.
    Episode {
        /// Seconds from the beginning of the recording.
        from: u64,
        /// Likewise; `None`: it did not end.
        to: Option<u64>,
        /// The share that failed in it, and outside of it.
        within: f64,
        /// Outside.
        outside: f64,
        /// Beside the normal ones.
        failures: Vec<FailureKindFit>,
    },
}

/// One way of failing.
#[derive(Clone, PartialEq, Debug)]
pub struct FailureKindFit {
    /// As failures are called in a scenario: a status, or a kind.
    pub key: String,
    /// How probable it is for a request.
    pub probability: f64,
    /// How long it takes, where that was recorded and is the failure's own to say.
    pub latency: Option<QuantileTable>,
}

impl FailureFit {
    /// The failures of `version`; `None` where no end is known.
    pub(super) fn of(version: &SeenVersion) -> Option<Self> {
        let total = version.outcomes.total();
        if total.ended == 0 {
            return None;
        }
        let unevenness = version.outcomes.unevenness();
        let pattern = Shape::of(&version.outcomes, unevenness);
        let counts = version.outcomes.seconds();
        let badness = |second: usize| pattern.badness(second);
        let (mut good, mut bad) = (0.0, 0.0);
        for (second, outcomes) in counts.iter().enumerate() {
            let share = badness(second);
            bad += share * f64::from(outcomes.ended);
            good += (1.0 - share) * f64::from(outcomes.ended);
        }
        // Of each failure, how probably it belongs to the bad stretch it fell into.
        let (good_share, bad_share) = pattern.shares(total.share());
        let due = if bad_share > 0.0 { (1.0 - good_share / bad_share).max(0.0) } else { 0.0 };
        let extra = |failure: &SeenFailure| badness(failure.second as usize) * due;
        let kept = version.failures.items();
        let scale = version.failures.seen() as f64 / kept.len().max(1) as f64;
        let mut normal = kinds(kept, |failure| 1.0 - extra(failure), scale, good + bad);
        let mut failures = kinds(kept, extra, scale, bad);
        make_room(&mut normal, 1.0);
        make_room(&mut failures, 1.0 - sum(&normal));
        let is_together =
            unevenness.is_some_and(Unevenness::is_clear) || matches!(pattern, Shape::Episode(_));
        Some(Self {
            ended: u64::from(total.ended),
            failed: u64::from(total.failed),
            normal,
            pattern: pattern.with(failures, counts.len()),
            dispersion: unevenness.map(|found| (found.dispersion, found.score)),
            is_too_long: is_together && FailureChain::is_too_long(counts),
        })
    }

    /// The share of all requests that fails.
    pub fn share(&self) -> f64 {
        self.failed as f64 / self.ended as f64
    }
}

/// What describes the failures over time best.
enum Shape {
    Even,
    Chain(FailureChain),
    Episode(FailureEpisode),
}

impl Shape {
    /// Even, unless a test says clearly otherwise; then a chain of good and bad seconds or a single
    /// stretch, whichever has the greater likelihood less half the logarithm of the number of
    /// seconds for each parameter, of which both have four (the criterion of G. Schwarz, Annals of
    /// Statistics 6, 1978, doi:10.1214/aos/1176344136).
    fn of(outcomes: &OutcomeCounts, unevenness: Option<Unevenness>) -> Self {
        let seconds = outcomes.seconds();
        let even = outcomes.total().best_ln_likelihood();
        let episode = FailureEpisode::fit(seconds)
            .filter(|episode| episode.ln_likelihood - even > CLEAR_EPISODE);
        if !unevenness.is_some_and(Unevenness::is_clear) && episode.is_none() {
            return Self::Even;
        }
        let chain = FailureChain::fit(seconds).filter(|chain| chain.ln_likelihood - even > CLEAR);
        match (chain, episode) {
            (Some(chain), Some(episode)) if chain.ln_likelihood <= episode.ln_likelihood => {
                Self::Episode(episode)
            }
            (Some(chain), _) => Self::Chain(chain),
            (None, Some(episode)) => Self::Episode(episode),
            (None, None) => Self::Even,
        }
    }

    /// How probably `second` belongs to a bad stretch.
    fn badness(&self, second: usize) -> f64 {
        match self {
            Self::Even => 0.0,
            Self::Chain(chain) => chain.badness.get(second).copied().unwrap_or(0.0),
            Self::Episode(episode) => {
                f64::from(u8::from((episode.from..episode.to).contains(&second)))
            }
        }
    }

    /// The shares that fail outside of bad stretches and within.
    fn shares(&self, all: f64) -> (f64, f64) {
        match self {
            Self::Even => (all, all),
            Self::Chain(chain) => (chain.good, chain.bad),
            Self::Episode(episode) => (episode.outside, episode.within),
        }
    }

    fn with(self, failures: Vec<FailureKindFit>, seconds: usize) -> FailurePattern {
        match self {
            Self::Even => FailurePattern::Even,
            // What is left of them is no failure that could be told.
            _ if failures.is_empty() => FailurePattern::Even,
            Self::Chain(FailureChain { enter, leave, .. }) => {
                FailurePattern::Bursts { enter: rounded(enter), leave: rounded(leave), failures }
            }
            Self::Episode(FailureEpisode { from, to, within, outside, .. }) => {
                FailurePattern::Episode {
                    from: from as u64,
                    to: (to < seconds).then_some(to as u64),
                    within,
                    outside,
                    failures,
                }
            }
        }
    }
}

/// The ways in which these failures went, each counted by its weight, 0 to 1, among so many
/// requests; each stands for `scale` failures.
fn kinds(
    failures: &[SeenFailure],
    weight: impl Fn(&SeenFailure) -> f64,
    scale: f64,
    requests: f64,
) -> Vec<FailureKindFit> {
    let mut found: BTreeMap<Ending, (f64, Vec<f64>)> = BTreeMap::new();
    for failure in failures {
        let weight = weight(failure);
        let (count, durations) = found.entry(failure.ending).or_default();
        *count += weight;
        // Those that belong here rather than elsewhere.
        if weight >= 0.5 {
            durations.extend(failure.duration);
        }
    }
    let kind = |(ending, (count, durations)): (Ending, (f64, Vec<f64>))| {
        let count = count * scale;
        let probability = rounded((count / requests).min(1.0));
        let key = key(ending)?;
        let latency = latency(ending, durations);
        (count >= LEAST_COUNT && probability > LEAST_PROBABILITY).then_some(FailureKindFit {
            key,
            probability,
            latency,
        })
    };
    found.into_iter().filter_map(kind).collect()
}

/// What the probabilities come to.
fn sum(kinds: &[FailureKindFit]) -> f64 {
    kinds.iter().map(|kind| kind.probability).sum()
}

/// Scales the probabilities to `room` where they come to more: normal failures and those beside
/// them are at most all requests, and rounding must not make them more.
fn make_room(kinds: &mut Vec<FailureKindFit>, room: f64) {
    let sum = sum(kinds);
    if sum <= room {
        return;
    }
    for kind in kinds.iter_mut() {
        let scaled = kind.probability / sum * room;
        // Down, so that what is written does not come to more either.
        kind.probability = (scaled / LEAST_PROBABILITY).floor() * LEAST_PROBABILITY;
    }
    kinds.retain(|kind| kind.probability > LEAST_PROBABILITY);
}

/// How an ending is called as a failure.
fn key(ending: Ending) -> Option<String> {
    let is_failure = !matches!(ending, Ending::Success | Ending::ClientClosed);
    is_failure.then(|| ending.name().into_owned())
}

/// The latency of failures that have one of their own; of few the median.
fn latency(ending: Ending, mut durations: Vec<f64>) -> Option<QuantileTable> {
    let own = !matches!(ending, Ending::Timeout | Ending::Truncated | Ending::ErrorInStream);
    if !own || durations.is_empty() {
        return None;
    }
    durations.sort_by(f64::total_cmp);
    if durations.len() < FEW {
        durations = vec![quantile(&durations, 0.5)];
    }
    QuantileTable::of(&durations)
}

/// Half of twice the logarithm of a likelihood ratio that chance exceeds once in 1,000 times with
/// three parameters more (chi-squared with 3 degrees of freedom: 16.3).
const CLEAR: f64 = 8.2;
/// The same for a stretch that was chosen among all: so much as chance does not reach even for the
/// best of a million.
const CLEAR_EPISODE: f64 = 20.0;
/// Chosen: fewer tell a median and no distribution.
const FEW: usize = 20;
/// Chosen: less than half a failure is rounding.
const LEAST_COUNT: f64 = 0.5;
/// What failures of a scenario have at least.
const LEAST_PROBABILITY: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    /// 4 requests a second for an hour, each failing as `probability` says of its second.
    fn fitted(probability: impl Fn(u64) -> f64) -> FailureFit {
        fitted_as(probability, |_| Ending::Status(503))
    }

    /// The same, of which each ends as `ending` says of its number.
    fn fitted_as(probability: impl Fn(u64) -> f64, ending: impl Fn(u64) -> Ending) -> FailureFit {
        let chance = Chance::new(12, 0);
        let mut version = SeenVersion::new(0, None, crate::units::Duration::ZERO);
        for id in 0..14_400 {
            let at = crate::units::Duration::from_millis(id * 250);
            let draw = chance.request(RequestId(id), 0).draw(Purpose::Failure, 0);
            let failed = draw.unit() < probability(at.as_secs());
            version.outcomes.add(at, failed);
            if failed {
                version.failures.add(SeenFailure {
                    second: at.as_secs() as u32,
                    ending: ending(id),
                    duration: Some(0.25),
                });
            }
        }
        FailureFit::of(&version).unwrap()
    }

    /// 2 % of 14,400: 288, give or take 17.
    #[test]
    fn even_failures_have_their_share_and_their_latency() {
        let fit = fitted(|_| 0.02);
        assert_eq!(fit.pattern, FailurePattern::Even);
        let [kind] = &fit.normal[..] else { panic!("{fit:?}") };
        assert_eq!(kind.key, "503");
        assert!((kind.probability - 0.02).abs() < 4.0 * 17.0 / 14_400.0, "{kind:?}");
        assert_eq!(kind.latency.as_ref().unwrap().only_value(), Some(0.25));
    }

    #[test]
    fn an_incident_is_told_from_bursts() {
        let fit = fitted(|second| if second >= 2_230 { 0.3 } else { 0.001 });
        let FailurePattern::Episode { from, to, within, .. } = fit.pattern else {
            panic!("{fit:?}")
        };
        assert!((2_220..=2_240).contains(&from), "{from}");
        assert_eq!(to, None);
        // Of 5,480 requests 30 %, give or take 0.6 %.
        assert!((within - 0.3).abs() < 0.025, "{within}");
        // A bad stretch of 20 s in every 300.
        let fit = fitted(|second| if second % 300 < 20 { 0.6 } else { 0.001 });
        let FailurePattern::Bursts { enter, leave, failures } = fit.pattern else {
            panic!("{fit:?}")
        };
        // Twelve stretches: 1 / 20 and 1 / 280.
        assert!((leave / 0.05 - 1.0).abs() < 0.3, "{leave}");
        assert!((enter * 280.0 - 1.0).abs() < 0.4, "{enter}");
        // 960 requests of 60 %: give or take 1.6 %.
        assert!((failures[0].probability - 0.6).abs() < 0.07, "{failures:?}");
    }
    /// Ten minutes in which every request failed, three of four with 503 and the others with 502;
    /// some 1.23 % of them before and after. Both together are at most all requests.
    #[test]
    fn in_a_total_outage_no_more_fail_than_all() {
        let ending = |id: u64| Ending::Status(if id % 17 < 13 { 503 } else { 502 });
        let of = |second: u64| if (600..1_200).contains(&second) { 1.0 } else { 0.012_3 };
        let fit = fitted_as(of, ending);
        let FailurePattern::Episode { from, to, within, failures, .. } = &fit.pattern else {
            panic!("{fit:?}")
        };
        assert_eq!((*from, *to, *within), (600, Some(1_200), 1.0));
        let [one, other] = [sum(&fit.normal), sum(failures)];
        assert!(one + other <= 1.0 && one + other > 1.0 - 1e-4, "{one} {other}");
    }

    #[test]
    fn probabilities_are_rounded_down_to_the_room_there_is() {
        let kind = |key: &str, probability| FailureKindFit {
            key: key.to_owned(),
            probability,
            latency: None,
        };
        let mut kinds = vec![kind("502", 0.234_57), kind("503", 0.765_44), kind("504", 1.1e-9)];
        make_room(&mut kinds, 0.987_7);
        assert_eq!(kinds.len(), 2);
        let found = sum(&kinds);
        assert!(found <= 0.987_7 && found > 0.987_7 - 1e-8, "{found}");
        let as_before = kinds.clone();
        make_room(&mut kinds, 1.0);
        assert_eq!(kinds, as_before);
    }

    /// Of 400 failures 100 were kept, each of which most probably belongs elsewhere: its time says
    /// nothing here, and a fifth of all four hundred count.
    #[test]
    fn a_sample_stands_for_all_in_number_and_not_in_where_it_belongs() {
        let failure =
            |second| SeenFailure { second, ending: Ending::Status(503), duration: Some(0.25) };
        let kept: Vec<SeenFailure> = (0..100).map(failure).collect();
        let found = kinds(&kept, |_| 0.2, 4.0, 1_000.0);
        let [kind] = &found[..] else { panic!("{found:?}") };
        assert_eq!((kind.probability, &kind.latency), (0.08, &None));
    }

    /// Three days of a request a second, in which every sixtieth minute is bad: bursts, which are
    /// not looked for in so long a recording.
    #[test]
    fn bursts_of_a_recording_that_is_too_long_are_told_to_be_unknown() {
        let mut version = SeenVersion::new(0, None, crate::units::Duration::ZERO);
        for second in 0..259_200 {
            let at = crate::units::Duration::from_secs(second);
            let failed = second / 60 % 60 == 7;
            version.outcomes.add(at, failed);
            if failed {
                version.failures.add(SeenFailure {
                    second: second as u32,
                    ending: Ending::Status(503),
                    duration: None,
                });
            }
        }
        let fit = FailureFit::of(&version).unwrap();
        assert!(fit.is_too_long && !matches!(fit.pattern, FailurePattern::Bursts { .. }));
    }
}
