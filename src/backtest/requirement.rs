//! What is required of rules, in the grammar of gates, judged as a gate is.
//!
//! What is asked are exact figures of the recording, so that nothing is tested: the metrics of
//! rollbacks and of the harm until then. `baseline(...)` is the same figure of the rules of the
//! day.

use super::candidate::{Candidate, RolledBack};
use super::plan::Plan;
use super::replay::model_id;
use crate::assertion::{
    Assertion, Claim, Expression, Literal, OverRuns, ParseError, Reading, Selector, Source,
};
use crate::engine::{Assignment, Slot};
use crate::exchange::VersionIndex;
use crate::gate::{Gate, Judgement, Line, Runs, Settings};
use crate::metric::Metric;
use crate::record::{
    Blast, JournalCopy, ModelInfo, PhaseSpan, Record, Rollback, Series, Timeline, VersionInfo,
};
use crate::units::{Duration, VersionId, format_elapsed};

/// A line that must hold of each candidate.
#[derive(Clone, PartialEq, Debug)]
pub struct Requirement {
    text: String,
    assertion: Assertion,
}

/// Why a text is no requirement.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RequirementError {
    /// It is not of the grammar.
    #[error(transparent)]
    Grammar(#[from] ParseError),
    /// It asks for what a backtest does not know.
    #[error("{asked} is not known of a backtest; known are {}", names(&METRICS))]
    Unknown {
        /// What is asked for.
        asked: String,
    },
    /// It asks for what nobody can tell without the time of the incident.
    #[error("{0} counts from the beginning of the incident: say when it was with --incident")]
    NoIncident(Metric),
}

impl Requirement {
    /// The requirement that `text` states. `incident`: whether it is said when the canary was bad.
    ///
    /// # Errors
    /// It is not of the gate's grammar, or asks for what is not known.
    pub fn parse(text: &str, incident: bool) -> Result<Self, RequirementError> {
        let assertion = Assertion::parse(text)?;
        for reading in assertion.readings() {
            let Reading { metric, over_runs, selector, source: _ } = reading;
            let plain = *over_runs == OverRuns::Itself && *selector == Selector::default();
            if !METRICS.contains(metric) || !plain {
                return Err(RequirementError::Unknown { asked: reading.to_string() });
            }
            if OF_INCIDENT.contains(metric) && !incident {
                return Err(RequirementError::NoIncident(*metric));
            }
        }
        Ok(Self { text: text.to_owned(), assertion })
    }
}

/// What becomes of `requirements` with a candidate, held against the rules of the day. `distrust`:
/// why none of it can be trusted.
pub(super) fn judge(
    requirements: &[Requirement],
    plan: &Plan,
    (candidate, day): (&Candidate, &Candidate),
    distrust: &[String],
) -> Judgement {
    // All are exact figures of one recording: they stand in the line as if they were written.
    let both = (candidate, day);
    let assertions = requirements.iter().map(|requirement| figured(&requirement.assertion, both));
    let assertions: Vec<Assertion> = assertions.collect();
    let lines = requirements.iter().zip(&assertions).zip(1..);
    let lines = lines.map(|((requirement, assertion), line)| Line {
        text: &requirement.text,
        assertion,
        file: "--require",
        line,
    });
    let lines: Vec<Line<'_>> = lines.collect();
    let gate = Gate { lines: &lines, expected: None, distrust, settings: Settings::default() };
    let record = record(plan, candidate);
    let judged = gate.judge(&Runs::of_records(&[&record], &[], &[]), None);
    with_figures_of_day(judged, requirements, day)
}

/// With the figures of the rules of the day that lines ask for: to the gate they are as written,
/// so that it does not tell them.
fn with_figures_of_day(
    judgement: Judgement,
    requirements: &[Requirement],
    day: &Candidate,
) -> Judgement {
    let Judgement::Judged(mut judged) = judgement else { return judgement };
    for (line, Requirement { assertion, .. }) in judged.lines.iter_mut().zip(requirements) {
        let [_, right, ..] = assertion.expressions().collect::<Vec<_>>()[..] else { continue };
        let is_bare = matches!(right, Expression::Read(Reading { source: Source::Baseline, .. }));
        let asked = assertion.readings().filter(|reading| reading.source == Source::Baseline);
        let told = asked.map(|reading| (reading.metric, shown(&figure(reading.metric, day))));
        let told: Vec<(Metric, String)> = told.collect();
        match told.as_slice() {
            [] => {}
            [(_, figure)] if is_bare => line.evidence.push_str(&format!(" against {figure}")),
            all => {
                let all = all.iter().map(|(metric, figure)| format!("{metric} {figure}"));
                let all = all.collect::<Vec<_>>().join(", ");
                line.evidence.push_str(&format!("; rules of the day: {all}"));
            }
        }
    }
    Judgement::Judged(judged)
}

