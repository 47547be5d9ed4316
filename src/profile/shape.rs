//! When requests come and how large they are: the part of a profile that every traffic has.

use super::figures::{TimeFigures, TokenFigures, WindowFigures};
use super::times::time_figures;
use super::token_counts::TokenCounts;
use super::windows::{Counts, Windows};
use crate::stats::DurationHistogram;
use crate::units::{Duration, Rate, Tokens};

/// What describes a stretch of traffic in a few figures; absent where there was too little of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// How many requests.
    pub requests: u64,
    /// From the start to the last request, or to where the stretch is known to end.
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

/// Gathers a [`Shape`] request by request, in constant memory.
#[derive(Clone, PartialEq, Debug)]
pub struct ShapeMeter {
    requests: u64,
    /// The times of the first request and of the last.
    ends: Option<[Duration; 2]>,
    /// How long the stretch lasted, where that is known: silence at its end is part of it.
    until: Option<Duration>,
    gaps: DurationHistogram,
    windows: [Windows<Counts>; WIDTHS.len()],
    input: TokenCounts,
    output: TokenCounts,
}

impl Default for ShapeMeter {
    fn default() -> Self {
        let windows = WIDTHS.map(|width| Windows::new(Duration::from_secs(width)));
        let (input, output) = (TokenCounts::default(), TokenCounts::default());
        let gaps = DurationHistogram::default();
        Self { requests: 0, ends: None, until: None, gaps, windows, input, output }
    }
}

impl ShapeMeter {
    /// Counts a request that was sent `at`, not before the one added last. Of its tokens it may not
    /// be known how many they are.
    pub fn add(&mut self, at: Duration, input: Option<Tokens>, output: Option<Tokens>) {
        self.requests += 1;
        match &mut self.ends {
            Some([_, latest]) => {
                self.gaps.record(at.saturating_sub(*latest));
                *latest = at;
            }
            none => *none = Some([at, at]),
        }
        self.windows.iter_mut().for_each(|windows| windows.add(at, false));
        if let Some(input) = input {
            self.input.add(input);
        }
        if let Some(output) = output {
            self.output.add(output);
        }
    }

    /// The stretch went on `until` this time, whenever its last request came.
    pub(super) fn end(&mut self, until: Duration) {
        self.until = self.until.max(Some(until));
    }

    /// Adds what a meter has seen whose requests came after those of this one.
    pub fn merge(&mut self, later: &Self) {
        self.until = self.until.max(later.until);
        let Some([first, last]) = later.ends else { return };
        self.requests += later.requests;
        match &mut self.ends {
            Some([_, latest]) => {
                self.gaps.record(first.saturating_sub(*latest));
                *latest = last;
            }
            none => *none = later.ends,
        }
        self.gaps.merge(&later.gaps);
        self.windows.iter_mut().zip(&later.windows).for_each(|(own, later)| own.merge(later));
        self.input.merge(&later.input);
        self.output.merge(&later.output);
    }

    /// The shape so far.
    pub fn shape(&self) -> Shape {
        let tokens = |counts: &TokenCounts| {
            let TokenFigures { mean, p50, p99, .. } = counts.figures(&[])?;
            Some(TokenShape { mean, p50, p99 })
        };
        Shape {
            requests: self.requests,
            span: self.span(),
            rate: self.rate(),
            gap_cv: time_figures(&self.gaps, &[]).and_then(|gaps| gaps.cv),
            dispersion: PUBLISHED.map(|width| self.dispersion(width)),
            input: tokens(&self.input),
            output: tokens(&self.output),
        }
    }

    pub(super) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(super) fn span(&self) -> Duration {
        let latest = self.ends.map_or(Duration::ZERO, |[_, latest]| latest);
        self.until.map_or(latest, |until| until.max(latest))
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        Rate::per(self.requests as f64, self.span())
    }

    pub(super) fn gaps(&self, shares: &[u32]) -> Option<TimeFigures> {
        time_figures(&self.gaps, shares)
    }

    pub(super) fn windows(&self) -> Vec<WindowFigures> {
        self.windows.iter().map(|windows| self.window_figures(windows)).collect()
    }

    /// Tokens of the prompts and of the answers.
    pub(super) fn tokens(&self, shares: &[f64]) -> [Option<TokenFigures>; 2] {
        [&self.input, &self.output].map(|counts| counts.figures(shares))
    }

    fn dispersion(&self, width: Duration) -> Option<f64> {
        self.windows.iter().find(|windows| windows.width() == width)?.dispersion(self.until)
    }

    fn window_figures(&self, windows: &Windows<Counts>) -> WindowFigures {
        let (width, most) = (windows.width(), windows.most());
        let whole = windows.full_windows(self.until);
        // A trace of hardly more than a window has its peak everywhere.
        let rate = self.rate().filter(|_| whole >= 2);
        let mean = rate.map(|rate| rate.per_second() * width.as_secs_f64());
        WindowFigures {
            width,
            windows: whole,
            dispersion: windows.dispersion(self.until),
            most,
            peak_over_mean: mean.map(|mean| most as f64 / mean),
            empty: windows.empty(self.until),
        }
    }
}

/// The widths of windows in seconds: three to a power of ten, up to 10 minutes.
const WIDTHS: [u64; 9] = [1, 2, 5, 10, 30, 60, 120, 300, 600];

/// The windows of the published figures for public traces.
const PUBLISHED: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(arrivals: &[(u64, u32)]) -> Shape {
        let mut meter = ShapeMeter::default();
        for (millis, tokens) in arrivals {
            let tokens = Some(Tokens::new(*tokens));
            meter.add(Duration::from_millis(*millis), tokens, None);
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
        assert_eq!(shape.output, None);
    }

    #[test]
    fn silence_at_the_end_of_a_stretch_counts_where_the_trace_goes_on() {
        let mut meter = ShapeMeter::default();
        (0..30).for_each(|second| meter.add(Duration::from_secs(second), None, None));
        let mut earlier = ShapeMeter::default();
        meter.end(Duration::from_secs(300));
        earlier.merge(&meter);
        for meter in [meter, earlier] {
            let shape = meter.shape();
            assert_eq!((shape.requests, shape.span), (30, Duration::from_secs(300)));
            assert_eq!(shape.rate.unwrap().per_second(), 0.1);
            let second = &meter.windows()[0];
            assert_eq!((second.windows, second.empty, second.most), (300, 270, 1));
            assert!((second.peak_over_mean.unwrap() - 10.0).abs() < 1e-12);
        }
    }

    #[test]
    fn too_little_traffic_has_no_figures() {
        let shape = shape_of(&[]);
        assert_eq!((shape.rate, shape.gap_cv, shape.input), (None, None, None));
        let shape = shape_of(&[(0, 5)]);
        assert_eq!((shape.rate, shape.gap_cv, shape.dispersion), (None, None, [None; 3]));
        assert_eq!(shape.input.unwrap().p99, 5.0);
        // All at one instant: gaps without any spread.
        let shape = shape_of(&[(0, 5), (0, 5), (0, 5)]);
        assert_eq!((shape.rate, shape.gap_cv, shape.requests), (None, None, 3));
    }
}
