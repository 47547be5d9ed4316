//! What a trace format is: how it is told, and who reads and writes its rows.
//!
//! A format is a file of this folder with a [`Description`], and a line of the list in `format`.
//! Everything that holds for all formats (lines, order, accounting) is the reader's.

use std::fmt;

use super::error::TraceErrorKind;
use super::options::ReadOptions;
use super::record::TraceRecord;
use crate::units::Timestamp;

/// A format's name, its mark, and the ways in and out of it.
pub(super) struct Description {
    /// Its name.
    pub(super) name: &'static str,
    /// What a file in it begins with, as an example.
    pub(super) begins: &'static str,
    /// The unit that its times are in, where nobody says otherwise.
    pub(super) time_unit: &'static str,
    /// What its times count from.
    pub(super) origin: Origin,
    /// What its first line is.
    pub(super) first_line: FirstLine,
    /// In which order its rows come.
    pub(super) order: Order,
    /// Where its rows are the entries of a document, whatever the lines of that.
    pub(super) entries: Option<Entries>,
    /// Whether a file with this first line is in the format.
    pub(super) recognise: fn(&str) -> Recognised,
    /// Begins to read a file. An error where an option does not fit the format.
    pub(super) read: fn(&ReadOptions) -> Result<Box<dyn ReadRows + Send>, TraceErrorKind>,
    /// How rows are written, where that can be done.
    pub(super) write: Option<WriteRows>,
}

/// What the times of a format count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The beginning of the trace, which may be before its first row.
    Beginning,
    /// 1970, in UTC: the trace begins with its first row, on the date that this has.
    Dates,
    /// Something that nobody knows: the trace begins with its first row.
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

/// In which order the rows of a format come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// As requests were sent.
    ByStart,
    /// As they ended, or in none.
    Other,
}

/// The entries of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    /// Behind which key their list stands, however deep.
    pub(super) key: &'static str,
    /// With what a document begins: one of these keys, and the bracket behind it.
    pub(super) outermost: &'static [&'static str],
    pub(super) bracket: u8,
    /// Whether a file of the format is such a document however it begins: it has no other form.
    pub(super) is_only_form: bool,
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

impl Recognised {
    /// Yes or no.
    pub(super) const fn when(is_own: bool) -> Self {
        if is_own { Self::Yes } else { Self::No }
    }
}

impl Entries {
    /// Whether a file that begins with these bytes is such a document.
    pub(super) fn are_in(&self, head: &[u8]) -> bool {
        let rest = head.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        self.outermost.iter().any(|key| {
            let rest = rest.and_then(|rest| rest.strip_prefix(b"\""));
            let rest = rest.and_then(|rest| rest.strip_prefix(key.as_bytes()));
            let rest = rest.and_then(|rest| rest.strip_prefix(b"\"")).map(<[u8]>::trim_ascii_start);
            let rest = rest.and_then(|rest| rest.strip_prefix(b":")).map(<[u8]>::trim_ascii_start);
            rest.is_some_and(|rest| rest.first() == Some(&self.bracket))
        })
    }
}

/// Reads the rows of one file.
pub(super) trait ReadRows {
    /// Reads the row on `line` into `record`, which is empty before: its time on the scale of the
    /// file; `None` where the line is a header's. What `record` holds after an error is of no
    /// meaning.
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind>;

    /// The date of the scale's beginning, where the file's own head says it.
    fn began(&self) -> Option<Timestamp> {
        None
    }
}

/// A line of a file, or what stands for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub(super) text: &'a str,
    /// Whether it has an end, which all lines but the last have.
    pub(super) is_terminated: bool,
}

impl Line<'_> {
    /// An error where a carriage return stands within the line, which some take for the end of one:
    /// what follows it is another row, and would be passed over with what follows a row.
    pub(super) fn check_is_one(self) -> Result<(), TraceErrorKind> {
        match memchr::memchr(b'\r', self.text.as_bytes()) {
            Some(place) => Err(TraceErrorKind::LoneReturn { position: place + 1 }),
            None => Ok(()),
        }
    }
}

/// How a format writes.
pub(super) struct WriteRows {
    /// What comes before the first row of a trace that began at the instant, where that is known.
    pub(super) header: fn(Option<Timestamp>) -> String,
    /// Appends a row to a text; an error where the format needs what the record does not have.
    pub(super) row: fn(&mut String, &Written<'_>) -> Result<(), TraceErrorKind>,
    /// What comes after the last row.
    pub(super) footer: &'static str,
}

impl WriteRows {
    /// Rows alone, with nothing before and behind them.
    pub(super) const fn lines(
        row: fn(&mut String, &Written<'_>) -> Result<(), TraceErrorKind>,
    ) -> Self {
        Self { header: |_| String::new(), row, footer: "" }
    }
}

/// A record that is written, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) record: &'a TraceRecord,
    /// Its number among those that are written, from 0.
    pub(super) number: u64,
    /// When the trace began; 1970 where nobody says.
    pub(super) origin: Timestamp,
    /// How many blocks of prompts were written before that were made up, as numbers without
    /// meaning.
    pub(super) blocks: u64,
}

impl Written<'_> {
    /// When it was sent; an error where that is after 2262, which `format` has no room for.
    pub(super) fn at(&self, format: &'static str) -> Result<Timestamp, TraceErrorKind> {
        let at = self.origin.as_nanos().checked_add_unsigned(self.record.at.as_nanos());
        let what = "times after 2262";
        at.map(Timestamp::from_nanos).ok_or(TraceErrorKind::NoRoom { format, what })
    }

    /// When it was sent, in nanoseconds since 1970; an error where that or its end is before 1970
    /// or after 2262, which `format` has no room for.
    pub(super) fn nanos(&self, format: &'static str) -> Result<u64, TraceErrorKind> {
        let record = self.record;
        let longest = record.duration.max(record.first_token).unwrap_or_default().as_nanos();
        let nanos = self.at(format).ok().and_then(|at| u64::try_from(at.as_nanos()).ok());
        let end = nanos.and_then(|nanos| i64::try_from(nanos.checked_add(longest)?).ok());
        let what = "times before 1970 or after 2262";
        nanos.filter(|_| end.is_some()).ok_or(TraceErrorKind::NoRoom { format, what })
    }

    /// What it cost in USD, as text.
    pub(super) fn usd(&self, format: &'static str) -> Result<Option<String>, TraceErrorKind> {
        let Some(cost) = self.record.cost else { return Ok(None) };
        let pico = u64::try_from(cost.as_pico_usd()).ok();
        let what = "costs above 18446744 USD";
        let pico = pico.ok_or(TraceErrorKind::NoRoom { format, what })?;
        Ok(Some(super::decimal::unscaled(pico, 12)))
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
