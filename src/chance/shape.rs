//! Distributions made of distributions: mixtures, shifted and clamped ones.
//!
//! The quantile of a mixture has no formula: it is found on the distribution function, between the
//! smallest and the largest of the components' quantiles. Values that a component takes with
//! positive probability are met exactly.

use super::empirical::{Empirical, Limit};
use super::family::Family;

/// The shapes; no member is degenerate.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    Constant(f64),
    Family(Family),
    Empirical(Empirical),
    Mixture(Mixture),
    /// `by` more than a variate of `of`.
    Shifted {
        by: f64,
        of: Box<Self>,
    },
    /// A variate of `of`, but `min` where it is smaller and `max`, which may be infinite, where it
    /// is larger.
    Clamped {
        min: f64,
        max: f64,
        of: Box<Self>,
    },
}

impl Shape {
    /// The quantile at `u` in [0, 1].
    pub(super) fn quantile(&self, u: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Family(family) => family.quantile(u),
            Self::Empirical(table) => table.quantile(u),
            Self::Mixture(mixture) => mixture.quantile(u),
            Self::Shifted { by, of } => by + of.quantile(u),
            Self::Clamped { min, max, of } => of.quantile(u).clamp(*min, *max),
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

    /// The mean; infinite for the Pareto distributions that have none.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Family(family) => family.mean(),
            Self::Empirical(table) => table.mean(),
            Self::Mixture(mixture) => mixture.parts().map(|(weight, of)| weight * of.mean()).sum(),
            Self::Shifted { by, of } => by + of.mean(),
            Self::Clamped { min, max, of } if max.is_infinite() => {
                min + of.mean() - of.limited_mean(*min)
            }
            Self::Clamped { min, max, of } => min + of.limited_mean(*max) - of.limited_mean(*min),
        }
    }

    /// The mean of the smaller of the variate and `limit`, 0 to 10^18.
    fn limited_mean(&self, limit: f64) -> f64 {
        match self {
            Self::Constant(value) => value.min(limit),
            Self::Family(family) => family.limited_mean(limit),
            Self::Empirical(table) => table.limited_mean(limit),
            Self::Mixture(mixture) => {
                mixture.parts().map(|(weight, of)| weight * of.limited_mean(limit)).sum()
            }
            Self::Shifted { by, .. } | Self::Clamped { min: by, .. } if limit <= *by => limit,
            Self::Shifted { by, of } => by + of.limited_mean(limit - by),
            Self::Clamped { min, max, of } => {
                min + of.limited_mean(limit.min(*max)) - of.limited_mean(*min)
            }
        }
    }

    /// The probability of values up to `x`.
    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        let reaches = |value: f64| match limit {
            Limit::Below => x > value,
            Limit::UpTo => x >= value,
        };
        match self {
            Self::Constant(value) => f64::from(reaches(*value)),
            Self::Family(family) => family.cdf(x),
            Self::Empirical(table) => table.cdf(x, limit),
            Self::Mixture(mixture) => mixture.cdf(x, limit),
            Self::Shifted { by, of } => of.cdf(x - by, limit),
            Self::Clamped { min, max, .. } if !reaches(*min) || reaches(*max) => {
                f64::from(reaches(*max))
            }
            Self::Clamped { of, .. } => of.cdf(x, limit),
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
            Self::Family(family) => family.add_corners(corners),
            Self::Empirical(table) => corners.extend(table.values()),
            Self::Mixture(mixture) => {
                mixture.parts().for_each(|(_, part)| part.add_corners(corners));
            }
            Self::Shifted { by, of } => {
                let own = corners.len();
                of.add_corners(corners);
                corners[own..].iter_mut().for_each(|corner| *corner += by);
            }
            Self::Clamped { min, max, of } => {
                let mut inner = Vec::new();
                of.add_corners(&mut inner);
                inner.retain(|corner| min < corner && corner < max);
                inner.extend([*min, *max].into_iter().filter(|end| end.is_finite()));
                corners.append(&mut inner);
            }
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
        mixture.parts().for_each(|(_, part)| part.add_corners(&mut corners));
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

    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        self.parts.iter().map(|(weight, part)| weight * part.cdf(x, limit)).sum()
    }

    fn parts(&self) -> impl Iterator<Item = &(f64, Shape)> {
        self.parts.iter()
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
