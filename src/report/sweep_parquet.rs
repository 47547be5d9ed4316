//! The tables of a sweep as Apache Parquet, for those who read millions of runs.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::sweep_table::{Column, RunTables, SweepTable, Values};
use crate::study::{Cell, Row, SweepReport};

/// The runs in their order, one to a row: the columns of
/// [`sweep_runs_csv`](super::sweep_runs_csv) under the same names. Counts are unsigned integers of
/// 64 bits, times are doubles in seconds; what never came is infinite, what there is none of is
/// null. Row groups have 100,000 runs. The same sweep gives the same bytes.
pub fn sweep_runs_parquet<'a>(
    report: &SweepReport,
    cells: &[Cell],
    rows: impl IntoIterator<Item = &'a Row>,
) -> Vec<u8> {
    parquet(RunTables::new(report, cells).of(rows))
}

/// The combinations in their order, one to a row: the columns of
/// [`sweep_cells_csv`](super::sweep_cells_csv), likewise.
pub fn sweep_cells_parquet(report: &SweepReport) -> Vec<u8> {
    parquet(std::iter::once(SweepTable::of_cells(report)))
}

/// Of tables that have the same columns, at least one: a row group for each.
fn parquet(tables: impl Iterator<Item = SweepTable>) -> Vec<u8> {
    written(tables).expect("columns of equal length are written into memory")
}

fn written(tables: impl Iterator<Item = SweepTable>) -> Result<Vec<u8>, ParquetError> {
    let mut tables = tables.peekable();
    let columns = tables.peek().map_or(&[][..], |table| &table.columns);
    let fields = columns.iter().map(|column| Ok(Arc::new(field(column)?)));
    let fields = fields.collect::<Result<_, ParquetError>>()?;
    let schema = Arc::new(Type::group_type_builder("sweep").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_created_by(concat!("coalmine ", env!("CARGO_PKG_VERSION")).to_owned());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    for table in tables {
        let mut group = file.next_row_group()?;
        for column in &table.columns {
            let mut writer = group.next_column()?.ok_or_else(|| too_few(column))?;
            write(writer.untyped(), &column.values)?;
            writer.close()?;
        }
        group.close()?;
    }
    file.into_inner()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.values {
        Values::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Values::Count(_) => {
            let unsigned = LogicalType::integer(64, false);
            (Physical::INT64, Some(unsigned))
        }
        Values::Number(_) => (Physical::DOUBLE, None),
        Values::Flag(_) => (Physical::BOOLEAN, None),
    };
    let repetition = match column.values {
        Values::Flag(_) => Repetition::REQUIRED,
        _ => Repetition::OPTIONAL,
    };
    let builder = Type::primitive_type_builder(&column.name, physical);
    builder.with_logical_type(logical).with_repetition(repetition).build()
}

fn write(writer: &mut ColumnWriter<'_>, values: &Values) -> Result<(), ParquetError> {
    match (writer, values) {
        (ColumnWriter::ByteArrayColumnWriter(writer), Values::Text(values)) => {
            let there: Vec<ByteArray> =
                values.iter().flatten().map(|text| ByteArray::from(text.as_str())).collect();
            writer.write_batch(&there, Some(&levels(values)), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(writer), Values::Count(values)) => {
            // The bits of the unsigned number, as the logical type says.
            let there: Vec<i64> = values.iter().flatten().map(|count| *count as i64).collect();
            writer.write_batch(&there, Some(&levels(values)), None)?;
        }
        (ColumnWriter::DoubleColumnWriter(writer), Values::Number(values)) => {
            let there: Vec<f64> = values.iter().flatten().copied().collect();
            writer.write_batch(&there, Some(&levels(values)), None)?;
        }
        (ColumnWriter::BoolColumnWriter(writer), Values::Flag(values)) => {
            writer.write_batch(values, None, None)?;
        }
        _ => return Err(ParquetError::General("a column of another type".to_owned())),
    }
    Ok(())
}

/// Of each value 1 where there is one and 0 where it is null.
fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

fn too_few(column: &Column) -> ParquetError {
    ParquetError::General(format!("there is no writer for column {:?}", column.name))
}
