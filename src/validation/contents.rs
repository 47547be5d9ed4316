//! What a valid scenario holds, in numbers with their units in their names.

use serde::Serialize;

use super::trace_check::TraceCheck;
use crate::exchange::ModelIndex;
use crate::profile::{Shape, TokenShape};
use crate::scenario::{FalseAlarms, Scenario};
use crate::trace::TraceFormat;

/// What a valid scenario holds. What its fields mean is said in the JSON Schema of the document
/// that they stand in, [`validation_schema`](super::schema::validation_schema).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Contents {
    /// The scenario's name.
    pub name: String,
    /// What it shows, in a line.
    pub title: String,
    /// Its models, in their order.
    pub models: Vec<String>,
    /// How many phases there are.
    pub phases: u64,
    /// How many versions there are, of all models.
    pub versions: u64,
    /// How many rules there are, of all models.
    pub rules: u64,
    /// How many lines the gate has.
    pub gate_lines: u64,
    /// How often judges fire by chance; absent without judges that look at something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_alarms: Option<FalseAlarmBounds>,
    /// The traces that it replays, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceFigures>,
}

/// How often judges fire by chance on canaries that are no worse, over the run as planned.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FalseAlarmBounds {
    /// The most that the probability of any firing can be, of all models, from 0 to 1.
    pub probability_at_most: f64,
    /// The models with judges that look at something, in their order.
    pub models: Vec<FalseAlarmBound>,
}

/// How often the judges of a model fire by chance.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FalseAlarmBound {
    /// The model.
    pub model: String,
    /// The most that the probability of a firing can be, from 0 to 1.
    pub probability_at_most: f64,
    /// Its parts, one for each time that a judge begins to look at a canary.
    pub shares: Vec<f64>,
}

/// What is in a trace.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TraceFigures {
    /// Its path.
    pub file: String,
    /// How its rows are written.
    pub format: TraceFormat,
    /// The unit that its times were taken to be in.
    pub time_unit: String,
    /// Rows that were read, all of them sound.
    pub rows_read: u64,
    /// Those of them that are replayed in one turn.
    pub rows_replayed: u64,
    /// The requests of one turn.
    pub requests: u64,
    /// From the start to the last request.
    pub span_seconds: f64,
    /// Requests over span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Standard deviation over mean of the gaps between requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_cv: Option<f64>,
    /// Variance over mean of the number of requests in windows of 1 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion_1s: Option<f64>,
    /// In windows of 10 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion_10s: Option<f64>,
    /// In windows of 60 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion_60s: Option<f64>,
    /// Tokens of the prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<TokenFigures>,
    /// Tokens of the answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<TokenFigures>,
}

/// Numbers of tokens.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TokenFigures {
    /// Their mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
}

impl Contents {
    /// Of `scenario` and the traces that it replays.
    pub fn of(scenario: &Scenario, traces: &[TraceCheck]) -> Self {
        let rules = scenario.models.iter().map(|model| model.rules.triggers.len()).sum::<usize>();
        Self {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            models: scenario.models.iter().map(|model| model.id.to_string()).collect(),
            phases: scenario.phases.len() as u64,
            versions: scenario.versions().count() as u64,
            rules: rules as u64,
            gate_lines: scenario.gate.len() as u64,
            false_alarms: FalseAlarmBounds::of(scenario),
            traces: traces.iter().map(TraceFigures::of).collect(),
        }
    }
}

impl FalseAlarmBounds {
    /// Of the judges of `scenario`; `None` where none looks at anything.
    fn of(scenario: &Scenario) -> Option<Self> {
        let bound = |(index, model): (u16, &crate::scenario::ModelPlan)| FalseAlarmBound {
            model: model.id.to_string(),
            ..FalseAlarmBound::of(scenario.false_alarms(ModelIndex(index)))
        };
        let models: Vec<_> = (0..).zip(&scenario.models).map(bound).collect();
        let models: Vec<_> = models.into_iter().filter(|bound| !bound.shares.is_empty()).collect();
        let shares = models.iter().flat_map(|bound| &bound.shares).copied().collect();
        let probability_at_most = FalseAlarms { shares }.sum();
        (!models.is_empty()).then_some(Self { probability_at_most, models })
    }
}

impl FalseAlarmBound {
    fn of(alarms: FalseAlarms) -> Self {
        let probability_at_most = alarms.sum();
        Self { model: String::new(), probability_at_most, shares: alarms.shares }
    }
}

impl TraceFigures {
    fn of(check: &TraceCheck) -> Self {
        let TraceCheck { file, accounting, shape } = check;
        let Shape { requests, span, rate, gap_cv, dispersion, input, output } = shape;
        let [dispersion_1s, dispersion_10s, dispersion_60s] = *dispersion;
        Self {
            file: file.display().to_string(),
            format: accounting.format,
            time_unit: accounting.unit.clone(),
            rows_read: accounting.read,
            rows_replayed: accounting.emitted,
            requests: *requests,
            span_seconds: span.as_secs_f64(),
            requests_per_second: rate.map(|rate| rate.per_second()),
            gap_cv: *gap_cv,
            dispersion_1s,
            dispersion_10s,
            dispersion_60s,
            input_tokens: input.map(TokenFigures::of),
            output_tokens: output.map(TokenFigures::of),
        }
    }
}

impl TokenFigures {
    fn of(shape: TokenShape) -> Self {
        let TokenShape { mean, p50, p99 } = shape;
        Self { mean, p50, p99 }
    }
}
