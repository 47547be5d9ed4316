//! The families of distributions: quantile function, distribution function, mean.
//!
//! The quantile of a mixture has no formula: it is found on the distribution function, between the
//! smallest and the largest of the components' quantiles. Values that a component takes with
//! positive probability are met exactly.

use super::empirical::{Empirical, Limit};
use crate::math;

/// The families; parameters are valid by construction and no member is degenerate.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    Constant(f64),
    Uniform { min: f64, max: f64 },
    Exponential { mean: f64 },
    Lognormal { mu: f64, sigma: f64 },
    Empirical(Empirical),
    Mixture(Mixture),
}

impl Shape {
    /// The quantile at `u` in [0, 1].
    pub(super) fn quantile(&self, u: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => min + u * (max - min),
            Self::Exponential { mean } => -mean * math::ln_1p(-u),
            Self::Lognormal { mu, sigma } => math::exp(mu + sigma * math::normal_quantile(u)),
            Self::Empirical(table) => table.quantile(u),
            Self::Mixture(mixture) => mixture.quantile(u),
        }
    }

    /// The quantile, of which is known that it lies in [low, high]: spares a mixture most of the
    /// search.
    pub(super) fn quantile_between(&self, u: f64, low: f64, high: f64) -> f64 {
        match self {
            Self::Mixture(mixture) if high.is_finite() => mixture.quantile_between(u, low, high),
            _ => self.quantile(u),
        }
    }

    /// The mean.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => min + 0.5 * (max - min),
            Self::Exponential { mean } => *mean,
            Self::Lognormal { mu, sigma } => math::exp(mu + 0.5 * sigma * sigma),
            Self::Empirical(table) => table.mean(),
            Self::Mixture(mixture) => mixture.mean(),
        }
    }

    /// The probability of values up to `x`.
    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        match self {
            Self::Constant(value) => f64::from(match limit {
                Limit::Below => x > *value,
                Limit::UpTo => x >= *value,
            }),
            Self::Uniform { min, max } => ((x - min) / (max - min)).clamp(0.0, 1.0),
            Self::Exponential { mean } => -math::exp_m1(-x.max(0.0) / mean),
            Self::Lognormal { .. } if x <= 0.0 => 0.0,
            Self::Lognormal { mu, sigma } => math::normal_cdf((math::ln(x) - mu) / sigma),
            Self::Empirical(table) => table.cdf(x, limit),
            Self::Mixture(mixture) => mixture.cdf(x, limit),
        }
    }

    /// The single value, where there is only one.
    pub(super) fn only_value(&self) -> Option<f64> {
        if let Self::Constant(value) = self { Some(*value) } else { None }
    }

    /// Appends the values at which the distribution function has a jump or a corner.
    pub(super) fn add_corners(&self, corners: &mut Vec<f64>) {
        match self {
            Self::Constant(value) => corners.push(*value),
            Self::Uniform { min, max } => corners.extend([*min, *max]),
            Self::Exponential { .. } => corners.push(0.0),
            Self::Lognormal { .. } => (),
            Self::Empirical(table) => corners.extend(table.values()),
            Self::Mixture(mixture) => mixture.add_corners(corners),
        }
    }
}

/// At least two shapes with weights above 0 that sum to 1.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mixture {
    parts: Box<[(f64, Shape)]>,
    /// The values of positive probability, in rising order.
    jumps: Box<[f64]>,
}

impl Mixture {
    /// `parts` have weights above 0.
    pub(super) fn new(mut parts: Vec<(f64, Shape)>) -> Self {
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
