//! Coalmine's own format as CSV: `#coalmine-trace 1`, the columns' names, then the rows.

use std::io::BufRead;

use super::csv_rows::CsvRows;
use super::line_feed::LineFeed;
use super::trace_error::TraceErrorKind;
use super::trace_record::{Column, ColumnSet, TraceRecord};

/// The rows of a coalmine CSV file.
pub(super) struct CoalmineCsv<R> {
    rows: CsvRows<R>,
    columns: Vec<Column>,
}

impl<R: BufRead> CoalmineCsv<R> {
    /// Reads the columns' names, the line after the version's.
    pub(super) fn new(feed: LineFeed<R>) -> Result<Self, (u64, TraceErrorKind)> {
        let mut rows = CsvRows::new(feed);
        match columns(&mut rows) {
            Ok(columns) => Ok(Self { rows, columns }),
            Err(kind) => Err((rows.feed().line(), kind)),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<TraceRecord>, TraceErrorKind> {
        let Some(row) = self.rows.next_of(self.columns.len())? else {
            return Ok(None);
        };
        let mut record = TraceRecord::default();
        let parsed = self.columns.iter().zip(row).try_for_each(|(column, cell)| {
            if cell.is_empty() && !column.is_required() {
                Ok(())
            } else {
                record.set(*column, cell)
            }
        });
        // The last digits may be missing: a number that was cut off is a number still.
        if !self.rows.feed().is_terminated() {
            return Err(TraceErrorKind::CutOff);
        }
        parsed?;
        record.check()?;
        Ok(Some(record))
    }

    pub(super) fn feed(&self) -> &LineFeed<R> {
        self.rows.feed()
    }
}

fn columns<R: BufRead>(rows: &mut CsvRows<R>) -> Result<Vec<Column>, TraceErrorKind> {
    let mut met = ColumnSet::default();
    let mut columns = Vec::new();
    for name in rows.next()?.into_iter().flatten() {
        let column = Column::by_name(name)?;
        met.add(column)?;
        columns.push(column);
    }
    met.check_complete()?;
    Ok(columns)
}
