//! What describes lengths of time.

use super::figures::{TimeFigures, cv};
use crate::stats::DurationHistogram;

/// The figures of `times` with the quantiles at `shares`; `None` where there are none.
pub(super) fn time_figures(times: &DurationHistogram, shares: &[f64]) -> Option<TimeFigures> {
    let of = |per_mille| times.quantile(per_mille);
    let quantile = |share: &f64| {
        let rank = (times.count() as f64 * share).ceil() as u64;
        Some((*share, times.at_rank(rank.clamp(1, times.count()))?))
    };
    Some(TimeFigures {
        count: times.count(),
        mean: times.mean()?,
        cv: cv(&times.moments_nanos()?),
        min: times.min()?,
        p50: of(500)?,
        p90: of(900)?,
        p95: of(950)?,
        p99: of(990)?,
        max: times.max()?,
        relative_error: TimeFigures::RELATIVE_ERROR,
        quantiles: shares.iter().filter_map(quantile).collect(),
    })
}
