//! The comparison table as CSV for other programs: one row per column and metric, raw numbers in
//! base units.

use crate::metric::Unit;
use crate::result::ResultFile;
use crate::summary::{Estimate, Limits, ReferenceCheck};

/// The comparison table as CSV with a header.
///
/// Numbers are in the unit that their row names: `seconds`, `ratio` (0 to 1), `usd`, `tokens` or
/// `count`. What was not measured is empty; a time until something that never came is `inf`.
pub fn table_csv(result: &ResultFile) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).expect(MEMORY);
    for (index, column) in result.table.columns.iter().enumerate() {
        let references = || result.table.references.iter().filter(|check| check.column == index);
        let find = |estimate: &Estimate| {
            references().find(|check| check.measured.metric == estimate.metric)
        };
        for cell in &column.cells {
            let reference = find(&cell.estimate);
            let row = row(&column.title, &cell.estimate, cell.change_percent, reference);
            writer.write_record(row).expect(MEMORY);
        }
        let in_table = |check: &&ReferenceCheck| {
            column.cells.iter().any(|cell| cell.estimate.metric == check.measured.metric)
        };
        for check in references().filter(|check| !in_table(check)) {
            let row = row(&column.title, &check.measured, None, Some(check));
            writer.write_record(row).expect(MEMORY);
        }
    }
    let bytes = writer.into_inner().expect(MEMORY);
    String::from_utf8(bytes).expect("what was written was text")
}

fn row(
    title: &str,
    estimate: &Estimate,
    change_percent: Option<f64>,
    reference: Option<&ReferenceCheck>,
) -> [String; 12] {
    let Limits { low, high } = estimate.interval.unwrap_or(Limits { low: None, high: None });
    let inside = reference.and_then(|check| check.inside);
    [
        title.to_owned(),
        estimate.metric.name().to_owned(),
        unit_name(estimate.metric.unit()).to_owned(),
        value(estimate),
        number(low),
        number(high),
        estimate.exact.to_string(),
        estimate.n.to_string(),
        number(change_percent),
        number(reference.map(|check| check.published)),
        inside.map_or_else(String::new, |inside| inside.to_string()),
        number(reference.and_then(|check| check.difference_percent)),
    ]
}

/// A number where there is one.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The value of an estimate.
pub(super) fn value(estimate: &Estimate) -> String {
    number(if estimate.infinite { Some(f64::INFINITY) } else { estimate.value })
}

pub(super) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Ratio | Unit::PValue => "ratio",
        Unit::Time => "seconds",
        Unit::Tokens => "tokens",
        Unit::TokensPerSecond => "tokens per second",
        Unit::RequestsPerSecond => "requests per second",
        Unit::Money => "usd",
    }
}

const HEADER: [&str; 12] = [
    "column",
    "metric",
    "unit",
    "value",
    "interval_low",
    "interval_high",
    "exact",
    "n",
    "change_percent",
    "published",
    "published_inside",
    "difference_percent",
];

/// Why a table cannot fail to be written.
pub(super) const MEMORY: &str = "rows of one length are written into memory";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn every_number_stands_in_its_base_unit() {
        let text = table_csv(&rolled_back_result());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), HEADER.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let find = |column: &str, metric: &str| {
            rows.iter().find(|row| &row[0] == column && &row[1] == metric).unwrap()
        };
        // The mean of 1 to 1,000 ms.
        let average = find("GPT-4", "latency_avg");
        assert_eq!((&average[2], &average[3], &average[7]), ("seconds", "0.5005", "1000"));
        assert_eq!((&average[9], &average[10]), ("0.495", "true"));
        let canary = find("GPT-4 Turbo (canary)", "cost_per_1k_tokens");
        assert_eq!((&canary[2], &canary[3], &canary[6]), ("usd", "0.005", "true"));
        let requests = find("After the rollback", "requests");
        assert_eq!((&requests[3], &requests[4], &requests[5]), ("300", "", ""));
        let only_published = find("GPT-4 Turbo (canary)", "latency_p90");
        assert_eq!((&only_published[3], &only_published[9]), ("0.5", "0.5"));
        assert_eq!(rows.len(), 3 * 9 + 1);
    }
}
