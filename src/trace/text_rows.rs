//! The rows of a trace that is text: the format is told by its first line, and reads each row.

use std::io::{BufRead, Seek};

use super::bytes::Bytes;
use super::description::{FirstLine, Line, ReadRows};
use super::entry_feed::EntryFeed;
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::format::TraceFormat;
use super::line_feed::LineFeed;
use super::record::TraceRecord;
use super::source_options::SourceOptions;
use crate::units::Timestamp;

/// Reads the rows of a text.
pub(super) struct TextRows<R: BufRead> {
    feed: Feed<R>,
    format: TraceFormat,
    rows: Box<dyn ReadRows + Send>,
    /// The line that the feed is at is a row that was not read yet.
    is_at_row: bool,
}

/// What rows are read from.
enum Feed<R: BufRead> {
    Lines(LineFeed<R>),
    Entries(EntryFeed<R>),
}

impl<R: BufRead> TextRows<R> {
    /// Reads the beginning of `bytes`, which have `begun` so.
    pub(super) fn new(
        bytes: Bytes<R>,
        begun: &[u8],
        options: &SourceOptions,
    ) -> Result<Self, TraceError> {
        let mut lines = LineFeed::new(bytes, begun);
        let document = match lines.head() {
            Ok(head) => TraceFormat::of_document(head, options.format),
            Err(kind) => return Err(TraceError::new(TracePlace::Line(1), kind)),
        };
        if let Some((format, entries)) = document {
            let (bytes, begun) = lines.into_parts();
            let feed = Feed::Entries(EntryFeed::new(bytes, &begun, entries));
            return Self::begin(feed, Ok(format), options, false);
        }
        let format = match lines.advance() {
            Ok(Some(line)) => match options.format {
                Some(format) => Ok(format),
                None => TraceFormat::detect(line.text),
            },
            Ok(None) => Err(TraceErrorKind::Empty),
            Err(kind) => Err(kind),
        };
        Self::begin(Feed::Lines(lines), format, options, true)
    }

    fn begin(
        feed: Feed<R>,
        format: Result<TraceFormat, TraceErrorKind>,
        options: &SourceOptions,
        has_first_line: bool,
    ) -> Result<Self, TraceError> {
        let begun =
            format.and_then(|format| Ok((format, (format.description().read)(&options.rows)?)));
        let (format, rows) = begun.map_err(|kind| TraceError::new(feed.place(), kind))?;
        let is_at_row = has_first_line && format.description().first_line == FirstLine::Row;
        Ok(Self { feed, format, rows, is_at_row })
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self, options: &SourceOptions) -> Result<(), TraceError>
    where
        R: Seek,
    {
        let begun = match &mut self.feed {
            Feed::Lines(lines) => lines.rewind().and_then(|()| lines.advance().map(drop)),
            Feed::Entries(entries) => entries.rewind(),
        };
        let begun = begun.and_then(|()| (self.format.description().read)(&options.rows));
        self.rows = begun.map_err(|kind| TraceError::new(self.feed.place(), kind))?;
        let has_first_line = matches!(self.feed, Feed::Lines(_));
        self.is_at_row = has_first_line && self.format.description().first_line == FirstLine::Row;
        Ok(())
    }

    pub(super) fn into_input(self) -> R {
        match self.feed {
            Feed::Lines(feed) => feed.into_input(),
            Feed::Entries(feed) => feed.into_input(),
        }
    }

    pub(super) const fn format(&self) -> TraceFormat {
        self.format
    }

    /// The place of the row that was read last.
    pub(super) fn place(&self) -> TracePlace {
        self.feed.place()
    }

    pub(super) fn sha256(&self) -> Option<String> {
        match &self.feed {
            Feed::Lines(lines) => lines.sha256(),
            Feed::Entries(entries) => entries.sha256(),
        }
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
        self.next_row(record).map_err(|kind| TraceError::new(self.feed.place(), kind))
    }

    fn next_row(&mut self, record: &mut TraceRecord) -> Result<Option<Timestamp>, TraceErrorKind> {
        loop {
            let line = if std::mem::take(&mut self.is_at_row) {
                self.feed.current()
            } else {
                self.feed.advance()?
            };
            let Some(line) = line else { return Ok(None) };
            if let Some(at) = self.rows.read(line, record)? {
                return Ok(Some(at));
            }
        }
    }
}

impl<R: BufRead> Feed<R> {
    fn advance(&mut self) -> Result<Option<Line<'_>>, TraceErrorKind> {
        match self {
            Self::Lines(lines) => lines.advance(),
            Self::Entries(entries) => entries.advance(),
        }
    }

    fn current(&self) -> Option<Line<'_>> {
        match self {
            Self::Lines(lines) => Some(lines.current()),
            Self::Entries(_) => None,
        }
    }

    fn place(&self) -> TracePlace {
        match self {
            Self::Lines(lines) => TracePlace::Line(lines.line().max(1)),
            Self::Entries(entries) => {
                TracePlace::Entry { line: entries.entry_line(), entry: entries.entry().max(1) }
            }
        }
    }
}
