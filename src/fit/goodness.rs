//! How well a twin does what was recorded: figure by figure.

use serde::Serialize;

use super::arrivals::{LEAST_CV, LEAST_DISPERSION, NEAR};
use super::error::FitError;
use super::failure_fit::{FailureFit, FailurePattern};
use super::fitted::{Fitted, VersionFit};
use super::missing::Missing;
use super::not_reproduced::not_reproduced;
use super::observed::{Observed, SeenVersion, Size};
use super::quantile_table::quantile;
use super::rank_correlation::rank_correlation;
use super::rate_process::WINDOWS;
use super::source::RecordingSource;
use super::spread::Spread;
use super::twin::twin;
use crate::units::{format_count, format_elapsed};

/// A recording against its twin.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Goodness {
    /// The seed of the twin.
    pub seed: u64,
    /// How many requests were recorded, and how many the twin sent.
    pub requests: [u64; 2],
    /// How models were chosen, a sentence each.
    pub choices: Vec<String>,
    /// The figures that are compared.
    pub figures: Vec<Figure>,
    /// What was not recorded and must be added to the scenario before it can be run.
    pub missing: Vec<Missing>,
    /// What a twin does not do: a sentence each.
    pub not_reproduced: Vec<String>,
    /// Distributions of both, at equal probabilities.
    #[serde(skip)]
    pub curves: Vec<Curve>,
    /// Dispersion of the counts by the window's length.
    #[serde(skip)]
    pub dispersions: Vec<Dispersion>,
}

/// One figure of both.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// Of what: `arrivals`, `tokens`, or a version.
    pub of: String,
    /// Which figure.
    pub name: String,
    /// What it counts.
    pub unit: FigureUnit,
    /// As recorded.
    pub recorded: f64,
    /// The twin's; of a dispersion the median of several.
    pub twin: f64,
    /// The quartiles of several twins, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// How far apart they may be: what is asked for and three standard errors of the twin's.
    pub tolerance: f64,
    /// Whether they are no further apart.
    pub fits: bool,
}

/// What a figure counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureUnit {
    /// Requests per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// A share of 1.
    Share,
    /// Tokens.
    Tokens,
    /// A number without a unit.
    Number,
}

/// Quantiles of a recording and of its twin.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Of what.
    pub name: String,
    /// What they count.
    pub unit: FigureUnit,
    /// Probability, recorded, twin.
    pub points: Vec<(f64, f64, f64)>,
}

/// Dispersion of the counts in windows of one length.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Dispersion {
    /// In seconds.
    pub window: usize,
    /// As recorded.
    pub recorded: f64,
    /// Of the twin.
    pub twin: f64,
}

impl Goodness {
    /// Runs the scenario called `name` that is `fitted` to `observed`, of the recording `source`,
    /// and compares. What is [missing](Fitted::missing) is stood in for: no figure depends on it.
    ///
    /// # Errors
    /// The scenario cannot be played: a bug.
    pub fn of(
        observed: &Observed,
        fitted: &Fitted,
        name: &str,
        source: &RecordingSource,
        seed: u64,
    ) -> Result<Self, FitError> {
        let yaml = fitted.with_stand_ins().to_yaml(name, source);
        let most = observed.requests().saturating_mul(4).clamp(1_000, MOST_TWIN);
        let twin = twin(&yaml, seed, most)?;
        let is_cut = twin.requests() == most;
        let mut goodness = Self {
            seed,
            requests: [observed.requests(), twin.requests()],
            choices: fitted.choices(),
            figures: Vec::new(),
            missing: fitted.missing(),
            not_reproduced: not_reproduced(observed, fitted),
            curves: Vec::new(),
            dispersions: Vec::new(),
        };
        if is_cut {
            goodness.not_reproduced.push(format!(
                "The twin was cut at {} requests, {} of {}: what comes later is not compared, nor \
                 the error rate of a version that had an incident.",
                format_count(most),
                format_elapsed(twin.span()),
                format_elapsed(fitted.span)
            ));
        }
        goodness.arrivals(observed, &twin, fitted);
        goodness.tokens(observed, &twin);
        let versions = fitted.models.iter().flat_map(|model| &model.versions);
        for version in versions {
            goodness.version(version, observed, &twin, is_cut);
        }
        Ok(goodness)
    }

    /// How many figures fit, of how many.
    pub fn fitting(&self) -> (usize, usize) {
        (self.figures.iter().filter(|figure| figure.fits).count(), self.figures.len())
    }

