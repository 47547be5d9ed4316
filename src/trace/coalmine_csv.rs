//! Coalmine's own format as CSV: `#coalmine-trace 1`, the columns' names, then the rows.

use super::csv_rows::CsvRows;
use super::description::{
    Description, FirstLine, Line, Origin, ReadRows, Recognised, Row, WriteRows,
};
use super::error::TraceErrorKind;
use super::record::{Column, ColumnSet, TraceRecord};
use super::version;
use crate::units::Timestamp;

/// The format.
pub(super) static FORMAT: Description = Description {
    name: "coalmine CSV",
    begins: "#coalmine-trace 1",
    time_unit: version::TIME_UNIT,
    origin: Origin::Beginning,
    first_line: FirstLine::Header,
    recognise,
    read: || Box::new(CoalmineCsv::default()),
    write: Some(WriteRows { header, row: write }),
};

const MAGIC: &str = "#coalmine-trace ";

fn recognise(first_line: &str) -> Recognised {
    let version = first_line.strip_prefix(MAGIC);
    version.map_or(Recognised::No, |version| version::recognise(version.trim()))
}

fn header() -> String {
    let columns = Column::ALL.map(Column::name).join(",");
    format!("{MAGIC}{}\n{columns}\n", version::VERSION)
}

/// No cell needs quotes: names of models and versions have neither commas, quotes nor line ends.
fn write(text: &mut String, record: &TraceRecord, _: Timestamp) {
    for (index, column) in Column::ALL.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.extend(record.text(column));
    }
    text.push('\n');
}

#[derive(Default)]
struct CoalmineCsv {
    rows: CsvRows,
    /// Once the line with their names was read.
    columns: Vec<Column>,
}

impl ReadRows for CoalmineCsv {
    fn read(&mut self, line: Line<'_>) -> Result<Option<Row>, TraceErrorKind> {
        if self.columns.is_empty() {
            self.columns = columns(&mut self.rows, line)?;
            return Ok(None);
        }
        let row = self.rows.read_of(self.columns.len(), line)?;
        let mut record = TraceRecord::default();
        let parsed = self.columns.iter().zip(row).try_for_each(|(column, cell)| {
            if cell.is_empty() && !column.is_required() {
                Ok(())
            } else {
                record.set(*column, cell)
            }
        });
        // The last digits may be missing: a number that was cut off is a number still.
        if !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        parsed?;
        record.check()?;
        Ok(Some((Timestamp::EPOCH + record.at, record)))
    }
}

/// At least the required ones.
fn columns(rows: &mut CsvRows, line: Line<'_>) -> Result<Vec<Column>, TraceErrorKind> {
    let mut met = ColumnSet::default();
    let mut columns = Vec::new();
    for name in rows.read(line)? {
        let column = Column::by_name(name)?;
        met.add(column)?;
        columns.push(column);
    }
    met.check_complete()?;
    Ok(columns)
}