/// A figure of the rules of the day in words.
fn shown(figure: &Literal) -> String {
    match figure {
        Literal::Time(Duration::MAX) => "never".to_owned(),
        Literal::Time(time) => format_elapsed(*time),
        other => other.to_string(),
    }
}

/// An assertion with figures in the place of readings: those of the rules of the day for
/// `baseline(...)`, and how often the candidate fires. No record holds as many rollbacks as a rule
/// can fire; of the candidate's times, which may be never, and of its harm there is one.
fn figured(assertion: &Assertion, both: (&Candidate, &Candidate)) -> Assertion {
    let stated = |expression: &Expression| stated(expression, both);
    let claim = match &assertion.claim {
        Claim::Compared { operator, right } => {
            Claim::Compared { operator: *operator, right: stated(right) }
        }
        Claim::Within { low, high } => Claim::Within { low: stated(low), high: stated(high) },
        Claim::Near { value, tolerance } => {
            Claim::Near { value: stated(value), tolerance: *tolerance }
        }
    };
    Assertion { left: stated(&assertion.left), claim }
}

fn stated(expression: &Expression, (candidate, day): (&Candidate, &Candidate)) -> Expression {
    match expression {
        Expression::Read(reading) => {
            let figure = match reading.source {
                Source::Judged => count(reading.metric, candidate),
                Source::Baseline => Some(figure(reading.metric, day)),
            };
            figure.map_or_else(|| expression.clone(), Expression::Stated)
        }
        Expression::Computed { operation, left, right } => Expression::Computed {
            operation: *operation,
            left: Box::new(stated(left, (candidate, day))),
            right: Box::new(stated(right, (candidate, day))),
        },
        Expression::Stated(_) => expression.clone(),
    }
}

/// A metric of the rules of the day.
fn figure(metric: Metric, day: &Candidate) -> Literal {
    // What never comes comes later than anything that does.
    let time = |time: Option<Duration>| Literal::Time(time.unwrap_or(Duration::MAX));
    match metric {
        Metric::TimeToRollback => time(day.time_to_rollback),
        Metric::TimeToDetect => time(day.time_to_detect),
        Metric::BlastRadiusRequests => Literal::Count(day.harmed_requests),
        Metric::BlastRadiusFailed => Literal::Count(day.harmed_failed),
        _ => count(metric, day).unwrap_or(Literal::Count(0)),
    }
}

/// How often rules fire; `None` of other metrics.
fn count(metric: Metric, candidate: &Candidate) -> Option<Literal> {
    match metric {
        Metric::FalseRollbacks => Some(Literal::Count(candidate.false_alarms.unwrap_or(0))),
        Metric::Rollbacks => Some(Literal::Count(rollback_count(candidate))),
        _ => None,
    }
}

/// The false alarms, and one where the incident is caught; where nobody says when it was, whether
/// anything fires.
fn rollback_count(candidate: &Candidate) -> u64 {
    match candidate.false_alarms {
        Some(alarms) => alarms + u64::from(candidate.time_to_rollback.is_some()),
        None => u64::from(candidate.rolled_back.is_some()),
    }
}

/// What the other metrics are read of: the rollback that was none too early, and the harm until the
/// first.
fn record(plan: &Plan, candidate: &Candidate) -> Record {
    let (start, end) = (plan.instant(Duration::ZERO), plan.instant(plan.found.end));
    let versions = plan.found.versions.iter();
    let versions =
        versions.map(|tenure| VersionInfo { id: tenure.id.clone(), tags: Vec::new(), price: None });
    let model = ModelInfo {
        id: model_id(plan),
        assignment: Assignment::Random,
        versions: versions.collect(),
        triggers: Vec::new(),
    };
    let phase = PhaseSpan { name: "recording".to_owned(), start, end };
    let canary = candidate.rolled_back.as_ref().map(|rolled_back| &rolled_back.firing.version);
    let canary = canary.map_or_else(|| first_canary(plan), |id| index(plan, id));
    let incident = plan.incident.map_or(Duration::ZERO, |incident| incident.from);
    let blast = Blast {
        version: canary,
        onset: plan.instant(incident),
        drained: candidate.rolled_back.as_ref().map(|told| plan.instant(told.firing.at)),
        requests: candidate.harmed_requests,
        failed: candidate.harmed_failed,
        failed_anyway: 0,
        slowed: 0,
    };
    Record {
        seed: 0,
        start,
        end,
        models: vec![model],
        clients: Vec::new(),
        phases: vec![phase],
        cells: Vec::new(),
        series: Series { start, width: Duration::from_secs(1), versions: Vec::new() },
        splits: Vec::new(),
        timeline: Timeline::default(),
        rollbacks: caught(plan, candidate).into_iter().collect(),
        promotions: Vec::new(),
        lost_tags: Vec::new(),
        undone_commands: Vec::new(),
        blasts: vec![blast],
        bursts: Vec::new(),
        key_rejections: Vec::new(),
        rules: Vec::new(),
        journal: JournalCopy::default(),
    }
}

