//! What is wrong with a scenario, where, and what to write instead.
//!
//! Problems are collected, never thrown: a person who mistyped three values learns of all three at
//! once. Knows nothing of the format.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Place, Sources};
use super::problem::{Note, Problem, ProblemKind, Severity};
use super::tree::Node;

/// One problem of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Diagnostic {
    /// Of which kind it is, wherever it is.
    kind: ProblemKind,
    /// Where.
    pub(crate) place: Place,
    /// What is wrong: the value found and what is allowed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Vec<String>,
    /// Other places that have to do with it.
    pub(crate) notes: Vec<(Place, String)>,
    /// Whether it is none where several runs are made.
    pub(crate) of_one_run: bool,
}

impl Diagnostic {
    /// A problem at `place`.
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Self {
        let (kind, help, notes) = (ProblemKind::InvalidScenario, Vec::new(), Vec::new());
        Self { kind, place, message: message.into(), help, notes, of_one_run: false }
    }

    /// That is none where several runs are made, whatever the scenario says.
    pub(crate) fn of_one_run(self) -> Self {
        Self { of_one_run: true, ..self }
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

    /// As a problem that needs no `sources` beside it.
    pub(crate) fn to_problem(&self, sources: &Sources) -> Problem {
        let kind = match self.kind.severity() {
            Severity::Error if self.place.is_setting() => ProblemKind::InvalidSetting,
            _ => self.kind,
        };
        let note = |(place, message): &(Place, String)| {
            let (place, message) = (sources.spot(*place), message.clone());
            Note { place, message }
        };
        Problem {
            help: self.help.clone(),
            notes: self.notes.iter().map(note).collect(),
            ..Problem::new(kind, sources.spot(self.place), self.message.as_str())
        }
    }

    /// With another place that has to do with it.
    pub(crate) fn note(mut self, place: Place, note: impl Into<String>) -> Self {
        self.notes.push((place, note.into()));
        self
    }
}

/// The problems found so far: errors, with which there is no plan, and warnings beside a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics {
    /// Of which kind the errors are that are reported now; of an invalid scenario by default.
    kind: Option<ProblemKind>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Places whose error is told: what else is found there follows from it.
    settled: BTreeSet<Place>,
    /// Maps of which a part is left out: whether their parts fit together is not known.
    lacking: BTreeSet<Place>,
    /// Where values stand that came from elsewhere, and from where.
    origins: BTreeMap<Place, Vec<(Place, String)>>,
}

impl Diagnostics {
    /// What `look` answers; whatever errors it reports are of this kind.
    pub(crate) fn told_as<T>(&mut self, kind: ProblemKind, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.kind.replace(kind);
        let answer = look(self);
        self.kind = before;
        answer
    }

    /// Adds an error.
    pub(crate) fn report(&mut self, mut diagnostic: Diagnostic) {
        if !self.settled.contains(&diagnostic.place) {
            diagnostic.kind = self.kind.unwrap_or(diagnostic.kind);
            let diagnostic = self.with_origins(diagnostic);
            self.errors.push(diagnostic);
        }
    }

    /// Adds an error of a `whole` whose parts do not fit together, with where those come from that
    /// do not stand there.
    pub(crate) fn report_whole(&mut self, mut diagnostic: Diagnostic, whole: &Node) {
        if self.lacking.contains(&whole.place) {
            return;
        }
        let origins = whole.places().into_iter().filter_map(|place| self.origins.get(&place));
        for note in origins.flatten() {
            if !diagnostic.notes.contains(note) {
                diagnostic.notes.push(note.clone());
            }
        }
        self.report(diagnostic);
    }

    /// Adds an error that leaves the value at its place unknown: what later passes find there is no
    /// problem of its own.
    pub(crate) fn settle(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.place;
        self.report(diagnostic);
        self.leave(place);
    }

    /// The value at `place` is unknown for a reason that is told elsewhere: what later passes find
    /// there is no problem of its own.
    pub(crate) fn leave(&mut self, place: Place) {
        self.settled.insert(place);
    }

    /// A part of the map at `place` is left out, which is told elsewhere: that the others do not
    /// fit together is no problem of its own.
    pub(crate) fn lacks_parts(&mut self, place: Place) {
        self.lacking.insert(place);
    }

    /// Whether an error was found so far.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Adds a warning.
    pub(crate) fn warn(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.kind = ProblemKind::OddScenario;
        let diagnostic = self.with_origins(diagnostic);
        self.warnings.push(diagnostic);
    }

    /// Remembers that the value at `place` came from `origin`, so that whatever is wrong with it is
    /// told with `note` there.
    pub(crate) fn came_from(&mut self, place: Place, origin: Place, note: String) {
        let origins = self.origins.entry(place).or_default();
        if !origins.contains(&(origin, note.clone())) {
            origins.push((origin, note));
        }
    }

    /// Whether the text at `place` came from elsewhere in part or whole, so that columns within it
    /// mean nothing.
    pub(crate) fn is_from_elsewhere(&self, place: Place) -> bool {
        self.origins.contains_key(&place)
    }

    /// The errors and the warnings, each sorted by place and each once.
    pub(crate) fn into_sorted(self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let sorted = |mut list: Vec<Diagnostic>| {
            list.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
            // The parts of one alias are checked wherever it is used, and fail alike each time.
            list.dedup();
            list
        };
        (sorted(self.errors), sorted(self.warnings))
    }

    fn with_origins(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let origins = self.origins.get(&diagnostic.place);
        diagnostic.notes.extend(origins.into_iter().flatten().cloned());
        diagnostic
    }
}
