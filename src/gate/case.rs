//! A line with all that was read for it, judged at any confidence.

use super::Verdict;
use super::gathered::{Gathered, is_unchanged};
use super::inequality::{Inequality, inequalities};
use super::range::{Range, compare, operate};
use super::runs::{Pair, Runs, Settings};
use crate::assertion::{Assertion, Comparison, Expression, OverRuns, Reading, Source};
use crate::stats::{Confidence, Interval, Moments};

/// A line and what was read for it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) assertion: &'a Assertion,
    pub(super) inequalities: Vec<Inequality>,
    pub(super) gathered: Vec<Gathered<'a>>,
    pub(super) approach: Approach,
}

/// How a line is judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Approach {
    /// Not at all: it needs a baseline, and there is none.
    NoBaseline,
    /// Run by run, where all is exact for each: it must hold in all of them.
    EachRun(Vec<Pair>),
    /// By the mean of its differences over runs, where both sides were read of runs of one seed.
    Paired(Vec<Pair>),
    /// By the intervals of what it reads, each at its share of the error.
    Apart,
}

impl<'a> Case<'a> {
    pub(super) fn of(
        assertion: &'a Assertion,
        runs: &Runs<'_>,
        baseline: Option<&Runs<'_>>,
        settings: &Settings,
    ) -> Self {
        let mut gathered: Vec<Gathered<'a>> = Vec::new();
        for reading in assertion.readings() {
            if gathered.iter().any(|known| known.reading == reading) {
                continue;
            }
            match (reading.source, baseline) {
                (Source::Judged, _) => gathered.push(Gathered::of(reading, runs)),
                (Source::Baseline, Some(baseline)) => {
                    gathered.push(Gathered::of(reading, baseline));
                }
                (Source::Baseline, None) => {}
            }
        }
        let inequalities = inequalities(assertion, settings.smallest_effect);
        let mut case = Self { assertion, inequalities, gathered, approach: Approach::Apart };
        case.approach = case.choose(runs, baseline);
        case
    }

