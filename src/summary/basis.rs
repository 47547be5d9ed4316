//! What a metric over requests is made from: the counts, moments and histograms that its value, its
//! interval and its comparison with another run's all read.

use std::borrow::Cow;

use super::selection::Selected;
use crate::metric::{Measure, Metric, Quantile, Sample};
use crate::record::Tally;
use crate::stats::{DurationHistogram, Moments, Proportion, RatioOfSums};
use crate::units::Price;

/// What a metric over requests is made from.
#[derive(Clone, PartialEq, Debug)]
pub enum Basis<'a> {
    /// A count or a rate of the run itself.
    Exact {
        /// In the metric's base unit; `None` without data.
        value: Option<f64>,
        /// Requests that it was made from.
        n: u64,
    },
    /// A ratio of two sums over requests, in the metric's base unit, whose spread is known. Of a
    /// single run it is exact, as [`Basis::Exact`] is.
    Ratio(RatioOfSums),
    /// A share of requests.
    Share(Proportion),
    /// A mean over requests, in the metric's base unit; `None` without data.
    Mean(Option<Moments>),
    /// A quantile of durations.
    Quantile(Quantile, Cow<'a, DurationHistogram>),
}

impl Basis<'_> {
    /// What the metric is made from over the requests of both; of exact values nothing can be told
    /// over several runs.
    #[must_use]
    pub fn merged(self, other: &Self) -> Basis<'static> {
        let nothing = Basis::Exact { value: None, n: 0 };
        match (self, other) {
            (Self::Share(one), Self::Share(other)) => {
                let (hits, total) = (one.hits() + other.hits(), one.total() + other.total());
                Basis::Share(Proportion::new(hits, total))
            }
            (Self::Mean(one), Self::Mean(other)) => Basis::Mean(match (one, *other) {
                (Some(one), Some(other)) => Some(one.merged(other)),
                (one, other) => one.or(other),
            }),
            (Self::Quantile(quantile, one), Self::Quantile(_, other)) => {
                let mut all = one.into_owned();
                all.merge(other);
                Basis::Quantile(quantile, Cow::Owned(all))
            }
            _ => nothing,
        }
    }

    /// The same, kept beyond the requests that it is of.
    pub fn into_owned(self) -> Basis<'static> {
        match self {
            Self::Exact { value, n } => Basis::Exact { value, n },
            Self::Ratio(ratio) => Basis::Ratio(ratio),
            Self::Share(share) => Basis::Share(share),
            Self::Mean(moments) => Basis::Mean(moments),
            Self::Quantile(quantile, durations) => {
                Basis::Quantile(quantile, Cow::Owned(durations.into_owned()))
            }
        }
    }
}

