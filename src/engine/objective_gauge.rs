//! What a judge of an objective looks at: each request of one version, with what the metric counts
//! or without.

use super::finding::Finding;
use super::judge::Objective;
use super::judged_end::JudgedEnd;
use super::meter::share_hit;
use super::time_meter::duration_of;
use super::{AgainstObjective, Reading};
use crate::math;
use crate::metric::Measure;
use crate::stats::ObjectiveTest;
use crate::units::Ratio;

/// A judge of an objective with its evidence since the version's activation.
#[derive(Clone, Debug)]
pub(super) struct ObjectiveGauge {
    objective: Objective,
    alpha: Ratio,
    test: ObjectiveTest,
    hits: u64,
    requests: u64,
    /// As the evidence was when it first sufficed.
    rejected: Option<Reading>,
}

impl ObjectiveGauge {
    pub(super) fn new(objective: &Objective) -> Self {
        Self {
            objective: *objective,
            alpha: Ratio::ONE,
            test: ObjectiveTest::new(objective.share),
            hits: 0,
            requests: 0,
            rejected: None,
        }
    }

    /// As that of [`ArmsGauge`](super::arms_gauge::ArmsGauge).
    pub(super) fn share_alpha(&mut self, share: Ratio) {
        if share.get() < self.alpha.get() {
            self.alpha = share;
        }
    }

    /// Takes in the end of a request of the version.
    pub(super) fn record(&mut self, end: &JudgedEnd<'_>) {
        let Some(hit) = self.hit(end) else { return };
        self.requests += 1;
        self.hits += u64::from(hit);
        self.test.record(hit);
        let suffices = |gauge: &Self| gauge.test.ln_evidence() >= -math::ln(gauge.alpha.get());
        // Only what the metric counts raises the evidence.
        if hit && self.rejected.is_none() && suffices(self) {
            self.rejected = Some(self.current());
        }
    }

    /// Whether it has what the metric counts; `None` where it is no part of the metric.
    fn hit(&self, end: &JudgedEnd<'_>) -> Option<bool> {
        match (self.objective.metric.measure(), self.objective.limit) {
            (Measure::Quantile(sample, _), Some(limit)) => {
                duration_of(sample, end.class, end.observed).map(|duration| duration > limit)
            }
            (measure, _) => share_hit(measure, end.class, end.observed),
        }
    }

    pub(super) fn check(&self) -> Finding {
        match (&self.rejected, self.requests) {
            (Some(_), _) => Finding::Breach,
            (None, 0) => Finding::NoData,
            (None, _) => Finding::Clear,
        }
    }

    pub(super) fn reading(&self) -> Reading {
        self.rejected.clone().unwrap_or_else(|| self.current())
    }

    fn current(&self) -> Reading {
        Reading::Objective(AgainstObjective {
            metric: self.objective.metric,
            hits: self.hits,
            requests: self.requests,
            objective: self.objective.share,
            limit: self.objective.limit,
            ln_evidence: self.test.ln_evidence(),
            alpha: self.alpha,
        })
    }
}
