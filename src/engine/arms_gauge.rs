//! What a sequential judge looks at: on which of two versions events fall, errors or slow requests.

use super::finding::Finding;
use super::judge::Slowness;
use super::judged_end::JudgedEnd;
use super::owners::Owners;
use super::slow_limit::SlowLimit;
use super::{ErrorShares, EventRatio, Reading};
use crate::exchange::Class;
use crate::math;
use crate::metric::Metric;
use crate::stats::{BurstBlock, ErrorRatioTest, ErrorShareTest};
use crate::units::{Duration, Ratio};

/// A sequential judge with its evidence since the canary's activation.
///
/// Its evidence is a test martingale whose steps are those of single events, each under the weights
/// that its request was assigned by, so `alpha` holds over the whole deployment, however often it
/// is looked at.
#[derive(Clone, Debug)]
pub(super) struct ArmsGauge {
    metric: Metric,
    /// By what a request is slow; `None`: the events are errors.
    slow: Option<SlowLimit>,
    bursts: BurstBlock,
    owners: Owners,
    evidence: Evidence,
    /// Its share of the deployment's probability of a false alarm; 1 before any was given to it.
    alpha: Ratio,
    /// The canary's part of the traffic of both, under the present weights; `None` while one of
    /// them gets nothing.
    share: Option<Ratio>,
    canary_events: u64,
    stable_events: u64,
    /// What was read when the evidence first sufficed: it is valid at every moment, not only at
    /// checks, and by the check it can have fallen.
    rejected: Option<Reading>,
}

#[derive(Clone, Debug)]
enum Evidence {
    Share {
        prior_strength: f64,
        /// That under the present weights.
        test: Option<ErrorShareTest>,
        /// The logarithm of the evidence under earlier weights: what stands so far is a factor, and
        /// a new test begins.
        carried: f64,
        /// The canary's errors beyond its share, over all weights.
        excess: f64,
    },
    Ratio {
        test: Box<ErrorRatioTest>,
        /// By how much of the stable's rate events may be more frequent.
        excess: f64,
        burst_block: Duration,
    },
}

impl ArmsGauge {
    /// Of the canary's share of errors, under a prior of this strength.
    pub(super) fn of_shares(prior_strength: f64) -> Self {
        let evidence = Evidence::Share { prior_strength, test: None, carried: 0.0, excess: 0.0 };
        Self::new(Metric::ErrorRate, evidence, Duration::ZERO)
    }

    /// Of errors that are more frequent by more than `effect`.
    pub(super) fn of_errors(effect: f64, burst_block: Duration) -> Self {
        Self::new(Metric::ErrorRate, Evidence::of_ratio(effect, burst_block), burst_block)
    }

    /// Of requests that are slow by the stable's measure.
    pub(super) fn of_slowness(slowness: &Slowness) -> Self {
        let burst_block = slowness.burst_block;
        let evidence = Evidence::of_ratio(MORE_SLOW, burst_block);
        let slow = Some(SlowLimit::new(slowness));
        Self { slow, ..Self::new(slowness.metric, evidence, burst_block) }
    }

    fn new(metric: Metric, evidence: Evidence, burst_block: Duration) -> Self {
        Self {
            metric,
            slow: None,
            bursts: BurstBlock::new(burst_block),
            owners: Owners::default(),
            evidence,
            alpha: Ratio::ONE,
            share: None,
            canary_events: 0,
            stable_events: 0,
            rejected: None,
        }
    }

    /// Whether requests that succeed tell it something.
    pub(super) const fn sees_successes(&self) -> bool {
        self.slow.is_some()
    }

    /// Gives it `share` of the deployment's probability of a false alarm. It is not raised again
    /// when others leave: what they were given is spent.
    pub(super) fn share_alpha(&mut self, share: Ratio) {
        if share.get() < self.alpha.get() {
            self.alpha = share;
        }
    }

