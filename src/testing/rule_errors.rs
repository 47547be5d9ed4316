//! What a sequential judge must make of the errors that it was told of, by the closed form of its
//! evidence where the engine adds up steps.

use crate::engine::{ErrorShares, Judge};
use crate::math;

/// The errors of a canary and of the stable, as a judge counts them.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ErrorCount {
    strength: f64,
    alpha: f64,
    /// Of the canary and of the stable.
    weights: (f64, f64),
    /// The logarithm of the evidence under earlier weights.
    earlier: f64,
    /// Errors under the present weights: of the canary and of the stable.
    present: (u64, u64),
    /// Errors under all weights.
    all: (u64, u64),
    excess: f64,
    /// As it stood when the evidence first sufficed.
    sufficed: Option<Sufficed>,
}

/// What a judge saw.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sufficed {
    errors: (u64, u64),
    share: f64,
    excess: f64,
    ln_evidence: f64,
    alpha: f64,
}

impl ErrorCount {
    pub(super) fn new(judge: &Judge) -> Self {
        Self {
            strength: judge.prior_strength,
            alpha: 1.0,
            weights: (0.0, 0.0),
            earlier: 0.0,
            present: (0, 0),
            all: (0, 0),
            excess: 0.0,
            sufficed: None,
        }
    }

    /// What it may spend, which never grows.
    pub(super) fn grant(&mut self, alpha: f64) {
        self.alpha = self.alpha.min(alpha);
    }

    /// The weights are these from now on.
    pub(super) fn weigh(&mut self, canary: f64, stable: f64) {
        if self.weights != (canary, stable) {
            self.earlier = self.ln_evidence();
            self.present = (0, 0);
            self.weights = (canary, stable);
        }
    }

    /// Takes in an error of the canary or of the stable.
    pub(super) fn count(&mut self, of_canary: bool) {
        let (canary, stable) = self.weights;
        if canary <= 0.0 || stable <= 0.0 {
            return;
        }
        for counts in [&mut self.present, &mut self.all] {
            counts.0 += u64::from(of_canary);
            counts.1 += u64::from(!of_canary);
        }
        self.excess += if of_canary { 1.0 - self.share() } else { -self.share() };
        let ln_evidence = self.ln_evidence();
        if self.sufficed.is_none() && self.excess > 0.0 && ln_evidence >= -math::ln(self.alpha) {
            self.sufficed = Some(Sufficed {
                errors: self.all,
                share: self.share(),
                excess: self.excess,
                ln_evidence,
                alpha: self.alpha,
            });
        }
    }

    pub(super) fn sufficed(&self) -> Option<Sufficed> {
        self.sufficed
    }

    fn share(&self) -> f64 {
        self.weights.0 / (self.weights.0 + self.weights.1)
    }

    /// `lnG(k) - lnG(k + n) + sum_i [lnG(a_i + s_i) - lnG(a_i) - s_i ln rho_i]` with
    /// `a_i = k rho_i` (arXiv:2011.03567), added to that under earlier weights.
    fn ln_evidence(&self) -> f64 {
        let (k, (canary, stable)) = (self.strength, self.present);
        if canary + stable == 0 {
            return self.earlier;
        }
        let arm = |share: f64, errors: u64| {
            let errors = errors as f64;
            math::ln_gamma(k * share + errors)
                - math::ln_gamma(k * share)
                - errors * math::ln(share)
        };
        let share = self.share();
        let both = math::ln_gamma(k) - math::ln_gamma(k + (canary + stable) as f64);
        self.earlier + both + arm(share, canary) + arm(1.0 - share, stable)
    }
}

impl Sufficed {
    /// Whether evidence says this.
    pub(super) fn is_said_by(&self, said: &ErrorShares) -> bool {
        let near = |left: f64, right: f64| (left - right).abs() <= 1e-7 * left.abs().max(1.0);
        self.errors == (said.canary_errors, said.stable_errors)
            && near(self.share, said.expected_share)
            && near(self.excess, said.excess)
            && near(self.ln_evidence, said.ln_evidence)
            && near(self.alpha, said.alpha.get())
    }
}
