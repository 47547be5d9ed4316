//! What a search for rules found, for every combination of what is varied: the file that machines
//! read, and that every other output is made from.

use serde::{Deserialize, Serialize};

use super::tuned::Tuned;
use crate::json::outline;
use crate::result::{FileDigest, json_problem};
use crate::scenario::NamedFault;
use crate::study::{Seeds, SweptScenario, Variation};
use crate::units::Ratio;

/// What a search for rules found. The same scenario, faults, seeds and build give the same, on
/// however many threads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuneReport {
    /// The number of the format: [`TuneReport::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine.
    pub coalmine: String,
    /// What was rehearsed.
    pub scenario: SweptScenario,
    /// The model whose rules were sought.
    pub model: String,
    /// The probability of a false rollback of a healthy release that was allowed.
    pub limit: Ratio,
    /// The seeds of the search.
    pub seeds: Seeds,
    /// How many runs of the healthy release each check was to make; 0: as many as it takes to prove
    /// the limit with one alarm among them.
    pub healthy: u64,
    /// The settings of the command line.
    pub settings: Vec<String>,
    /// The lists of faults.
    pub against: Vec<FileDigest>,
    /// The bad releases.
    pub faults: Vec<KnownFault>,
    /// What is varied.
    pub variations: Vec<Variation>,
    /// What was found for each combination of values, those of the last variation next to each
    /// other.
    pub combinations: Vec<Combination>,
    /// The combination whose recommended rules do the least harm (its place); absent where none has
    /// any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<usize>,
}

/// What was found under one value of each variation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// The value of each variation.
    pub values: Vec<String>,
    /// What was found.
    pub tuned: Tuned,
}

/// A bad release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFault {
    /// What it is called.
    pub name: String,
    /// How often it is expected beside the others.
    pub weight: f64,
    /// Whether the search has not seen it.
    pub held_out: bool,
}

impl KnownFault {
    /// What is told of a fault.
    pub fn of(fault: &NamedFault) -> Self {
        let NamedFault { name, weight, held_out, .. } = fault.clone();
        Self { name, weight, held_out }
    }
}

impl TuneReport {
    /// The number of the format that this version writes and reads.
    pub const SCHEMA: u64 = 1;

    /// The combination whose recommended rules do the least harm (its place).
    pub fn best_of(combinations: &[Combination]) -> Option<usize> {
        let harm = |combination: &Combination| combination.tuned.best()?.harm.value;
        let known = combinations.iter().enumerate().filter_map(|(at, one)| Some((at, harm(one)?)));
        known.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(place, _)| place)
    }

    /// As the file that is written.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The report that the text of a file holds.
    ///
    /// # Errors
    /// It is none; what is wrong, in words.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("{} at line {line}, column {column}", json_problem(&error))
        })
    }
}
