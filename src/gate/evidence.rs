//! What was measured for a line, in a sentence.

use super::Verdict;
use super::case::Approach;
use super::gathered::Gathered;
use super::judging::Judging;
use super::line::PairedDifference;
use super::needed::Needed;
use super::runs::FEWEST_RUNS;
use super::side::{Side, ValueUnit};
use crate::assertion::{Expression, OverRuns, Reading, Source};
use crate::units::{format_count, format_counted, format_p_value};

/// The evidence of a line.
pub(super) fn evidence(
    judging: &Judging<'_>,
    (left, right): (&Side, &Side),
    needed: Option<Needed>,
    dependences: &[&str],
) -> String {
    if judging.case.approach == Approach::NoBaseline {
        return "no stored runs of this scenario to hold it against: `coalmine gate \
                --save-baseline` stores them, `--baseline` names where"
            .to_owned();
    }
    let mut sentence = measured(judging, left, right);
    sentence.push_str(&limit(judging));
    if let Some(difference) = judging.difference() {
        sentence.push_str(&told(difference, judging.line.assertion.left.kind().into()));
    }
    sentence.push_str(&failing(judging));
    if let Some(adjusted) = judging.adjusted.filter(|_| judging.verdict == Verdict::Inconclusive) {
        let p = format_p_value(adjusted);
        sentence.push_str(&format!(
            "; it fails by itself, but not together with the gate's other lines against the \
             baseline: p = {p}"
        ));
    }
    if judging.verdict == Verdict::Inconclusive {
        sentence.push_str(&undecided(judging, needed, dependences));
    }
    sentence
}

/// Both sides, but for figures that the line itself states.
fn measured(judging: &Judging<'_>, left: &Side, right: &Side) -> String {
    match (is_stated(left), is_stated(right)) {
        (false, false) => format!("{left} against {}", against(judging, right)),
        (true, false) => against(judging, right),
        (_, true) => left.to_string(),
    }
}

/// A right side, with where it is from.
fn against(judging: &Judging<'_>, side: &Side) -> String {
    let right = judging.line.assertion.expressions().nth(1);
    let bare = |expression: &Expression| match expression {
        Expression::Read(Reading { source: Source::Baseline, .. }) => true,
        Expression::Read(_) | Expression::Stated(_) | Expression::Computed { .. } => false,
    };
    let from = if right.is_some_and(bare) { " in the baseline" } else { "" };
    format!("{side}{from}")
}

/// What a bare baseline that the smallest effect widens comes to.
fn limit(judging: &Judging<'_>) -> String {
    let [inequality] = &judging.case.inequalities[..] else { return String::new() };
    let mut asked = judging.line.assertion.expressions();
    let sides = [asked.next(), asked.next()].into_iter().flatten();
    let widened =
        sides.zip([&inequality.left, &inequality.right]).find(|(one, other)| one != other);
    let value = widened.and_then(|(_, limit)| Some((limit.kind(), judging.case.value(limit)?)));
    value.map_or_else(String::new, |(kind, value)| {
        format!("; with the smallest effect the limit is {}", ValueUnit::from(kind).format(value))
    })
}

const fn is_stated(side: &Side) -> bool {
    matches!(side, Side::Stated(_))
}

fn told(difference: PairedDifference, unit: ValueUnit) -> String {
    let signed = |value: f64| {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", unit.format(value))
    };
    let PairedDifference { mean, low, high, pairs } = difference;
    format!(
        "; left less limit: {} [{}, {}] over {}",
        signed(mean),
        signed(low),
        signed(high),
        format_counted(pairs, "pair of runs", "pairs of runs")
    )
}

/// Which runs it fails in, of several.
fn failing(judging: &Judging<'_>) -> String {
    let seeds = judging.failing_seeds();
    let Approach::EachRun(pairs) = &judging.case.approach else { return String::new() };
    if seeds.is_empty() {
        return String::new();
    }
    let named: Vec<String> = seeds.iter().take(MOST_SEEDS).map(u64::to_string).collect();
    let more = if seeds.len() > MOST_SEEDS { ", ..." } else { "" };
    format!(
        "; it does not hold in {} of {} runs: seed {}{more}",
        format_count(seeds.len() as u64),
        format_count(pairs.len() as u64),
        named.join(", ")
    )
}

/// Why it is not decided, and what would decide it.
fn undecided(judging: &Judging<'_>, needed: Option<Needed>, dependences: &[&str]) -> String {
    let over_runs = |one: &Gathered<'_>| one.reading.over_runs != OverRuns::Itself;
    let several = judging.case.gathered.iter().any(|one| one.runs() > 1 || over_runs(one));
    let single = !several && judging.case.gathered.iter().any(|one| one.reading.is_estimate());
    if single && !dependences.is_empty() {
        return format!(
            "; requests bear on each other here ({}), so that one run does not tell how far it \
             could have come out otherwise: `coalmine gate --seeds 10` makes several",
            dependences.join(", ")
        );
    }
    let exact = |one: &Gathered<'_>| !one.reading.is_estimate() && one.runs() < FEWEST_RUNS as u64;
    if judging.case.samples() && judging.case.gathered.iter().any(exact) {
        return "; under other seeds such values come out otherwise by chance: five runs or more, \
                here and in the baseline, tell by how much (`--seeds 5`)"
            .to_owned();
    }
    match needed {
        Some(Needed { runs: Some(runs), .. }) if several => {
            let runs = format_counted(runs, "run", "runs");
            match judging.line.assertion.needs_baseline() {
                true => format!("; about {runs} would decide, of the baseline too"),
                false => format!("; about {runs} would decide"),
            }
        }
        Some(Needed { requests: Some(requests), .. }) => {
            format!("; about {} would decide", format_count(requests))
        }
        _ => String::new(),
    }
}

/// Chosen: what fits on a line; the result lists all.
const MOST_SEEDS: usize = 5;
