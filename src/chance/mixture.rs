//! A mixture of distributions.
//!
//! Its quantile has no formula: it is found on the distribution function, between the smallest and
//! the largest of the components' quantiles. Values that a component takes with positive
//! probability are met exactly.

use super::distribution::{Distribution, Limit};

/// At least two distributions with weights above 0 that sum to 1.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mixture {
    parts: Box<[(f64, Distribution)]>,
    /// The values of positive probability, in rising order.
    jumps: Box<[f64]>,
}

impl Mixture {
    /// `parts` have weights above 0.
    pub(super) fn new(mut parts: Vec<(f64, Distribution)>) -> Self {
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        for (weight, _) in &mut parts {
            *weight /= total;
        }
        let mut mixture = Self { parts: parts.into(), jumps: Box::default() };
        let mut corners = Vec::new();
        mixture.add_corners(&mut corners);
        corners.retain(|x| mixture.cdf(*x, Limit::Below) < mixture.cdf(*x, Limit::UpTo));
        corners.sort_by(f64::total_cmp);
        corners.dedup();
        mixture.jumps = corners.into();
        mixture
    }

    pub(super) fn quantile(&self, u: f64) -> f64 {
        let quantiles = || self.parts.iter().map(|(_, part)| part.quantile(u));
        let low = quantiles().fold(f64::INFINITY, f64::min);
        let high = quantiles().fold(0.0, f64::max);
        if u >= 1.0 {
            return high;
        }
        if low == high || u <= 0.0 {
            return low;
        }
        self.quantile_between(u, low, high)
    }

    /// The quantile, which is known to lie in [low, high].
    pub(super) fn quantile_between(&self, u: f64, mut low: f64, mut high: f64) -> f64 {
        let from = self.jumps.partition_point(|x| *x <= low);
        for jump in self.jumps[from..].iter().copied().take_while(|x| *x <= high) {
            if self.cdf(jump, Limit::UpTo) < u {
                low = jump;
            } else if self.cdf(jump, Limit::Below) < u {
                return jump;
            } else {
                high = jump;
                break;
            }
        }
        self.root(u, low, high)
    }

    pub(super) fn mean(&self) -> f64 {
        self.parts.iter().map(|(weight, part)| weight * part.mean()).sum()
    }

    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        self.parts.iter().map(|(weight, part)| weight * part.cdf(x, limit)).sum()
    }

    pub(super) fn add_corners(&self, corners: &mut Vec<f64>) {
        for (_, part) in &self.parts {
            part.add_corners(corners);
        }
    }

    /// The root of F(x) = u in [low, high], where F is continuous: Illinois steps (M. Dowell and
    /// P. Jarratt, BIT 11, 1971, doi:10.1007/BF01934364), and a bisection wherever two of them did
    /// not halve the bracket.
    fn root(&self, u: f64, mut low: f64, mut high: f64) -> f64 {
        let mut below = self.cdf(low, Limit::UpTo) - u;
        if below >= 0.0 {
            return low;
        }
        let mut above = self.cdf(high, Limit::Below) - u;
        // By rounding only, as the quantile is at most `high`.
        if above <= 0.0 {
            return high;
        }
        let mut widths = [f64::INFINITY; 2];
        let mut last_was_low = None;
        while high - low > TOLERANCE * high {
            let width = high - low;
            let stalled = width > 0.5 * widths[0];
            widths = [widths[1], width];
            let secant = high - above * (width / (above - below));
            // A step that almost stays at an end goes past the tolerance, so that a root there is
            // enclosed at once.
            let margin = 0.5 * TOLERANCE * high;
            let x = if stalled {
                low + 0.5 * width
            } else {
                secant.max(low + margin).min(high - margin)
            };
            if x <= low || x >= high {
                break;
            }
            let value = self.cdf(x, Limit::UpTo) - u;
            if value < 0.0 {
                (low, below) = (x, value);
                if last_was_low == Some(true) {
                    above *= 0.5;
                }
            } else {
                (high, above) = (x, value);
                if last_was_low == Some(false) {
                    below *= 0.5;
                }
            }
            last_was_low = Some(value < 0.0);
        }
        high
    }
}

/// Relative width at which a root counts as found.
const TOLERANCE: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_scipy() {
        // 0.9 lognorm(s=0.5, scale=100) + 0.1 expon(scale=2000): scipy.optimize.brentq on the cdf.
        let mixture = Distribution::mixture(vec![
            (9.0, Distribution::lognormal_median_sigma(100.0, 0.5).unwrap()),
            (1.0, Distribution::exponential(2_000.0).unwrap()),
        ])
        .unwrap();
        let pairs = [
            (0.001, 16.811248386840646),
            (0.3, 80.14114228172132),
            (0.9, 295.0312311856622),
            (0.99, 4605.170185989763),
            (0.9999, 13815.510557964388),
        ];
        for (u, value) in pairs {
            let found = mixture.quantile(u);
            assert!((found - value).abs() <= 1e-10 * value, "{u}: {found}");
        }
    }

    #[test]
    fn a_constant_inside_a_mixture_is_met_exactly() {
        let mixture = Distribution::mixture(vec![
            (1.0, Distribution::constant(40.0).unwrap()),
            (1.0, Distribution::uniform(0.0, 100.0).unwrap()),
        ])
        .unwrap();
        // Below 40 the share is x / 200, at 40 it jumps from 0.2 to 0.7.
        for (u, value) in [(0.1, 20.0), (0.201, 40.0), (0.5, 40.0), (0.7, 40.0), (0.9, 80.0)] {
            assert!((mixture.quantile(u) - value).abs() <= 1e-10, "{u}");
        }
        assert_eq!(mixture.quantile(0.45), 40.0);
        assert_eq!(mixture.mean(), 45.0);
        assert_eq!((mixture.quantile(0.0), mixture.quantile(1.0)), (0.0, 100.0));
    }

    #[test]
    fn a_gap_between_components_is_leapt() {
        let mixture = Distribution::mixture(vec![
            (3.0, Distribution::uniform(1.0, 2.0).unwrap()),
            (1.0, Distribution::uniform(1_000.0, 2_000.0).unwrap()),
        ])
        .unwrap();
        assert!((mixture.quantile(0.7499) - 1.999_866_666_7).abs() < 1e-9);
        assert!((mixture.quantile(0.7501) - 1_000.4).abs() < 1e-6);
    }

    #[test]
    fn a_mixture_needs_a_weight() {
        let constant = Distribution::constant(1.0).unwrap();
        assert!(Distribution::mixture(vec![]).is_err());
        assert!(Distribution::mixture(vec![(0.0, constant.clone())]).is_err());
        assert!(Distribution::mixture(vec![(-1.0, constant.clone())]).is_err());
        let only = Distribution::mixture(vec![
            (0.0, Distribution::exponential(2.0).unwrap()),
            (5.0, constant),
        ]);
        assert_eq!(only.unwrap().only_value(), Some(1.0));
    }
}
