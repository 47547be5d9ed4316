//! The one error of loading: all problems with the texts that they lie in.

use std::fmt;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Sources;
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

impl ScenarioError {
    /// The error of these problems; `None` where there are none.
    pub(crate) fn of(diagnostics: Diagnostics, sources: Sources) -> Option<Self> {
        let list = diagnostics.into_sorted();
        (!list.is_empty()).then_some(Self { sources, list })
    }

    /// How many problems there are, at least one.
    pub fn count(&self) -> usize {
        self.list.len()
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::render(&self.list, &self.sources))
    }
}

impl std::error::Error for ScenarioError {}
