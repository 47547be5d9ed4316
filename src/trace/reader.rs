//! A trace as canonical records, whatever its format.
//!
//! Takes any reader and knows no files. Memory is constant: one line or block at a time. A row that
//! is broken or earlier than its predecessor ends the reading with an error that names its place,
//! unless [`SourceOptions`] say otherwise; rows of one instant keep the order of the source.

use std::io::{BufRead, Read, Seek};

use super::accounting::{Accounting, DropReason};
use super::bytes::Bytes;
use super::description::{Description, Origin};
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::format::TraceFormat;
use super::packed_layout::{MAGIC, Provenance};
use super::packed_rows::PackedRows;
use super::record::TraceRecord;
use super::source_options::SourceOptions;
use super::text_rows::TextRows;
use super::unasked::{fixed_unit, no_blocks};
use crate::units::{Duration, Timestamp};

/// Reads the records of a trace.
///
/// ```
/// use coalmine::trace::TraceReader;
/// let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10";
/// let mut reader = TraceReader::new(text.as_bytes()).unwrap();
/// let record = reader.next_record().unwrap().unwrap();
/// assert_eq!(record.input.unwrap().get(), 4_808);
/// assert_eq!(reader.next_record().unwrap(), None);
/// assert_eq!(reader.accounting().read, 1);
/// ```
pub struct TraceReader<R: BufRead> {
    rows: Rows<R>,
    options: SourceOptions,
    /// When the trace begins, on the scale of the source.
    begin: Option<Timestamp>,
    /// The date of that, where the source has dates.
    began: Option<Timestamp>,
    previous: Option<Previous>,
    accounting: Accounting,
    /// Of the source, since it was read to its end and begun anew.
    sha256: Option<String>,
    turns: u64,
    has_ended: bool,
}

enum Rows<R: BufRead> {
    Text(Box<TextRows<R>>),
    Packed(Box<PackedRows<R>>),
}

#[derive(Clone, Copy)]
struct Previous {
    place: TracePlace,
    at: Timestamp,
}

impl<R: BufRead> TraceReader<R> {
    /// Reads the beginning, which tells the format.
    ///
    /// # Errors
    /// The source cannot be read, is empty, no text, or in no known format.
    pub fn new(input: R) -> Result<Self, TraceError> {
        Self::with(input, SourceOptions::default())
    }

    /// Reads the beginning of a trace that is to be read so.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or an option does not fit the format.
    pub fn with(input: R, options: SourceOptions) -> Result<Self, TraceError> {
        let unreadable = |error| TraceError::new(TracePlace::Line(1), TraceErrorKind::Read(error));
        let mut bytes = Bytes::new(input).map_err(unreadable)?;
        let mut begun = Vec::new();
        (&mut bytes).take(MAGIC.len() as u64).read_to_end(&mut begun).map_err(unreadable)?;
        let rows = if begun == MAGIC {
            check_packed(&options).map_err(|kind| TraceError::new(TracePlace::Byte(0), kind))?;
            Rows::Packed(Box::new(PackedRows::new(bytes, &begun)?))
        } else {
            Rows::Text(Box::new(TextRows::new(bytes, &begun, &options)?))
        };
        let format = rows.format();
        let description = format.description();
        let unit = match options.rows.unit {
            Some(unit) => format!("{}, as asked for", unit.name()),
            None => description.time_unit.to_owned(),
        };
        let mut reader = Self {
            rows,
            options,
            begin: None,
            began: None,
            previous: None,
            accounting: Accounting::new(format, &unit),
            sha256: None,
            turns: 1,
            has_ended: false,
        };
        reader.begin(description);
        Ok(reader)
    }

    fn begin(&mut self, description: &Description) {
        self.begin = (description.origin == Origin::Beginning).then_some(Timestamp::EPOCH);
        self.began = None;
        self.previous = None;
        self.has_ended = false;
    }

    /// The place of the record that was read last.
    pub fn place(&self) -> TracePlace {
        match &self.rows {
            Rows::Text(rows) => rows.place(),
            Rows::Packed(rows) => rows.place(),
        }
    }

    /// Begins anew from the first row. What became of the rows so far stays accounted for.
    ///
    /// # Errors
    /// The source cannot be read again.
    pub fn rewind(&mut self) -> Result<(), TraceError>
    where
        R: Seek,
    {
        self.sha256 = self.sha256();
        match &mut self.rows {
            Rows::Text(rows) => rows.rewind(&self.options)?,
            Rows::Packed(rows) => rows.rewind()?,
        }
        self.begin(self.accounting.format.description());
        self.turns += 1;
        Ok(())
    }

