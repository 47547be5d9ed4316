//! Rows of comma-separated cells: RFC 4180 but for line ends within quotes, which no trace needs.

use std::io::BufRead;

use csv::{ReaderBuilder, StringRecord, Terminator};

use super::line_feed::LineFeed;
use super::trace_error::TraceErrorKind;

/// The rows of a source, one line each.
pub(super) struct CsvRows<R> {
    parser: csv::Reader<LineFeed<R>>,
    row: StringRecord,
}

impl<R: BufRead> CsvRows<R> {
    /// The rows from the line after the current one on.
    pub(super) fn new(feed: LineFeed<R>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).terminator(Terminator::Any(b'\n'));
        Self { parser: builder.from_reader(feed), row: StringRecord::new() }
    }

    pub(super) fn next(&mut self) -> Result<Option<&StringRecord>, TraceErrorKind> {
        if !self.parser.get_mut().advance()? {
            return Ok(None);
        }
        // The feed hands out one line and fails where the parser wants more, which it does only
        // within quotes.
        match self.parser.read_record(&mut self.row) {
            Ok(true) => Ok(Some(&self.row)),
            Ok(false) | Err(_) if self.feed().is_terminated() => Err(TraceErrorKind::OpenQuote),
            Ok(false) | Err(_) => Err(TraceErrorKind::CutOff),
        }
    }

    /// The next row, which must have `expected` cells.
    pub(super) fn next_of(
        &mut self,
        expected: usize,
    ) -> Result<Option<&StringRecord>, TraceErrorKind> {
        let Some(found) = self.next()?.map(StringRecord::len) else {
            return Ok(None);
        };
        if found == expected {
            Ok(Some(&self.row))
        } else if found < expected && !self.feed().is_terminated() {
            Err(TraceErrorKind::CutOff)
        } else {
            Err(TraceErrorKind::CellCount { found, expected })
        }
    }

    pub(super) fn feed(&self) -> &LineFeed<R> {
        self.parser.get_ref()
    }
}
