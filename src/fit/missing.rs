//! What a scenario must have and a recording does not.

use serde::Serialize;

use super::fitted::Fitted;
use super::latency_fit::LatencyFit;
use crate::units::Duration;

/// Something that was not recorded, nor given in its place: the scenario lacks it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Missing {
    /// How long the answers of a version take.
    Latency {
        /// Its id in the scenario.
        version: String,
    },
    /// How many tokens prompts have.
    InputTokens,
    /// How many tokens answers have.
    OutputTokens,
}

impl Missing {
    /// What it is, and the option by which it is given.
    pub fn in_words(&self) -> String {
        match self {
            Self::Latency { version } => format!("the latency of {version} (--latency)"),
            Self::InputTokens => "tokens.input (--tokens)".to_owned(),
            Self::OutputTokens => "tokens.output (--tokens)".to_owned(),
        }
    }
}

impl Fitted {
    /// What must be added to the scenario before it can be run.
    pub fn missing(&self) -> Vec<Missing> {
        let versions = self.models.iter().flat_map(|model| &model.versions);
        let unknown = versions.filter(|version| version.latency == LatencyFit::Unknown);
        let latencies = unknown.map(|version| Missing::Latency { version: version.id.clone() });
        let lacks_tokens = self.given_tokens.is_none();
        let input = (lacks_tokens && self.tokens.input.is_none()).then_some(Missing::InputTokens);
        let output =
            (lacks_tokens && self.tokens.output.is_none()).then_some(Missing::OutputTokens);
        input.into_iter().chain(output).chain(latencies).collect()
    }

    /// Takes `latency` for the answers of each version of which none is recorded. Whether there is
    /// any.
    pub fn give_latency(&mut self, latency: Duration) -> bool {
        let versions = self.models.iter_mut().flat_map(|model| &mut model.versions);
        let mut is_needed = false;
        for version in versions.filter(|version| version.latency == LatencyFit::Unknown) {
            version.latency = LatencyFit::Given(latency);
            is_needed = true;
        }
        is_needed
    }

    /// Takes these tokens of prompts and answers for the sides that are not recorded. Whether there
    /// is any.
    pub fn give_tokens(&mut self, tokens: [u32; 2]) -> bool {
        let is_needed = self.tokens.input.is_none() || self.tokens.output.is_none();
        if is_needed {
            self.given_tokens = Some(tokens);
        }
        is_needed
    }

    /// The same with something in place of all that is missing, so that the rest can be played: it
    /// is never written.
    pub(super) fn with_stand_ins(&self) -> Self {
        let mut complete = self.clone();
        // In time, where the gateway is known to give up earlier.
        let latency = self.timeout.map_or(STAND_IN, |timeout| STAND_IN.min(timeout.mul_f64(0.5)));
        complete.give_latency(latency);
        if complete.given_tokens.is_none() {
            complete.give_tokens([1, 1]);
        }
        complete
    }
}

/// Chosen: any time; nothing that is compared depends on it.
const STAND_IN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::super::observed::Observed;
    use super::super::{Goodness, RecordingSource};
    use super::*;
    use crate::trace::TraceRecord;
    use crate::units::Tokens;

    /// 1,000 requests, a second apart, give or take half of one.
    fn fitted(of: impl Fn(TraceRecord) -> TraceRecord) -> (Observed, Fitted) {
        let mut observed = Observed::default();
        for number in 0..1_000 {
            let at = Duration::from_millis(number * 1_000 + number * number % 997 / 2);
            observed.add(&of(TraceRecord { at, ..TraceRecord::default() })).unwrap();
        }
        let fitted = Fitted::of(&observed, None).unwrap();
        (observed, fitted)
    }

    #[test]
    fn what_is_not_recorded_is_left_out_and_told() {
        let (observed, fitted) = fitted(|record| record);
        let version = "recorded".to_owned();
        let missing =
            vec![Missing::InputTokens, Missing::OutputTokens, Missing::Latency { version }];
        assert_eq!(fitted.missing(), missing);
        let yaml = fitted.to_yaml("twin", &RecordingSource::default());
        let lines: Vec<&str> = yaml.lines().filter(|line| !line.trim().starts_with('#')).collect();
        assert!(!lines.iter().any(|line| line.contains("tokens") || line.contains("latency")));
        assert!(lines.contains(&"        upstream: {}"), "{yaml}");
        assert!(yaml.contains("--latency.") && yaml.contains("--tokens."), "{yaml}");
        let source = RecordingSource::default();
        let goodness = Goodness::of(&observed, &fitted, "twin", &source, 1).unwrap();
        assert_eq!(goodness.missing, missing);
        assert!(goodness.figures.iter().all(|figure| figure.of == "arrivals"));
    }

    #[test]
    fn what_is_given_stands_in_the_place_of_what_is_not_recorded_alone() {
        let (_, mut fitted) =
            fitted(|record| TraceRecord { input: Some(Tokens::new(317)), ..record });
        assert!(fitted.give_latency(Duration::from_millis(892)));
        assert!(!fitted.give_latency(Duration::from_millis(892)), "no longer needed");
        assert!(fitted.give_tokens([620, 210]));
        assert!(fitted.missing().is_empty());
        let yaml = fitted.to_yaml("twin", &RecordingSource::default());
        for line in ["    input: 317", "    output: 210", "          latency: 892ms"] {
            assert!(yaml.lines().any(|found| found == line), "{line}\n{yaml}");
        }
        assert!(yaml.contains("# Not recorded: given by --latency."), "{yaml}");
        super::super::twin::twin(&yaml, 1, 10_000).unwrap();
    }
}