    /// What it reads from, wherever that stands.
    pub(crate) fn into_input(self) -> R {
        match self.rows {
            Rows::Text(rows) => rows.into_input(),
            Rows::Packed(rows) => rows.into_input(),
        }
    }

    /// How often the trace was begun.
    pub const fn turns(&self) -> u64 {
        self.turns
    }

    /// What became of the rows so far, of all turns.
    pub const fn accounting(&self) -> &Accounting {
        &self.accounting
    }

    /// The SHA-256 of the source in hexadecimal, once it was read to its end.
    pub fn sha256(&self) -> Option<String> {
        self.sha256.clone().or_else(|| match &self.rows {
            Rows::Text(rows) => rows.sha256(),
            Rows::Packed(rows) => rows.sha256(),
        })
    }

    /// The date at which the trace began, where the source has dates: once the first row was read.
    pub fn began(&self) -> Option<Timestamp> {
        let stated = match &self.rows {
            Rows::Text(rows) => rows.began(),
            Rows::Packed(rows) => rows.began(),
        };
        stated.or(self.began)
    }

    /// Where a binary trace comes from, once it was read to its end; `None` for others.
    pub fn provenance(&self) -> Option<&Provenance> {
        match &self.rows {
            Rows::Text(_) => None,
            Rows::Packed(rows) => rows.provenance(),
        }
    }

    /// The next record; `None` at the end of the trace and after an error.
    ///
    /// # Errors
    /// The source cannot be read, the row is broken or earlier than the one before it, or there is
    /// no row at all.
    pub fn next_record(&mut self) -> Result<Option<TraceRecord>, TraceError> {
        let mut record = TraceRecord::default();
        Ok(self.read_row(&mut record)?.map(|_| record))
    }

    /// Reads the next row into `record`: when it was sent on the scale of the source, which is that
    /// of [`began`](Self::began) where the source has dates. Where rows come in any order, its time
    /// since the trace began is not known before the end: `record.at` is then without meaning.
    /// `None` at the end and after an error.
    ///
    /// # Errors
    /// As for [`next_record`](Self::next_record).
    pub fn read_row(&mut self, record: &mut TraceRecord) -> Result<Option<Timestamp>, TraceError> {
        while !self.has_ended {
            *record = TraceRecord::default();
            let row = match &mut self.rows {
                Rows::Text(rows) => rows.next(record),
                Rows::Packed(rows) => rows.next(record),
            };
            let row = row.and_then(|row| row.map(|at| self.put(at, record)).transpose());
            match row {
                Ok(Some(at)) => {
                    self.accounting.emit();
                    return Ok(Some(at));
                }
                Ok(None) => {
                    self.has_ended = true;
                    if self.accounting.read == 0 {
                        return Err(TraceError::new(self.place(), TraceErrorKind::NoRows));
                    }
                }
                Err(error) => self.fail(error)?,
            }
        }
        Ok(None)
    }

    /// Passes over rows that were sent before `at` as far as that is cheap: how many, and when the
    /// last of them was sent. Those of a
    /// binary trace's blocks are counted as read and not looked at; none of other formats.
    ///
    /// # Errors
    /// The trace is broken in what is passed over.
    pub(crate) fn skip_before(&mut self, at: Duration) -> Result<(u64, Duration), TraceError> {
        match &mut self.rows {
            Rows::Text(_) => Ok((0, Duration::ZERO)),
            Rows::Packed(rows) if self.previous.is_none() => {
                let (skipped, last) = rows.skip_before(at)?;
                self.accounting.leave_out(DropReason::OutsideWindow, skipped);
                Ok((skipped, last))
            }
            Rows::Packed(_) => Ok((0, Duration::ZERO)),
        }
    }

    /// A broken row is left out where that is allowed; else it ends the reading.
    fn fail(&mut self, error: TraceError) -> Result<(), TraceError> {
        let place = error.place();
        let reason = match error.kind() {
            TraceErrorKind::Read(_)
            | TraceErrorKind::FixedUnit { .. }
            | TraceErrorKind::CutOffPacked { .. }
            | TraceErrorKind::Damaged { .. } => None,
            TraceErrorKind::OutOfOrder { .. } => Some(DropReason::OutOfOrder),
            _ => Some(DropReason::Malformed),
        };
        // The rest of a line that is too long would be taken for others.
        let can_go_on = reason == Some(DropReason::Malformed)
            && !matches!(error.kind(), TraceErrorKind::LineTooLong { .. });
        if let Some(reason) = reason {
            self.accounting.drop_row(reason, place.number());
        }
        if can_go_on && self.accounting.malformed() <= self.options.skip_bad {
            return Ok(());
        }
        self.has_ended = true;
        Err(error)
    }

