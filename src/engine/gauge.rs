//! What a condition looks at: the window of its metric over a version's completions, and where it
//! compares, over the stable's at the same time.
//!
//! A quantile condition is decided by counting, not by the quantile: "P99 above T" holds exactly
//! when more than 1 % of the window's values lie above T. The histogram is read only for the
//! evidence and for the stable's side of a comparison: there T is made from the stable's quantile,
//! which is the middle of a bin and within 0.8 % of the value, and the canary's values are counted
//! by the middles of theirs.

use super::evidence::{Comparison, Level, Reading};
use super::finding::Finding;
use super::in_flight::{InFlight, Overdue};
use super::meter::Meter;
use super::time_meter::{TimeFigure, quantile_holds};
use super::watched::Prices;
use super::{Condition, Operator, Threshold};
use crate::exchange::{Class, Observed};
use crate::metric::Quantile;
use crate::stats::Counts;
use crate::units::{Duration, Timestamp};

/// A condition with its windows.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    condition: Condition,
    own: Meter,
    /// Where the condition compares with the stable.
    stable: Option<Meter>,
}

/// What stands before a condition at a check.
#[derive(Clone, Debug)]
struct Measured {
    /// How many requests the figure is made from, those in flight for too long included.
    requests: u64,
    overdue: Overdue,
    stable: Option<Level>,
    /// What the figure is compared with; `None` where the stable does not tell.
    limit: Option<f64>,
    figure: Figure,
}

#[derive(Clone, Copy, Debug)]
enum Figure {
    Share { hits: u64 },
    Number(Option<f64>),
    Quantile { quantile: Quantile, beyond: u64 },
}

impl Gauge {
    /// Over a version and a stable with these prices.
    pub(super) fn new(condition: &Condition, prices: Prices) -> Self {
        let relative = condition.threshold.is_relative();
        Self {
            condition: condition.clone(),
            own: Meter::new(condition, prices.own),
            stable: relative.then(|| Meter::new(condition, prices.stable)),
        }
    }

    /// Whether it looks at the stable as well.
    pub(super) const fn compares(&self) -> bool {
        self.stable.is_some()
    }

    /// Whether requests in flight for longer than the limit count as above it.
    pub(super) const fn sees_in_flight(&self) -> bool {
        match &self.own {
            Meter::Time(meter) => meter.sees_in_flight(),
            _ => false,
        }
    }

