//! What a sequential judge must make of the errors that it was told of, by the closed form of its
//! evidence, or from the list of all that counted, where the engine goes step by step.

use std::collections::BTreeSet;

use crate::engine::{ErrorShares, EventRatio, Judge, JudgeTest, Reading};
use crate::math;
use crate::units::{Duration, Timestamp};

/// The errors of a canary and of the stable, as a judge counts them.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ErrorCount {
    form: Form,
    /// Its own, if it has one.
    own_alpha: Option<f64>,
    alpha: f64,
    /// Of the canary and of the stable.
    weights: (f64, f64),
    /// Counts the changes of the canary's share.
    stretch: u32,
    /// Those that counted.
    errors: Vec<Counted>,
    owners: BTreeSet<u16>,
    /// When the last block of a burst began.
    block: Option<Timestamp>,
    /// As it stood when the evidence first sufficed.
    sufficed: Option<Sufficed>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    Share { strength: f64 },
    Ratio { effect: f64, burst_block: Duration },
}

/// An error that counted.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Counted {
    of_canary: bool,
    /// The canary's share at its time.
    share: f64,
    /// Between which changes of the share it fell.
    stretch: u32,
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
    /// `None`: it is none that is worked out anew.
    pub(super) fn new(judge: &Judge) -> Option<Self> {
        let form = match judge.test {
            JudgeTest::ErrorShare { prior_strength } => Form::Share { strength: prior_strength },
            JudgeTest::ErrorRatio { effect, burst_block } => Form::Ratio { effect, burst_block },
            JudgeTest::Slowness(_) | JudgeTest::Objective(_) | JudgeTest::Ranks(_) => return None,
        };
        Some(Self {
            form,
            own_alpha: judge.alpha.map(crate::units::Ratio::get),
            alpha: 1.0,
            weights: (0.0, 0.0),
            stretch: 0,
            errors: Vec::new(),
            owners: BTreeSet::new(),
            block: None,
            sufficed: None,
        })
    }

    /// Its own probability of a false alarm, if it does not share that of all.
    pub(super) const fn own_alpha(&self) -> Option<f64> {
        self.own_alpha
    }

    /// What it may spend, which never grows.
    pub(super) fn grant(&mut self, alpha: f64) {
        self.alpha = self.alpha.min(alpha);
    }

    /// The weights are these from now on.
    pub(super) fn weigh(&mut self, canary: f64, stable: f64) {
        let before = self.share();
        self.weights = (canary, stable);
        self.stretch += u32::from(self.share() != before);
    }

    /// The canary's part of the traffic of both; `None` while one of them gets nothing.
    fn share(&self) -> Option<f64> {
        let (canary, stable) = self.weights;
        (canary > 0.0 && stable > 0.0).then(|| canary / (canary + stable))
    }

    /// Takes in an end on the canary or on the stable, of this owner, if it has one: of an owner
    /// the first alone counts.
    pub(super) fn take(
        &mut self,
        is_error: bool,
        of_canary: bool,
        at: Timestamp,
        owner: Option<u16>,
    ) {
        let is_first = owner.is_none_or(|owner| self.owners.insert(owner));
        if is_error && is_first {
            self.count(of_canary, at);
        }
    }

    fn count(&mut self, of_canary: bool, at: Timestamp) {
        let Some(share) = self.share() else { return };
        if let Form::Ratio { burst_block, .. } = self.form {
            if self.block.is_some_and(|began| at < began + burst_block) {
                return;
            }
            self.block = Some(at);
        }
        self.errors.push(Counted { of_canary, share, stretch: self.stretch });
        let of_canary = self.errors.iter().filter(|error| error.of_canary).count() as u64;
        let beyond = |error: &Counted| f64::from(u8::from(error.of_canary)) - error.share;
        let excess: f64 = self.errors.iter().map(beyond).sum();
        let (ln_evidence, worse) = match self.form {
            Form::Share { strength } => (self.ln_of_shares(strength), excess > 0.0),
            Form::Ratio { effect, .. } => (self.ln_of_ratios(1.0 + effect), true),
        };
        if self.sufficed.is_none() && worse && ln_evidence >= -math::ln(self.alpha) {
            self.sufficed = Some(Sufficed {
                errors: (of_canary, self.errors.len() as u64 - of_canary),
                share,
                excess,
                ln_evidence,
                alpha: self.alpha,
            });
        }
    }

    pub(super) fn sufficed(&self) -> Option<Sufficed> {
        self.sufficed
    }

    /// Between two changes of the weights `lnG(k) - lnG(k + n) + sum_i [lnG(a_i + s_i) - lnG(a_i) -
    /// s_i ln rho_i]` with `a_i = k rho_i` (arXiv:2011.03567), added up: also where the weights
    /// come back to what they were, what follows is a test of its own.
    fn ln_of_shares(&self, k: f64) -> f64 {
        let under_one = |errors: &[Counted]| {
            let share = errors[0].share;
            let canary = errors.iter().filter(|error| error.of_canary).count() as f64;
            let all = errors.len() as f64;
            let arm = |share: f64, errors: f64| {
                math::ln_gamma(k * share + errors)
                    - math::ln_gamma(k * share)
                    - errors * math::ln(share)
            };
            math::ln_gamma(k) - math::ln_gamma(k + all)
                + arm(share, canary)
                + arm(1.0 - share, all - canary)
        };
        self.errors.chunk_by(|one, other| one.stretch == other.stretch).map(under_one).sum()
    }

    /// The mixture over ratios r and over the error at which the canary turned bad: from each
    /// beginning b on the product of `(r / r0)^x (1 - rho + rho r0) / (1 - rho + rho r)`.
    fn ln_of_ratios(&self, r0: f64) -> f64 {
        // Half is there from the start; of the other half 50 / (50 + n) is kept after n errors.
        let kept = |errors: usize| 0.5 * 50.0 / (50.0 + errors as f64);
        let of_ratio = |multiple: f64| {
            let (mut product, mut sum) = (1.0, 0.0);
            for (before, error) in self.errors.iter().enumerate().rev() {
                let Counted { of_canary, share, .. } = *error;
                let rest = 1.0 - share;
                product *= (rest + share * r0) / (rest + share * r0 * multiple);
                product *= if of_canary { multiple } else { 1.0 };
                let begun = if before == 0 { 0.5 } else { 0.0 } + kept(before) - kept(before + 1);
                sum += begun * product;
            }
            sum / MULTIPLES.len() as f64
        };
        let mixed: f64 = MULTIPLES.iter().map(|multiple| of_ratio(*multiple)).sum();
        math::ln(kept(self.errors.len()) + mixed)
    }
}

