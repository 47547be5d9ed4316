//! All tests of a comparison together: p-values adjusted for how many there are, and findings.

use super::column::ColumnComparison;
use super::difference::Difference;
use super::run::Settings;
use crate::metric::Metric;
use crate::stats::holm;

/// Adjusts the p-values of all tested differences, and says of each what it means where requests
/// are `independent`, and where not. How many there are.
pub(super) fn judge(
    columns: &mut [ColumnComparison],
    settings: &Settings,
    independent: bool,
) -> u64 {
    let mut tested: Vec<(Metric, &mut Difference)> = Vec::new();
    for compared in columns.iter_mut().flat_map(|column| &mut column.metrics) {
        let metric = compared.metric;
        let differences = compared.differences.iter_mut();
        let own = differences.filter(|difference| difference.p_value.is_some());
        tested.extend(own.map(|difference| (metric, difference)));
    }
    let p_values: Vec<f64> = tested.iter().filter_map(|(_, found)| found.p_value).collect();
    let alpha = 1.0 - settings.confidence.get();
    for ((metric, difference), adjusted) in tested.into_iter().zip(holm(&p_values)) {
        difference.adjusted_p_value = Some(adjusted);
        let limits = (alpha, settings.smallest_effect.get());
        difference.judge(metric, limits, independent);
    }
    p_values.len() as u64
}
