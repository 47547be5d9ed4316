//! A distribution given by points of its quantile function.

use super::parameter::{DistributionError, Parameter};

/// A quantile function that is linear between its points (probability, value).
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Empirical(Box<[(f64, f64)]>);

impl Empirical {
    /// Checks the order of the points; that the values are in range is the caller's part.
    pub(super) fn new(points: Vec<(f64, f64)>) -> Result<Self, DistributionError> {
        let ([(first, _), .., (last, _)], false) = (&points[..], points.len() < 2) else {
            return Err(DistributionError::TooFewPoints { points: points.len() });
        };
        if *first != 0.0 || *last != 1.0 {
            return Err(DistributionError::OpenEnds { first: *first, last: *last });
        }
        for (index, pair) in points.windows(2).enumerate() {
            let [before, here] = [pair[0], pair[1]];
            let unordered = |parameter, value, previous| {
                Err(DistributionError::Unordered { parameter, index: index + 1, value, previous })
            };
            // Written so that NaN fails.
            if !matches!(here.0.partial_cmp(&before.0), Some(std::cmp::Ordering::Greater)) {
                return unordered(Parameter::Probability, here.0, before.0);
            }
            if here.1 < before.1 {
                return unordered(Parameter::Value, here.1, before.1);
            }
        }
        Ok(Self(points.into()))
    }

    /// The single value, where there is only one.
    pub(super) fn only_value(&self) -> Option<f64> {
        let (first, last) = (self.0[0].1, self.0[self.0.len() - 1].1);
        (first == last).then_some(first)
    }

    pub(super) fn quantile(&self, u: f64) -> f64 {
        let after = self.0.partition_point(|(p, _)| *p < u).clamp(1, self.0.len() - 1);
        let ((p, value), (next_p, next_value)) = (self.0[after - 1], self.0[after]);
        value + (next_value - value) * ((u - p) / (next_p - p))
    }

    /// The area under the quantile function: a trapezoid per piece.
    pub(super) fn mean(&self) -> f64 {
        self.0.windows(2).map(|pair| (pair[1].0 - pair[0].0) * 0.5 * (pair[0].1 + pair[1].1)).sum()
    }

    /// The mean of the smaller of the variate and `limit`.
    pub(super) fn limited_mean(&self, limit: f64) -> f64 {
        let piece = |pair: &[(f64, f64)]| {
            let [(from, low), (to, high)] = [pair[0], pair[1]];
            if high <= limit {
                return (to - from) * 0.5 * (low + high);
            }
            let below = if low < limit { (limit - low) / (high - low) } else { 0.0 };
            (to - from) * (below * 0.5 * (low + limit) + (1.0 - below) * limit)
        };
        self.0.windows(2).map(piece).sum()
    }

    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        let after = match limit {
            Limit::Below => self.0.partition_point(|(_, value)| *value < x),
            Limit::UpTo => self.0.partition_point(|(_, value)| *value <= x),
        };
        if after == 0 {
            return 0.0;
        }
        let Some((next_p, next_value)) = self.0.get(after).copied() else {
            return 1.0;
        };
        let (p, value) = self.0[after - 1];
        // A piece whose end equals x is flat or ends there: its whole probability lies below.
        if next_value == value {
            p
        } else {
            p + (next_p - p) * ((x - value) / (next_value - value))
        }
    }

    /// The values of the points, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|(_, value)| *value)
    }
}

/// Which of the two values of a distribution function at a jump is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// The probability of values below x.
    Below,
    /// The probability of values up to and including x.
    UpTo,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Empirical {
        Empirical::new(vec![(0.0, 10.0), (0.25, 20.0), (0.5, 20.0), (1.0, 60.0)]).unwrap()
    }

    #[test]
    fn the_quantile_is_linear_between_the_points() {
        let pairs =
            [(0.0, 10.0), (0.125, 15.0), (0.25, 20.0), (0.4, 20.0), (0.75, 40.0), (1.0, 60.0)];
        for (u, value) in pairs {
            assert_eq!(table().quantile(u), value);
        }
        // 0.25 * 15 + 0.25 * 20 + 0.5 * 40.
        assert_eq!(table().mean(), 28.75);
    }

    #[test]
    fn a_flat_piece_is_a_jump_of_the_distribution_function() {
        assert_eq!(table().cdf(20.0, Limit::Below), 0.25);
        assert_eq!(table().cdf(20.0, Limit::UpTo), 0.5);
        assert_eq!(table().cdf(15.0, Limit::UpTo), 0.125);
        assert_eq!(table().cdf(9.0, Limit::UpTo), 0.0);
        assert_eq!(table().cdf(10.0, Limit::Below), 0.0);
        assert_eq!(table().cdf(60.0, Limit::Below), 1.0);
        assert_eq!(table().cdf(61.0, Limit::UpTo), 1.0);
    }

    #[test]
    fn disordered_tables_are_refused() {
        let error = |points: &[(f64, f64)]| Empirical::new(points.to_vec()).unwrap_err();
        assert_eq!(error(&[(0.0, 1.0)]), DistributionError::TooFewPoints { points: 1 });
        assert_eq!(error(&[]), DistributionError::TooFewPoints { points: 0 });
        assert_eq!(
            error(&[(0.0, 1.0), (0.9, 2.0)]),
            DistributionError::OpenEnds { first: 0.0, last: 0.9 }
        );
        assert_eq!(
            error(&[(0.0, 1.0), (0.5, 2.0), (0.5, 3.0), (1.0, 4.0)]).to_string(),
            "probability 0.5 at point 2 (from 0) may not follow 0.5"
        );
        assert_eq!(
            error(&[(0.0, 1.0), (0.5, 3.0), (1.0, 2.0)]).to_string(),
            "value 2.0 at point 2 (from 0) may not follow 3.0"
        );
    }
}