impl Sufficed {
    /// Whether evidence says this.
    pub(super) fn is_said_by(&self, said: &Reading) -> bool {
        let near = |left: f64, right: f64| (left - right).abs() <= 1e-7 * left.abs().max(1.0);
        match said {
            Reading::Sequential(ErrorShares {
                canary_errors,
                stable_errors,
                expected_share,
                excess,
                ln_evidence,
                alpha,
            }) => {
                self.errors == (*canary_errors, *stable_errors)
                    && near(self.share, *expected_share)
                    && near(self.excess, *excess)
                    && near(self.ln_evidence, *ln_evidence)
                    && near(self.alpha, alpha.get())
            }
            Reading::EventRatio(EventRatio {
                canary_events,
                stable_events,
                expected_share,
                ln_evidence,
                alpha,
                ..
            }) => {
                self.errors == (*canary_events, *stable_events)
                    && near(self.share, *expected_share)
                    && near(self.ln_evidence, *ln_evidence)
                    && near(self.alpha, alpha.get())
            }
            _ => false,
        }
    }
}

/// The ratios of the mixture, as the documentation of the test has them.
const MULTIPLES: [f64; 12] =
    [1.1, 1.17, 1.26, 1.4, 1.65, 2.1, 3.0, 5.0, 11.0, 32.0, 130.0, 1_000.0];
