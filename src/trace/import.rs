//! Any trace into the binary form, in the order of time.

use std::io::{self, BufRead};

use super::description::{Order, Origin};
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::packed_layout::Provenance;
use super::reader::TraceReader;
use super::record::TraceRecord;
use super::sorter::{Scratch, Sorted, Sorter, Zero};
use super::spreader::Spreader;
use crate::units::{Draw, Duration, Timestamp};

/// A trace that was imported.
#[derive(Debug)]
pub struct Imported<F> {
    /// The binary trace, at its end.
    pub file: F,
    /// What became of its rows, and where it comes from.
    pub provenance: Provenance,
    /// The date at which it began, where the source has dates.
    pub began: Option<Timestamp>,
    /// From the first row to the last.
    pub span: Duration,
}

/// Why a trace is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is broken.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A temporary file cannot be written or read again.
    #[error("a temporary file cannot be used: {0}")]
    Scratch(#[from] io::Error),
}

/// What is done with rows while they are imported.
pub struct ImportOptions<'a> {
    /// What times were rounded to that are to be spread, and the draw of each row by its number.
    /// The rows must be in order.
    pub dequantize: Option<(Duration, &'a dyn Fn(u64) -> Draw)>,
    /// Is told now and then how many rows were read; its error ends the import.
    pub progress: &'a mut dyn FnMut(u64) -> io::Result<()>,
}

/// Reads what `reader` has left and writes it into a file of `scratch`, sorted.
///
/// # Errors
/// The trace is broken in more rows than the reader leaves out, has none that can be read, or a
/// file of `scratch` fails.
pub fn import<R: BufRead, S: Scratch>(
    reader: &mut TraceReader<R>,
    scratch: &mut S,
    options: ImportOptions<'_>,
) -> Result<Imported<S::File>, ImportError> {
    let ImportOptions { dequantize, progress } = options;
    let description = reader.accounting().format.description();
    let provenance = |reader: &TraceReader<R>| Provenance {
        accounting: reader.accounting().clone(),
        source_sha256: reader.sha256(),
    };
    let mut rows = Rows { reader, spreader: dequantize.map(|(quantum, _)| Spreader::new(quantum)) };
    let draw = dequantize.map(|(_, draw)| draw);
    let mut record = TraceRecord::default();
    // Where the source states its date, it does so before its first row.
    let mut next = rows.next(draw, &mut record)?;
    let zero = match description.origin {
        _ if rows.spreader.is_some() => Zero::Fixed(rows.reader.began()),
        Origin::Beginning => Zero::Fixed(rows.reader.began()),
        Origin::Dates => Zero::FirstDate,
        Origin::FirstRow => Zero::FirstRow,
    };
    let they_stray = description.order == Order::Other;
    let mut sorter = Sorter::new(scratch, zero, they_stray);
    while let Some(at) = next {
        sorter.push(at, &mut record)?;
        let read = rows.reader.accounting().read;
        if read.is_multiple_of(TOLD_EVERY) {
            progress(read)?;
        }
        next = rows.next(draw, &mut record)?;
    }
    let provenance = provenance(rows.reader);
    match sorter.finish(&provenance)? {
        Some(Sorted { file, span, began }) => Ok(Imported { file, provenance, began, span }),
        None => Err(TraceError::new(TracePlace::Line(1), TraceErrorKind::NoRows).into()),
    }
}

/// The rows that are imported.
struct Rows<'a, R: BufRead> {
    reader: &'a mut TraceReader<R>,
    spreader: Option<Spreader>,
}

impl<R: BufRead> Rows<'_, R> {
    /// Reads the next row into `record`: its time on the scale of the source, or since the trace
    /// began where times are spread.
    fn next(
        &mut self,
        draw: Option<&dyn Fn(u64) -> Draw>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceError> {
        let Self { reader, spreader } = self;
        let (Some(spreader), Some(draw)) = (spreader, draw) else {
            return reader.read_row(record);
        };
        let read = || Ok(reader.next_record()?.map(|record| (reader.place(), record)));
        let row = spreader.next_row(read, draw)?;
        Ok(row.map(|(_, row)| {
            *record = row;
            Timestamp::EPOCH + record.at
        }))
    }
}

/// Chosen: some times a second.
const TOLD_EVERY: u64 = 100_000;