    /// Checks the order and sets the record's time since the trace began.
    fn put(&mut self, at: Timestamp, record: &mut TraceRecord) -> Result<Timestamp, TraceError> {
        let place = self.place();
        match self.previous.filter(|previous| at < previous.at) {
            Some(_) if self.options.any_order => self.accounting.note_late(place.number()),
            Some(previous) => {
                let earlier_by = previous.at.since(at);
                let previous_line = previous.place.number();
                let kind = TraceErrorKind::OutOfOrder { earlier_by, previous_line };
                return Err(TraceError::new(place, kind));
            }
            None => self.previous = Some(Previous { place, at }),
        }
        let begin = *self.begin.get_or_insert(at);
        record.at = at.since(begin);
        if self.began.is_none() && self.accounting.format.description().origin == Origin::Dates {
            self.began = Some(begin);
        }
        Ok(at)
    }

    /// Accounts for a record that was handed on from `place` and then left out.
    pub(crate) fn leave_out(&mut self, reason: DropReason, place: TracePlace) {
        self.accounting.take_back(reason, place.number());
    }
}

/// An error where an option is given that the binary form has no use for.
fn check_packed(options: &SourceOptions) -> Result<(), TraceErrorKind> {
    let format = TraceFormat::Packed.description().name;
    fixed_unit(&options.rows, format, "nanoseconds")?;
    no_blocks(&options.rows, format)?;
    match options.format {
        Some(TraceFormat::Packed) | None => Ok(()),
        Some(told) => Err(TraceErrorKind::IsPacked { told: told.name() }),
    }
}

impl<R: BufRead> Rows<R> {
    const fn format(&self) -> TraceFormat {
        match self {
            Self::Text(rows) => rows.format(),
            Self::Packed(_) => TraceFormat::Packed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n";
    const CSV: &str = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens\n";
    const JSONL: &str = "{\"coalmine_trace\":1}\n";

    fn read_all(bytes: &[u8]) -> Result<(Vec<TraceRecord>, Accounting), TraceError> {
        let mut reader = TraceReader::new(bytes)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record);
        }
        Ok((records, reader.accounting().clone()))
    }

