//! A trace as canonical records, whatever its format.
//!
//! Takes any reader and knows no files. Memory is constant: one line at a time. A row that is
//! broken or earlier than its predecessor ends the reading with an error that names its line; rows
//! of one instant keep the order that they have in the source.

use std::io::{BufRead, Seek};

use super::accounting::{Accounting, DropReason};
use super::description::{FirstLine, Origin, ReadRows, Row};
use super::error::{TraceError, TraceErrorKind};
use super::format::TraceFormat;
use super::line_feed::LineFeed;
use super::record::TraceRecord;
use crate::units::Timestamp;

/// Reads the records of a trace.
///
/// ```
/// use coalmine::trace::TraceReader;
/// let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10";
/// let mut reader = TraceReader::new(text.as_bytes()).unwrap();
/// let record = reader.next_record().unwrap().unwrap();
/// assert_eq!(record.input.get(), 4_808);
/// assert_eq!(reader.next_record().unwrap(), None);
/// assert_eq!(reader.accounting().read, 1);
/// ```
pub struct TraceReader<R> {
    feed: LineFeed<R>,
    rows: Box<dyn ReadRows + Send>,
    /// The line that the feed is at is a row that was not read yet.
    is_at_row: bool,
    /// When the trace begins, on the scale of the source.
    begin: Option<Timestamp>,
    previous: Option<Previous>,
    accounting: Accounting,
    /// Of the source, since it was read to its end and begun anew.
    sha256: Option<String>,
    turns: u64,
    has_ended: bool,
}

#[derive(Clone, Copy)]
struct Previous {
    line: u64,
    at: Timestamp,
}

impl<R: BufRead> TraceReader<R> {
    /// Reads the first line, which tells the format.
    ///
    /// # Errors
    /// The source cannot be read, is empty, no text, or in no known format.
    pub fn new(input: R) -> Result<Self, TraceError> {
        let mut feed = LineFeed::new(input);
        let format = match feed.advance() {
            Ok(true) => TraceFormat::detect(feed.current().text),
            Ok(false) => Err(TraceErrorKind::Empty),
            Err(kind) => Err(kind),
        };
        let format = format.map_err(|kind| TraceError::new(feed.line().max(1), kind))?;
        let description = format.description();
        Ok(Self {
            feed,
            rows: (description.read)(),
            is_at_row: description.first_line == FirstLine::Row,
            begin: (description.origin == Origin::Beginning).then_some(Timestamp::EPOCH),
            previous: None,
            accounting: Accounting::new(format),
            sha256: None,
            turns: 1,
            has_ended: false,
        })
    }

    /// The line of the record that was read last, counted from 1.
    pub const fn line(&self) -> u64 {
        self.feed.line()
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
        let begun = self.feed.rewind().and_then(|()| self.feed.advance());
        begun.map_err(|kind| TraceError::new(self.feed.line().max(1), kind))?;
        let description = self.accounting.format.description();
        self.rows = (description.read)();
        self.is_at_row = description.first_line == FirstLine::Row;
        self.begin = (description.origin == Origin::Beginning).then_some(Timestamp::EPOCH);
        self.previous = None;
        self.has_ended = false;
        self.turns += 1;
        Ok(())
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
        self.sha256.clone().or_else(|| self.feed.sha256())
    }

    /// The next record; `None` at the end of the trace and after an error.
    ///
    /// # Errors
    /// The source cannot be read, the row is broken or earlier than the one before it, or there is
    /// no row at all.
    pub fn next_record(&mut self) -> Result<Option<TraceRecord>, TraceError> {
        if self.has_ended {
            return Ok(None);
        }
        let row = self.next_row();
        let result = row.and_then(|row| row.map(|(at, record)| self.place(at, record)).transpose());
        match result {
            Ok(Some(record)) => {
                self.accounting.emit();
                Ok(Some(record))
            }
            Ok(None) => {
                self.has_ended = true;
                if self.accounting.read == 0 {
                    Err(self.error(TraceErrorKind::NoRows))
                } else {
                    Ok(None)
                }
            }
            Err(kind) => {
                self.has_ended = true;
                if let Some(reason) = drop_reason(&kind) {
                    self.accounting.drop_row(reason, self.line());
                }
                Err(self.error(kind))
            }
        }
    }

    /// The next row, and its time on the scale of the source.
    fn next_row(&mut self) -> Result<Option<Row>, TraceErrorKind> {
        loop {
            if !std::mem::take(&mut self.is_at_row) && !self.feed.advance()? {
                return Ok(None);
            }
            if let Some(row) = self.rows.read(self.feed.current())? {
                return Ok(Some(row));
            }
        }
    }

    /// Checks the order and sets the record's time since the trace began.
    fn place(
        &mut self,
        at: Timestamp,
        mut record: TraceRecord,
    ) -> Result<TraceRecord, TraceErrorKind> {
        if let Some(previous) = self.previous.filter(|previous| at < previous.at) {
            let earlier_by = previous.at.since(at);
            return Err(TraceErrorKind::OutOfOrder { earlier_by, previous_line: previous.line });
        }
        self.previous = Some(Previous { line: self.line(), at });
        record.at = at.since(*self.begin.get_or_insert(at));
        Ok(record)
    }

    /// Accounts for a record that was handed on from `line` and then left out.
    pub(crate) fn leave_out(&mut self, reason: DropReason, line: u64) {
        self.accounting.take_back(reason, line);
    }

    const fn error(&self, kind: TraceErrorKind) -> TraceError {
        TraceError::new(self.line(), kind)
    }
}

/// Why a row with this error is not handed on; `None` where there was no row.
const fn drop_reason(kind: &TraceErrorKind) -> Option<DropReason> {
    match kind {
        TraceErrorKind::Read(_) => None,
        TraceErrorKind::OutOfOrder { .. } => Some(DropReason::OutOfOrder),
        _ => Some(DropReason::Malformed),
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
            let tokens = records.iter().map(|record| (record.input.get(), record.output.get()));
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
            "line 4: the row is 1 s earlier than line 3: rows are in order of time"
        );
        assert!(jsonl("{\"at_ns\":0}").starts_with("line 2: the trace was cut off"));
        assert_eq!(
            jsonl("{\"at_ns\":0,\"input_tokens\":1}\n"),
            "line 2: column \"output_tokens\" is missing: every row needs one"
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
        let gzip: &[u8] = b"\x1f\x8b\x08\x00\x00";
        let png: &[u8] = b"\x89PNG\r\n";
        let late = [AZURE.as_bytes(), b"2023-11-16 18:17:03.97,1,\xff\n"].concat();
        for (bytes, line) in [(gzip, 1), (png, 1), (&late, 2)] {
            let error = read_all(bytes).unwrap_err();
            assert_eq!(error.line(), line);
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
