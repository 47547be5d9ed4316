//! What loading answers beside a plan: all errors, or the warnings, with the texts they lie in.

use std::fmt;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Sources;
use super::problem::Problem;
use super::render;

/// Everything that is wrong with a scenario: at least one problem, each with its place.
///
/// Its display is meant for a terminal: per problem the file, line and column, the line itself with
/// the spot marked, and the remedy.
#[derive(Clone, Debug)]
pub struct ScenarioError {
    sources: Sources,
    list: Vec<Diagnostic>,
}

/// What is odd about a scenario that has a plan all the same: it will not do what it seems to.
///
/// Its display is like that of [`ScenarioError`]; it is empty where there is nothing odd.
#[derive(Clone, Debug)]
pub struct ScenarioWarnings {
    sources: Sources,
    list: Vec<Diagnostic>,
    /// How many runs are made.
    runs: u64,
}

/// The warnings that remain where no error was found.
///
/// # Errors
/// The errors that were found.
pub(crate) fn conclude(
    diagnostics: Diagnostics,
    sources: Sources,
) -> Result<ScenarioWarnings, ScenarioError> {
    let (errors, warnings) = diagnostics.into_sorted();
    if errors.is_empty() {
        Ok(ScenarioWarnings { sources, list: warnings, runs: 1 })
    } else {
        Err(ScenarioError { sources, list: errors })
    }
}

impl ScenarioWarnings {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.shown().count()
    }

    /// Each of them by itself, in the order of the display.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.shown().map(|diagnostic| diagnostic.to_problem(&self.sources))
    }

    /// What there is to warn of where so many runs are made, and not as many as the scenario says.
    #[must_use]
    pub fn for_runs(self, runs: u64) -> Self {
        Self { runs, ..self }
    }

    fn shown(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(|diagnostic| self.runs == 1 || !diagnostic.of_one_run)
    }
}

impl ScenarioError {
    /// How many problems there are, at least one.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Each of them by itself, in the order of the display.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.list.iter().map(|diagnostic| diagnostic.to_problem(&self.sources))
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::render("error", &self.list, &self.sources))
    }
}

impl fmt::Display for ScenarioWarnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<Diagnostic> = self.shown().cloned().collect();
        f.write_str(&render::render("warning", &shown, &self.sources))
    }
}

impl std::error::Error for ScenarioError {}
