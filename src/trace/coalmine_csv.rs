//! Coalmine's own format as CSV: `#coalmine-trace 2`, the columns' names, then the rows.

use super::column::{Column, ColumnSet};
use super::csv_rows::CsvRows;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::options::ReadOptions;
use super::record::TraceRecord;
use super::unasked::{fixed_unit, no_blocks};
use super::version;
use crate::units::Timestamp;

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "#coalmine-trace 2",
    time_unit: version::TIME_UNIT,
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise,
    read,
    write: Some(WriteRows { header, row: write, footer: "" }),
};

const NAME: &str = "coalmine CSV";
const MAGIC: &str = "#coalmine-trace ";
/// Stands before the date in the first line.
const BEGAN: &str = " began ";

fn recognise(first_line: &str) -> Recognised {
    let Some(rest) = first_line.strip_prefix(MAGIC) else { return Recognised::No };
    let version = rest.split_once(BEGAN).map_or(rest, |(version, _)| version);
    version::recognise(version.trim())
}

fn read(options: &ReadOptions) -> Result<Box<dyn ReadRows + Send>, TraceErrorKind> {
    fixed_unit(options, NAME, version::TIME_UNIT)?;
    no_blocks(options, NAME)?;
    Ok(Box::new(CoalmineCsv::default()))
}

fn header(began: Option<Timestamp>) -> String {
    let columns = Column::ALL.map(Column::name).join(",");
    let began = began.map_or_else(String::new, |began| format!("{BEGAN}{began}"));
    format!("{MAGIC}{}{began}\n{columns}\n", version::VERSION)
}

/// No cell needs quotes: names of models and versions have neither commas, quotes nor line ends.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    for (index, column) in Column::ALL.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.extend(column.text(written.record));
    }
    text.push('\n');
    Ok(())
}

#[derive(Default)]
struct CoalmineCsv {
    rows: CsvRows,
    began: Option<Timestamp>,
    /// Whether the first line was read.
    has_begun: bool,
    /// Once the line with their names was read.
    columns: Vec<Column>,
}

impl ReadRows for CoalmineCsv {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        if !std::mem::replace(&mut self.has_begun, true) {
            let began = line.text.split_once(BEGAN).map(|(_, began)| version::date(began.trim()));
            self.began = began.transpose()?;
            return Ok(None);
        }
        if self.columns.is_empty() {
            self.columns = columns(&mut self.rows, line)?;
            return Ok(None);
        }
        let row = self.rows.read_of(self.columns.len(), line)?;
        let parsed = self.columns.iter().zip(row).try_for_each(|(column, cell)| {
            if cell.is_empty() && !column.is_required() { Ok(()) } else { column.set(record, cell) }
        });
        // The last digits may be missing: a number that was cut off is a number still.
        if !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        parsed?;
        record.check()?;
        Ok(Some(Timestamp::EPOCH + record.at))
    }

    fn began(&self) -> Option<Timestamp> {
        self.began
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
