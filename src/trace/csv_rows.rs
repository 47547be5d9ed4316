//! Cells of a line, separated by commas: RFC 4180 but for line ends within quotes, which no trace
//! needs.

use std::io::{self, Read};

use csv::{ReaderBuilder, StringRecord, Terminator};

use super::description::Line;
use super::error::TraceErrorKind;

/// Takes lines apart, one at a time.
pub(super) struct CsvRows {
    parser: csv::Reader<OneLine>,
    row: StringRecord,
}

impl Default for CsvRows {
    fn default() -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).terminator(Terminator::Any(b'\n'));
        Self { parser: builder.from_reader(OneLine::default()), row: StringRecord::new() }
    }
}

impl CsvRows {
    /// The cells of `line`.
    pub(super) fn read(&mut self, line: Line<'_>) -> Result<&StringRecord, TraceErrorKind> {
        self.parser.get_mut().set(line.text);
        // The parser wants more than the line only within quotes.
        match self.parser.read_record(&mut self.row) {
            Ok(true) => Ok(&self.row),
            Ok(false) | Err(_) if line.is_terminated => Err(TraceErrorKind::OpenQuote),
            Ok(false) | Err(_) => Err(TraceErrorKind::CutOff),
        }
    }

    /// The cells of `line`, of which there must be `expected`.
    pub(super) fn read_of(
        &mut self,
        expected: usize,
        line: Line<'_>,
    ) -> Result<&StringRecord, TraceErrorKind> {
        let found = self.read(line)?.len();
        if found == expected {
            Ok(&self.row)
        } else if found < expected && !line.is_terminated {
            Err(TraceErrorKind::CutOff)
        } else {
            Err(TraceErrorKind::CellCount { found, expected })
        }
    }
}

/// Hands out one line with its end and fails where more is wanted, so that a parser on top of it
/// cannot read past a row: a forgotten quote fails on its own line instead of swallowing the file.
#[derive(Debug, Default)]
struct OneLine {
    text: String,
    handed_out: usize,
}

impl OneLine {
    fn set(&mut self, line: &str) {
        self.text.clear();
        self.text.push_str(line);
        self.text.push('\n');
        self.handed_out = 0;
    }
}

impl Read for OneLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text.as_bytes()[self.handed_out..];
        if rest.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.handed_out += length;
        Ok(length)
    }
}