    fn add(&mut self, of: &str, name: &str, unit: FigureUnit, pair: Pair) {
        let Pair { recorded, twin, relative, least, error } = pair;
        if !recorded.is_finite() || !twin.is_finite() {
            return;
        }
        let tolerance = relative * recorded.abs().max(least) + 3.0 * error;
        self.figures.push(Figure {
            of: of.to_owned(),
            name: name.to_owned(),
            unit,
            recorded,
            twin,
            spread: None,
            tolerance,
            fits: (twin - recorded).abs() <= tolerance,
        });
    }

    fn arrivals(&mut self, observed: &Observed, twin: &Observed, fitted: &Fitted) {
        let rate = |of: &Observed| of.requests() as f64 / of.span().as_secs_f64();
        // The count of a time varies by its dispersion in long windows times its mean.
        let long = fitted.arrivals.candidate().dispersion[2].map_or(1.0, |spread| spread.median);
        let error = rate(twin) * (long / twin.requests().max(1) as f64).sqrt();
        let pair = Pair::new([rate(observed), rate(twin)], 0.03, error);
        self.add("arrivals", "rate", FigureUnit::PerSecond, pair);
        let found = fitted.arrivals.candidate().dispersion.into_iter();
        for ((window, recorded), spread) in WINDOWS.iter().zip(fitted.arrivals.recorded).zip(found)
        {
            let (Some(recorded), Some(spread)) = (recorded, spread) else { continue };
            let name = format!("dispersion at {window} s");
            let pair = Pair::new([recorded, spread.median], NEAR, 0.0);
            let pair = Pair { least: LEAST_DISPERSION, ..pair };
            self.add("arrivals", &name, FigureUnit::Number, pair);
            if let Some(last) = self.figures.last_mut() {
                last.spread = Some(spread);
            }
        }
        if let (Some(recorded), Some(twin)) = (observed.gap_cv(), twin.gap_cv()) {
            // Gaps that vary less are equal.
            let pair = Pair { least: LEAST_CV / NEAR, ..Pair::new([recorded, twin], NEAR, 0.0) };
            self.add("arrivals", "gap CV", FigureUnit::Number, pair);
        }
        for window in CURVE_WINDOWS {
            let both = (observed.counts.dispersion(window), twin.counts.dispersion(window));
            let enough = observed.counts.windows(window).count() >= LEAST_WINDOWS;
            if let ((Some(recorded), Some(twin)), true) = (both, enough) {
                self.dispersions.push(Dispersion { window, recorded, twin });
            }
        }
    }

    fn tokens(&mut self, observed: &Observed, twin: &Observed) {
        let sorted = |of: &Observed, output: bool| {
            let sizes = of.sizes.items().iter();
            let side = sizes.filter_map(|size| if output { size.output } else { size.input });
            let mut values: Vec<f64> = side.collect();
            values.sort_by(f64::total_cmp);
            values
        };
        for (name, output) in [("input tokens", false), ("output tokens", true)] {
            let (recorded, twin) = (sorted(observed, output), sorted(twin, output));
            self.sample(name, &recorded, &twin, FigureUnit::Tokens, 0.03);
        }
        let rho = |of: &Observed| {
            let pairs = of.sizes.items().iter().filter_map(Size::pair);
            rank_correlation(&pairs.collect::<Vec<_>>())
        };
        if let (Some(recorded), Some(found)) = (rho(observed), rho(twin)) {
            let error = 1.0 / (twin.sizes.items().len() as f64).sqrt();
            // An absolute tolerance: 0 has no relative one.
            let pair = Pair::new([recorded, found], 0.0, error + 0.01);
            self.add("tokens", "rank correlation", FigureUnit::Number, pair);
        }
        let share = |of: &Observed| of.streams.yes as f64 / of.streams.known as f64;
        if observed.streams.known > 0 {
            let error = share_error(share(observed), twin.streams.known as f64);
            let pair = Pair::new([share(observed), share(twin)], 0.01, error);
            self.add("requests", "streamed", FigureUnit::Share, pair);
        }
    }

