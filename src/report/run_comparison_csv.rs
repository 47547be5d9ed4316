//! The comparison of several runs as CSV for other programs: one row per column, metric and run,
//! raw numbers in base units.

use super::run_comparison::letter;
use super::table_csv::{MEMORY, number, unit_name, value};
use crate::compare::{Difference, MetricComparison, RunComparison};
use crate::summary::Limits;

/// The comparison as CSV with a header: a row for each run after the first. Numbers are in the unit
/// that their row names, relative ones are shares of the first run's value. The column is empty for
/// figures of whole runs. What is not known is empty; a time until something that never came is
/// `inf`.
pub fn comparison_csv(comparison: &RunComparison) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).expect(MEMORY);
    let columns = comparison.columns.iter();
    let columns = columns.map(|column| (column.title.as_str(), &column.metrics[..]));
    for (title, metrics) in columns.chain([("", &comparison.figures[..])]) {
        for compared in metrics {
            for (run, difference) in (1..).zip(&compared.differences) {
                let label = &comparison.runs[run].label;
                writer.write_record(row(title, compared, (run, label), difference)).expect(MEMORY);
            }
        }
    }
    let bytes = writer.into_inner().expect(MEMORY);
    String::from_utf8(bytes).expect("what was written was text")
}

fn row(
    title: &str,
    compared: &MetricComparison,
    (run, label): (usize, &str),
    difference: &Difference,
) -> [String; 19] {
    let none = Limits { low: None, high: None };
    let limits = difference.interval.unwrap_or(none);
    let relative = difference.relative_interval.unwrap_or(none);
    let finding = serde_json::to_value(difference.finding).expect("a finding is a word");
    let (first, own) = (&compared.values[0], &compared.values[run]);
    [
        title.to_owned(),
        compared.metric.name().to_owned(),
        unit_name(compared.metric.unit()).to_owned(),
        letter(run),
        label.to_owned(),
        value(first),
        first.n.to_string(),
        value(own),
        own.n.to_string(),
        number(difference.absolute),
        number(limits.low),
        number(limits.high),
        number(difference.relative),
        number(relative.low),
        number(relative.high),
        number(difference.p_value),
        number(difference.adjusted_p_value),
        difference.p_value.is_some().to_string(),
        finding.as_str().unwrap_or_default().to_owned(),
    ]
}

const HEADER: [&str; 19] = [
    "column",
    "metric",
    "unit",
    "run",
    "label",
    "first_value",
    "first_n",
    "value",
    "n",
    "difference",
    "difference_low",
    "difference_high",
    "relative",
    "relative_low",
    "relative_high",
    "p_value",
    "adjusted_p_value",
    "tested",
    "finding",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example::slower_comparison;

    #[test]
    fn every_difference_has_a_row_with_raw_numbers() {
        let comparison = slower_comparison();
        let text = comparison_csv(&comparison);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), HEADER.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let metrics = comparison.columns.iter().map(|column| column.metrics.len()).sum::<usize>();
        assert_eq!(rows.len(), metrics + comparison.figures.len());
        let find = |column: &str, metric: &str| {
            rows.iter().find(|row| &row[0] == column && &row[1] == metric).unwrap()
        };
        // The means of 1 to 1,000 ms and of 151 to 1,050 ms.
        let average = find("GPT-4", "latency_avg");
        assert_eq!(
            [&average[2], &average[3], &average[5], &average[7]],
            ["seconds", "B", "0.5005", "0.6005"]
        );
        assert_eq!([&average[6], &average[8], &average[17]], ["1000", "900", "true"]);
        assert_eq!(&average[18], "worse");
        let difference: f64 = average[9].parse().unwrap();
        assert!((difference - 0.1).abs() < 1e-12);
        let rollbacks = find("", "rollbacks");
        assert_eq!([&rollbacks[7], &rollbacks[10], &rollbacks[18]], ["1", "", "exact"]);
    }
}
