//! How far a judge has come, for those who look on.

use super::{Reading, Slot};
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
}

impl Judgement {
    /// The part of the evidence that is needed: the logarithm of what there is over that of
    /// 1 / alpha. At least 1 where it suffices; 0 without any, and where it speaks for the version.
    /// Of ranks 2/3 where the shift is as great as is tolerated, 1 where its interval lies beyond.
    pub fn progress(&self) -> f64 {
        let progress = self.reading.progress();
        // Not a number, or infinite, where ranks leave no interval.
        if progress > 0.0 { progress.min(MOST) } else { 0.0 }
    }
}

/// Beyond it nothing more is meant.
const MOST: f64 = 1_000.0;

impl Reading {
    /// How far a judge's reading is on the way to a breach: at least 1 where it is one, below where
    /// not; 0 of what is no judge's.
    pub(super) fn progress(&self) -> f64 {
        let of = |ln_evidence: f64, alpha: Ratio| ln_evidence / -math::ln(alpha.get());
        match self {
            // It answers to a canary that is better, too.
            Self::Sequential(shares) if shares.excess <= 0.0 => 0.0,
            Self::Sequential(shares) => of(shares.ln_evidence, shares.alpha),
            Self::EventRatio(ratio) => of(ratio.ln_evidence, ratio.alpha),
            Self::Objective(objective) => of(objective.ln_evidence, objective.alpha),
            Self::Ranks(ranks) => {
                let sign = match ranks.metric.direction() {
                    Direction::Higher => -1.0,
                    Direction::Lower | Direction::Neutral => 1.0,
                };
                let half = 0.5 * (ranks.high - ranks.low);
                2.0 / 3.0 + (sign * ranks.shift - ranks.tolerance) / half / 3.0
            }
            _ => 0.0,
        }
    }
}
