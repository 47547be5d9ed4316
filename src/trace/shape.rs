//! The shape of traffic in a few figures: rate, burstiness at several scales, sizes.

use std::collections::BTreeMap;

use crate::units::{Duration, Rate, Tokens};

/// What describes a stretch of traffic; absent where there was too little of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// How many requests.
    pub requests: u64,
    /// From the start to the last request.
    pub span: Duration,
    /// Requests over span.
    pub rate: Option<Rate>,
    /// Standard deviation over mean of the gaps between requests: 1 for a Poisson process.
    pub gap_cv: Option<f64>,
    /// Variance over mean of the number of requests in windows of 1, 10 and 60 s: 1 for a Poisson
    /// process, larger for bursts. Whole windows from the start on, sample variance.
    pub dispersion: [Option<f64>; 3],
    /// Tokens of the prompts.
    pub input: Option<TokenShape>,
    /// Tokens of the answers.
    pub output: Option<TokenShape>,
}

/// What describes a number of token counts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TokenShape {
    /// Their mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
}

/// Gathers a [`Shape`] request by request, in memory bounded by the distinct token counts.
#[derive(Clone, Debug, Default)]
pub struct ShapeMeter {
    requests: u64,
    latest: Option<Duration>,
    gaps: Moments,
    windows: [WindowCounts; 3],
    input: TokenCounts,
    output: TokenCounts,
}

impl ShapeMeter {
    /// Counts a request that was sent `at`, not before the one added last.
    pub fn add(&mut self, at: Duration, input: Option<Tokens>, output: Option<Tokens>) {
        self.requests += 1;
        if let Some(latest) = self.latest {
            self.gaps.add(at.saturating_sub(latest).as_secs_f64());
        }
        self.latest = Some(at);
        for (counts, window) in self.windows.iter_mut().zip(WINDOWS) {
            counts.add(at.as_nanos() / window.as_nanos());
        }
        input.into_iter().for_each(|tokens| self.input.add(tokens));
        output.into_iter().for_each(|tokens| self.output.add(tokens));
    }

    /// The shape so far.
    pub fn shape(&self) -> Shape {
        let span = self.latest.unwrap_or_default();
        let requests = self.requests;
        Shape {
            requests,
            span,
            rate: Rate::per(requests as f64, span),
            gap_cv: self.gaps.cv(),
            dispersion: std::array::from_fn(|index| self.windows[index].dispersion()),
            input: self.input.shape(),
            output: self.output.shape(),
        }
    }
}

/// Mean and squared deviations, updated value by value (Welford, Technometrics 4, 1962,
/// doi:10.1080/00401706.1962.10490022).
#[derive(Clone, Debug, Default)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let deviation = value - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (value - self.mean);
    }

    /// Sample standard deviation over mean.
    fn cv(&self) -> Option<f64> {
        let has_spread = self.count >= 2 && self.mean > 0.0;
        has_spread.then(|| (self.squares / (self.count - 1) as f64).sqrt() / self.mean)
    }
}

/// Counts of whole windows, summed in integers; the window that is open is not among them.
#[derive(Clone, Debug, Default)]
struct WindowCounts {
    /// Which window is open, and so how many are closed.
    open: u64,
    in_open: u64,
    in_closed: u64,
    squares: u128,
}

impl WindowCounts {
    fn add(&mut self, window: u64) {
        if window > self.open {
            self.in_closed += self.in_open;
            self.squares += u128::from(self.in_open) * u128::from(self.in_open);
            self.open = window;
            self.in_open = 0;
        }
        self.in_open += 1;
    }

    /// Sample variance over mean of the closed windows' counts.
    fn dispersion(&self) -> Option<f64> {
        if self.open < 2 || self.in_closed == 0 {
            return None;
        }
        let windows = self.open as f64;
        let mean = self.in_closed as f64 / windows;
        let variance = (self.squares as f64 - mean * self.in_closed as f64) / (windows - 1.0);
        Some(variance / mean)
    }
}

/// How often each token count came.
#[derive(Clone, Debug, Default)]
struct TokenCounts {
    count: u64,
    sum: u64,
    by_value: BTreeMap<Tokens, u64>,
}

impl TokenCounts {
    fn add(&mut self, tokens: Tokens) {
        self.count += 1;
        self.sum += u64::from(tokens.get());
        *self.by_value.entry(tokens).or_default() += 1;
    }

    fn shape(&self) -> Option<TokenShape> {
        let mean = self.sum as f64 / self.count as f64;
        Some(TokenShape { mean, p50: self.quantile(50)?, p99: self.quantile(99)? })
    }

    /// The sample quantile at `percent` %: interpolated between the values of the ranks around
    /// (n - 1) percent / 100, counted from 0 (type 7 of Hyndman and Fan, The American Statistician
    /// 50, 1996, doi:10.1080/00031305.1996.10473566; numpy's default).
    fn quantile(&self, percent: u64) -> Option<f64> {
        let position = self.count.checked_sub(1)? * percent;
        let low = self.at_rank(position / 100)?;
        let high = self.at_rank(position.div_ceil(100))?;
        let share = (position % 100) as f64 / 100.0;
        Some(low + (high - low) * share)
    }

    fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut passed = 0;
        let reaching = self.by_value.iter().find(|(_, count)| {
            passed += **count;
            passed > rank
        });
        reaching.map(|(tokens, _)| f64::from(tokens.get()))
    }
}

/// The windows of the published figures for public traces.
const WINDOWS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(arrivals: &[(u64, u32)]) -> Shape {
        let mut meter = ShapeMeter::default();
        for (millis, tokens) in arrivals {
            let (input, output) = (Some(Tokens::new(*tokens)), Some(Tokens::new(1)));
            meter.add(Duration::from_millis(*millis), input, output);
        }
        meter.shape()
    }

    #[test]
    fn a_small_example_has_the_figures_that_pencil_and_paper_give() {
        // Gaps 0.5, 0.5, 3, 1 s: mean 1.25, sample variance 1.4166...; counts in the five whole
        // windows of 1 s: 2, 1, 0, 0, 1: mean 0.8, sample variance 0.7.
        let shape = shape_of(&[(0, 30), (500, 10), (1_000, 20), (4_000, 40), (5_000, 50)]);
        assert_eq!(shape.rate.unwrap().per_second(), 1.0);
        assert!((shape.gap_cv.unwrap() - (17.0_f64 / 12.0).sqrt() / 1.25).abs() < 1e-15);
        assert!((shape.dispersion[0].unwrap() - 0.7 / 0.8).abs() < 1e-15);
        assert_eq!(shape.dispersion[1..], [None, None]);
        let input = shape.input.unwrap();
        assert_eq!((input.mean, input.p50), (30.0, 30.0));
        assert!((input.p99 - 49.6).abs() < 1e-12);
    }

    #[test]
    fn too_little_traffic_has_no_figures() {
        let shape = shape_of(&[]);
        assert_eq!((shape.rate, shape.gap_cv, shape.input), (None, None, None));
        let shape = shape_of(&[(0, 5)]);
        assert_eq!((shape.rate, shape.gap_cv, shape.dispersion), (None, None, [None; 3]));
        assert_eq!(shape.input.unwrap().p99, 5.0);
    }
}
