//! When a canary lost its traffic, as far as the recording shows it.

use serde::{Deserialize, Serialize};

use super::survey::Tenure;
use super::terms::SaidEnd;
use crate::math;
use crate::units::{Duration, VersionId};

/// When a version lost its traffic: between two instants since the trace began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordedEnd {
    /// Which version.
    pub version: VersionId,
    /// The earliest: its last request, or what is said.
    pub earliest: Duration,
    /// The latest: by then so many requests had gone elsewhere that it is no chance, or what is
    /// said.
    pub latest: Duration,
    /// Requests of other versions after its last.
    pub requests_after: u64,
    /// Whether it is what the user says, not what the recording shows.
    pub said: bool,
}

impl RecordedEnd {
    /// The end of a version's traffic; `None` where it may well have gone on, or is said to have.
    ///
    /// A version with the share p of the traffic gets none of the next n requests with probability
    /// (1 - p)^n. It has lost its traffic where that is below [`LEAST_CHANCE`].
    pub(super) fn of(tenure: &Tenure, said: Option<SaidEnd>, trace_end: Duration) -> Option<Self> {
        let end = |earliest, latest, said| Self {
            version: tenure.id.clone(),
            earliest,
            latest,
            requests_after: tenure.since_last,
            said,
        };
        match said {
            Some(SaidEnd::Never) => None,
            Some(SaidEnd::At(at)) => Some(end(at, at, true)),
            None => {
                let no_chance =
                    |requests: u64| chance_of_none(tenure.share(), requests) < LEAST_CHANCE;
                if !no_chance(tenure.since_last) {
                    return None;
                }
                let step = tenure.steps.iter().find(|(requests, _)| no_chance(*requests));
                Some(end(tenure.last.at, step.map_or(trace_end, |(_, at)| *at), false))
            }
        }
    }
}

/// When what was bad from `from` on was over: as is `said`, or else when the first of the canaries
/// that had traffic then or later, with these `ends`, had lost it.
pub(super) fn incident_end<'a>(
    (from, said): (Duration, Option<Duration>),
    ends: impl Iterator<Item = &'a RecordedEnd>,
) -> Option<Duration> {
    said.or_else(|| ends.map(|end| end.latest).filter(|latest| *latest >= from).min())
}

/// The probability that a version with this share of the traffic gets none of so many requests.
pub(super) fn chance_of_none(share: f64, requests: u64) -> f64 {
    if requests == 0 {
        return 1.0;
    }
    math::exp(requests as f64 * math::ln_1p(-share))
}

/// Chosen: one recording in a thousand is said to show an end where chance alone did.
pub(super) const LEAST_CHANCE: f64 = 0.001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_no_request_is_that_of_independent_draws() {
        assert_eq!(chance_of_none(0.2, 0), 1.0);
        assert!((chance_of_none(0.2, 3) - 0.512).abs() < 1e-12);
        // 0.8^30 = 0.001238, 0.8^31 = 0.000990.
        assert!(chance_of_none(0.2, 30) > LEAST_CHANCE && chance_of_none(0.2, 31) < LEAST_CHANCE);
        assert_eq!(chance_of_none(1.0, 1), 0.0);
    }
}
