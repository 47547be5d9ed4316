//! How far a live run may lie from the simulated one, metric by metric.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::metric::{Measure, Metric, Quantile};
use crate::units::Ratio;

/// How far a metric may lie from its simulated value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// By this much: a share of the simulated value, for rates and shares of requests an absolute
    /// difference (0.01 is a percentage point).
    UpTo(Ratio),
    /// By no more than chance explains.
    SamplingError,
}

/// How far each metric may lie from its simulated value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tolerances {
    /// Of means. Default: 1 %.
    pub mean: Allowed,
    /// Of medians. Default: 1 %.
    pub p50: Allowed,
    /// Of 90th percentiles. Default: 2 %.
    pub p90: Allowed,
    /// Of 99th percentiles. Default: 3 %.
    pub p99: Allowed,
    /// Of the error rate. Default: what chance explains.
    pub error_rate: Allowed,
    /// Of the share of requests that a version was assigned. Default: what chance explains.
    pub split: Allowed,
    /// Of the cost per 1,000 tokens. Default: 1 %.
    pub cost: Allowed,
    /// By how many checks a rollback may come earlier or later. Default: 1, the next check.
    pub rollback_checks: u64,
}

/// Another tolerance than the default, as it is written: `p99=5%`, `error_rate=sampling`,
/// `rollback=2`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ToleranceChange {
    of: Part,
    to: Bound,
}

/// What is no tolerance, and what would be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ToleranceError {
    /// There is no `=`.
    #[error("{0:?} is no tolerance: write NAME=LIMIT, such as p99=5%")]
    Form(String),
    /// The name is none.
    #[error(
        "{0:?} has no tolerance; allowed are mean, p50, p90, p99, error_rate, split, cost and \
         rollback"
    )]
    Name(String),
    /// The limit is none.
    #[error("{0:?} is no limit; allowed are 0% to 100%, and sampling for what chance explains")]
    Limit(String),
    /// The number of checks is none.
    #[error("{0:?} is no number of checks; allowed are 0 to 1000, 0 for the same check")]
    Checks(String),
}

/// What a tolerance is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Mean,
    P50,
    P90,
    P99,
    ErrorRate,
    Split,
    Cost,
    Rollback,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Bound {
    Metric(Allowed),
    Checks(u64),
}

impl Tolerances {
    /// These with a change.
    #[must_use]
    pub fn with(mut self, change: ToleranceChange) -> Self {
        let ToleranceChange { of, to } = change;
        let place = match of {
            Part::Mean => &mut self.mean,
            Part::P50 => &mut self.p50,
            Part::P90 => &mut self.p90,
            Part::P99 => &mut self.p99,
            Part::ErrorRate => &mut self.error_rate,
            Part::Split => &mut self.split,
            Part::Cost => &mut self.cost,
            Part::Rollback => {
                if let Bound::Checks(checks) = to {
                    self.rollback_checks = checks;
                }
                return self;
            }
        };
        if let Bound::Metric(allowed) = to {
            *place = allowed;
        }
        self
    }

    /// What is allowed of a metric; of those that have no tolerance of their own, what chance
    /// explains.
    pub(super) fn of(&self, metric: Metric) -> Allowed {
        match metric.measure() {
            Measure::Mean(_) => self.mean,
            Measure::Quantile(_, Quantile::P50) => self.p50,
            Measure::Quantile(_, Quantile::P90) => self.p90,
            Measure::Quantile(_, Quantile::P99) => self.p99,
            Measure::ErrorRate => self.error_rate,
            Measure::CostPer1k => self.cost,
            _ if metric == Metric::Share => self.split,
            _ => Allowed::SamplingError,
        }
    }
}

impl Default for Tolerances {
    /// Chosen: what a harness on an idle machine keeps, and less than any rule or gate would
    /// notice.
    fn default() -> Self {
        let up_to = |percent| Allowed::UpTo(Ratio::from_percent(percent));
        Self {
            mean: up_to(1),
            p50: up_to(1),
            p90: up_to(2),
            p99: up_to(3),
            error_rate: Allowed::SamplingError,
            split: Allowed::SamplingError,
            cost: up_to(1),
            rollback_checks: 1,
        }
    }
}

impl FromStr for ToleranceChange {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let (name, limit) =
            text.split_once('=').ok_or_else(|| ToleranceError::Form(text.to_owned()))?;
        let (_, of) = PARTS
            .into_iter()
            .find(|(own, _)| *own == name)
            .ok_or_else(|| ToleranceError::Name(name.to_owned()))?;
        let to = if of == Part::Rollback {
            let checks = limit.parse().ok().filter(|checks| *checks <= MOST_CHECKS);
            Bound::Checks(checks.ok_or_else(|| ToleranceError::Checks(limit.to_owned()))?)
        } else if limit == SAMPLING {
            Bound::Metric(Allowed::SamplingError)
        } else {
            let share = Ratio::parse(limit).map_err(|_| ToleranceError::Limit(limit.to_owned()))?;
            Bound::Metric(Allowed::UpTo(share))
        };
        Ok(Self { of, to })
    }
}

/// The names as they are written.
const PARTS: [(&str, Part); 8] = [
    ("mean", Part::Mean),
    ("p50", Part::P50),
    ("p90", Part::P90),
    ("p99", Part::P99),
    ("error_rate", Part::ErrorRate),
    ("split", Part::Split),
    ("cost", Part::Cost),
    ("rollback", Part::Rollback),
];

const SAMPLING: &str = "sampling";

/// Chosen: more is no tolerance.
const MOST_CHECKS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Tolerances {
        Tolerances::default().with(text.parse().unwrap())
    }

    #[test]
    fn a_change_changes_what_it_names_and_nothing_else() {
        let five = Allowed::UpTo(Ratio::from_percent(5));
        let default = Tolerances::default();
        assert_eq!(changed("p99=5%"), Tolerances { p99: five, ..default });
        assert_eq!(changed("error_rate=0.05"), Tolerances { error_rate: five, ..default });
        assert_eq!(
            changed("mean=sampling"),
            Tolerances { mean: Allowed::SamplingError, ..default }
        );
        assert_eq!(changed("rollback=0"), Tolerances { rollback_checks: 0, ..default });
    }

    #[test]
    fn what_is_no_tolerance_is_told_with_what_would_be() {
        for (wrong, told) in [
            ("p99", "\"p99\" is no tolerance: write NAME=LIMIT, such as p99=5%"),
            ("p95=5%", "allowed are mean, p50, p90, p99, error_rate, split, cost and rollback"),
            ("p99=105%", "\"105%\" is no limit; allowed are 0% to 100%"),
            ("rollback=1%", "\"1%\" is no number of checks; allowed are 0 to 1000"),
            ("rollback=1001", "\"1001\" is no number of checks"),
        ] {
            let error = wrong.parse::<ToleranceChange>().unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }

    #[test]
    fn every_latency_has_the_tolerance_of_its_quantile() {
        let tolerances = Tolerances::default();
        for (metric, percent) in [
            (Metric::LatencyAvg, 1),
            (Metric::TtftP50, 1),
            (Metric::TtftP90, 2),
            (Metric::LatencyP99, 3),
            (Metric::CostPer1kTokens, 1),
        ] {
            let allowed = Allowed::UpTo(Ratio::from_percent(percent));
            assert_eq!(tolerances.of(metric), allowed, "{metric}");
        }
        assert_eq!(tolerances.of(Metric::Share), Allowed::SamplingError);
    }
}