    fn version(&mut self, fit: &VersionFit, observed: &Observed, twin: &Observed, is_cut: bool) {
        let recorded = &observed.versions[fit.place];
        let is_it = |v: &&SeenVersion| v.id.as_ref().is_some_and(|id| id.as_str() == fit.id);
        let Some(played) = twin.versions.iter().find(is_it) else {
            self.not_reproduced.push(format!(
                "The twin sent nothing to {}: its share of the requests is too small.",
                fit.id
            ));
            return;
        };
        if fit.share < 1.0 {
            let all = twin.models[played.model].requests as f64;
            let error = share_error(fit.share, all);
            let pair = Pair::new([fit.share, played.requests as f64 / all], 0.01, error);
            self.add(&fit.id, "share of requests", FigureUnit::Share, pair);
        }
        if let Some(failures) = &fit.failures {
            let has_incident = matches!(failures.pattern, FailurePattern::Episode { .. });
            if !(is_cut && has_incident) {
                self.error_rate(&fit.id, failures, played);
            }
        }
        let latency = |version: &SeenVersion| version.sorted(|answer| answer.duration);
        let (one, other) = (latency(recorded), latency(played));
        self.sample(&format!("{} latency", fit.id), &one, &other, FigureUnit::Seconds, 0.05);
        // A twin knows the first token of streamed answers alone.
        let first = |version: &SeenVersion| version.sorted(|answer| answer.first_token);
        let (one, other) = (first(recorded), first(played));
        self.sample(&format!("{} first token", fit.id), &one, &other, FigureUnit::Seconds, 0.05);
    }

    fn error_rate(&mut self, version: &str, failures: &FailureFit, played: &SeenVersion) {
        let total = played.outcomes.total();
        // Failures that come together vary as much more as they are dispersed.
        let bunched = failures.dispersion.map_or(1.0, |(dispersion, _)| dispersion.max(1.0));
        let error = share_error(failures.share(), f64::from(total.ended)) * bunched.sqrt();
        let pair = Pair::new([failures.share(), total.share()], 0.05, error);
        self.add(version, "error rate", FigureUnit::Share, pair);
    }

    /// Mean and quantiles of two samples that rise.
    fn sample(&mut self, of: &str, one: &[f64], other: &[f64], unit: FigureUnit, relative: f64) {
        if one.len() < LEAST_SAMPLE || other.len() < LEAST_SAMPLE {
            return;
        }
        let (recorded, twin) = (mean(one), mean(other));
        let deviations = other.iter().map(|value| (value - twin) * (value - twin));
        let error = deviations.sum::<f64>().sqrt() / other.len() as f64;
        self.add(of, "mean", unit, Pair::new([recorded, twin], relative, error));
        for (name, p) in [("P50", 0.5), ("P90", 0.9), ("P95", 0.95), ("P99", 0.99)] {
            let (recorded, twin) = (quantile(one, p), quantile(other, p));
            let error = quantile_error(other, p);
            self.add(of, name, unit, Pair::new([recorded, twin], relative, error));
        }
        let most = one.len().min(other.len()) as f64;
        let points = (0..).map(|step| 1.0 - crate::math::exp(-0.25 * f64::from(step)));
        let points = points.take_while(|p| (1.0 - p) * most >= 1.0);
        let point = |p: f64| (p, quantile(one, p), quantile(other, p));
        self.curves.push(Curve { name: of.to_owned(), unit, points: points.map(point).collect() });
    }
}

/// Two values of one figure, and how near they are to be: a share of the recorded one, or of
/// `least` where it is less, and the standard error of the twin's.
#[derive(Clone, Copy)]
struct Pair {
    recorded: f64,
    twin: f64,
    relative: f64,
    least: f64,
    error: f64,
}

impl Pair {
    const fn new([recorded, twin]: [f64; 2], relative: f64, error: f64) -> Self {
        Self { recorded, twin, relative, least: 0.0, error }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard error of a share of so many.
fn share_error(share: f64, count: f64) -> f64 {
    (share * (1.0 - share) / count.max(1.0)).sqrt()
}

/// The standard error of a sample quantile: half the distance of the values one standard error of
/// rank, sqrt(n p (1 - p)), below and above.
fn quantile_error(sorted: &[f64], p: f64) -> f64 {
    let error = (p * (1.0 - p) / sorted.len() as f64).sqrt();
    let at = |p: f64| quantile(sorted, p.clamp(0.0, 1.0));
    0.5 * (at(p + error) - at(p - error))
}

/// Chosen: half a gigabyte while it is compared.
const MOST_TWIN: u64 = 2_000_000;
/// Chosen: fewer have no P99, and hardly a mean.
const LEAST_SAMPLE: usize = 30;
const LEAST_WINDOWS: usize = 5;
/// Seconds.
const CURVE_WINDOWS: [usize; 9] = [1, 2, 5, 10, 20, 60, 120, 300, 600];
