//! A meter: the window of one metric over one version's completions.

use super::Condition;
use super::time_meter::{TimeFigure, TimeMeter};
use crate::exchange::{Class, Ending, Observed};
use crate::metric::Measure;
use crate::stats::{CountWindow, Counts, SumWindow, Sums};
use crate::units::Price;

/// The window of a condition's metric over the completions of one version.
#[derive(Clone, Debug)]
pub(super) enum Meter {
    /// A share of requests: hits are those with the property.
    Share(Measure, CountWindow),
    /// A number of requests.
    Requests(CountWindow),
    /// The quotient of two sums.
    Quotient(Quotient, SumWindow),
    /// A mean or quantile of durations.
    Time(TimeMeter),
}

/// Which sums a [`Meter`] divides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quotient {
    /// Output tokens by successes.
    TokensPerSuccess,
    /// Output tokens of successes by the nanoseconds that they took.
    TokensPerTime,
    /// Pico-dollars by tokens; of a version without a price nothing is known.
    CostPerToken(Option<Price>),
}

impl Meter {
    /// An empty meter of `condition`'s metric, over a version with this price.
    pub(super) fn new(condition: &Condition, price: Option<Price>) -> Self {
        let seconds = condition.window.as_secs() as u32;
        let quotient = |kind| Self::Quotient(kind, SumWindow::new(seconds));
        let time = |sample, figure| Self::Time(TimeMeter::new(condition, sample, figure));
        match condition.metric.measure() {
            Measure::Requests => Self::Requests(CountWindow::new(seconds)),
            Measure::Mean(sample) => time(sample, TimeFigure::Mean),
            Measure::Quantile(sample, quantile) => time(sample, TimeFigure::Quantile(quantile)),
            Measure::OutputTokens => quotient(Quotient::TokensPerSuccess),
            Measure::OutputSpeed => quotient(Quotient::TokensPerTime),
            Measure::CostPer1k => quotient(Quotient::CostPerToken(price)),
            measure => Self::Share(measure, CountWindow::new(seconds)),
        }
    }

    /// Takes in a completion in second `second`, of the class that the rules put it in.
    #[inline]
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        match self {
            Self::Share(measure, window) => {
                if let Some(hit) = share_hit(*measure, class, observed) {
                    window.add(second, hit);
                }
            }
            Self::Requests(window) => window.add(second, true),
            Self::Quotient(kind, sums) => {
                if let Some((numerator, denominator)) = kind.amounts(class, observed) {
                    sums.add(second, numerator, denominator);
                }
            }
            Self::Time(meter) => meter.record(second, class, observed),
        }
    }

    /// The metric's value in its working unit over the window that ends at `end_second`, and the
    /// number of requests that it is made from.
    pub(super) fn read(&mut self, end_second: i64) -> (Option<f64>, u64) {
        match self {
            Self::Share(_, window) => {
                let Counts { hits, total } = window.counts(end_second);
                ((total > 0).then(|| hits as f64 / total as f64), total)
            }
            Self::Requests(window) => {
                let total = window.counts(end_second).total;
                (Some(total as f64), total)
            }
            Self::Quotient(kind, sums) => {
                let Sums { count, numerator, denominator } = sums.sums(end_second);
                let (above, below) = kind.units();
                let quotient = numerator as f64 * above / (denominator as f64 * below);
                ((denominator > 0).then_some(quotient), count)
            }
            Self::Time(meter) => (meter.value(end_second), meter.count(end_second)),
        }
    }
}

impl Quotient {
    /// What a completion adds to the two sums.
    fn amounts(self, class: Class, observed: &Observed) -> Option<(u128, u128)> {
        if class != Class::Success {
            return None;
        }
        let (input, output) = (observed.usage.input.get(), observed.usage.output.get());
        match self {
            Self::TokensPerSuccess => Some((u128::from(output), 1)),
            Self::TokensPerTime => {
                Some((u128::from(output), u128::from(observed.latency.as_nanos())))
            }
            // What nobody counted cost something, but not this.
            Self::CostPerToken(_) if observed.is_estimated => None,
            Self::CostPerToken(price) => {
                let (input, output) = (u64::from(input), u64::from(output));
                Some((price?.cost(input, output).as_pico_usd(), u128::from(input + output)))
            }
        }
    }

    /// What the two sums are multiplied with for the metric's working unit: whole numbers, so that
    /// figures that divide evenly stay exact.
    const fn units(self) -> (f64, f64) {
        match self {
            Self::TokensPerSuccess => (1.0, 1.0),
            Self::TokensPerTime => (NANOS_PER_SECOND, 1.0),
            Self::CostPerToken(_) => (TOKENS_OF_PRICE, PICO_PER_USD),
        }
    }
}

/// Whether a completion has the property of a share's metric; `None` where it does not count.
#[inline]
pub fn share_hit(measure: Measure, class: Class, observed: &Observed) -> Option<bool> {
    let ending = observed.ending;
    if class == Class::Success {
        // Nearly all: told apart without a table of branches.
        return Some(match measure {
            Measure::SuccessRate => true,
            Measure::EmptyRate => observed.is_empty(),
            Measure::LengthFinishRate => observed.is_cut_off(),
            _ => false,
        });
    }
    match (class, measure) {
        (_, Measure::RateLimitedRate) if ending == Ending::Status(429) => Some(true),
        (Class::Neutral, _) => None,
        (_, Measure::ClientErrorRate) => Some(class == Class::ClientError),
        (Class::ClientError, _) => None,
        (_, Measure::SuccessRate) => Some(false),
        (_, Measure::RateLimitedRate) => Some(false),
        (_, Measure::TimeoutRate) => Some(ending == Ending::Timeout),
        (_, Measure::EmptyRate | Measure::LengthFinishRate) => Some(false),
        _ => Some(true),
    }
}

const NANOS_PER_SECOND: f64 = 1e9;
const PICO_PER_USD: f64 = 1e12;
/// Costs are stated per 1,000 tokens.
const TOKENS_OF_PRICE: f64 = 1_000.0;
