//! How many requests or runs would decide an inconclusive line.

use super::Verdict;
use super::case::{Approach, Case};
use super::gathered::Gathered;
use super::inequality::Inequality;
use super::judging::Judging;
use super::range::{Range, operate};
use crate::assertion::{Operation, OverRuns};
use crate::math;
use crate::metric::{Interval, Measure, Quantile};
use crate::stats::Confidence;

/// About how much would decide a line, were its values to stay as they are; two digits of it count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Needed {
    /// Requests in the selections together.
    pub(super) requests: Option<u64>,
    /// Runs.
    pub(super) runs: Option<u64>,
}

impl Needed {
    /// Of a line that is not decided; `None` where that is not known, and of others.
    pub(super) fn of(judging: &Judging<'_>) -> Option<Self> {
        let Judging { case, confidence, .. } = judging;
        if judging.verdict != Verdict::Inconclusive {
            return None;
        }
        let undecided = case.inequalities.iter().filter_map(|one| times(case, one, *confidence));
        let times = undecided.reduce(f64::max)?;
        let estimates = || case.gathered.iter().filter(|one| one.reading.is_estimate());
        let requests = estimates().filter_map(|one| one.requests()).sum::<u64>();
        let runs = case.gathered.iter().map(Gathered::runs).max().unwrap_or(0);
        let more = |now: u64| {
            let needed = now as f64 * times;
            // Infinite where the values are the same or a limit is missing.
            let known = now > 0 && needed <= MOST;
            known.then(|| two_digits_up((needed as u64).max(now) + 1))
        };
        let by_requests = estimates().all(|one| one.reading.over_runs == OverRuns::Itself);
        let paired = matches!(case.approach, Approach::Paired(_));
        let requests = more(requests).filter(|_| by_requests && !paired);
        let needed = Self { requests, runs: more(runs) };
        (needed.requests.is_some() || needed.runs.is_some()).then_some(needed)
    }
}

/// How many times as much would decide an inequality; `None` where it is decided.
fn times(case: &Case<'_>, inequality: &Inequality, confidence: Confidence) -> Option<f64> {
    let (left, right) = (&inequality.left, &inequality.right);
    let (difference, range, at_edge) = match &case.approach {
        Approach::Paired(pairs) => {
            let (mean, limits) = case.mean_difference(inequality, pairs, confidence)?;
            (mean, Range::Known { low: limits.low, high: limits.high }, false)
        }
        Approach::Apart => {
            let (one, other) = (case.value(left)?, case.value(right)?);
            let range = |side| case.range(side, confidence);
            let range = operate(range(left), Operation::Minus, range(right));
            let mut estimates = case.gathered.iter().filter(|one| one.reading.is_estimate());
            (one - other, range, estimates.all(Gathered::is_at_edge))
        }
        Approach::Independent => {
            let (one, other) = (case.value(left)?, case.value(right)?);
            (one - other, case.independent_difference(inequality, confidence), false)
        }
        Approach::EachRun(_) | Approach::Same | Approach::NoBaseline => return None,
    };
    if let Range::Known { low, high } = range {
        if difference == 0.0 {
            return Some(f64::INFINITY);
        }
        let reach = if difference < 0.0 { high - difference } else { difference - low };
        if reach.is_finite() {
            return Some(factor(reach, difference.abs(), at_edge)).filter(|times| *times >= 1.0);
        }
    }
    let each = case.share_of(confidence);
    let bounding = case.gathered.iter().filter_map(|one| one.fewest_times(each));
    bounding.reduce(f64::max)
}

/// How many times as many observations bring an interval that reaches so far below the `distance`
/// to what it is compared with: its width shrinks with the square root of their number. Where a
/// proportion is 0 or 1 its exact limit is `1 - (a/2)^(1/n)` from there.
fn factor(reach: f64, distance: f64, at_edge: bool) -> f64 {
    if at_edge && reach < 1.0 && distance < 1.0 {
        return math::ln(1.0 - reach) / math::ln(1.0 - distance);
    }
    let ratio = reach / distance;
    ratio * ratio
}

impl Gathered<'_> {
    /// Whether it is a share of which there is nothing, or nothing else.
    fn is_at_edge(&self) -> bool {
        let share = self.reading.over_runs == OverRuns::Probability
            || (self.reading.over_runs == OverRuns::Itself
                && self.reading.metric.interval() == Interval::Proportion);
        let value = self.known(Confidence::PERCENT_95).value;
        share && value.is_some_and(|value| value <= 0.0 || value >= 1.0)
    }

    /// How many requests an estimate was made from.
    fn requests(&self) -> Option<u64> {
        self.known(Confidence::PERCENT_95).estimate.map(|estimate| estimate.n)
    }

    /// How many times as many observations would bound a quantile that is not bounded on a side.
    fn fewest_times(&self, confidence: Confidence) -> Option<f64> {
        let (quantile, now) = match (self.reading.over_runs, self.reading.metric.measure()) {
            (OverRuns::Quantile(quantile), _) => (quantile, self.runs()),
            (OverRuns::Itself, Measure::Quantile(_, quantile)) => (quantile, self.requests()?),
            _ => return None,
        };
        let times = fewest(quantile, confidence) / now as f64;
        (now > 0 && times > 1.0).then_some(times)
    }
}

/// How many observations bound a quantile q on both sides: the first n at which the least and the
/// greatest of them do, `max(q, 1 - q)^n <= a/2`.
fn fewest(quantile: Quantile, confidence: Confidence) -> f64 {
    let q = quantile.as_f64();
    let tail = 0.5 * (1.0 - confidence.get());
    (math::ln(tail) / math::ln(q.max(1.0 - q))).ceil()
}

/// `count` rounded up to two significant digits.
fn two_digits_up(count: u64) -> u64 {
    let mut unit = 1;
    while count / unit >= 100 {
        unit *= 10;
    }
    count.div_ceil(unit) * unit
}

/// Chosen: a thousand requests a second for thirty years. Beyond it nothing decides.
const MOST: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(now: f64, times: f64) -> u64 {
        two_digits_up((now * times) as u64 + 1)
    }

    #[test]
    fn four_times_the_requests_halve_a_width() {
        // (0.2 / 0.11)^2 = 3.306.
        assert_eq!(needed(1_000.0, factor(0.2, 0.11, false)), 3_400);
    }

    #[test]
    fn no_errors_need_as_many_as_bring_the_exact_limit_down() {
        // Clopper and Pearson: 0 of 100 reach to 3.62 %, 0 of 368 to 0.9975 %.
        assert_eq!(needed(100.0, factor(0.036_217, 0.01, true)), 370);
        // 0 of 1 reach to 97.5 %, 0 of 5 to 52.2 %, 0 of 6 to 45.9 %.
        assert_eq!(needed(1.0, factor(0.975, 0.5, true)), 6);
    }

    #[test]
    fn quantiles_are_bounded_from_a_number_on() {
        // 0.99^367 > 0.025 >= 0.99^368; 0.5^5 > 0.025 >= 0.5^6; 0.95^71 > 0.025 >= 0.95^72.
        let of = |quantile| fewest(quantile, Confidence::PERCENT_95);
        assert_eq!(of(Quantile::P99), 368.0);
        assert_eq!(of(Quantile::P50), 6.0);
        assert_eq!(of(Quantile::P95), 72.0);
    }
}
