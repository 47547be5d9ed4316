//! What is wrong with a scenario, where, and what to write instead.
//!
//! Problems are collected, never thrown: a person who mistyped three values learns of all three at
//! once. Knows nothing of the format.

use super::place::Place;

/// One problem of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Diagnostic {
    /// Where.
    pub(crate) place: Place,
    /// What is wrong: the value found and what is allowed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Vec<String>,
    /// Other places that have to do with it.
    pub(crate) notes: Vec<(Place, String)>,
}

impl Diagnostic {
    /// A problem at `place`.
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: Vec::new(), notes: Vec::new() }
    }

    /// With a remedy.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// With what was probably meant, where there is a guess.
    pub(crate) fn suggest(self, meant: Option<&str>) -> Self {
        match meant {
            Some(meant) => self.help(format!("did you mean `{meant}`?")),
            None => self,
        }
    }

    /// With another place that has to do with it.
    pub(crate) fn note(mut self, place: Place, note: impl Into<String>) -> Self {
        self.notes.push((place, note.into()));
        self
    }
}

/// The problems found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// All of them, sorted by place, each once.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
        // The parts of one alias are checked wherever it is used, and fail alike each time.
        self.list.dedup();
        self.list
    }
}
