//! A check that was carried out, for those who follow how near triggers come to firing.

use super::{Reading, Slot};
use crate::math;
use crate::metric::Direction;
use crate::units::{Duration, Ratio, Timestamp};

/// A check that a trigger has made of a version.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// The trigger's place in the rule set.
    pub trigger: usize,
    /// Of which version.
    pub version: Slot,
    /// The check.
    pub at: Timestamp,
    /// When the next one is due.
    pub next: Timestamp,
    /// For how long the comparison must hold; zero for judges.
    pub duration: Duration,
    /// How near to a breach the reading is: 1 if it is one, below 1 and at least 0 if not.
    pub nearness: f64,
}

impl Reading {
    /// How near to a breach a judge's reading is: at least 1 where it is one, below where not.
    pub(super) fn nearness(&self) -> f64 {
        let of = |ln_evidence: f64, alpha: Ratio| ln_evidence / -math::ln(alpha.get());
        match self {
            Self::Sequential(shares) => of(shares.ln_evidence, shares.alpha),
            Self::EventRatio(ratio) => of(ratio.ln_evidence, ratio.alpha),
            Self::Objective(objective) => of(objective.ln_evidence, objective.alpha),
            // Two thirds where the shift is as great as is tolerated, 1 where its interval is
            // beyond.
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
