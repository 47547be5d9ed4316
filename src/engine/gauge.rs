//! What a condition looks at: a window over one version's completions.
//!
//! A quantile condition is decided by counting, not by the quantile: "P99 above T" holds exactly
//! when more than 1 % of the window's values lie above T. The histogram is read only for the
//! evidence.

use super::finding::Finding;
use super::in_flight::Overdue;
use super::{Condition, Operator, Reading, Threshold};
use crate::exchange::{Class, Ending, Observed};
use crate::metric::{Measure, Quantile, Sample};
use crate::stats::{CountWindow, Counts, SampleWindow};
use crate::units::{Duration, Ratio};

/// A condition with its window.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    condition: Condition,
    /// That of the condition's metric.
    measure: Measure,
    kind: GaugeKind,
}

#[derive(Clone, Debug)]
enum GaugeKind {
    /// A share of requests: hits are those with the property.
    Share(CountWindow),
    /// A number of requests.
    Requests(CountWindow),
    /// Durations: hits are those on the far side of the threshold.
    Time { sample: Sample, limit: Duration, counts: CountWindow, samples: SampleWindow },
}

impl Gauge {
    pub(super) fn new(condition: &Condition) -> Self {
        let seconds = condition.window.as_secs() as u32;
        let counts = CountWindow::new(seconds);
        let measure = condition.metric.measure();
        let kind = match measure {
            Measure::Requests => GaugeKind::Requests(counts),
            Measure::Mean(sample) | Measure::Quantile(sample, _) => {
                let Threshold::Time(limit) = condition.threshold else {
                    unreachable!("a checked condition on a time has a time for its threshold")
                };
                GaugeKind::Time { sample, limit, counts, samples: SampleWindow::new(seconds) }
            }
            _ => GaugeKind::Share(counts),
        };
        Self { condition: condition.clone(), measure, kind }
    }

    /// The threshold of a latency condition: requests in flight for longer count as above it.
    pub(super) fn overdue_limit(&self) -> Option<Duration> {
        match self.kind {
            GaugeKind::Time { sample: Sample::Latency | Sample::LatencyAll, limit, .. } => {
                Some(limit)
            }
            _ => None,
        }
    }

    /// Takes in a completion in second `second`, of the class that the rules put it in.
    #[inline]
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        match &mut self.kind {
            GaugeKind::Share(window) => {
                if let Some(hit) = share_hit(self.measure, class, observed.ending) {
                    window.add(second, hit);
                }
            }
            GaugeKind::Requests(window) => window.add(second, true),
            GaugeKind::Time { sample, limit, counts, samples } => {
                let value = match sample {
                    Sample::Latency if class == Class::Success => Some(observed.latency),
                    Sample::Latency => None,
                    Sample::LatencyAll => Some(observed.latency),
                    Sample::FirstToken => observed.first_token,
                };
                if let Some(value) = value {
                    counts.add(second, is_far(self.condition.operator, value, *limit));
                    samples.add(second, value);
                }
            }
        }
    }

    /// Compares the window [end - w, end) with the threshold.
    pub(super) fn check(&mut self, end_second: i64, overdue: Overdue) -> Finding {
        let Condition { metric, operator, threshold, min_requests, .. } = self.condition;
        let (data, holds) = match (&mut self.kind, threshold) {
            (GaugeKind::Share(window), Threshold::Ratio(threshold)) => {
                let Counts { hits, total } = window.counts(end_second);
                let share = Ratio::of(hits, total);
                (total, share.is_some_and(|share| operator.holds(share, threshold)))
            }
            (GaugeKind::Requests(window), Threshold::Count(threshold)) => {
                let total = window.counts(end_second).total;
                // A number of requests is data however small it is.
                (u64::MAX, operator.holds(total, threshold))
            }
            (GaugeKind::Time { limit, counts, samples, .. }, _) => {
                let Counts { hits, total } = counts.counts(end_second);
                let all = total + overdue.count;
                let holds = match metric.measure() {
                    Measure::Quantile(_, quantile) => {
                        quantile_holds(operator, quantile, hits, total, overdue.count)
                    }
                    _ => mean_with(samples, end_second, self.condition.window, overdue)
                        .is_some_and(|mean| operator.holds(mean, *limit)),
                };
                (all, holds)
            }
            (GaugeKind::Share(_) | GaugeKind::Requests(_), _) => {
                unreachable!("a checked condition has a threshold of its metric's unit")
            }
        };
        match (data < min_requests.max(1), holds) {
            (true, _) => Finding::NoData,
            (false, true) => Finding::Breach,
            (false, false) => Finding::Clear,
        }
    }

    /// What stands in the window [end - w, end): the evidence of a firing.
    pub(super) fn reading(&mut self, end_second: i64, overdue: Overdue) -> Reading {
        let Condition { metric, operator, threshold, window, min_requests, .. } = self.condition;
        let no_data = self.check(end_second, overdue) == Finding::NoData;
        let operator = operator.symbol().to_owned();
        let name = metric.name().to_owned();
        match (&mut self.kind, threshold) {
            (GaugeKind::Share(counts), Threshold::Ratio(threshold)) if !no_data => {
                let Counts { hits, total: requests } = counts.counts(end_second);
                Reading::Share { metric: name, hits, requests, operator, threshold, window }
            }
            (GaugeKind::Requests(counts), Threshold::Count(threshold)) => {
                let requests = counts.counts(end_second).total;
                Reading::Count { metric: name, requests, operator, threshold, window }
            }
            (GaugeKind::Time { limit, counts, samples, .. }, _) if !no_data => {
                let Counts { hits, total } = counts.counts(end_second);
                let view = samples.read(end_second, window.as_secs() as u32);
                let (value, above) = match metric.measure() {
                    Measure::Quantile(_, quantile) => {
                        let rank = quantile.rank(total + overdue.count);
                        (view.at_rank(rank), Some(hits + overdue.count))
                    }
                    _ => (mean_with(samples, end_second, window, overdue), None),
                };
                Reading::Time {
                    metric: name,
                    value,
                    above,
                    requests: total + overdue.count,
                    in_flight: overdue.count,
                    operator,
                    threshold: *limit,
                    window,
                }
            }
            (GaugeKind::Share(counts) | GaugeKind::Time { counts, .. }, _) => {
                let requests = counts.counts(end_second).total + overdue.count;
                // Without any request there is no data, even where none are asked for.
                let min_requests = min_requests.max(1);
                Reading::NoData { metric: name, requests, min_requests, window }
            }
            (GaugeKind::Requests(_), _) => {
                unreachable!("a checked condition has a threshold of its metric's unit")
            }
        }
    }
}

