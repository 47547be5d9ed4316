//! Several values of one figure: their middle and how far they spread.

use super::quantile_table::quantile;

/// Quartiles.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Spread {
    /// A quarter lies below.
    pub low: f64,
    /// Half lies below.
    pub median: f64,
    /// A quarter lies above.
    pub high: f64,
}

impl Spread {
    /// Of at least one value.
    pub(super) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |p| if sorted.is_empty() { f64::NAN } else { quantile(&sorted, p) };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

/// The median.
pub(super) fn middle(values: &[f64]) -> f64 {
    Spread::of(values).median
}
