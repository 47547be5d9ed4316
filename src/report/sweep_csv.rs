//! The tables of a sweep as CSV.

use super::sweep_table::{RunTables, SweepTable, Values};
use crate::study::{Cell, Row, SweepReport};

/// The runs in their order, one to a row, with a header: the values of what is varied, then what
/// came of the run, then what the lines of the gate read. Times are in seconds; what never came is
/// `inf`, what there is none of is empty.
pub fn sweep_runs_csv<'a>(
    report: &SweepReport,
    cells: &[Cell],
    rows: impl IntoIterator<Item = &'a Row>,
) -> String {
    csv(RunTables::new(report, cells).of(rows))
}

/// The combinations in their order, one to a row, with a header: the values of what is varied, then
/// what their runs come to, each with its interval.
pub fn sweep_cells_csv(report: &SweepReport) -> String {
    csv(std::iter::once(SweepTable::of_cells(report)))
}

/// Of tables that have the same columns.
fn csv(tables: impl Iterator<Item = SweepTable>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (number, table) in tables.enumerate() {
        if number == 0 {
            writer.write_record(table.columns.iter().map(|column| &column.name)).expect(MEMORY);
        }
        for row in 0..table.rows() {
            let cells = table.columns.iter().map(|column| cell(&column.values, row));
            writer.write_record(cells).expect(MEMORY);
        }
    }
    let bytes = writer.into_inner().expect(MEMORY);
    String::from_utf8(bytes).expect("what was written was text")
}

fn cell(values: &Values, row: usize) -> String {
    fn told<T: ToString>(value: Option<&T>) -> String {
        value.map_or_else(String::new, T::to_string)
    }
    match values {
        Values::Text(values) => told(values[row].as_ref()),
        Values::Count(values) => told(values[row].as_ref()),
        // What is infinite is written as `inf`.
        Values::Number(values) => told(values[row].as_ref()),
        Values::Flag(values) => values[row].to_string(),
    }
}

const MEMORY: &str = "rows of equal length are written into memory";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::example::{cells, report, row};

    #[test]
    fn runs_in_several_tables_are_those_of_one() {
        let report = report(20);
        let rows: Vec<Row> = (0..7).map(|seed| row(0, seed, seed % 2 == 0)).collect();
        let cells = cells(&[]);
        let tables = RunTables::new(&report, &cells);
        let all = csv(tables.of(&rows));
        assert_eq!(all.lines().count(), 1 + 7);
        for runs in [1, 2, 6, 7, 8] {
            assert_eq!(tables.of_each(runs, &rows).count(), 7_usize.div_ceil(runs), "{runs}");
            assert_eq!(csv(tables.of_each(runs, &rows)), all, "{runs}");
        }
        let none = csv(tables.of(&[]));
        assert_eq!(Some(none.trim_end()), all.lines().next(), "the header alone");
    }
}
