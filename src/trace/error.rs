//! What can be wrong with a trace, and where.

use std::fmt;
use std::io;

use super::options::TimeUnit;
use crate::units::Duration;

/// A trace that cannot be read on: where, and what is wrong there.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct TraceError {
    place: TracePlace,
    kind: TraceErrorKind,
}

/// A place in a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TracePlace {
    /// A line of a text, counted from 1.
    Line(u64),
    /// An entry of a document, and the line that it begins on, both counted from 1.
    Entry {
        /// The line.
        line: u64,
        /// Which entry.
        entry: u64,
    },
    /// A row of a binary trace, counted from 1.
    Row(u64),
    /// A byte of a binary trace, counted from 0.
    Byte(u64),
}

impl TraceError {
    pub(crate) const fn new(place: TracePlace, kind: TraceErrorKind) -> Self {
        Self { place, kind }
    }

    /// Where.
    pub const fn place(&self) -> TracePlace {
        self.place
    }

    /// The line, counted from 1; `None` in a binary trace, which has none.
    pub const fn line(&self) -> Option<u64> {
        match self.place {
            TracePlace::Line(line) | TracePlace::Entry { line, .. } => Some(line),
            TracePlace::Row(_) | TracePlace::Byte(_) => None,
        }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &TraceErrorKind {
        &self.kind
    }
}

impl TracePlace {
    /// The line, the row or the byte.
    pub const fn number(self) -> u64 {
        match self {
            Self::Line(number)
            | Self::Row(number)
            | Self::Byte(number)
            | Self::Entry { line: number, .. } => number,
        }
    }
}

impl fmt::Display for TracePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Entry { line, entry } => write!(f, "line {line}, entry {entry}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

/// What is wrong with a trace, at its place.
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
    #[error(
        "{found:?} begins no known trace format ({known}): if it is one of them, say which by \
         `coalmine trace import --format`; docs/trace-format.md shows how each begins"
    )]
    UnknownFormat {
        /// The first line's beginning.
        found: String,
        /// The known formats.
        known: String,
    },
    /// A coalmine trace of another version.
    #[error("version {found:?} of coalmine's trace format is not known to this coalmine")]
    UnsupportedVersion {
        /// The version.
        found: String,
    },
    /// A byte that no text has.
    #[error(
        "byte 0x{byte:02x} at position {position} is not text: a trace is UTF-8 without NUL, as \
         it is or packed with gzip or zstd, or coalmine's binary form"
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
    /// A carriage return in mid line.
    #[error(
        "a carriage return stands at position {position} of the line: lines end in LF or CR LF"
    )]
    LoneReturn {
        /// Its place in the line, counted from 1.
        position: usize,
    },
    /// The source ends inside of a row.
    #[error("the trace was cut off in this row, its last: copy the whole file again")]
    CutOff,
    /// A document that ends before its end, and another begins.
    #[error("the document was cut off on this line, before its end: another begins on the next")]
    CutShort,
    /// A binary trace that ends before its end.
    #[error("the trace was cut off here, within {part}: copy the whole file again")]
    CutOffPacked {
        /// In what.
        part: &'static str,
    },
    /// Bytes of a binary trace that are not as they were written.
    #[error("{part} is damaged: copy the file again, or import its source again")]
    Damaged {
        /// What.
        part: &'static str,
    },
    /// A text that is said to be a binary trace.
    #[error("the trace is a text, not coalmine's binary form: leave `--format` out")]
    NotPacked,
    /// A binary trace that is said to be in another format.
    #[error("the trace is coalmine's binary form, not {told}: leave `--format {told}` out")]
    IsPacked {
        /// In which.
        told: &'static str,
    },
    /// A unit of time that a format does not leave open.
    #[error("{format} has its times in {has}: leave `--unit {unit}` out", unit = .unit.symbol())]
    FixedUnit {
        /// The format.
        format: &'static str,
        /// What its times are in.
        has: &'static str,
        /// What was asked for.
        unit: TimeUnit,
    },
    /// A size of blocks that a format does not leave open, or does not have.
    #[error("{format} has {has}: leave `--block {block}` out")]
    FixedBlock {
        /// The format.
        format: &'static str,
        /// What it has.
        has: &'static str,
        /// What was asked for.
        block: u32,
    },
    /// A quoted cell that its line does not end.
    #[error("a quoted cell is not closed before the end of the line")]
    OpenQuote,
    /// A line of an access log that does not have its form.
    #[error("the line does not have the form {shape}")]
    Shape {
        /// The form.
        shape: &'static str,
    },
    /// A bracket that nothing opened.
    #[error("{bracket:?} closes what was not opened: the file is not one JSON document")]
    Unbalanced {
        /// The bracket.
        bracket: char,
    },
    /// What is no entry of a document, or no document.
    #[error("{found:?} stands where an entry or a document of them is to begin: it begins neither")]
    Stray {
        /// Its beginning.
        found: String,
    },
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
        "{found} blocks for {input} input tokens: blocks of {block} tokens would be {expected}; \
         say how many tokens a block has by `--block` of `coalmine trace import`"
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
    #[error(
        "the row is {earlier_by} earlier than line {previous_line}: rows are in order of time; \
         `coalmine trace import` sorts them"
    )]
    OutOfOrder {
        /// By how much.
        earlier_by: Duration,
        /// The line of the row before it.
        previous_line: u64,
    },
    /// No answer of a version that is to answer as recorded.
    #[error(
        "no row up to here says what version {version:?} answered: to answer as recorded takes \
         rows with its name, a status and a duration"
    )]
    NoAnswer {
        /// The version.
        version: String,
    },
    /// A row without tokens, where nothing else says how large a request is.
    #[error(
        "the row does not say how many tokens the request has: write `workload.tokens`, from which \
         they are drawn, such as `tokens: {{input: 620, output: 210}}`"
    )]
    NoTokens,
    /// Some rows without tokens, of which this is the first.
    #[error(
        "{without} of {of} rows, this the first, do not say how many tokens the request has, as \
         failed calls often do not: write `workload.tokens`, from which they are drawn, such as \
         `tokens: {{input: 620, output: 210}}`"
    )]
    SomeWithoutTokens {
        /// How many.
        without: u64,
        /// Of how many.
        of: u64,
    },
    /// A stretch in which no request was sent.
    #[error(
        "no request between {from} and {to} after the trace began, the window: {}; move it",
        beside(.before.as_ref(), .after.as_ref())
    )]
    EmptyWindow {
        /// Where the stretch begins.
        from: Duration,
        /// Where it ends.
        to: Duration,
        /// When the last row before it was sent.
        before: Option<Duration>,
        /// When the first row after it was sent.
        after: Option<Duration>,
    },
    /// A record without what a format must have.
    #[error("{format} needs {needs}, which the record does not have")]
    Lacks {
        /// The format.
        format: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// A record with more than a format has room for.
    #[error("{format} has no room for {what}")]
    NoRoom {
        /// The format.
        format: &'static str,
        /// What it has no room for.
        what: &'static str,
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

/// Where requests are, beside a stretch that has none.
fn beside(before: Option<&Duration>, after: Option<&Duration>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => {
            format!("the ones beside it are sent at {before} and {after}")
        }
        (Some(before), None) => format!("the last one is sent at {before}"),
        (None, Some(after)) => format!("the first one is sent at {after}"),
        (None, None) => "there are none at all".to_owned(),
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
