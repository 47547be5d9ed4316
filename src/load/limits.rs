//! What a request must keep to for goodput.

use std::fmt;

use serde::Serialize;

use super::finished::Finished;
use crate::exchange::Ending;
use crate::units::Duration;

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// From the intended time to the end.
    Latency,
    /// From the intended time to the first content, of a streamed answer.
    Ttft,
    /// The mean time of a token after the first, of a streamed answer.
    Tpot,
    /// The longest time between two pieces of a streamed answer.
    Gap,
}

impl Limit {
    /// All.
    pub const ALL: [Self; 4] = [Self::Latency, Self::Ttft, Self::Tpot, Self::Gap];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Ttft => "ttft",
            Self::Tpot => "tpot",
            Self::Gap => "gap",
        }
    }

    /// The limit of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    fn of(self, finished: &Finished<'_>) -> Option<Duration> {
        match self {
            Self::Latency => Some(finished.latency()),
            Self::Ttft => finished.first_token(),
            Self::Tpot => finished.per_output_token(),
            Self::Gap => finished.longest_gap(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Limits that a request must keep to for goodput, each at most once.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Limits(Vec<(Limit, Duration)>);

impl Limits {
    /// With one more, in the place of one of the same kind.
    #[must_use]
    pub fn with(mut self, limit: Limit, most: Duration) -> Self {
        self.0.retain(|(other, _)| *other != limit);
        self.0.push((limit, most));
        self.0.sort_unstable();
        self
    }

    /// Each with what is allowed at most.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, Duration)> {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request succeeded within all of them. What it does not have (a first token where
    /// nothing was streamed, a time between tokens where there was one) keeps to any limit.
    pub fn are_kept_by(&self, finished: &Finished<'_>) -> bool {
        finished.ending == Ending::Success
            && self.iter().all(|(limit, most)| limit.of(finished).is_none_or(|it| it <= most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::finished::tests::stream;

    #[test]
    fn a_request_is_good_if_it_succeeded_within_all_limits() {
        let gaps = [30, 10].map(Duration::from_millis);
        // Latency 100 ms, first token 42 ms, 20 ms a token, the longest gap 30 ms.
        let good = stream([42, 82], &gaps, 3);
        let keeps = |limit, millis| {
            Limits::default().with(limit, Duration::from_millis(millis)).are_kept_by(&good)
        };
        for (limit, exact) in
            [(Limit::Latency, 100), (Limit::Ttft, 42), (Limit::Tpot, 20), (Limit::Gap, 30)]
        {
            assert!(keeps(limit, exact), "{limit}: at most is at most");
            assert!(!keeps(limit, exact - 1), "{limit}");
        }
        let both = Limits::default()
            .with(Limit::Ttft, Duration::from_millis(42))
            .with(Limit::Gap, Duration::from_millis(29));
        assert!(!both.are_kept_by(&good));
        let failed = Finished { ending: Ending::Reset, ..good };
        assert!(!Limits::default().are_kept_by(&failed));
    }

    #[test]
    fn what_was_not_streamed_keeps_to_limits_of_streams() {
        let plain = Finished { first_content: None, last_content: None, ..stream([1, 1], &[], 3) };
        let limits = Limits::default().with(Limit::Ttft, Duration::from_millis(1));
        assert!(limits.are_kept_by(&plain));
    }

    #[test]
    fn the_last_of_a_kind_counts_and_names_are_known() {
        let limits = Limits::default()
            .with(Limit::Gap, Duration::from_millis(1))
            .with(Limit::Gap, Duration::from_millis(2));
        assert_eq!(limits.iter().collect::<Vec<_>>(), [(Limit::Gap, Duration::from_millis(2))]);
        for limit in Limit::ALL {
            assert_eq!(Limit::by_name(limit.name()), Some(limit));
        }
        assert_eq!(Limit::by_name("p99"), None);
    }
}
