//! What a rank judge looks at: a metric's values over stretches of time, of a canary and of the
//! stable.

use std::collections::VecDeque;

use super::comparison::{Operator, Relation, Threshold};
use super::condition::{Condition, NoData};
use super::finding::Finding;
use super::judge::Ranks;
use super::judge_fields::FEWEST_BUCKETS;
use super::meter::Meter;
use super::watched::Prices;
use super::{RankShift, Reading};
use crate::exchange::{Class, Observed};
use crate::metric::{Direction, Metric, Unit};
use crate::stats::{Confidence, RankClassifier, RankFinding};
use crate::units::{Duration, Timestamp};

/// A rank judge with the values since the canary's activation, as far as its window reaches.
#[derive(Clone, Debug)]
pub(super) struct RankGauge {
    ranks: Ranks,
    own: Series,
    stable: Series,
    shift: RankShift,
    /// What values are multiplied with for the test.
    scale: f64,
}

/// The values of one version: one for each stretch in which it had any, with the stretch's end.
#[derive(Clone, Debug)]
struct Series {
    meter: Meter,
    values: VecDeque<(Timestamp, f64)>,
}

impl RankGauge {
    pub(super) fn new(ranks: &Ranks, prices: Prices) -> Self {
        let shift = nothing_compared(ranks);
        let series =
            |price| Series { meter: Meter::new(&measured(ranks), price), values: VecDeque::new() };
        let (own, stable) = (series(prices.own), series(prices.stable));
        Self { ranks: *ranks, own, stable, shift, scale: scale(ranks.metric) }
    }

    /// Takes in a completion of the canary.
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        self.own.meter.record(second, class, observed);
    }

    /// Takes in a completion of the stable.
    pub(super) fn record_stable(&mut self, second: i64, class: Class, observed: &Observed) {
        self.stable.meter.record(second, class, observed);
    }

    /// Ends a stretch at `at`, and compares.
    pub(super) fn check(&mut self, at: Timestamp) -> Finding {
        let Ranks { window, tolerance, .. } = self.ranks;
        self.own.end_stretch(at, window);
        self.stable.end_stretch(at, window);
        let [canary, stable] = [&self.own, &self.stable].map(|series| series.values(self.scale));
        // What an earlier check has compared is not told as what this one did.
        self.shift = nothing_compared(&self.ranks);
        if (canary.len().min(stable.len()) as u64) < FEWEST_BUCKETS {
            return Finding::NoData;
        }
        let verdict = classifier(&self.ranks).classify(&canary, &stable);
        if let Some(test) = verdict.test {
            self.shift = RankShift {
                canary_buckets: canary.len() as u64,
                stable_buckets: stable.len() as u64,
                shift: test.shift / self.scale,
                low: test.limits.low / self.scale,
                high: test.limits.high / self.scale,
                tolerance: tolerance * test.shift.abs() / self.scale,
                ..self.shift.clone()
            };
        }
        let worse = match self.ranks.metric.direction() {
            Direction::Higher => RankFinding::Low,
            Direction::Lower | Direction::Neutral => RankFinding::High,
        };
        match verdict.finding {
            RankFinding::NoData => Finding::NoData,
            finding if finding == worse => Finding::Breach,
            _ => Finding::Clear,
        }
    }

    /// What the last check compared.
    pub(super) fn reading(&self) -> Reading {
        Reading::Ranks(self.shift.clone())
    }
}

/// The reading of a check that had too little to compare.
const fn nothing_compared(ranks: &Ranks) -> RankShift {
    RankShift {
        metric: ranks.metric,
        canary_buckets: 0,
        stable_buckets: 0,
        bucket: ranks.bucket,
        shift: 0.0,
        low: 0.0,
        high: 0.0,
        confidence: ranks.confidence,
        tolerance: 0.0,
    }
}

impl Series {
    fn end_stretch(&mut self, at: Timestamp, window: Duration) {
        let (value, _) = self.meter.read(at.second());
        self.values.extend(value.map(|value| (at, value)));
        while self.values.front().is_some_and(|(end, _)| at.since(*end) >= window) {
            self.values.pop_front();
        }
    }

    fn values(&self, scale: f64) -> Vec<f64> {
        self.values.iter().map(|(_, value)| value * scale).collect()
    }
}

/// What a metric's working unit is multiplied with: the test finds its roots to within 1e-4, as
/// Kayenta's does, which is fine for percents and milliseconds and coarse for fractions.
fn scale(metric: Metric) -> f64 {
    match metric.unit() {
        Unit::Ratio | Unit::PValue => 100.0,
        Unit::Time => 1e-6,
        Unit::Money => 1e6,
        _ => 1.0,
    }
}

fn classifier(ranks: &Ranks) -> RankClassifier {
    let confidence = Confidence::new(ranks.confidence.get());
    RankClassifier {
        tolerance: ranks.tolerance,
        confidence: confidence.expect("0.5 to 0.9999"),
        ..RankClassifier::default()
    }
}

/// The metric over one stretch. What it is compared with has no part in its value.
fn measured(ranks: &Ranks) -> Condition {
    Condition {
        metric: ranks.metric,
        operator: Operator::Above,
        threshold: Threshold::Stable(Relation::Times(1.0)),
        duration: Duration::ZERO,
        window: ranks.bucket,
        min_requests: 1,
        no_data: NoData::Clear,
    }
}