    /// The weights of the canary and of the stable from now on.
    pub(super) fn set_weights(&mut self, canary: Ratio, stable: Ratio) {
        let both = canary.get() + stable.get();
        let share = Ratio::new(canary.get() / both).unwrap_or_default();
        let compares = share.get() > 0.0 && share.get() < 1.0;
        let share = compares.then_some(share);
        if share != self.share {
            self.share = share;
            self.evidence.begin(share);
        }
    }

    /// Takes in the end of a request.
    pub(super) fn record(&mut self, end: &JudgedEnd<'_>) {
        if !end.under_present_weights {
            return;
        }
        let is_event = match &mut self.slow {
            Some(slow) => slow.take(end),
            None => end.class == Class::Error,
        };
        // Whether an owner counts must not depend on how its first request ended: a version whose
        // owners have all had their error would run out of those who still can.
        let counts = end.owner.is_none_or(|owner| self.owners.is_new(owner));
        if is_event && counts {
            self.count(end);
        }
    }

    #[cold]
    fn count(&mut self, end: &JudgedEnd<'_>) {
        let Some(share) = self.share else { return };
        if !self.bursts.admits(end.at) {
            return;
        }
        self.canary_events += u64::from(end.of_canary);
        self.stable_events += u64::from(!end.of_canary);
        self.evidence.record(end.of_canary, share);
        if self.rejected.is_none() && self.evidence.suffices(self.alpha) {
            self.rejected = Some(self.current());
        }
    }

    pub(super) fn check(&self) -> Finding {
        let cannot_judge = self.slow.as_ref().is_some_and(|slow| slow.latest().is_none());
        if self.rejected.is_some() {
            Finding::Breach
        } else if cannot_judge {
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
        let (canary_events, stable_events) = (self.canary_events, self.stable_events);
        let expected_share = self.share.map_or(0.0, Ratio::get);
        let (ln_evidence, alpha) = (self.evidence.ln(), self.alpha);
        match &self.evidence {
            Evidence::Share { excess, .. } => Reading::Sequential(ErrorShares {
                canary_errors: canary_events,
                stable_errors: stable_events,
                expected_share,
                excess: *excess,
                ln_evidence,
                alpha,
            }),
            Evidence::Ratio { excess, burst_block, .. } => Reading::EventRatio(EventRatio {
                metric: self.metric,
                slow_above: self.slow.as_ref().and_then(SlowLimit::latest),
                canary_events,
                stable_events,
                expected_share,
                allowed_excess: *excess,
                burst_block: *burst_block,
                ln_evidence,
                alpha,
            }),
        }
    }
}

impl Evidence {
    fn of_ratio(excess: f64, burst_block: Duration) -> Self {
        Self::Ratio { test: Box::new(ErrorRatioTest::new(1.0 + excess)), excess, burst_block }
    }

    /// Goes on under other weights.
    fn begin(&mut self, share: Option<Ratio>) {
        let so_far = self.ln();
        if let Self::Share { prior_strength, test, carried, .. } = self {
            *carried = so_far;
            *test = share.and_then(|share| ErrorShareTest::new(*prior_strength, share));
        }
    }

    fn record(&mut self, of_canary: bool, share: Ratio) {
        match self {
            Self::Share { test, excess, .. } => {
                test.iter_mut().for_each(|test| test.record(of_canary));
                *excess += f64::from(u8::from(of_canary)) - share.get();
            }
            Self::Ratio { test, .. } => test.record(of_canary, share),
        }
    }

    fn ln(&self) -> f64 {
        match self {
            Self::Share { test, carried, .. } => {
                carried + test.as_ref().map_or(0.0, ErrorShareTest::ln_evidence)
            }
            Self::Ratio { test, .. } => test.ln_evidence(),
        }
    }

    /// Whether it has reached 1 / alpha; where it answers to both directions, with more than its
    /// share on the canary.
    fn suffices(&self, alpha: Ratio) -> bool {
        let worse = match self {
            Self::Share { excess, .. } => *excess > 0.0,
            Self::Ratio { .. } => true,
        };
        worse && self.ln() >= -math::ln(alpha.get())
    }
}

/// By how much of the stable's rate slow requests may be more frequent. From the design of the
/// statistics, as for errors: by half.
const MORE_SLOW: f64 = 0.5;
