//! `ten-thousand`: the table of the document.

use coalmine::gate::Verdict;
use coalmine::metric::Metric;

use super::world::{judged, seconds, shipped_result, totals};

#[test]
fn the_table_of_the_document_comes_out() {
    let result = shipped_result("ten-thousand", &[]);
    let record = &result.record;
    assert_eq!(totals(record), (10_000, 10_000));
    let cell = |column: usize, metric: Metric| {
        let mut cells = result.table.columns[column].cells.iter();
        cells.find(|cell| cell.estimate.metric == metric).unwrap()
    };
    let value = |column, metric| cell(column, metric).estimate.value.unwrap();
    for (column, cost) in [0.008, 0.005, 0.008].into_iter().enumerate() {
        assert!((value(column, Metric::CostPer1kTokens) - cost).abs() < 1e-9, "{column}");
        let (success, error) =
            (value(column, Metric::SuccessRate), value(column, Metric::ErrorRate));
        assert!((success + error - 1.0).abs() < f64::EPSILON, "{success} {error}");
    }
    // 892 / 1247 - 1 and 0.005 / 0.008 - 1.
    let change = |metric| cell(1, metric).change_percent.unwrap();
    assert!((change(Metric::LatencyAvg) + 28.5).abs() < 2.0, "{}", change(Metric::LatencyAvg));
    assert!((change(Metric::CostPer1kTokens) + 37.5).abs() < 1e-6);
}

#[test]
fn the_rule_on_errors_rolls_the_incident_back_within_90_seconds() {
    let result = shipped_result("ten-thousand", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert!(rollback.evidence.trigger.starts_with("error_rate"), "{:?}", rollback.evidence);
    assert_eq!(rollback.evidence.version.as_str(), "gpt-4-turbo-v2");
    let fault = record.start + seconds(14 * 60);
    assert_eq!(rollback.onset, Some(fault));
    assert!(rollback.at.since(fault) <= seconds(90));
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}