/// Whether a completion has the property of a share's metric; `None` where it does not count.
fn share_hit(measure: Measure, class: Class, ending: Ending) -> Option<bool> {
    match (class, measure) {
        (_, Measure::RateLimitedRate) if ending == Ending::Status(429) => Some(true),
        (Class::Neutral, _) => None,
        (_, Measure::ClientErrorRate) => Some(class == Class::ClientError),
        (Class::ClientError, _) => None,
        (_, Measure::SuccessRate) => Some(class == Class::Success),
        (_, Measure::RateLimitedRate) => Some(false),
        (_, Measure::TimeoutRate) => Some(ending == Ending::Timeout),
        _ => Some(class == Class::Error),
    }
}

/// Whether a value lies on the side of the limit that [`quantile_holds`] counts: above it, where
/// `at or above` belongs to it for the operators that draw their line there.
fn is_far(operator: Operator, value: Duration, limit: Duration) -> bool {
    match operator {
        Operator::Above | Operator::AtMost => value > limit,
        Operator::AtLeast | Operator::Below => value >= limit,
    }
}

/// Whether the quantile of `total` values and `overdue` larger ones compares with the limit, where
/// `far` values lie beyond it ([`is_far`]): the value of rank ceil(q n) lies beyond the limit
/// exactly if more than (1 - q) n values do.
fn quantile_holds(
    operator: Operator,
    quantile: Quantile,
    far: u64,
    total: u64,
    overdue: u64,
) -> bool {
    let values = u128::from(total) + u128::from(overdue);
    let far = u128::from(far) + u128::from(overdue);
    let beyond = far * 1_000 > values * u128::from(1_000 - quantile.per_mille());
    match operator {
        Operator::Above | Operator::AtLeast => beyond,
        Operator::Below | Operator::AtMost => values > 0 && !beyond,
    }
}

/// The mean of a window's samples and of the ages of requests in flight for too long.
fn mean_with(
    samples: &SampleWindow,
    end_second: i64,
    window: Duration,
    overdue: Overdue,
) -> Option<Duration> {
    let view = samples.read(end_second, window.as_secs() as u32);
    let sum = view.mean().map_or(0, |mean| u128::from(mean.as_nanos()) * u128::from(view.count()))
        + u128::from(overdue.age.as_nanos());
    let count = u128::from(view.count() + overdue.count);
    let mean = sum.checked_div(count)?;
    Some(Duration::from_nanos(mean as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_condition_holds_exactly_when_its_order_statistic_lies_beyond() {
        let operators = [Operator::Above, Operator::AtLeast, Operator::Below, Operator::AtMost];
        let limit = Duration::from_millis(50);
        for quantile in [Quantile::P50, Quantile::P90, Quantile::P99] {
            for n in 1..=220_u64 {
                for slow in (0..=n).step_by(3) {
                    // Values below, at and above the limit.
                    let mut values: Vec<_> = (0..n)
                        .map(|i| {
                            let millis = if i < slow {
                                60
                            } else if i % 5 == 0 {
                                50
                            } else {
                                40
                            };
                            Duration::from_millis(millis)
                        })
                        .collect();
                    values.sort();
                    let statistic = values[quantile.rank(n) as usize - 1];
                    for operator in operators {
                        let far = values.iter().filter(|v| is_far(operator, **v, limit)).count();
                        assert_eq!(
                            quantile_holds(operator, quantile, far as u64, n, 0),
                            operator.holds(statistic, limit),
                            "{quantile:?} {operator:?} {n} {slow}"
                        );
                    }
                }
            }
        }
    }
}
