//! The document that tells of scenario files and their problems.

use serde::Serialize;

use super::contents::Contents;
use crate::json::outline;
use crate::scenario::{Problem, Severity};

/// What is known of several scenario files. What its fields mean is said in its JSON Schema,
/// [`validation_schema`](super::schema::validation_schema).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Validation {
    /// The name of its JSON Schema.
    #[serde(rename = "$schema")]
    description: String,
    /// The number of the format: [`Validation::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that made it.
    pub coalmine: String,
    /// Whether every file is valid.
    pub ok: bool,
    /// The files, in the order in which they were checked.
    pub files: Vec<ValidatedFile>,
    /// Files that were found and not checked: each is only a part of others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<PartLeftOut>,
}

/// What is known of a scenario file.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ValidatedFile {
    /// Its path, as it was named or found.
    pub file: String,
    /// Whether it is valid: it can be run.
    pub ok: bool,
    /// What is wrong with it or odd about it: the first [`ValidatedFile::MOST_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// How many problems more there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_problems: u64,
    /// What it holds, if it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

/// A file that is only a part of scenarios.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PartLeftOut {
    /// Its path, as it was found.
    pub file: String,
    /// A file that it is a part of.
    pub part_of: String,
    /// The keys that every scenario has and it lacks.
    pub lacks: Vec<&'static str>,
}

impl Validation {
    /// The number of the format that this version writes.
    pub const SCHEMA: u64 = 1;

    /// Of these files.
    pub fn new(files: Vec<ValidatedFile>, left_out: Vec<PartLeftOut>) -> Self {
        Self {
            description: Self::schema_name(),
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            ok: files.iter().all(|file| file.ok),
            files,
            left_out,
        }
    }

    /// The document's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The name of the JSON Schema of this format.
    pub(super) fn schema_name() -> String {
        format!("urn:coalmine:validation:{}", Self::SCHEMA)
    }
}

impl ValidatedFile {
    /// How many problems are kept of a file. Chosen: more are those of a file of another kind.
    pub const MOST_PROBLEMS: usize = 1_000;

    /// A file with these problems, which is valid if none of them is an error.
    pub fn new(file: String, mut problems: Vec<Problem>, contents: Option<Contents>) -> Self {
        let ok = problems.iter().all(|problem| problem.severity != Severity::Error);
        let more_problems = problems.len().saturating_sub(Self::MOST_PROBLEMS) as u64;
        problems.truncate(Self::MOST_PROBLEMS);
        Self { file, ok, problems, more_problems, contents: contents.filter(|_| ok) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{ProblemKind, Spot};

    fn problem(kind: ProblemKind) -> Problem {
        Problem::new(kind, Spot::line("a.yaml", 1), "x")
    }

    #[test]
    fn only_errors_make_a_file_invalid_and_one_file_the_whole() {
        let odd = || ValidatedFile::new("a".into(), vec![problem(ProblemKind::OddScenario)], None);
        let broken = ValidatedFile::new("b".into(), vec![problem(ProblemKind::BrokenYaml)], None);
        assert!(odd().ok && !broken.ok);
        assert!(Validation::new(vec![odd()], Vec::new()).ok);
        assert!(!Validation::new(vec![odd(), broken], Vec::new()).ok);
    }

    #[test]
    fn a_file_of_another_kind_does_not_fill_the_document() {
        let problems = vec![problem(ProblemKind::InvalidScenario); 1_234];
        let file = ValidatedFile::new("a".into(), problems, None);
        assert_eq!((file.problems.len(), file.more_problems, file.ok), (1_000, 234, false));
    }
}
