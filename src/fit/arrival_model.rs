//! A model of arrivals with fitted parameters, and how it is written.

use super::literal::{duration, number, rate};
use super::quantile_table::significant;
use crate::arrivals::{Arrivals, ArrivalsError, Constant, Gamma, OnOff, Piecewise, Poisson};
use crate::chance::{Distribution, DistributionError};
use crate::units::{Duration, Rate};

/// A model of arrivals, with the parameters as they are written: rounded.
#[derive(Clone, PartialEq, Debug)]
pub enum ArrivalModel {
    /// Equal gaps.
    Constant {
        /// Requests per second.
        rate: f64,
    },
    /// Independent arrivals.
    Poisson {
        /// Requests per second.
        rate: f64,
    },
    /// Independent arrivals whose rate changes at equal distances.
    Piecewise {
        /// Seconds that each rate holds.
        every: u64,
        /// Requests per second.
        rates: Vec<f64>,
    },
    /// Independent gaps.
    Gamma {
        /// Requests per second.
        rate: f64,
        /// Standard deviation over mean of the gaps.
        cv: f64,
    },
    /// Bursts.
    OnOff(Bursts),
}

/// Bursts with silence between them, in seconds and requests per second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bursts {
    /// Mean length of a burst.
    pub on: f64,
    /// Standard deviation over mean of the lengths, which are log-normal.
    pub on_cv: f64,
    /// Mean length of a silence, exponential.
    pub off: f64,
    /// Mean rate in a burst.
    pub rate: f64,
    /// Standard deviation over mean of the rates, which have a gamma distribution.
    pub rate_cv: f64,
}

/// Why a model with such parameters cannot be.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub(super) enum ModelError {
    #[error("{0}")]
    Arrivals(#[from] ArrivalsError),
    #[error("{0}")]
    Distribution(#[from] DistributionError),
    #[error("a rate is above 10^9 per second")]
    Rate,
}

impl ArrivalModel {
    /// How it is called in a scenario.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Poisson { .. } => "poisson",
            Self::Piecewise { .. } => "piecewise",
            Self::Gamma { .. } => "gamma",
            Self::OnOff(_) => "on_off",
        }
    }

    /// With parameters of as many digits as are written.
    pub(super) fn rounded(self) -> Self {
        let round = |value| significant(value, DIGITS);
        match self {
            Self::Constant { rate } => Self::Constant { rate: round(rate) },
            Self::Poisson { rate } => Self::Poisson { rate: round(rate) },
            Self::Piecewise { every, rates } => {
                Self::Piecewise { every, rates: rates.into_iter().map(round).collect() }
            }
            Self::Gamma { rate, cv } => Self::Gamma { rate: round(rate), cv: round(cv) },
            Self::OnOff(Bursts { on, on_cv, off, rate, rate_cv }) => Self::OnOff(Bursts {
                on: round(on),
                on_cv: round(on_cv),
                off: round(off),
                rate: round(rate),
                rate_cv: round(rate_cv),
            }),
        }
    }

    /// The process.
    pub(super) fn arrivals(&self) -> Result<Arrivals, ModelError> {
        let per_second =
            |rate: f64| Rate::per(rate, Duration::from_secs(1)).ok_or(ModelError::Rate);
        Ok(match self {
            Self::Constant { rate } => Constant::new(per_second(*rate)?).into(),
            Self::Poisson { rate } => Poisson::new(per_second(*rate)?).into(),
            Self::Piecewise { every, rates } => {
                let rates: Result<_, _> = rates.iter().map(|rate| per_second(*rate)).collect();
                Piecewise::new(Duration::from_secs(*every), rates?)?.into()
            }
            Self::Gamma { rate, cv } => Gamma::new(per_second(*rate)?, *cv)?.into(),
            Self::OnOff(Bursts { on, on_cv, off, rate, rate_cv }) => OnOff::new(
                Distribution::lognormal_mean_cv(*on, *on_cv)?,
                Distribution::exponential(*off)?,
                Distribution::gamma_mean_cv(*rate, *rate_cv)?,
            )?
            .into(),
        })
    }

    /// As it stands behind `arrivals:` in a scenario, in YAML's flow style; lists of rates in lines
    /// that are `indent` columns in.
    pub fn to_yaml(&self, indent: usize) -> String {
        match self {
            Self::Constant { rate: mean } => format!("{{constant: {}}}", rate(*mean)),
            Self::Poisson { rate: mean } => format!("{{poisson: {}}}", rate(*mean)),
            Self::Piecewise { every, rates } => {
                let every = duration(*every as f64);
                let margin = " ".repeat(indent);
                let lines = rates.chunks(RATES_IN_A_LINE).map(|line| {
                    let rates: Vec<String> = line.iter().map(|mean| rate(*mean)).collect();
                    format!("{margin}  {}", rates.join(", "))
                });
                let lines = lines.collect::<Vec<_>>().join(",\n");
                format!("{{piecewise: {{every: {every}, rates: [\n{lines}]}}}}")
            }
            Self::Gamma { rate: mean, cv } => {
                format!("{{gamma: {{rate: {}, cv: {}}}}}", rate(*mean), number(*cv))
            }
            Self::OnOff(Bursts { on, on_cv, off, rate: mean, rate_cv }) => format!(
                "{{on_off: {{\n{0}  on: {{lognormal: {{mean: {1}, cv: {2}}}}},\n{0}  off: \
                 {{exponential: {{mean: {3}}}}},\n{0}  rate: {{gamma: {{mean: {4}, cv: {5}}}}}}}}}",
                " ".repeat(indent),
                duration(*on),
                number(*on_cv),
                duration(*off),
                rate(*mean),
                number(*rate_cv)
            ),
        }
    }
}

/// Chosen: a rounding of 0.05 % at most, which no recording could tell.
const DIGITS: usize = 4;
const RATES_IN_A_LINE: usize = 10;