impl Selected<'_> {
    /// What `metric` is made from. Nothing for metrics of a whole run, [`Measure::OfRun`], but for
    /// the share that was assigned.
    pub fn basis(&self, metric: Metric) -> Basis<'_> {
        let tally = self.attempts();
        let share = |hits, total| Basis::Share(Proportion::new(hits, total));
        let exact = |value, n| Basis::Exact { value, n };
        let counted = |count: u64| exact(Some(count as f64), count);
        match metric.measure() {
            Measure::Requests => counted(self.requests().completed()),
            Measure::Attempts => counted(tally.completed()),
            Measure::FinalErrorRate => {
                // Who is refused at the door has failed as far as he can see.
                let (requests, refused) = (self.requests(), self.refused_for_keys());
                share(requests.failed.total() + refused, requests.counted() + refused)
            }
            Measure::ErrorRate => share(tally.failed.total(), tally.counted()),
            Measure::SuccessRate => share(tally.succeeded, tally.counted()),
            Measure::ClientErrorRate => share(tally.client_errors(), tally.completed()),
            Measure::RateLimitedRate => share(tally.rate_limited(), tally.limitable()),
            Measure::TimeoutRate => share(tally.timed_out(), tally.counted()),
            Measure::EmptyRate => share(tally.empty, tally.counted()),
            Measure::LengthFinishRate => share(tally.cut_off, tally.counted()),
            Measure::Mean(sample) => {
                Basis::Mean(durations(tally, sample).moments_nanos().map(nanos_to_seconds))
            }
            Measure::Quantile(sample, quantile) => {
                Basis::Quantile(quantile, durations(tally, sample))
            }
            Measure::OutputTokens => {
                let sum = u128::from(tally.output_tokens);
                let squares = tally.output_tokens_squared;
                Basis::Mean(Moments::of_sums(tally.succeeded, sum, squares))
            }
            Measure::OutputSpeed => exact(tokens_per_second(tally), tally.succeeded),
            Measure::CostPer1k => match self.cost_ratio() {
                Some(ratio) => Basis::Ratio(ratio),
                None => exact(self.cost_per_1k_tokens(), tally.succeeded),
            },
            Measure::OfRun if metric == Metric::Share => {
                share(self.attempts().assigned, self.whole())
            }
            Measure::OfRun => exact(None, 0),
        }
    }

    /// In dollars.
    fn cost_per_1k_tokens(&self) -> Option<f64> {
        let tokens = self.tally.input_tokens + self.tally.output_tokens;
        let cost = self.cost.filter(|_| tokens > 0)?;
        Some(cost.as_usd() * 1_000.0 / tokens as f64)
    }
}

impl Selected<'_> {
    /// The cost per 1,000 tokens with its spread over requests, in dollars; `None` without data,
    /// and where some of the requests were recorded without what the spread is made of.
    ///
    /// What a request costs depends on its tokens alone, so its square does on theirs: with prices
    /// p and q for input i and output o, `sum (p i + q o - r (i + o))^2` is
    /// `(p - r)^2 sum i^2 + 2 (p - r) (q - r) sum i o + (q - r)^2 sum o^2`, version by version.
    fn cost_ratio(&self) -> Option<RatioOfSums> {
        let tokens = self.tally.input_tokens + self.tally.output_tokens;
        let cost = self.cost.filter(|_| tokens > 0)?;
        let known = |tally: &Tally| tally.input_tokens == 0 || tally.input_tokens_squared > 0;
        let priced: Vec<(Price, &Tally)> = self.priced_tallies().collect();
        if !priced.iter().all(|(_, tally)| known(tally)) {
            return None;
        }
        let residual_squares = |ratio: f64| {
            let of_tally = |(price, tally): &(Price, &Tally)| {
                let input = price.input_per_1k.as_usd() - ratio;
                let output = price.output_per_1k.as_usd() - ratio;
                input * input * tally.input_tokens_squared as f64
                    + 2.0 * input * output * tally.input_by_output_tokens as f64
                    + output * output * tally.output_tokens_squared as f64
            };
            priced.iter().map(of_tally).sum()
        };
        let numerator = cost.as_usd() * 1_000.0;
        RatioOfSums::new(self.tally.succeeded, numerator, tokens as f64, residual_squares)
    }
}

fn tokens_per_second(tally: &Tally) -> Option<f64> {
    match tally.latency.sum_nanos() {
        0 => None,
        nanos => Some(tally.output_tokens as f64 * NANOS_PER_SECOND / nanos as f64),
    }
}

/// The durations of a sample.
fn durations(tally: &Tally, sample: Sample) -> Cow<'_, DurationHistogram> {
    match sample {
        Sample::Latency => Cow::Borrowed(&tally.latency),
        Sample::FirstToken => Cow::Borrowed(&tally.first_token),
        Sample::LatencyAll => {
            let mut all = tally.latency.clone();
            all.merge(&tally.latency_other);
            Cow::Owned(all)
        }
    }
}

fn nanos_to_seconds(nanos: Moments) -> Moments {
    Moments {
        count: nanos.count,
        mean: nanos.mean / NANOS_PER_SECOND,
        variance: nanos.variance / (NANOS_PER_SECOND * NANOS_PER_SECOND),
    }
}

const NANOS_PER_SECOND: f64 = 1e9;
