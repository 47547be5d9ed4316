//! What several commands take on their command line.

use clap::{Args, ValueEnum};

use super::quoting::shell_word;
use crate::units::{Duration, LiteralError};

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

/// A length of time above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = Duration::parse(text).map_err(|error: LiteralError| {
        let meant = error.suggestion().map(|meant| format!("; did you mean {meant}?"));
        format!("{error}{}", meant.unwrap_or_default())
    })?;
    if parsed.is_zero() { Err("allowed is more than 0s".to_owned()) } else { Ok(parsed) }
}
