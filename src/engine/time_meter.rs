//! A meter of durations: means and quantiles of latencies and times to the first token.

use super::in_flight::Overdue;
use super::{Condition, Operator, Threshold};
use crate::exchange::{Class, Observed};
use crate::metric::{Quantile, Sample};
use crate::stats::{CountWindow, SampleView, SampleWindow};
use crate::units::Duration;

/// The window of a metric of durations over the completions of one version.
#[derive(Clone, Debug)]
pub(super) struct TimeMeter {
    sample: Sample,
    figure: TimeFigure,
    window_seconds: u32,
    samples: SampleWindow,
    far: Option<Far>,
}

/// What a meter of durations is read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TimeFigure {
    Mean,
    Quantile(Quantile),
}

/// Durations beyond a fixed limit, counted as they come: exact, where bins would be near.
#[derive(Clone, Debug)]
struct Far {
    limit: Duration,
    operator: Operator,
    counts: CountWindow,
}

impl TimeMeter {
    pub(super) fn new(condition: &Condition, sample: Sample, figure: TimeFigure) -> Self {
        let window_seconds = condition.window.as_secs() as u32;
        let far = match (figure, condition.threshold) {
            (TimeFigure::Quantile(_), Threshold::Time(limit)) => {
                let counts = CountWindow::new(window_seconds);
                Some(Far { limit, operator: condition.operator, counts })
            }
            _ => None,
        };
        let samples = SampleWindow::new(window_seconds);
        Self { sample, figure, window_seconds, samples, far }
    }

    pub(super) const fn figure(&self) -> TimeFigure {
        self.figure
    }

    /// Whether requests in flight for too long count: they have a latency, but no first token yet
    /// that could be late.
    pub(super) const fn sees_in_flight(&self) -> bool {
        matches!(self.sample, Sample::Latency | Sample::LatencyAll)
    }

    /// Takes in a completion in second `second`, of the class that the rules put it in.
    #[inline]
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        if let Some(value) = duration_of(self.sample, class, observed) {
            if let Some(far) = &mut self.far {
                far.counts.add(second, is_far(far.operator, value, far.limit));
            }
            self.samples.add(second, value);
        }
    }

    /// How many durations the window holds that ends at `end_second`.
    pub(super) fn count(&self, end_second: i64) -> u64 {
        self.view(end_second).count()
    }

    /// The figure in nanoseconds. A quantile is the order statistic of rank ceil(q n), read as the
    /// middle of its bin (within 0.8 %).
    pub(super) fn value(&self, end_second: i64) -> Option<f64> {
        let view = self.view(end_second);
        let value = match self.figure {
            TimeFigure::Mean => view.mean(),
            TimeFigure::Quantile(quantile) => view.at_rank(quantile.rank(view.count())),
        };
        value.map(|value| value.as_nanos() as f64)
    }

    /// The figure in nanoseconds with the requests in flight for too long: a mean takes in their
    /// ages so far; a quantile counts each as longer than all that ended, and is unknown where it
    /// falls among them.
    pub(super) fn value_with(&self, end_second: i64, overdue: Overdue) -> Option<f64> {
        let view = self.view(end_second);
        let value = match self.figure {
            TimeFigure::Mean => mean_with(&view, overdue),
            TimeFigure::Quantile(quantile) => {
                view.at_rank(quantile.rank(view.count() + overdue.count))
            }
        };
        value.map(|value| value.as_nanos() as f64)
    }

    /// How many durations lie beyond `limit`, on the side that decides `operator`.
    pub(super) fn beyond(&mut self, end_second: i64, operator: Operator, limit: Duration) -> u64 {
        match &mut self.far {
            Some(far) => far.counts.counts(end_second).hits,
            None => self.view(end_second).count_beyond(limit, counts_limit(operator)),
        }
    }

    fn view(&self, end_second: i64) -> SampleView<'_> {
        self.samples.read(end_second, self.window_seconds)
    }
}

/// What a completion adds to a sample of durations.
#[inline]
pub(super) fn duration_of(sample: Sample, class: Class, observed: &Observed) -> Option<Duration> {
    match sample {
        Sample::Latency if class == Class::Success => Some(observed.latency),
        Sample::Latency => None,
        Sample::LatencyAll => Some(observed.latency),
        Sample::FirstToken => observed.first_token,
    }
}

/// The mean of a window's samples and of the ages of requests in flight for too long.
fn mean_with(view: &SampleView<'_>, overdue: Overdue) -> Option<Duration> {
    let sum = view.mean().map_or(0, |mean| u128::from(mean.as_nanos()) * u128::from(view.count()))
        + u128::from(overdue.age.as_nanos());
    let mean = sum.checked_div(u128::from(view.count() + overdue.count))?;
    Some(Duration::from_nanos(mean as u64))
}

/// Whether a value at the limit counts as beyond it: `at or above` draws its line there.
const fn counts_limit(operator: Operator) -> bool {
    matches!(operator, Operator::AtLeast | Operator::Below)
}

/// Whether a value lies on the side of the limit that [`quantile_holds`] counts.
fn is_far(operator: Operator, value: Duration, limit: Duration) -> bool {
    if counts_limit(operator) { value >= limit } else { value > limit }
}

/// Whether the quantile of `values` values compares with a limit beyond which `far` of them lie:
/// the value of rank ceil(q n) lies beyond the limit exactly if more than (1 - q) n values do.
pub(super) fn quantile_holds(
    operator: Operator,
    quantile: Quantile,
    far: u64,
    values: u64,
) -> bool {
    let (far, values) = (u128::from(far), u128::from(values));
    let beyond = far * 1_000 > values * u128::from(1_000 - quantile.per_mille());
    match operator {
        Operator::Above | Operator::AtLeast => beyond,
        Operator::Below | Operator::AtMost => values > 0 && !beyond,
    }
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
                            quantile_holds(operator, quantile, far as u64, n),
                            operator.holds(statistic, limit),
                            "{quantile:?} {operator:?} {n} {slow}"
                        );
                    }
                }
            }
        }
    }
}
