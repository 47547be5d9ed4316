//! The comparison of several runs.

use serde::{Deserialize, Serialize};

use super::column::{ColumnComparison, MetricComparison, columns};
use super::difference::{Difference, FindingCounts};
use super::error::CompareError;
use super::family::judge;
use super::notes::{dependences, notes};
use super::run::{ComparedRun, RunInput, Settings};
use super::scenario_difference::{RunDifferences, differences};
use crate::json::outline;
use crate::metric::Metric;
use crate::summary::{Estimate, Method, Selection, Summary};

/// Several runs held against the first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunComparison {
    /// The number of the format: [`RunComparison::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that compared.
    pub coalmine: String,
    /// The confidence of the intervals, in (0, 1); 1 less it is the probability of finding any
    /// difference where there is none.
    pub confidence: f64,
    /// By which share of the first run's value a metric must differ to be found better or worse.
    pub smallest_effect: f64,
    /// The runs, at least two; all others are held against the first.
    pub runs: Vec<ComparedRun>,
    /// In what the scenarios and traces of the other runs differ from the first's; empty where in
    /// nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<RunDifferences>,
    /// How many differences were tested: the p-values are adjusted for all of them.
    pub tested: u64,
    /// The findings of each run after the first, in their order.
    pub findings: Vec<FindingCounts>,
    /// The columns of the comparison table.
    pub columns: Vec<ColumnComparison>,
    /// Figures of the whole runs that are not the same nothing in all: exact, never tested.
    pub figures: Vec<MetricComparison>,
    /// What is to be known of the intervals and p-values, in sentences.
    pub notes: Vec<String>,
}

impl RunComparison {
    /// The number of the format that this version writes.
    pub const SCHEMA: u64 = 1;

    /// The file's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// Whether of any run a metric was found worse than in the first, or the verdict of its gate
    /// has become worse: fail or invalid, and was not.
    pub fn is_worse(&self) -> bool {
        let verdict = |run: &ComparedRun| run.has_worse_verdict_than(&self.runs[0]);
        self.findings.iter().any(|findings| findings.worse > 0) || self.runs.iter().any(verdict)
    }

    /// Whether all that is compared has the same values in a run (an index) as in the first, and
    /// any has.
    pub fn is_same(&self, run: usize) -> bool {
        let columns = self.columns.iter().flat_map(|column| &column.metrics);
        let mut all = columns.chain(&self.figures).peekable();
        all.peek().is_some() && all.all(|compared| compared.values[0] == compared.values[run])
    }
}

