//! What became of several gated scenarios: the file that machines read.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, OutcomeCounts};
use crate::gate::Judgement;
use crate::result::outline;

/// What became of several gated scenarios. The same scenarios, seeds, baselines and build give the
/// same.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SuiteReport {
    /// The number of the format: [`SuiteReport::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that gated.
    pub coalmine: String,
    /// The gravest outcome of all scenarios; nothing to evaluate where there are none.
    pub outcome: Outcome,
    /// How many came out how.
    pub counts: OutcomeCounts,
    /// Each, in the order of their files.
    pub scenarios: Vec<GatedScenario>,
    /// Files that were found and are no scenarios by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What became of a scenario.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GatedScenario {
    /// Its file, as named or found.
    pub file: String,
    /// Its name; that of its file, without the ending, where it cannot be read.
    pub name: String,
    /// What it shows, in a line; empty where it cannot be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it cannot be read or run: the text for a terminal, of one or more lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The seeds of its runs, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// Requests of all its runs.
    pub requests: u64,
    /// What its gate found; absent where it cannot be read or run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// What its gate was held against, where that is a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<AgainstStored>,
    /// The folder that its report files went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The command that gates it again.
    pub repeat: String,
}

/// The baseline that a gate was held against.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgainstStored {
    /// Its file.
    pub file: String,
    /// How many runs it holds.
    pub runs: u64,
    /// How many of them have the seed of a run that was judged.
    pub pairs: u64,
    /// In what its scenario differs: the paths of values, each with both values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
}

/// A file that was found and is no scenario by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its path.
    pub file: String,
    /// Why it is left out.
    pub why: String,
}

impl SuiteReport {
    /// The number of the format that this version writes.
    pub const SCHEMA: u64 = 1;

    /// Of these scenarios.
    pub fn of(scenarios: Vec<GatedScenario>, left_out: Vec<LeftOut>) -> Self {
        let outcomes = || scenarios.iter().map(|scenario| scenario.outcome);
        Self {
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            outcome: outcomes().max().unwrap_or(Outcome::NothingToEvaluate),
            counts: OutcomeCounts::of(outcomes()),
            scenarios,
            left_out,
        }
    }

    /// The file's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }
}
