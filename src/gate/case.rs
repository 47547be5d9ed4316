//! A line with all that was read for it, judged at any confidence.

use super::Verdict;
use super::figures::is_unchanged;
use super::gathered::Gathered;
use super::inequality::{Inequality, inequalities};
use super::range::{Range, compare, operate};
use super::runs::{FEWEST_RUNS, Pair, Runs, Settings, Stored};
use crate::assertion::{Assertion, Comparison, Expression, Operation, OverRuns, Reading, Source};
use crate::metric::Measure;
use crate::stats::{Confidence, Interval, Measured, Moments};

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
    /// By what it reads as it is: all of it came out the same in the baseline's runs.
    Same,
    /// By the mean of its differences over runs, where both sides were read of runs of one seed.
    Paired(Vec<Pair>),
    /// By the difference of its two sides, one of which was read of the runs that are judged and
    /// the other of a baseline of other seeds: they are independent.
    Independent,
    /// By the intervals of what it reads, each at its share of the error.
    Apart,
}

impl<'a> Case<'a> {
    pub(super) fn of(
        assertion: &'a Assertion,
        runs: &Runs<'_>,
        baseline: Option<&Stored<'_>>,
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
                    gathered.push(Gathered::of(reading, &baseline.runs));
                }
                (Source::Baseline, None) => {}
            }
        }
        let inequalities = inequalities(assertion, settings.smallest_effect);
        let mut case = Self { assertion, inequalities, gathered, approach: Approach::Apart };
        case.approach = case.choose(runs, baseline);
        case
    }

    /// How it is judged: it depends on what is read and on how many runs there are. On values it
    /// does only where all came out as before, and where no difference varies.
    fn choose(&self, runs: &Runs<'_>, baseline: Option<&Stored<'_>>) -> Approach {
        let against = match (self.assertion.needs_baseline(), baseline) {
            (false, _) => return self.by_itself(runs),
            (true, None) => return Approach::NoBaseline,
            (true, Some(stored)) => stored,
        };
        let apart = match self.is_separable() {
            true => Approach::Independent,
            false => Approach::Apart,
        };
        let pairs = runs.paired(&against.runs);
        // Runs without a partner would not be judged at all.
        if pairs.len() < runs.count() {
            return apart;
        }
        let same = self.is_same(&pairs, runs, against);
        if self.reads_over_runs() {
            let all = pairs.len() == against.runs.count();
            return if same && all { Approach::Same } else { apart };
        }
        let equality = self
            .inequalities
            .iter()
            .any(|one| matches!(one.operator, Comparison::Equal | Comparison::NotEqual));
        if same || equality {
            return Approach::EachRun(pairs);
        }
        match self.can_be_paired(&pairs) {
            true => Approach::Paired(pairs),
            false => apart,
        }
    }

    /// Without a baseline.
    fn by_itself(&self, runs: &Runs<'_>) -> Approach {
        let each = runs.each();
        let estimates = self.readings().filter(|reading| reading.is_estimate()).count();
        match estimates {
            0 => Approach::EachRun(each),
            1 => Approach::Apart,
            _ if !self.reads_over_runs() && self.can_be_paired(&each) => Approach::Paired(each),
            _ => Approach::Apart,
        }
    }

    fn reads_over_runs(&self) -> bool {
        self.readings().any(|reading| reading.over_runs != OverRuns::Itself)
    }

    /// Whether the mean of its differences can be judged: there are enough of them, they vary, and
    /// a mean over runs is what the value is. A quantile of few requests is not: that of 14 is the
    /// greatest of them, whose mean is far below the quantile of all.
    fn can_be_paired(&self, pairs: &[Pair]) -> bool {
        let quantile =
            |reading: &Reading| matches!(reading.metric.measure(), Measure::Quantile(..));
        pairs.len() >= FEWEST_RUNS && !self.readings().any(quantile) && self.vary(pairs)
    }

    /// Whether all that it reads is read of both, and came out exactly the same in every pair. Of
    /// another scenario that has to be so in several pairs, and of no rare events: these can come
    /// out the same by chance.
    fn is_same(&self, pairs: &[Pair], runs: &Runs<'_>, stored: &Stored<'_>) -> bool {
        let twin = |reading: &Reading| {
            self.readings().any(|other| other.source != reading.source && reading.is_like(other))
        };
        let often = pairs.len() >= FEWEST_RUNS && !self.gathered.iter().any(Gathered::is_sparse);
        (stored.same_scenario || often)
            && self.readings().all(twin)
            && pairs.iter().all(|pair| {
                let (judged, stored) =
                    ((runs.figures, pair.judged), (stored.runs.figures, pair.baseline));
                self.readings().all(|reading| is_unchanged(reading, judged, stored))
            })
    }

    /// Whether each side of every inequality reads of one source only, and the other of the other.
    fn is_separable(&self) -> bool {
        self.inequalities.iter().all(|inequality| {
            let source = |side: &Expression| {
                let mut sources = side.readings().map(|reading| reading.source);
                let first = sources.next()?;
                sources.all(|other| other == first).then_some(first)
            };
            let sides = (source(&inequality.left), source(&inequality.right));
            matches!(sides, (Some(left), Some(right)) if left != right)
        })
    }

    fn readings(&self) -> impl Iterator<Item = &'a Reading> + use<'a, '_> {
        self.gathered.iter().map(|gathered| gathered.reading)
    }

    /// Whether each of its differences has a value in every pair, and not always the same.
    fn vary(&self, pairs: &[Pair]) -> bool {
        self.inequalities.iter().all(|inequality| {
            let values = self.differences(inequality, pairs);
            let moments = values.as_deref().and_then(Moments::of);
            moments.is_some_and(|moments| moments.variance > 0.0)
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

    pub(super) fn gathered(&self, reading: &Reading) -> Option<&Gathered<'a>> {
        self.gathered.iter().find(|gathered| gathered.reading == reading)
    }

    /// The confidence of each of the intervals that must all hold at once.
    pub(super) fn share_of(&self, confidence: Confidence) -> Confidence {
        confidence.shared_by(self.readings().filter(|reading| self.is_uncertain(reading)).count())
    }

    /// Whether a metric is known within an interval only: an estimate is, and against a baseline of
    /// other runs an exact value as well.
    fn is_uncertain(&self, reading: &Reading) -> bool {
        reading.is_estimate() || self.samples()
    }

    /// Whether runs stand for those that there could have been.
    pub(super) fn samples(&self) -> bool {
        let apart = matches!(self.approach, Approach::Apart | Approach::Independent);
        apart && self.assertion.needs_baseline()
    }

    /// Where a value lies, by the intervals of what it is worked out of.
    pub(super) fn range(&self, expression: &Expression, confidence: Confidence) -> Range {
        self.range_at(expression, self.share_of(confidence))
    }

    /// The same, each of the intervals at this confidence.
    fn range_at(&self, expression: &Expression, each: Confidence) -> Range {
        evaluate(expression, &|reading| {
            let known = self.gathered(reading).map(|gathered| match self.samples() {
                true => gathered.sampled(each),
                false => gathered.known(each).range,
            });
            known.unwrap_or(Range::Unknown)
        })
    }

    /// The value of an expression over all runs, where there is one.
    pub(super) fn value(&self, expression: &Expression) -> Option<f64> {
        let at = |reading: &Reading| {
            let Some(found) = self.gathered(reading) else { return Range::Unknown };
            if self.samples() {
                let range = found.sampled(Confidence::PERCENT_95);
                return found.sampled_value().map_or(range, Range::point);
            }
            let known = found.known(Confidence::PERCENT_95);
            known.value.map_or(known.range, Range::point)
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

    /// Where left less right lies, of two independent sides: each at this confidence, combined by
    /// [`Measured::difference`].
    pub(super) fn independent_difference(
        &self,
        inequality: &Inequality,
        confidence: Confidence,
    ) -> Range {
        let measured = |side: &Expression| {
            let read = side.readings().count();
            let range = self.range_at(side, confidence.shared_by(read));
            match (range, self.value(side)) {
                (Range::Known { low, high }, Some(value)) => {
                    Ok(Measured { value, limits: Interval { low, high } })
                }
                _ => Err(range),
            }
        };
        match (measured(&inequality.left), measured(&inequality.right)) {
            (Ok(left), Ok(right)) => {
                let Interval { low, high } = left.difference(right);
                Range::Known { low, high }
            }
            // Never, or several exact values: by the ends of both.
            (left, right) => {
                let range = |side: Result<Measured, Range>| {
                    let of =
                        |one: Measured| Range::Known { low: one.limits.low, high: one.limits.high };
                    side.map_or_else(|range| range, of)
                };
                operate(range(left), Operation::Minus, range(right))
            }
        }
    }

    /// Whether it holds, judged at this confidence.
    pub(super) fn verdict(&self, confidence: Confidence) -> Verdict {
        match &self.approach {
            Approach::NoBaseline => Verdict::Inconclusive,
            Approach::EachRun(pairs) => {
                let all = pairs.iter().map(|pair| self.verdict_in(pair));
                all.max().unwrap_or(Verdict::Inconclusive)
            }
            Approach::Same => self.gravest(|inequality| {
                let value = |side| self.value(side).map_or(Range::Unknown, Range::point);
                compare(value(&inequality.left), inequality.operator, value(&inequality.right))
            }),
            Approach::Paired(pairs) => {
                self.gravest(|inequality| self.verdict_of(inequality, pairs, confidence))
            }
            Approach::Independent => self.gravest(|inequality| {
                let difference = self.independent_difference(inequality, confidence);
                compare(difference, inequality.operator, Range::point(0.0))
            }),
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

/// Chosen: no finding needs to be surer, and the intervals are still exact there.
const SMALLEST_ERROR: f64 = 1e-12;

/// Chosen: an error known to a ten-thousandth of its size.
const HALVINGS: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::{Gate, Judged, Judgement, Line};
    use super::*;
    use crate::exchange::Ending;
    use crate::record::Record;
    use crate::summary::fixture::{at, record};
    use crate::units::Ratio;

    /// A run of this seed: so many errors more among the baseline phase's 1,005 requests, the
    /// rollback so many seconds after the fault; never where that is `None`.
    fn run(seed: u64, errors: u64, seconds: Option<i64>) -> Record {
        let mut record = Record { seed, ..record() };
        for _ in 0..errors {
            record.cells[0].tally.failed.add(Ending::Status(503));
        }
        match seconds {
            Some(seconds) => record.rollbacks[0].at = at(840 + seconds),
            None => record.rollbacks.clear(),
        }
        record
    }

    struct World {
        runs: Vec<Record>,
        baseline: Option<Vec<Record>>,
        same_scenario: bool,
        dependences: Vec<&'static str>,
        settings: Settings,
    }

    impl World {
        fn of(runs: Vec<Record>) -> Self {
            let (dependences, settings) = (Vec::new(), Settings::default());
            Self { runs, baseline: None, same_scenario: true, dependences, settings }
        }

        fn judge(&self, texts: &[&str]) -> Judged {
            let assertions: Vec<_> =
                texts.iter().map(|text| Assertion::parse(text).unwrap()).collect();
            let lines = texts.iter().zip(&assertions);
            let lines = lines.map(|(text, assertion)| Line { text, assertion, file: "", line: 1 });
            let lines: Vec<Line<'_>> = lines.collect();
            let gate =
                Gate { lines: &lines, expected: None, distrust: &[], settings: self.settings };
            let records: Vec<&Record> = self.runs.iter().collect();
            let stored: Option<Vec<&Record>> =
                self.baseline.as_ref().map(|runs| runs.iter().collect());
            let of = |records| Runs::of_records(records, &[], &self.dependences);
            let baseline = stored
                .as_deref()
                .map(|records| Stored { runs: of(records), same_scenario: self.same_scenario });
            match gate.judge(&of(&records), baseline.as_ref()) {
                Judgement::Judged(judged) => judged,
                Judgement::NothingToEvaluate => panic!("there are lines"),
            }
        }

        fn line(&self, text: &str) -> (Verdict, String) {
            let line = self.judge(&[text]).lines.remove(0);
            (line.verdict, line.evidence)
        }
    }

    #[test]
    fn exact_values_must_hold_in_every_run() {
        let world = World::of(vec![run(1, 0, Some(75)), run(2, 0, Some(90)), run(3, 0, Some(105))]);
        assert_eq!(world.line("time_to_rollback <= 105s").0, Verdict::Pass);
        let found = world.judge(&["time_to_rollback <= 90s"]).lines.remove(0);
        assert_eq!((found.verdict, &found.failing_seeds[..]), (Verdict::Fail, &[3][..]));
        let told = "1 min 15 s to 1 min 45 s in 3 runs; it does not hold in 1 of 3 runs: seed 3";
        assert!(found.evidence.ends_with(told.split_once(';').unwrap().1), "{}", found.evidence);
        let never = World::of(vec![run(1, 0, Some(75)), run(2, 0, None)]);
        let found = never.judge(&["time_to_rollback <= 1h"]).lines.remove(0);
        assert_eq!((found.verdict, &found.failing_seeds[..]), (Verdict::Fail, &[2][..]));
    }

    #[test]
    fn estimates_are_of_the_requests_of_all_runs() {
        let world = World::of((1..=3).map(|seed| run(seed, 0, Some(75))).collect());
        // scipy, beta.ppf: 15 of 3,015 are 0.279 % to 0.819 %; 5 of 1,005 reach to 1.157 %.
        let (verdict, evidence) = world.line("error_rate{phase=baseline} < 0.82%");
        assert_eq!(verdict, Verdict::Pass);
        assert_eq!(evidence, "0.50 % [0.28 %, 0.82 %] of 3,015 requests");
        assert_eq!(world.line("error_rate{phase=baseline} < 0.81%").0, Verdict::Inconclusive);
    }

    #[test]
    fn where_requests_bear_on_each_other_the_spread_of_runs_decides() {
        let mut world = World::of(vec![run(1, 0, Some(75))]);
        world.dependences = vec!["failures come in bursts"];
        let (verdict, evidence) = world.line("error_rate{phase=baseline} < 50%");
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(evidence.contains("(failures come in bursts)"), "{evidence}");
        assert_eq!(world.line("rollbacks == 1").0, Verdict::Pass, "a count is what it is");
        world.runs = (1..=3).map(|seed| run(seed, 100 * (seed - 1), Some(75))).collect();
        // 5/1005, 105/1105, 205/1205: scipy.stats.t.interval reaches from -0.12 to 0.30 about 0.0901.
        assert_eq!(world.line("error_rate{phase=baseline} < 30%").0, Verdict::Pass);
        assert_eq!(world.line("error_rate{phase=baseline} < 29%").0, Verdict::Inconclusive);
    }

    #[test]
    fn probabilities_and_quantiles_are_over_runs() {
        let mut runs: Vec<Record> = (1..=6).map(|n| run(n, 0, Some(70 + n as i64))).collect();
        let world = World::of(runs[..3].to_vec());
        // 3 of 3: 0.025^(1/3) = 0.2924.
        assert_eq!(world.line("p(rollback) > 29.2%").0, Verdict::Pass);
        assert_eq!(world.line("p(rollback) > 29.3%").0, Verdict::Inconclusive);
        assert_eq!(world.line("p(false_rollback) < 71%").0, Verdict::Pass);
        assert_eq!(world.line("median(time_to_rollback) < 1h").0, Verdict::Inconclusive);
        // Six values bound the median by the least and the greatest: 0.5^6 < 0.025.
        let world = World::of(runs.clone());
        assert_eq!(world.line("median(time_to_rollback) within 71s..76s").0, Verdict::Pass);
        assert_eq!(world.line("median(time_to_rollback) >= 72s").0, Verdict::Inconclusive);
        let (_, evidence) = world.line("p95(time_to_rollback) <= 80s");
        assert!(evidence.ends_with("about 73 runs would decide"), "{evidence}");
        runs[5] = run(6, 0, None);
        let world = World::of(runs);
        assert_eq!(world.line("median(time_to_rollback) > 70s").0, Verdict::Pass);
        assert_eq!(world.line("median(time_to_rollback) < 1d").0, Verdict::Inconclusive);
    }

    #[test]
    fn without_a_baseline_nothing_is_held_against_it() {
        let world = World::of(vec![run(1, 0, Some(75))]);
        let (verdict, evidence) = world.line("rollbacks <= baseline(rollbacks)");
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(evidence.starts_with("no stored runs of this scenario"), "{evidence}");
    }

    #[test]
    fn what_is_unchanged_under_its_seed_is_equal() {
        let mut world = World::of(vec![run(1, 0, Some(75))]);
        world.baseline = Some(vec![run(1, 0, Some(75)), run(2, 900, None)]);
        let same = "error_rate <= baseline(error_rate)";
        assert_eq!(world.line(same).0, Verdict::Pass);
        assert_eq!(world.line("error_rate < baseline(error_rate)").0, Verdict::Fail);
        // Of another scenario one run that came out the same says little.
        world.same_scenario = false;
        world.baseline = Some(vec![run(1, 0, Some(75))]);
        assert_eq!(world.line(same).0, Verdict::Inconclusive);
        let five = || (1..=5).map(|seed| run(seed, 0, Some(75))).collect::<Vec<_>>();
        (world.runs, world.baseline) = (five(), Some(five()));
        assert_eq!(world.line(same).0, Verdict::Pass);
        world.runs = vec![run(1, 1, Some(75))];
        world.baseline = Some(vec![run(1, 0, Some(75))]);
        assert_eq!(world.line(same).0, Verdict::Inconclusive, "one error more");
    }

    #[test]
    fn the_mean_difference_of_pairs_decides() {
        let errors = [4, 1, 3, 2, 5];
        let runs = |more: fn(u64) -> u64| {
            (1..=5).zip(errors).map(|(n, many)| run(n, more(many), Some(75))).collect::<Vec<_>>()
        };
        let mut world = World::of(runs(|many| 20 + many));
        world.baseline = Some(runs(|_| 20));
        let text = "error_rate{phase=baseline} <= baseline(error_rate{phase=baseline})";
        let line = world.judge(&[text]).lines.remove(0);
        assert_eq!((line.verdict, line.difference.unwrap().pairs), (Verdict::Fail, 5));
        // scipy.stats.t.interval of (25 + e) / (1025 + e) - 25 / 1025 for e = 4, 1, 3, 2, 5.
        let found = line.difference.unwrap();
        let differences = errors.map(|e| (25.0 + e as f64) / (1_025.0 + e as f64) - 25.0 / 1_025.0);
        let mean = differences.iter().sum::<f64>() / 5.0;
        assert!((found.mean - mean).abs() < 1e-15);
        assert!((found.low - 0.000_987_509_441_816).abs() < 1e-12, "{found:?}");
        assert!((found.high - 0.004_703_028_939_260).abs() < 1e-12, "{found:?}");
        // Of 2.44 %: 20 % of it matter, and the whole interval lies below.
        world.settings.smallest_effect = Ratio::from_percent(20);
        assert_eq!(world.line(text).0, Verdict::Pass);
        let own = "error_rate{phase=baseline} <= baseline(error_rate{phase=baseline}) * 1.01";
        assert_eq!(world.line(own).0, Verdict::Fail, "what the line says itself counts alone");
    }

    #[test]
    fn lines_against_a_baseline_fail_together_by_holm() {
        let mut world = World::of(vec![run(1, 12, Some(75))]);
        world.baseline = Some(vec![run(2, 0, Some(75))]);
        let fails = "error_rate{phase=baseline} <= baseline(error_rate{phase=baseline})";
        let alone = world.judge(&[fails]).lines.remove(0);
        assert_eq!(alone.verdict, Verdict::Fail);
        // By scipy: the error at which the lower limit of 17/1017 - 5/1005, square and add of the
        // exact limits of either, is 0.
        let p = 0.015346935084887494;
        assert!((alone.adjusted_p_value.unwrap() / p - 1.0).abs() < 1e-4, "{alone:?}");
        let passes = "latency_avg{phase=baseline} <= baseline(latency_avg{phase=baseline}) * 2";
        let mut together = world.judge(&[fails, passes, passes, passes]);
        let line = together.lines.remove(0);
        assert!((line.adjusted_p_value.unwrap() / (4.0 * p) - 1.0).abs() < 1e-4, "{line:?}");
        assert_eq!(line.verdict, Verdict::Inconclusive, "6.1 % is more than 5 %");
        assert!(line.evidence.contains("it fails by itself"), "{}", line.evidence);
    }
}
