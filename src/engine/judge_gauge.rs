//! What a judge looks at, whichever it is: told of ends of requests, asked at checks.

use super::arms_gauge::ArmsGauge;
use super::finding::Finding;
use super::judge::JudgeTest;
use super::judged_end::JudgedEnd;
use super::objective_gauge::ObjectiveGauge;
use super::rank_gauge::RankGauge;
use super::watched::Watched;
use super::{Judge, Reading};
use crate::exchange::{Class, Observed};
use crate::units::{Ratio, Timestamp};

/// A judge with what it has seen since the version's activation.
#[derive(Clone, Debug)]
pub(super) struct JudgeGauge {
    /// Its own probability of a false alarm, if it does not share the rule set's.
    own_alpha: Option<Ratio>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Arms(ArmsGauge),
    Objective(ObjectiveGauge),
    Ranks(RankGauge),
}

impl JudgeGauge {
    pub(super) fn new(judge: &Judge, watched: Watched) -> Self {
        let kind = match &judge.test {
            JudgeTest::Objective(objective) => {
                Kind::Objective(ObjectiveGauge::new(objective, watched.at, watched.begun))
            }
            JudgeTest::Ranks(ranks) => Kind::Ranks(RankGauge::new(ranks, watched.prices)),
            JudgeTest::ErrorShare { prior_strength } => {
                Kind::Arms(ArmsGauge::of_shares(*prior_strength))
            }
            JudgeTest::ErrorRatio { effect, burst_block } => {
                Kind::Arms(ArmsGauge::of_errors(*effect, *burst_block))
            }
            JudgeTest::Slowness(slowness) => Kind::Arms(ArmsGauge::of_slowness(slowness)),
        };
        Self { own_alpha: judge.alpha, kind }
    }

    /// Its own probability of a false alarm, if it does not share the rule set's; `None` too where
    /// it holds to none.
    pub(super) const fn own_alpha(&self) -> Option<Ratio> {
        self.own_alpha
    }

    /// Whether it holds to a probability of a false alarm.
    pub(super) const fn has_alpha(&self) -> bool {
        !matches!(self.kind, Kind::Ranks(_))
    }

    /// Whether it compares with the stable.
    pub(super) const fn is_relative(&self) -> bool {
        !matches!(self.kind, Kind::Objective(_))
    }

    /// Whether it looks at windows over all completions of both versions.
    pub(super) const fn has_windows(&self) -> bool {
        matches!(self.kind, Kind::Ranks(_))
    }

    /// Whether requests that are no errors tell it something, one by one.
    pub(super) const fn sees_all_ends(&self) -> bool {
        match &self.kind {
            Kind::Arms(gauge) => gauge.sees_successes(),
            Kind::Objective(_) => true,
            Kind::Ranks(_) => false,
        }
    }

    /// Gives it a probability of a false alarm, which is never raised again.
    pub(super) fn share_alpha(&mut self, share: Ratio) {
        match &mut self.kind {
            Kind::Arms(gauge) => gauge.share_alpha(share),
            Kind::Objective(gauge) => gauge.share_alpha(share),
            Kind::Ranks(_) => {}
        }
    }

    /// The weights of the version and of the stable from now on.
    pub(super) fn set_weights(&mut self, canary: Ratio, stable: Ratio) {
        if let Kind::Arms(gauge) = &mut self.kind {
            gauge.set_weights(canary, stable);
        }
    }

    /// Takes in the end of a request of the version, or of the stable.
    pub(super) fn judge(&mut self, end: &JudgedEnd<'_>) {
        match &mut self.kind {
            Kind::Arms(gauge) => gauge.record(end),
            Kind::Objective(gauge) if end.of_canary => gauge.record(end),
            Kind::Objective(_) | Kind::Ranks(_) => {}
        }
    }

    /// Takes in a completion of the version for its window.
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        if let Kind::Ranks(gauge) = &mut self.kind {
            gauge.record(second, class, observed);
        }
    }

    /// Takes in a completion of the stable for its window.
    pub(super) fn record_stable(&mut self, second: i64, class: Class, observed: &Observed) {
        if let Kind::Ranks(gauge) = &mut self.kind {
            gauge.record_stable(second, class, observed);
        }
    }

    /// What it finds at `at`.
    pub(super) fn check(&mut self, at: Timestamp) -> Finding {
        match &mut self.kind {
            Kind::Arms(gauge) => gauge.check(),
            Kind::Objective(gauge) => gauge.check(),
            Kind::Ranks(gauge) => gauge.check(at),
        }
    }

    /// The evidence of a firing.
    pub(super) fn reading(&self) -> Reading {
        match &self.kind {
            Kind::Arms(gauge) => gauge.reading(),
            Kind::Objective(gauge) => gauge.reading(),
            Kind::Ranks(gauge) => gauge.reading(),
        }
    }
}