/// The firing that was no false alarm, if there is one: the times are read of it.
fn caught(plan: &Plan, candidate: &Candidate) -> Option<Rollback> {
    let RolledBack { firing, moved, .. } = candidate.rolled_back.as_ref()?;
    let from = plan.incident?.from;
    let at = |time: Duration| plan.instant(from.saturating_add(time));
    let mut evidence = firing.evidence.clone();
    evidence.first_breach = at(candidate.time_to_detect?);
    Some(Rollback {
        at: at(candidate.time_to_rollback?),
        phase: 0,
        version: index(plan, &firing.version),
        target: index(plan, &moved.target),
        evidence,
        onset: Some(plan.instant(from)),
    })
}

fn index(plan: &Plan, id: &VersionId) -> VersionIndex {
    VersionIndex(plan.found.place(id).unwrap_or(0) as u16)
}

fn first_canary(plan: &Plan) -> VersionIndex {
    let mut slots = (0..plan.found.versions.len()).map(|index| Slot(index as u16));
    VersionIndex(slots.find(|slot| *slot != plan.stable).map_or(0, |slot| slot.0))
}

fn names(metrics: &[Metric]) -> String {
    metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(", ")
}

/// What is known exactly of a backtest.
const METRICS: [Metric; 6] = [
    Metric::Rollbacks,
    Metric::FalseRollbacks,
    Metric::TimeToRollback,
    Metric::TimeToDetect,
    Metric::BlastRadiusRequests,
    Metric::BlastRadiusFailed,
];

/// What is known only where it is said when the canary was bad.
const OF_INCIDENT: [Metric; 3] =
    [Metric::FalseRollbacks, Metric::TimeToRollback, Metric::TimeToDetect];

#[cfg(test)]
mod tests {
    use super::super::Survey;
    use super::super::example::{error_rate, incident, incident_from, tried};
    use super::*;
    use crate::gate::Verdict;

    #[test]
    fn more_false_alarms_than_any_record_holds_are_all_counted() {
        let (terms, day) = (incident_from(8, None), error_rate(0.05, 60));
        let mut survey = Survey::new(None);
        incident().iter().for_each(|record| survey.add(record).unwrap());
        let plan = Plan::new(survey.finish().unwrap(), &terms, None, &day).unwrap();
        let told = tried(&incident(), &[day], &terms, &[]).unwrap().report;
        let flapping = Candidate { false_alarms: Some(12_000), ..told.candidates[0].clone() };
        let cases = [
            ("false_rollbacks <= 10000", Verdict::Fail),
            ("rollbacks <= 10000", Verdict::Fail),
            ("false_rollbacks == 12000", Verdict::Pass),
            ("rollbacks - false_rollbacks == 0", Verdict::Pass),
            ("false_rollbacks < baseline(false_rollbacks)", Verdict::Fail),
            ("time_to_rollback < 1h", Verdict::Fail),
        ];
        let lines = cases.map(|(line, _)| Requirement::parse(line, true).unwrap());
        let judged = match judge(&lines, &plan, (&flapping, told.day()), &[]) {
            Judgement::Judged(judged) => judged.lines,
            Judgement::NothingToEvaluate => panic!("there are lines"),
        };
        for ((line, verdict), judged) in cases.iter().zip(&judged) {
            assert_eq!(judged.verdict, *verdict, "{line}: {}", judged.evidence);
        }
        let figure = told.day().false_alarms.unwrap();
        assert_eq!(judged[4].evidence, format!("12000 against {figure}"));
    }
}
