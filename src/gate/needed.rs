//! How many requests would decide an inconclusive line.

use super::range::Range;
use crate::metric::Interval;
use crate::summary::Estimate;

/// About how many requests, in the selections of `estimates` together, would decide a line whose
/// sides have the values `left` and `right`, if these stay as they are; two digits of it count.
///
/// The width w of an interval, from its value towards the other side, shrinks with the square root
/// of the number of requests, and the sides are apart once it is less than their distance d:
/// n (w/d)^2. Where a proportion is 0 or 1 its limit shrinks with the number itself: n w/d.
/// `None` where the values are the same, or where a limit towards the other side is not known.
pub(super) fn requests_needed(estimates: &[&Estimate], left: f64, right: f64) -> Option<u64> {
    let mut width = 0.0;
    let mut requests = 0.0;
    let mut all_at_edge = true;
    for estimate in estimates {
        let (value, Range::Known { low, high }) = (estimate.value?, Range::of(estimate)) else {
            return None;
        };
        // The other side is whichever of the two this one is not nearer to.
        let is_left = (value - left).abs() <= (value - right).abs();
        let other = if is_left { right } else { left };
        width += if other > value { high - value } else { value - low };
        requests += estimate.n as f64;
        let at_edge = value <= 0.0 || value >= 1.0;
        all_at_edge &= estimate.metric.interval() == Interval::Proportion && at_edge;
    }
    let ratio = width / (left - right).abs();
    let needed = requests * if all_at_edge { ratio } else { ratio * ratio };
    // Infinite where the values are the same or a limit is missing.
    (needed > 0.0 && needed <= MOST)
        .then(|| two_digits_up((needed as u64).max(requests as u64) + 1))
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
    use crate::metric::Metric;
    use crate::summary::Limits;

    fn estimate(metric: Metric, value: f64, n: u64, low: f64, high: f64) -> Estimate {
        let interval = Some(Limits { low: Some(low), high: Some(high) });
        Estimate { value: Some(value), n, interval, ..Estimate::absent(metric) }
    }

    #[test]
    fn four_times_the_requests_halve_a_width() {
        let found = estimate(Metric::LatencyAvg, 1.0, 1_000, 0.8, 1.2);
        // (0.2 / 0.11)^2 = 3.306.
        assert_eq!(requests_needed(&[&found], 1.0, 1.11), Some(3_400));
        assert_eq!(requests_needed(&[&found], 0.89, 1.0), Some(3_400));
    }

    #[test]
    fn widths_of_two_estimates_add_up() {
        // (0.2 + 0.1) / 0.12 = 2.5, squared: 6.25 times 2,000 requests.
        let left = estimate(Metric::LatencyAvg, 1.0, 1_000, 0.8, 1.2);
        let right = estimate(Metric::LatencyAvg, 1.12, 1_000, 1.02, 1.3);
        assert_eq!(requests_needed(&[&left, &right], 1.0, 1.12), Some(13_000));
    }

    #[test]
    fn no_errors_need_a_number_in_proportion_to_the_limit() {
        // Clopper and Pearson: 0 of 100 reach to 3.62 %, 0 of 368 to 0.9975 %.
        let found = estimate(Metric::ErrorRate, 0.0, 100, 0.0, 0.036_217);
        assert_eq!(requests_needed(&[&found], 0.0, 0.01), Some(370));
    }

    #[test]
    fn equal_values_and_missing_limits_are_decided_by_no_number() {
        let found = estimate(Metric::LatencyAvg, 1.0, 1_000, 0.8, 1.2);
        assert_eq!(requests_needed(&[&found], 1.0, 1.0), None);
        let interval = Some(Limits { low: Some(0.8), high: None });
        let open = Estimate { interval, ..found };
        assert_eq!(requests_needed(&[&open], 1.0, 1.1), None);
        assert_eq!(requests_needed(&[&Estimate::absent(Metric::ErrorRate)], 0.0, 1.0), None);
    }
}
