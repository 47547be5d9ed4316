//! What describes lengths of time.

use super::figures::{TimeFigures, cv};
use crate::stats::DurationHistogram;

/// The whole that shares are parts of: as whole numbers they have exact ranks.
pub(super) const WHOLE: u32 = 100_000;

/// A share as it is written.
pub(super) fn written(share: u32) -> f64 {
    f64::from(share) / f64::from(WHOLE)
}

/// The figures of `times` with the quantiles at `shares`, in parts of [`WHOLE`]; `None` where there
/// are none.
pub(super) fn time_figures(times: &DurationHistogram, shares: &[u32]) -> Option<TimeFigures> {
    let of = |per_mille| times.quantile(per_mille);
    let quantile = |share: &u32| {
        let rank = (u128::from(times.count()) * u128::from(*share)).div_ceil(u128::from(WHOLE));
        Some((written(*share), times.at_rank((rank as u64).clamp(1, times.count()))?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    #[test]
    fn the_rank_of_a_quantile_is_that_of_its_decimal_share() {
        // As floating point 0.14, 0.28 and 0.56 of 100 are a little more than 14, 28 and 56.
        let mut times = DurationHistogram::default();
        (1..=100).for_each(|millis| times.record(Duration::from_millis(millis)));
        let figures = time_figures(&times, &[0, 14_000, 28_000, 56_000, WHOLE]).unwrap();
        let told = figures.quantiles.iter().map(|(share, at)| (*share, at.as_millis_f64().round()));
        let expected = [(0.0, 1.0), (0.14, 14.0), (0.28, 28.0), (0.56, 56.0), (1.0, 100.0)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
