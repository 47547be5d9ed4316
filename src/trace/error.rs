//! What can be wrong with a trace, and where.

use std::io;

use crate::units::Duration;

/// A trace that cannot be read on: the line and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TraceError {
    line: u64,
    kind: TraceErrorKind,
}

impl TraceError {
    pub(crate) const fn new(line: u64, kind: TraceErrorKind) -> Self {
        Self { line, kind }
    }

    /// The line, counted from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// What is wrong.
    pub const fn kind(&self) -> &TraceErrorKind {
        &self.kind
    }
}

/// What is wrong with a line of a trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceErrorKind {
    /// The source could not be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// Nothing in it, or blank lines only.
    #[error("the trace is empty")]
    Empty,
    /// A header and no rows.
    #[error("the trace has a header but no rows")]
    NoRows,
    /// The first line is no header of a known format.
    #[error("{found:?} begins no known trace format: known are {known}")]
    UnknownFormat {
        /// The first line's beginning.
        found: String,
        /// The known formats and how they begin.
        known: String,
    },
    /// A coalmine trace of another version.
    #[error("version {found:?} of coalmine's trace format is not known: known is 1")]
    UnsupportedVersion {
        /// The version.
        found: String,
    },
    /// A byte that no text has.
    #[error(
        "byte 0x{byte:02x} at position {position} is not text: a trace is UTF-8 without NUL, \
         neither compressed nor otherwise binary"
    )]
    NotText {
        /// The byte.
        byte: u8,
        /// Its place in the line, counted from 1.
        position: usize,
    },
    /// A line without end.
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// How long a line may be.
        limit: u64,
    },
    /// The source ends inside of a row.
    #[error("the trace was cut off in this row, its last: copy the whole file again")]
    CutOff,
    /// A quoted cell that its line does not end.
    #[error("a quoted cell is not closed before the end of the line")]
    OpenQuote,
    /// Too few or too many cells.
    #[error("the row has {found} cells and the header {expected} columns")]
    CellCount {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A column that the format does not have.
    #[error("column {name:?} is not known: known are {known}")]
    UnknownColumn {
        /// Its name.
        name: String,
        /// All that are known.
        known: String,
    },
    /// A column or key twice.
    #[error("column {name:?} is there twice")]
    DuplicateColumn {
        /// Its name.
        name: &'static str,
    },
    /// No value for a column that every row needs.
    #[error("column {name:?} is missing: every row needs one")]
    MissingColumn {
        /// Its name.
        name: &'static str,
    },
    /// A value outside of what its column allows.
    #[error("{column} is {value:?}: allowed is {allowed}")]
    Value {
        /// The column.
        column: &'static str,
        /// What stands there, its beginning if it is long.
        value: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Blocks of a prompt that do not make up its tokens.
    #[error(
        "{found} blocks for {input} input tokens: blocks of {block} tokens would be {expected}"
    )]
    Blocks {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
        /// Tokens of the prompt.
        input: u32,
        /// Tokens of a block.
        block: u32,
    },
    /// Rows whose times are closer than what they are to be spread over.
    #[error(
        "the row is {apart} after the rows before it: times are not rounded to {quantum}, so \
         they cannot be spread over it"
    )]
    NotQuantised {
        /// How long after them.
        apart: Duration,
        /// What they are to be spread over.
        quantum: Duration,
    },
    /// More rows of one time than can be spread.
    #[error("more than {limit} rows have one time: they cannot be spread")]
    TooManyAtOnce {
        /// How many may.
        limit: usize,
    },
    /// Nothing says how long one turn of a trace takes that is to be repeated.
    #[error(
        "the trace has no two rows of different times: give it a `window`, which says when it \
         begins anew"
    )]
    NoLength,
    /// A line that is not one JSON object.
    #[error("not a JSON object: {}", without_place(.0))]
    Json(serde_json::Error),
    /// A row before its predecessor.
    #[error("the row is {earlier_by} earlier than line {previous_line}: rows are in order of time")]
    OutOfOrder {
        /// By how much.
        earlier_by: Duration,
        /// The line of the row before it.
        previous_line: u64,
    },
    /// A row without a session, where requests stick by it.
    #[error(
        "the row names no session, by which requests are to stick: take a trace whose rows do, \
         write `workload.sessions`, or `sticky_by: user`"
    )]
    NoSession,
    /// A model that the workload's plan does not have.
    #[error("model {model:?} is not in the plan: there are {known}")]
    UnknownModel {
        /// The model.
        model: String,
        /// The plan's models.
        known: String,
    },
}

impl TraceErrorKind {
    pub(super) fn value(column: &'static str, value: &str, allowed: &'static str) -> Self {
        Self::Value { column, value: beginning(value), allowed }
    }
}

/// At most 60 characters: a message stays readable whatever the file holds.
pub(super) fn beginning(text: &str) -> String {
    let mut characters = text.chars();
    let mut beginning: String = characters.by_ref().take(60).collect();
    if characters.next().is_some() {
        beginning.push('…');
    }
    beginning
}

/// `serde_json` counts lines within the text it was given, which here is always one.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    format!("{reason} at position {}", error.column())
}
