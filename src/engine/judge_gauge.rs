//! What a judge looks at: a sequential test of the canary's errors against the stable's.

use super::finding::Finding;
use super::{ErrorShares, Judge, Reading};
use crate::math;
use crate::stats::ErrorShareTest;
use crate::units::Ratio;

/// A sequential judge with its evidence since the canary's activation.
///
/// The weights are fixed within one split; when they change, the evidence so far is kept as a
/// factor and a new test begins. Each factor is a test martingale whose steps are those of its own
/// errors, so their product is one too and `alpha` holds over the whole deployment.
#[derive(Clone, Debug)]
pub(super) struct JudgeGauge {
    judge: Judge,
    /// Its share of the deployment's probability of a false alarm; 1 before any was given to it.
    alpha: Ratio,
    /// The test under the present split; `None` while the stable gets nothing to compare with.
    test: Option<ErrorShareTest>,
    expected_share: f64,
    /// Those of the present test: the canary's and the stable's.
    weights: Option<(Ratio, Ratio)>,
    /// The logarithm of the evidence under earlier splits.
    carried: f64,
    canary_errors: u64,
    stable_errors: u64,
    /// The canary's errors beyond its expected share, over all splits.
    excess: f64,
    /// What was read when the evidence first sufficed: it is valid at every moment, not only at
    /// checks, and by the check it can have fallen.
    rejected: Option<Reading>,
}

impl JudgeGauge {
    pub(super) fn new(judge: &Judge) -> Self {
        Self {
            judge: judge.clone(),
            alpha: Ratio::ONE,
            test: None,
            expected_share: 0.0,
            weights: None,
            carried: 0.0,
            canary_errors: 0,
            stable_errors: 0,
            excess: 0.0,
            rejected: None,
        }
    }

    /// Gives it `share` of the deployment's probability of a false alarm. It is not raised again
    /// when others leave: what they were given is spent.
    pub(super) fn share_alpha(&mut self, share: Ratio) {
        if share.get() < self.alpha.get() {
            self.alpha = share;
        }
    }

    /// Begins a new test, if the weights are new.
    pub(super) fn set_weights(&mut self, canary: Ratio, stable: Ratio) {
        if self.weights == Some((canary, stable)) {
            return;
        }
        self.weights = Some((canary, stable));
        self.carried = self.ln_evidence();
        let both = canary.get() + stable.get();
        let share = Ratio::new(canary.get() / both).unwrap_or_default();
        self.test = ErrorShareTest::new(self.judge.prior_strength, share);
        self.expected_share = share.get();
    }

    /// Takes in an error of a request that was assigned under the present weights.
    pub(super) fn record(&mut self, canary: bool) {
        if let Some(test) = &mut self.test {
            test.record(canary);
            self.canary_errors += u64::from(canary);
            self.stable_errors += u64::from(!canary);
            self.excess += f64::from(u8::from(canary)) - self.expected_share;
            let sufficient = self.ln_evidence() >= -math::ln(self.alpha.get());
            if self.rejected.is_none() && sufficient && self.excess > 0.0 {
                self.rejected = Some(self.current());
            }
        }
    }

    /// Rejects once the evidence has reached 1 / alpha with more than its share on the canary.
    pub(super) fn check(&self) -> Finding {
        if self.rejected.is_some() {
            Finding::Breach
        } else if self.canary_errors + self.stable_errors == 0 {
            Finding::NoData
        } else {
            Finding::Clear
        }
    }

    /// The evidence of a firing: as it was when it sufficed.
    pub(super) fn reading(&self) -> Reading {
        self.rejected.clone().unwrap_or_else(|| self.current())
    }

    fn current(&self) -> Reading {
        Reading::Sequential(ErrorShares {
            canary_errors: self.canary_errors,
            stable_errors: self.stable_errors,
            expected_share: self.expected_share,
            excess: self.excess,
            ln_evidence: self.ln_evidence(),
            alpha: self.alpha,
        })
    }

    fn ln_evidence(&self) -> f64 {
        self.carried + self.test.as_ref().map_or(0.0, ErrorShareTest::ln_evidence)
    }
}