/// Holds every run against the first.
///
/// # Errors
/// The scenarios or traces differ in what decides how a run goes, and `settings` do not say to
/// compare across that.
///
/// # Panics
/// Fewer than two runs.
pub fn compare(runs: &[RunInput<'_>], settings: &Settings) -> Result<RunComparison, CompareError> {
    assert!(runs.len() >= 2, "{} runs to compare", runs.len());
    let differing = differences(runs);
    if !differing.is_empty() && !settings.across {
        let labels = runs.iter().map(|run| run.label.to_owned()).collect();
        return Err(CompareError { labels, differing });
    }
    let mut columns = columns(runs, settings.confidence);
    let tested = judge(&mut columns, settings, dependences(runs).is_empty());
    let findings = (0..runs.len() - 1).map(|other| counts(&columns, other)).collect();
    Ok(RunComparison {
        schema: RunComparison::SCHEMA,
        coalmine: env!("CARGO_PKG_VERSION").to_owned(),
        confidence: settings.confidence.get(),
        smallest_effect: settings.smallest_effect.get(),
        runs: runs.iter().map(ComparedRun::of).collect(),
        differing,
        tested,
        findings,
        columns,
        figures: FIGURES.iter().filter_map(|metric| figure(*metric, runs)).collect(),
        notes: notes(runs),
    })
}

fn counts(columns: &[ColumnComparison], other: usize) -> FindingCounts {
    let mut counts = FindingCounts::default();
    let all = columns.iter().flat_map(|column| &column.metrics);
    for compared in all.filter(|compared| compared.has_data()) {
        counts.add(compared.differences[other].finding);
    }
    counts
}

/// A figure of the whole runs; `None` where nothing of the kind happened in any.
fn figure(metric: Metric, runs: &[RunInput<'_>]) -> Option<MetricComparison> {
    let estimate = |run: &RunInput<'_>| {
        let all = Summary::of(&run.result.record).select(Selection::default());
        all.estimate(metric, Method::Display)
    };
    let values: Vec<Estimate> = runs.iter().map(estimate).collect();
    let others = values[1..].iter();
    let differences = others.map(|other| Difference::untested(&values[0], other)).collect();
    let nothing = |estimate: &Estimate| estimate.value.is_none_or(|value| value == 0.0);
    (!values.iter().all(nothing)).then_some(MetricComparison { metric, values, differences })
}

/// What is told of whole runs.
const FIGURES: [Metric; 13] = [
    Metric::Rollbacks,
    Metric::FalseRollbacks,
    Metric::TimeToDetect,
    Metric::TimeToRollback,
    Metric::BlastRadiusRequests,
    Metric::BlastRadiusFailed,
    Metric::BlastRadiusFailedExcess,
    Metric::BlastRadiusSlowed,
    Metric::Promotions,
    Metric::KeysRejected,
    Metric::TagsLost,
    Metric::CommandsRefused,
    Metric::CommandsMissed,
];

#[cfg(test)]
mod tests {
    use super::super::difference::Finding;
    use super::super::example::slower;
    use super::*;
    use crate::record::Tally;
    use crate::result::ResultFile;
    use crate::result::example::rolled_back_result;
    use crate::stats::Confidence;
    use crate::units::Ratio;

    fn input<'a>(label: &'a str, result: &'a ResultFile) -> RunInput<'a> {
        RunInput { label, sha256: "", result }
    }

    fn compared(first: &ResultFile, other: &ResultFile, settings: &Settings) -> RunComparison {
        compare(&[input("a", first), input("b", other)], settings).unwrap()
    }

    fn found(comparison: &RunComparison, metric: Metric) -> &Difference {
        let metrics = &comparison.columns[0].metrics;
        &metrics.iter().find(|compared| compared.metric == metric).unwrap().differences[0]
    }

    #[test]
    fn differences_agree_with_scipy_and_statsmodels() {
        let comparison = compared(&rolled_back_result(), &slower(), &Settings::default());
        let holds = |metric, p: f64, (low, high): (f64, f64), (least, most): (f64, f64)| {
            let found = found(&comparison, metric);
            let limits = found.interval.unwrap();
            assert!((limits.low.unwrap() - low).abs() < 1e-9, "{metric}: {limits:?}");
            assert!((limits.high.unwrap() - high).abs() < 1e-9, "{metric}: {limits:?}");
            // Of the ratio: scipy.optimize.brentq of the ends of x - R b, by the same limits.
            let limits = found.relative_interval.unwrap();
            assert!((limits.low.unwrap() + 1.0 - least).abs() < 1e-9, "{metric}: {limits:?}");
            assert!((limits.high.unwrap() + 1.0 - most).abs() < 1e-8, "{metric}: {limits:?}");
            assert!((found.p_value.unwrap() / p - 1.0).abs() < 1e-6, "{metric}: {found:?}");
            assert_eq!(found.finding, Finding::Worse, "{metric}");
        };
        // ttest_ind(y, x, equal_var=False) of 0.151..1.05 and 0.001..1.
        let limits = (0.07530893848210887, 0.1246910615178913);
        let ratio = (1.1465402863317642, 1.2561375594607904);
        holds(Metric::LatencyAvg, 3.3497568082479175e-15, limits, ratio);
        // By binom.cdf and the definitions, with the ends of the bins; p by bisection.
        let limits = (0.03558232079371697, 0.07433745262006175);
        let ratio = (1.037048462507331, 1.0791083863745832);
        holds(Metric::LatencyP95, 1.3022576107517956e-08, limits, ratio);
        // confint_proportions_2indep(30, 930, 5, 1005, method="newcomb"); fisher_exact.
        let limits = (0.015647299733130296, 0.04100029517893829);
        let ratio = (2.5658867493267943, 16.072348090622235);
        holds(Metric::ErrorRate, 3.931078170677181e-06, limits, ratio);
        let error_rate = found(&comparison, Metric::ErrorRate);
        let base = 5.0 / 1_005.0;
        assert!((error_rate.relative.unwrap() - (30.0 / 930.0 / base - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn p_values_are_adjusted_over_all_columns() {
        let comparison = compared(&rolled_back_result(), &slower(), &Settings::default());
        let differences = comparison.columns.iter().flat_map(|column| &column.metrics);
        let differences = differences.flat_map(|compared| &compared.differences);
        let tested: Vec<&Difference> = differences.filter(|one| one.p_value.is_some()).collect();
        assert_eq!(comparison.tested, tested.len() as u64);
        // Only the first column differs; the smallest of all counts as often as there are tests.
        let least = tested.iter().min_by(|a, b| a.p_value.partial_cmp(&b.p_value).unwrap());
        let least = least.unwrap();
        let expected = least.p_value.unwrap() * tested.len() as f64;
        assert!((least.adjusted_p_value.unwrap() / expected - 1.0).abs() < 1e-12);
        let findings = comparison.findings[0];
        assert_eq!(findings.better, 0);
        assert!(findings.worse >= 4 && comparison.is_worse(), "{findings:?}");
    }

    #[test]
    fn a_difference_below_the_smallest_effect_is_too_small() {
        let smallest_effect = Ratio::new(0.25).unwrap();
        let settings = Settings { smallest_effect, ..Settings::default() };
        let comparison = compared(&rolled_back_result(), &slower(), &settings);
        // 0.6005 s are 20 % more than 0.5005 s; the error rate is more than six times the other.
        assert_eq!(found(&comparison, Metric::LatencyAvg).finding, Finding::TooSmall);
        assert_eq!(found(&comparison, Metric::ErrorRate).finding, Finding::Worse);
    }

    #[test]
    fn a_higher_confidence_widens_the_intervals() {
        let confidence = Confidence::new(0.999).unwrap();
        let settings = Settings { confidence, ..Settings::default() };
        let (first, other) = (rolled_back_result(), slower());
        for metric in [Metric::LatencyAvg, Metric::LatencyP95, Metric::ErrorRate] {
            let width = |settings: &Settings| {
                let comparison = compared(&first, &other, settings);
                let limits = found(&comparison, metric).interval.unwrap();
                limits.high.unwrap() - limits.low.unwrap()
            };
            assert!(width(&settings) > 1.3 * width(&Settings::default()), "{metric}");
        }
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        for result in [rolled_back_result(), slower()] {
            let comparison = compared(&result, &result, &Settings::default());
            let FindingCounts { not_shown, .. } = comparison.findings[0];
            let counts = FindingCounts { not_shown, ..FindingCounts::default() };
            assert_eq!(comparison.findings[0].not_shown, comparison.tested);
            assert_eq!(FindingCounts { not_comparable: 0, ..comparison.findings[0] }, counts);
            let all = comparison.columns.iter().flat_map(|column| &column.metrics);
            for compared in all.chain(&comparison.figures) {
                let found = &compared.differences[0];
                assert!(found.absolute.is_none_or(|difference| difference == 0.0), "{found:?}");
                assert!(found.adjusted_p_value.is_none_or(|p| p == 1.0), "{found:?}");
            }
        }
    }

    #[test]
    fn figures_of_the_run_are_exact() {
        let mut other = rolled_back_result();
        other.record.blasts[0].failed = 9;
        other.record.rollbacks.clear();
        let comparison = compared(&rolled_back_result(), &other, &Settings::default());
        let figure = |metric| {
            let mut figures = comparison.figures.iter();
            let found = figures.find(|figure| figure.metric == metric).unwrap();
            (found.differences[0].absolute, found.differences[0].finding)
        };
        assert_eq!(figure(Metric::BlastRadiusFailed), (Some(3.0), Finding::Exact));
        assert_eq!(figure(Metric::Rollbacks), (Some(-1.0), Finding::Exact));
        assert_eq!(figure(Metric::TimeToRollback), (None, Finding::Exact));
        assert!(comparison.figures.iter().all(|figure| figure.metric != Metric::TagsLost));
    }

    #[test]
    fn columns_go_by_their_titles() {
        let mut other = rolled_back_result();
        other.scenario.columns[1].title = "Another".to_owned();
        other.table.columns[1].title = "Another".to_owned();
        let comparison = compared(&rolled_back_result(), &other, &Settings::default());
        let titles: Vec<_> = comparison
            .columns
            .iter()
            .map(|column| (&column.title[..], &column.missing[..]))
            .collect();
        let expected: [(&str, &[usize]); 4] = [
            ("GPT-4", &[]),
            ("GPT-4 Turbo (canary)", &[1]),
            ("After the rollback", &[]),
            ("Another", &[0]),
        ];
        assert_eq!(titles, expected);
        let missing = &comparison.columns[1].metrics[0];
        assert!(missing.values[0].value.is_some() && missing.values[1].value.is_none());
        assert_eq!(missing.differences[0].finding, Finding::NotComparable);
    }

    #[test]
    fn what_no_run_has_data_of_is_not_counted() {
        let mut result = rolled_back_result();
        let whole = compared(&result, &result, &Settings::default()).findings[0];
        // The first column, of all phases and models, and its requests are gone from both runs.
        let title = result.scenario.columns[0].title.clone();
        result.record.cells.iter_mut().for_each(|cell| cell.tally = Tally::default());
        let comparison = compared(&result, &result, &Settings::default());
        assert_eq!(comparison.columns[0].title, title);
        assert_eq!(comparison.columns[0].missing, [0, 1]);
        assert!(comparison.columns.iter().all(|column| !column.metrics[0].has_data()));
        assert_eq!(comparison.findings[0], FindingCounts::default());
        // Missing in one of them, it is.
        let other = compared(&rolled_back_result(), &result, &Settings::default()).findings[0];
        assert!(other.not_comparable > whole.not_comparable, "{other:?}");
    }

    #[test]
    fn attempts_are_compared_where_the_table_of_a_run_shows_them() {
        let mut result = rolled_back_result();
        let cells = &mut result.table.columns[0].cells;
        let requests = cells.iter().find(|cell| cell.estimate.metric == Metric::Requests);
        let mut attempts = requests.unwrap().clone();
        attempts.estimate.metric = Metric::Attempts;
        cells.push(attempts);
        for column in &mut result.table.columns[1..] {
            column.cells.clear();
        }
        let has_attempts = |result: &ResultFile| {
            let comparison = compared(result, result, &Settings::default());
            comparison.columns[0].metrics.iter().any(|own| own.metric == Metric::Attempts)
        };
        assert!(!has_attempts(&result));
        let attempts = result.table.columns[0].cells.last_mut().unwrap();
        attempts.estimate.value = attempts.estimate.value.map(|value| value + 1.0);
        assert!(has_attempts(&result));
    }

    #[test]
    fn a_comparison_survives_its_file() {
        let comparison = compared(&rolled_back_result(), &slower(), &Settings::default());
        let text = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<RunComparison>(&text).unwrap(), comparison);
    }
}