    fn error(text: &str) -> String {
        read_all(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_azure_file_counts_from_its_first_row_with_or_without_zone_mark_and_last_line_end() {
        let plain = "2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319600,3180,8";
        let zoned =
            "2023-11-16 18:17:03.97996+00:00,4808,10\n2023-11-16 18:17:04.03196+00:00,3180,8\n";
        for (mark, rows) in [("", plain), ("\u{feff}", plain), ("", zoned)] {
            let (records, accounting) =
                read_all(format!("{mark}{AZURE}{rows}").as_bytes()).unwrap();
            let times = records.iter().map(|record| record.at).collect::<Vec<_>>();
            assert_eq!(times, [Duration::ZERO, Duration::from_millis(52)]);
            let tokens = records
                .iter()
                .map(|record| (record.input.unwrap().get(), record.output.unwrap().get()));
            assert_eq!(tokens.collect::<Vec<_>>(), [(4_808, 10), (3_180, 8)]);
            assert_eq!((accounting.read, accounting.emitted), (2, 2));
        }
    }

    #[test]
    fn coalmine_columns_come_in_any_order_and_keep_the_time_they_say() {
        let csv =
            "#coalmine-trace 1\noutput_tokens,stream,at_ns,input_tokens\n2,true,5,1\n2,,5,1\n";
        let jsonl = "{\"coalmine_trace\":1}\n\
            {\"output_tokens\":2,\"stream\":true,\"at_ns\":5,\"input_tokens\":1}\n\
            {\"output_tokens\":2,\"stream\":null,\"at_ns\":5,\"input_tokens\":1}\n";
        for text in [csv, jsonl] {
            let (records, _) = read_all(text.as_bytes()).unwrap();
            assert_eq!(records[0].at, Duration::from_nanos(5));
            assert_eq!((records[0].stream, records[1].stream), (Some(true), None));
        }
    }

    #[test]
    fn each_kind_of_damage_has_its_own_answer_with_line_and_value() {
        let azure = |rows: &str| error(&format!("{AZURE}{rows}"));
        let csv = |rows: &str| error(&format!("{CSV}{rows}"));
        let jsonl = |rows: &str| error(&format!("{JSONL}{rows}"));
        assert_eq!(error(""), "line 1: the trace is empty");
        assert_eq!(error("\n \n"), "line 2: the trace is empty");
        assert_eq!(azure(""), "line 1: the trace has a header but no rows");
        assert!(azure("2023-11-16 18:17:03.97,4808").starts_with("line 2: the trace was cut off"));
        assert!(azure("2023-11-16 18:17:03.97,4808,").starts_with("line 2: the trace was cut off"));
        assert_eq!(
            azure("2023-11-16 18:17:03.97,4808\n"),
            "line 2: the row has 2 cells and the header 3 columns"
        );
        assert_eq!(
            azure("2023-11-16 18:17:03.97,-3,10\n"),
            "line 2: ContextTokens is \"-3\": allowed is a whole number from 0 to 4294967295"
        );
        assert!(csv("0,1,2\n1,1,2").starts_with("line 4: the trace was cut off"));
        assert!(csv("0,1,2\n1,1,\"2\n3,1,2\n").starts_with("line 4: a quoted cell is not closed"));
        assert_eq!(
            csv("0,NaN,2\n"),
            "line 3: input_tokens is \"NaN\": allowed is a whole number from 0 to 4294967295"
        );
        assert_eq!(
            csv("9000000000,1,2\n8000000000,1,2\n"),
            "line 4: the row is 1 s earlier than line 3: rows are in order of time; `coalmine trace \
             import` sorts them"
        );
        assert!(jsonl("{\"at_ns\":0}").starts_with("line 2: the trace was cut off"));
        assert_eq!(
            jsonl("{\"output_tokens\":0,\"input_tokens\":1}\n"),
            "line 2: column \"at_ns\" is missing: every row needs one"
        );
        assert_eq!(jsonl("{\"at_ns\":0,\"at_ns\":1}\n"), "line 2: column \"at_ns\" is there twice");
        assert_eq!(
            jsonl("{\"at_ns\":\"0\"}\n"),
            "line 2: at_ns is \"\\\"0\\\"\": allowed is a whole number of nanoseconds from 0 to \
             9223372036854775807"
        );
        assert!(
            jsonl("{\"prompt\":\"x\"}\n").starts_with("line 2: column \"prompt\" is not known")
        );
        assert_eq!(
            jsonl("{\"at_ns\" 0}\n"),
            "line 2: not a JSON object: expected `:` at position 10"
        );
        let header = "#coalmine-trace 1\nat_ns,at_ns,output_tokens\n";
        assert_eq!(error(header), "line 2: column \"at_ns\" is there twice");
    }

    #[test]
    fn what_is_no_text_is_said_to_be_none() {
        let png: &[u8] = b"\x89PNG\r\n";
        let late = [AZURE.as_bytes(), b"2023-11-16 18:17:03.97,1,\xff\n"].concat();
        for (bytes, line) in [(png, 1), (&late, 2)] {
            let error = read_all(bytes).unwrap_err();
            assert_eq!(error.line(), Some(line));
            assert!(matches!(error.kind(), TraceErrorKind::NotText { .. }), "{error}");
        }
    }

    #[test]
    fn a_source_without_line_ends_is_refused_however_long_it_is() {
        let endless = std::io::BufReader::new(std::io::repeat(b'7'));
        let error = TraceReader::new(endless).err().unwrap();
        assert_eq!(error.to_string(), "line 1: the line is longer than 1048576 bytes");
    }

    #[test]
    fn a_bad_row_is_accounted_for_and_ends_the_reading() {
        let text = format!("{CSV}1,1,1\n1,1,1\n0,1,1\n2,1,1\n");
        let mut reader = TraceReader::new(text.as_bytes()).unwrap();
        assert!(reader.next_record().unwrap().is_some());
        assert!(reader.next_record().unwrap().is_some());
        reader.next_record().unwrap_err();
        assert_eq!(reader.next_record().unwrap(), None);
        let accounting = reader.accounting();
        assert!(accounting.is_balanced());
        assert_eq!((accounting.read, accounting.emitted), (3, 2));
        assert_eq!(accounting.dropped[&DropReason::OutOfOrder].lines, [5]);
    }
}
