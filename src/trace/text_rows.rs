//! The rows of a trace that is text: the format is told by its first line, and reads each row.

use std::io::{BufRead, Seek};

use super::bytes::Bytes;
use super::description::{FirstLine, ReadRows};
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::format::TraceFormat;
use super::line_feed::LineFeed;
use super::record::TraceRecord;
use super::source_options::SourceOptions;
use crate::units::Timestamp;

/// Reads the rows of a text.
pub(super) struct TextRows<R: BufRead> {
    feed: LineFeed<R>,
    format: TraceFormat,
    rows: Box<dyn ReadRows + Send>,
    /// The line that the feed is at is a row that was not read yet.
    is_at_row: bool,
}

impl<R: BufRead> TextRows<R> {
    /// Reads the first line of `bytes`, which have `begun` so.
    pub(super) fn new(
        bytes: Bytes<R>,
        begun: &[u8],
        options: &SourceOptions,
    ) -> Result<Self, TraceError> {
        let mut feed = LineFeed::new(bytes, begun);
        let format = match feed.advance() {
            Ok(Some(line)) => match options.format {
                Some(format) => Ok(format),
                None => TraceFormat::detect(line.text),
            },
            Ok(None) => Err(TraceErrorKind::Empty),
            Err(kind) => Err(kind),
        };
        let begun =
            format.and_then(|format| Ok((format, (format.description().read)(&options.rows)?)));
        let (format, rows) = begun.map_err(|kind| error(&feed, kind))?;
        let is_at_row = format.description().first_line == FirstLine::Row;
        Ok(Self { feed, format, rows, is_at_row })
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self, options: &SourceOptions) -> Result<(), TraceError>
    where
        R: Seek,
    {
        let begun = self.feed.rewind().and_then(|()| self.feed.advance().map(drop));
        let begun = begun.and_then(|()| (self.format.description().read)(&options.rows));
        self.rows = begun.map_err(|kind| error(&self.feed, kind))?;
        self.is_at_row = self.format.description().first_line == FirstLine::Row;
        Ok(())
    }

    pub(super) fn into_input(self) -> R {
        self.feed.into_input()
    }

    pub(super) const fn format(&self) -> TraceFormat {
        self.format
    }

    /// The line of the row that was read last, counted from 1.
    pub(super) const fn line(&self) -> u64 {
        self.feed.line()
    }

    pub(super) fn sha256(&self) -> Option<String> {
        self.feed.sha256()
    }

    pub(super) fn began(&self) -> Option<Timestamp> {
        self.rows.began()
    }

    /// Reads the next row into `record`, which is empty: its time on the scale of the source.
    #[inline]
    pub(super) fn next(
        &mut self,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceError> {
        self.next_row(record).map_err(|kind| error(&self.feed, kind))
    }

    fn next_row(&mut self, record: &mut TraceRecord) -> Result<Option<Timestamp>, TraceErrorKind> {
        loop {
            let line = if std::mem::take(&mut self.is_at_row) {
                self.feed.current()
            } else {
                match self.feed.advance()? {
                    Some(line) => line,
                    None => return Ok(None),
                }
            };
            if let Some(at) = self.rows.read(line, record)? {
                return Ok(Some(at));
            }
        }
    }
}

fn error<R: BufRead>(feed: &LineFeed<R>, kind: TraceErrorKind) -> TraceError {
    TraceError::new(TracePlace::Line(feed.line().max(1)), kind)
}