    /// How it is judged. Which of them it is depends on what is read and on how many runs there
    /// are, never on the values, but for two: where a seed shows no change at all, and where no
    /// difference varies.
    fn choose(&self, runs: &Runs<'_>, baseline: Option<&Runs<'_>>) -> Approach {
        let against = match (self.assertion.needs_baseline(), baseline) {
            (false, _) => None,
            (true, Some(baseline)) => Some(baseline),
            (true, None) => return Approach::NoBaseline,
        };
        if self.readings().any(|reading| reading.over_runs != OverRuns::Itself) {
            return Approach::Apart;
        }
        let pairs = against.map_or_else(|| runs.each(), |baseline| runs.paired(baseline));
        if pairs.is_empty() {
            return Approach::Apart;
        }
        let unchanged = |baseline: &Runs<'_>| {
            pairs.iter().all(|pair| {
                let mut read = self.readings();
                pair.baseline.is_some_and(|stored| {
                    read.all(|one| is_unchanged(one, (runs, pair.judged), (baseline, stored)))
                })
            })
        };
        if against.is_some_and(unchanged) {
            return Approach::EachRun(pairs);
        }
        let estimates = self.readings().filter(|reading| reading.is_estimate()).count();
        let compares = against.is_some() || estimates >= 2;
        if compares && pairs.len() >= FEWEST_PAIRS && self.vary(&pairs) {
            return Approach::Paired(pairs);
        }
        if estimates == 0 { Approach::EachRun(pairs) } else { Approach::Apart }
    }

    fn readings(&self) -> impl Iterator<Item = &'a Reading> + use<'a, '_> {
        self.gathered.iter().map(|gathered| gathered.reading)
    }

    /// Whether each of its differences has a value in every pair, and not always the same.
    fn vary(&self, pairs: &[Pair]) -> bool {
        self.inequalities.iter().all(|inequality| {
            let ordered = !matches!(inequality.operator, Comparison::Equal | Comparison::NotEqual);
            let values = self.differences(inequality, pairs);
            let moments = values.as_deref().and_then(Moments::of);
            ordered && moments.is_some_and(|moments| moments.variance > 0.0)
        })
    }

    /// Left less right, pair by pair; `None` where one has no value.
    fn differences(&self, inequality: &Inequality, pairs: &[Pair]) -> Option<Vec<f64>> {
        let difference = |pair: &Pair| {
            let at = |reading: &Reading| self.point(reading, pair);
            let (left, right) = (evaluate(&inequality.left, &at), evaluate(&inequality.right, &at));
            Some(left.value()? - right.value()?)
        };
        pairs.iter().map(difference).collect()
    }

    pub(super) fn point(&self, reading: &Reading, pair: &Pair) -> Range {
        let run = match reading.source {
            Source::Judged => Some(pair.judged),
            Source::Baseline => pair.baseline,
        };
        match (self.gathered(reading), run) {
            (Some(gathered), Some(run)) => gathered.point(run),
            _ => Range::Unknown,
        }
    }

    fn gathered(&self, reading: &Reading) -> Option<&Gathered<'a>> {
        self.gathered.iter().find(|gathered| gathered.reading == reading)
    }

    /// The confidence of each of the intervals that must all hold at once.
    pub(super) fn share_of(&self, confidence: Confidence) -> Confidence {
        let estimates = self.readings().filter(|reading| reading.is_estimate()).count().max(1);
        let each = 1.0 - (1.0 - confidence.get()) / estimates as f64;
        Confidence::new(each).unwrap_or(confidence)
    }

    /// Where a value lies, by the intervals of what it is worked out of.
    pub(super) fn range(&self, expression: &Expression, confidence: Confidence) -> Range {
        let each = self.share_of(confidence);
        evaluate(expression, &|reading| {
            let known = self.gathered(reading).map(|gathered| gathered.known(each).range);
            known.unwrap_or(Range::Unknown)
        })
    }

    /// The value of an expression over all runs, where there is one.
    pub(super) fn value(&self, expression: &Expression) -> Option<f64> {
        let at = |reading: &Reading| {
            let known = self.gathered(reading).map(|found| found.known(Confidence::PERCENT_95));
            known.map_or(Range::Unknown, |known| known.value.map_or(known.range, Range::point))
        };
        evaluate(expression, &at).value()
    }

    /// The mean difference of an inequality over pairs, and where the long-run one lies.
    pub(super) fn mean_difference(
        &self,
        inequality: &Inequality,
        pairs: &[Pair],
        confidence: Confidence,
    ) -> Option<(f64, Interval)> {
        let moments = Moments::of(&self.differences(inequality, pairs)?)?;
        Some((moments.mean, Interval::student(moments, confidence)?))
    }

    /// Whether it holds, judged at this confidence.
    pub(super) fn verdict(&self, confidence: Confidence) -> Verdict {
        match &self.approach {
            Approach::NoBaseline => Verdict::Inconclusive,
            Approach::EachRun(pairs) => {
                let all = pairs.iter().map(|pair| self.verdict_in(pair));
                all.max().unwrap_or(Verdict::Inconclusive)
            }
            Approach::Paired(pairs) => {
                self.gravest(|inequality| self.verdict_of(inequality, pairs, confidence))
            }
            Approach::Apart => self.gravest(|inequality| {
                let range = |side| self.range(side, confidence);
                let (left, right) = (range(&inequality.left), range(&inequality.right));
                compare(left, inequality.operator, right)
            }),
        }
    }

    /// Whether one of its inequalities holds, by the mean of its differences.
    pub(super) fn verdict_of(
        &self,
        inequality: &Inequality,
        pairs: &[Pair],
        confidence: Confidence,
    ) -> Verdict {
        let found = self.mean_difference(inequality, pairs, confidence);
        let range =
            found.map_or(Range::Unknown, |(_, Interval { low, high })| Range::Known { low, high });
        compare(range, inequality.operator, Range::point(0.0))
    }

    /// Whether it holds in one pair of runs, all of whose figures are exact.
    pub(super) fn verdict_in(&self, pair: &Pair) -> Verdict {
        let at = |reading: &Reading| self.point(reading, pair);
        self.gravest(|inequality| {
            let (left, right) = (evaluate(&inequality.left, &at), evaluate(&inequality.right, &at));
            compare(left, inequality.operator, right)
        })
    }

    fn gravest(&self, verdict: impl Fn(&Inequality) -> Verdict) -> Verdict {
        self.inequalities.iter().map(verdict).max().unwrap_or(Verdict::Inconclusive)
    }

    /// The smallest error at which it is still decided as it is at this confidence: how probable
    /// such a finding is at most where the truth is on the limit. 1 where it is not decided.
    pub(super) fn p_value(&self, confidence: Confidence) -> f64 {
        let decided = self.verdict(confidence);
        if decided == Verdict::Inconclusive {
            return 1.0;
        }
        let still = |error: f64| {
            Confidence::new(1.0 - error).is_some_and(|one| self.verdict(one) == decided)
        };
        // Halved on a scale of magnitudes: the errors that matter lie far below 1.
        let (mut low, mut high) = (SMALLEST_ERROR, 1.0 - confidence.get());
        if still(low) {
            return low;
        }
        for _ in 0..HALVINGS {
            let middle = (low * high).sqrt();
            if still(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

/// The value of an expression, given those of what it reads.
pub(super) fn evaluate(expression: &Expression, at: &dyn Fn(&Reading) -> Range) -> Range {
    match expression {
        Expression::Read(reading) => at(reading),
        Expression::Stated(literal) => Range::point(literal.as_f64()),
        Expression::Computed { operation, left, right } => {
            operate(evaluate(left, at), *operation, evaluate(right, at))
        }
    }
}

/// Chosen: with fewer pairs Student's quantile is so large (12.7 for two) that the intervals of the
/// requests tell more.
const FEWEST_PAIRS: usize = 5;

/// Chosen: no finding needs to be surer, and the intervals are still exact there.
const SMALLEST_ERROR: f64 = 1e-12;

/// Chosen: an error known to a ten-thousandth of its size.
const HALVINGS: usize = 20;
