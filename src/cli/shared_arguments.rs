//! What several commands take on their command line.

use clap::{Args, ValueEnum};

use super::quoting::shell_word;
use crate::clock::TimeScale;
use crate::stats::Confidence;
use crate::units::{Duration, LiteralError, Ratio};

/// How a scenario file is read.
#[derive(Clone, Debug, Args)]
pub(super) struct ScenarioArguments {
    /// Change a value of the scenario: a path of keys, and of the numbers or names of items, joined
    /// by dots, and a YAML value; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(super) settings: Vec<String>,
    /// Let the scenario name files outside its own folder and the working directory
    #[arg(long)]
    pub(super) allow_outside: bool,
}

impl ScenarioArguments {
    /// The options for a shell, as they were given, each with a blank before it.
    pub(super) fn as_given(&self) -> String {
        let settings = self.settings.iter().map(|one| format!(" --set {}", shell_word(one)));
        let outside = self.allow_outside.then(|| " --allow-outside".to_owned());
        settings.chain(outside).collect()
    }
}

/// Which verdicts fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum FailOn {
    /// A gate that fails, and one that cannot be decided.
    Inconclusive,
    /// Only a gate that fails.
    Fail,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What is printed of a report or a comparison on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people.
    Text,
    /// The JSON file that is written, for machines.
    Json,
    /// The Markdown file that is written, for a pull request or a CI job's page.
    Markdown,
    /// The CSV file that is written, for other programs.
    Csv,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// What is wrong with a word of the command line, and what may have been meant.
pub(super) fn told(error: &LiteralError) -> String {
    let meant = error.suggestion().map(|meant| format!("; did you mean {meant}?"));
    format!("{error}{}", meant.unwrap_or_default())
}

/// A share of 0 to 1, also in percent.
pub(super) fn share(text: &str) -> Result<Ratio, String> {
    Ratio::parse(text).map_err(|error| told(&error))
}

/// A confidence of one half or more.
pub(super) fn confidence(text: &str) -> Result<Confidence, String> {
    let share = share(text)?.get();
    let confidence = Confidence::new(share).filter(|_| share >= 0.5);
    confidence.ok_or_else(|| "a confidence is 50% or more and below 100%, such as 95%".to_owned())
}

/// A length of time, or a time since the beginning of a trace. None at all needs no unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let parsed = if text == "0" { Ok(Duration::ZERO) } else { Duration::parse(text) };
    parsed.map_err(|error| told(&error))
}

/// A length of time above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = time(text)?;
    if parsed.is_zero() { Err("allowed is more than 0s".to_owned()) } else { Ok(parsed) }
}

/// How many times as fast as on the wall a run's time passes.
pub(super) fn speed(text: &str) -> Result<TimeScale, String> {
    let times = text.parse().map_err(|_| format!("{text:?} is no number, such as 10"))?;
    TimeScale::new(times).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_0_and_a_duration_not() {
        assert_eq!(time("0"), Ok(Duration::ZERO));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        assert_eq!(time("1m30s"), Ok(Duration::from_secs(90)));
        assert!(time("5").unwrap_err().ends_with("; did you mean 5s?"), "{:?}", time("5"));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for zero in ["0", "0s"] {
            assert_eq!(duration(zero), Err("allowed is more than 0s".to_owned()));
        }
    }
}
