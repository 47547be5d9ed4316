//! What a trace format is: how it is told, and who reads and writes its rows.
//!
//! A format is a file of this folder with a [`Description`], and a line of the list in `format`.
//! Everything that holds for all formats (lines, order, accounting) is the reader's.

use std::fmt;

use super::error::TraceErrorKind;
use super::record::TraceRecord;
use crate::units::Timestamp;

/// A format's name, its mark, and the ways in and out of it.
pub(super) struct Description {
    /// Its name.
    pub(super) name: &'static str,
    /// What a file in it begins with, as an example.
    pub(super) begins: &'static str,
    /// The unit that its times are in.
    pub(super) time_unit: &'static str,
    /// What its times count from.
    pub(super) origin: Origin,
    /// What its first line is.
    pub(super) first_line: FirstLine,
    /// Whether a file with this first line is in the format.
    pub(super) recognise: fn(&str) -> Recognised,
    /// Begins to read a file.
    pub(super) read: fn() -> Box<dyn ReadRows + Send>,
    /// How rows are written, where that can be done.
    pub(super) write: Option<WriteRows>,
}

/// What the times of a format count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The beginning of the trace, which may be before its first row.
    Beginning,
    /// Something else: the trace begins with its first row.
    FirstRow,
}

/// What the first line of a format is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FirstLine {
    /// No row.
    Header,
    /// A row like any other.
    Row,
}

/// What a format makes of a file's first line.
#[derive(Debug)]
pub(super) enum Recognised {
    /// It is another format's.
    No,
    /// It is its own.
    Yes,
    /// It is its own or looks like it, and cannot be read: why.
    Refused(TraceErrorKind),
}

/// Reads the rows of one file.
pub(super) trait ReadRows {
    /// The row on `line` and its time on the scale of the file; `None` where it is a header's.
    fn read(&mut self, line: Line<'_>) -> Result<Option<Row>, TraceErrorKind>;
}

/// A row, and when it was sent on the scale of its file.
pub(super) type Row = (Timestamp, TraceRecord);

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub(super) text: &'a str,
    /// Whether it has an end, which all lines but the last have.
    pub(super) is_terminated: bool,
}

/// How a format writes.
pub(super) struct WriteRows {
    /// What comes before the first row.
    pub(super) header: fn() -> String,
    /// Appends a row to a text. Where the format has dates, the trace began at the instant.
    pub(super) row: fn(&mut String, &TraceRecord, Timestamp),
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
