//! How far a judge has come, for those who look on.

use super::{RankShift, Reading, Slot};
use crate::math;
use crate::metric::Direction;
use crate::units::Ratio;

/// What a judge has seen of a version so far.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// The trigger's place in the rule set.
    pub trigger: usize,
    /// Of which version.
    pub version: Slot,
    /// What it would give as its evidence; once it has sufficed, as it was then.
    pub reading: Reading,
    /// How far it has come on the way to a breach: from 1 on it is one.
    ///
    /// Of a sequential judge the part of the evidence that is needed, the logarithm of what there
    /// is over that of 1 / alpha: 0 without any, and where it speaks for the version. Of ranks, at
    /// the last check, the part of the interval's nearer half that lies beyond what is tolerated: 0
    /// where the version's values are no worse. Chance alone brings a healthy one some way: with
    /// thirty stretches each above 0.3 in one look of five.
    pub progress: f64,
}

/// Beyond it nothing more is meant.
const MOST: f64 = 1_000.0;
/// What is shown of ranks that are no breach yet, though their interval is beyond what is
/// tolerated: the test wants an effect of a certain size, too.
const NO_BREACH: f64 = 0.99;

/// The shift, and the limit of it that is the nearer one to none, as what is worse is counted.
fn worse(ranks: &RankShift) -> (f64, f64) {
    match ranks.metric.direction() {
        Direction::Higher => (-ranks.shift, -ranks.high),
        Direction::Lower | Direction::Neutral => (ranks.shift, ranks.low),
    }
}

fn beyond_tolerance(ranks: &RankShift) -> f64 {
    let (shift, nearer) = worse(ranks);
    if shift > ranks.tolerance { (shift - ranks.tolerance) / (shift - nearer) } else { 0.0 }
}

impl Reading {
    /// See [`Judgement::progress`]; `is_breach`: whether the last check found one. 0 of what is no
    /// judge's.
    pub(super) fn progress(&self, is_breach: bool) -> f64 {
        let progress = match self {
            Self::Ranks(ranks) if is_breach => beyond_tolerance(ranks).max(1.0),
            Self::Ranks(ranks) => beyond_tolerance(ranks).min(NO_BREACH),
            reading => reading.nearness(),
        };
        // Infinite where the limits are the shift itself.
        if progress > 0.0 { progress.min(MOST) } else { 0.0 }
    }

    /// Where a judge's reading stands on a path to a breach, to tell apart runs that are all far
    /// from one: it rises towards one as well where [`Judgement::progress`] is 0 still. 0 of what
    /// is no judge's.
    pub(super) fn nearness(&self) -> f64 {
        let of = |ln_evidence: f64, alpha: Ratio| ln_evidence / -math::ln(alpha.get());
        match self {
            // It answers to a canary that is better, too.
            Self::Sequential(shares) if shares.excess <= 0.0 => 0.0,
            Self::Sequential(shares) => of(shares.ln_evidence, shares.alpha),
            Self::EventRatio(ratio) => of(ratio.ln_evidence, ratio.alpha),
            Self::Objective(objective) => of(objective.ln_evidence, objective.alpha),
            Self::Ranks(ranks) => {
                let half = 0.5 * (ranks.high - ranks.low);
                2.0 / 3.0 + (worse(ranks).0 - ranks.tolerance) / half / 3.0
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{AgainstObjective, EventRatio};
    use crate::metric::Metric;
    use crate::units::Duration;

    fn ranks(metric: Metric, shift: f64, [low, high]: [f64; 2]) -> Reading {
        Reading::Ranks(RankShift {
            metric,
            canary_buckets: 10,
            stable_buckets: 10,
            bucket: Duration::from_secs(60),
            shift,
            low,
            high,
            confidence: Ratio::new(0.98).unwrap(),
            // The default: a quarter of the shift.
            tolerance: 0.25 * shift.abs(),
        })
    }

    #[test]
    fn ranks_come_as_far_as_their_interval_lies_beyond_what_is_tolerated() {
        let rows = [
            (0.0, [-5.0, 5.0], 0.0),
            (-1.0, [-10.0, 8.0], 0.0),
            (5.0, [0.0, 6.0], 0.75),
            (4.0, [-4.0, 9.0], 0.375),
            (2.0, [f64::NEG_INFINITY, f64::INFINITY], 0.0),
            // Beyond it, but for the size of the effect.
            (2.0, [0.6, 6.0], 0.99),
        ];
        for (shift, [low, high], expected) in rows {
            let higher_is_worse = ranks(Metric::ErrorRate, shift, [low, high]);
            let lower_is_worse = ranks(Metric::SuccessRate, -shift, [-high, -low]);
            for reading in [higher_is_worse, lower_is_worse] {
                let found = reading.progress(false);
                assert!((found - expected).abs() < 1e-12, "{found}, not {expected}: {reading:?}");
            }
        }
        for (low, expected) in [(0.6, 1.5 / 1.4), (2.0, 1_000.0)] {
            let breach = ranks(Metric::ErrorRate, 2.0, [low, 6.0]);
            assert!(breach.holds() && (breach.progress(true) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn evidence_of_events_and_against_objectives_is_measured_by_its_logarithm() {
        let (ln_evidence, alpha) = (math::ln(10.0), Ratio::new(0.001).unwrap());
        let events = EventRatio {
            metric: Metric::LatencyP99,
            slow_above: Some(Duration::from_secs(2)),
            canary_events: 4,
            stable_events: 3,
            expected_share: 0.05,
            allowed_excess: 0.0,
            burst_block: Duration::ZERO,
            ln_evidence,
            alpha,
        };
        let objective = AgainstObjective {
            metric: Metric::ErrorRate,
            hits: 4,
            requests: 50,
            objective: Ratio::new(0.01).unwrap(),
            limit: None,
            ln_evidence,
            alpha,
        };
        for reading in [Reading::EventRatio(events), Reading::Objective(objective)] {
            let found = reading.progress(false);
            assert!((found - 1.0 / 3.0).abs() < 1e-12, "{found}: ln 10 of ln 1,000");
        }
    }
}