    /// Takes in a completion of the version in second `second`, of the class that the rules put it
    /// in.
    #[inline]
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        self.own.record(second, class, observed);
    }

    /// Takes in a completion of the stable.
    pub(super) fn record_stable(&mut self, second: i64, class: Class, observed: &Observed) {
        if let Some(stable) = &mut self.stable {
            stable.record(second, class, observed);
        }
    }

    /// Compares the window that ends at `at` with the limit.
    pub(super) fn check(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> Finding {
        let measured = self.measure(at, in_flight);
        if self.lacks_data(&measured) {
            Finding::NoData
        } else if self.holds(&measured) {
            Finding::Breach
        } else {
            Finding::Clear
        }
    }

    /// What stands in the window that ends at `at`: the evidence of a firing.
    pub(super) fn reading(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> Reading {
        let measured = self.measure(at, in_flight);
        let Condition { metric, operator, threshold, window, min_requests, .. } = self.condition;
        let Measured { requests, overdue, stable, limit, figure } = measured;
        if self.lacks_data(&measured) {
            // Without any request there is no data, even where none are asked for.
            let min_requests = min_requests.max(1);
            return Reading::NoData { metric, requests, min_requests, stable, window };
        }
        let value = self.value(at, &measured);
        let (in_flight, above) = match figure {
            Figure::Quantile { beyond, .. } => (overdue.count, Some(beyond)),
            _ => (overdue.count, None),
        };
        if let (Threshold::Stable(threshold), Some(stable), Some(limit)) =
            (threshold, stable, limit)
        {
            return Reading::Compared(Comparison {
                metric,
                value,
                above,
                requests,
                in_flight,
                operator,
                threshold,
                stable,
                limit,
                window,
            });
        }
        match (threshold, figure) {
            (Threshold::Ratio(threshold), Figure::Share { hits }) => {
                Reading::Share { metric, hits, requests, operator, threshold, window }
            }
            (Threshold::Count(threshold), _) => {
                Reading::Count { metric, requests, operator, threshold, window }
            }
            (Threshold::Time(threshold), _) => {
                let value = value.map(|nanos| Duration::from_nanos(nanos as u64));
                Reading::Time {
                    metric,
                    value,
                    above,
                    requests,
                    in_flight,
                    operator,
                    threshold,
                    window,
                }
            }
            _ => {
                let (value, threshold) = (value.unwrap_or_default(), limit.unwrap_or_default());
                Reading::Amount { metric, value, requests, operator, threshold, window }
            }
        }
    }

    fn measure(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> Measured {
        let end = at.second();
        let stable = self.stable.as_mut().map(|meter| {
            let (value, requests) = meter.read(end);
            Level { value, requests }
        });
        let limit = self.condition.threshold.limit(stable.and_then(|stable| stable.value));
        let late = Duration::from_nanos(limit.unwrap_or_default().max(0.0) as u64);
        let overdue = match in_flight.filter(|_| self.sees_in_flight() && limit.is_some()) {
            Some(in_flight) => in_flight.overdue(at, late),
            None => Overdue::default(),
        };
        let (figure, requests) = match &mut self.own {
            Meter::Share(_, window) => {
                let Counts { hits, total } = window.counts(end);
                (Figure::Share { hits }, total)
            }
            Meter::Time(meter) => {
                let figure = match meter.figure() {
                    TimeFigure::Mean => Figure::Number(meter.value_with(end, overdue)),
                    TimeFigure::Quantile(quantile) => {
                        let beyond = meter.beyond(end, self.condition.operator, late);
                        Figure::Quantile { quantile, beyond: beyond + overdue.count }
                    }
                };
                (figure, meter.count(end) + overdue.count)
            }
            meter => {
                let (value, requests) = meter.read(end);
                (Figure::Number(value), requests)
            }
        };
        Measured { requests, overdue, stable, limit, figure }
    }

    /// A number of requests is data however small it is; but the stable's must be large enough to
    /// be compared with.
    fn lacks_data(&self, measured: &Measured) -> bool {
        let least = self.condition.min_requests.max(1);
        let few = measured.requests < least && !matches!(self.own, Meter::Requests(_));
        let few_stable = measured.stable.is_some_and(|stable| stable.requests < least);
        few || few_stable || measured.limit.is_none()
    }

    fn holds(&self, measured: &Measured) -> bool {
        let operator = self.condition.operator;
        let Some(limit) = measured.limit else { return false };
        match measured.figure {
            Figure::Share { hits } => operator.holds(hits as f64 / measured.requests as f64, limit),
            Figure::Number(value) => value.is_some_and(|value| operator.holds(value, limit)),
            Figure::Quantile { quantile, beyond } => {
                quantile_holds(operator, quantile, beyond, measured.requests)
            }
        }
    }

    /// How near to a breach the window that ends at `at` is: the share of the way to the limit, 1
    /// at the limit and beyond. Hits of fewer requests than are asked for count as if those were
    /// there.
    pub(super) fn nearness(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> f64 {
        let measured = self.measure(at, in_flight);
        let Some(limit) = measured.limit else { return 0.0 };
        let requests = measured.requests.max(self.condition.min_requests).max(1) as f64;
        let upwards = matches!(self.condition.operator, Operator::Above | Operator::AtLeast);
        match measured.figure {
            Figure::Share { hits } if upwards => hits as f64 / requests / limit,
            Figure::Share { hits } => {
                (measured.requests.saturating_sub(hits)) as f64 / requests / (1.0 - limit)
            }
            Figure::Quantile { quantile, beyond } => {
                let share = (1_000 - quantile.per_mille()) as f64 / 1e3;
                let share = if upwards { share } else { 1.0 - share };
                let there = if upwards { beyond } else { measured.requests - beyond };
                there as f64 / requests / share
            }
            Figure::Number(value) => {
                let value = value.unwrap_or_default();
                if upwards { value / limit } else { limit / value }
            }
        }
    }

    /// The figure in the metric's working unit.
    fn value(&self, at: Timestamp, measured: &Measured) -> Option<f64> {
        match (&self.own, measured.figure) {
            (_, Figure::Share { hits }) => Some(hits as f64 / measured.requests as f64),
            (_, Figure::Number(value)) => value,
            (Meter::Time(meter), Figure::Quantile { .. }) => {
                meter.value_with(at.second(), measured.overdue)
            }
            (_, Figure::Quantile { .. }) => None,
        }
    }
}
