//! The runs of a scenario that are stored for later gates to be held against.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::compare::{ScenarioDifference, scenario_differences};
use crate::json::outline;
use crate::record::Record;
use crate::result::{ResultFile, ScenarioInfo, Unsound, check_runs, json_problem};
use crate::run::TraceReport;
use crate::summary::ColumnSpec;

/// The runs of a scenario that later gates are held against, each without its course.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// The number of the format: [`Baseline::SCHEMA`].
    pub baseline_schema: u64,
    /// The version of coalmine that made the runs.
    pub coalmine: String,
    /// What was rehearsed; its seed is that of the first run.
    pub scenario: ScenarioInfo,
    /// The traces that were replayed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceReport>,
    /// What each run left behind: at least one, no two of one seed.
    pub runs: Vec<Record>,
}

/// Why a text is no baseline that can be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not JSON, or not the fields of a baseline.
    #[error("not a baseline of coalmine: {problem} at line {line}, column {column}")]
    Malformed {
        /// What is wrong.
        problem: String,
        /// The line of the problem, from 1.
        line: usize,
        /// The column of the problem, from 1.
        column: usize,
    },
    /// Written in a format that this version does not know.
    #[error(
        "baseline format {found} is not {known}, the one that this version reads: store it anew \
         with `coalmine gate --save-baseline`"
    )]
    Unknown {
        /// The number in the file.
        found: u64,
        /// The number that can be read.
        known: u64,
    },
    /// It holds no run, or two of one seed.
    #[error("a baseline holds one run or more, each of a seed of its own, and this one does not")]
    NoRuns,
    /// It contradicts itself, or could do harm.
    #[error("no run has written this baseline: {0}")]
    Unsound(#[from] Unsound),
}

impl Baseline {
    /// The number of the format that this version writes and reads.
    pub const SCHEMA: u64 = 1;

    /// Of the runs of a scenario.
    pub fn of(scenario: ScenarioInfo, traces: Vec<TraceReport>, runs: Vec<Record>) -> Self {
        let coalmine = env!("CARGO_PKG_VERSION").to_owned();
        let runs = runs.into_iter().map(Record::without_course).collect();
        Self { baseline_schema: Self::SCHEMA, coalmine, scenario, traces, runs }
    }

    /// Of the only run that a result tells of.
    pub fn of_result(result: ResultFile) -> Self {
        let ResultFile { scenario, traces, record, coalmine, .. } = result;
        Self { coalmine, ..Self::of(scenario, traces, vec![record]) }
    }

    /// Whether a text is meant to be a baseline, not a result.
    pub fn is_meant(text: &str) -> bool {
        serde_json::from_str::<Probe>(text).is_ok_and(|probe| probe.baseline_schema.is_some())
    }

    /// The baseline that a file's text holds.
    ///
    /// # Errors
    /// Not JSON, no baseline, one of another format, or one that no run has written.
    pub fn from_json(text: &str) -> Result<Self, BaselineError> {
        let malformed = |error: &serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            BaselineError::Malformed { problem: json_problem(error), line, column }
        };
        let probe: Probe = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        if let Some(found) = probe.baseline_schema.filter(|found| *found != Self::SCHEMA) {
            return Err(BaselineError::Unknown { found, known: Self::SCHEMA });
        }
        let baseline: Self = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let value: Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        check_runs(&baseline.scenario, &baseline.traces, &baseline.runs, &value)?;
        let mut seeds: Vec<u64> = baseline.runs.iter().map(|run| run.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        match seeds.len() == baseline.runs.len() && !seeds.is_empty() {
            true => Ok(baseline),
            false => Err(BaselineError::NoRuns),
        }
    }

    /// The file's text: JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The columns that selectors can name, as far as any run has their requests.
    pub fn columns(&self) -> Vec<ColumnSpec> {
        let columns = self.scenario.columns.iter().filter_map(|column| {
            let selection = self.runs.iter().find_map(|run| column.selection(run))?;
            Some(ColumnSpec { title: column.title.clone(), selection })
        });
        columns.collect()
    }

    /// In what a scenario that is judged now differs.
    pub(super) fn differences(
        &self,
        scenario: &ScenarioInfo,
        traces: &[TraceReport],
    ) -> Vec<ScenarioDifference> {
        scenario_differences((&self.scenario, &self.traces), (scenario, traces))
    }
}

/// What tells a baseline from other files.
#[derive(Deserialize)]
struct Probe {
    baseline_schema: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn a_baseline_survives_its_file_and_keeps_what_metrics_are_made_from() {
        let result = rolled_back_result();
        let cells = result.record.cells.clone();
        let baseline = Baseline::of_result(result);
        let text = baseline.to_json();
        assert!(Baseline::is_meant(&text));
        let read = Baseline::from_json(&text).unwrap();
        assert_eq!(read, baseline);
        assert_eq!(read.runs[0].cells, cells);
        assert!(read.runs[0].timeline.events.is_empty());
        assert_eq!(read.columns().len(), read.scenario.columns.len());
    }

    #[test]
    fn what_no_run_has_written_is_refused() {
        let baseline = Baseline::of_result(rolled_back_result());
        let refused = |change: &dyn Fn(&mut Baseline)| {
            let mut changed = baseline.clone();
            change(&mut changed);
            Baseline::from_json(&changed.to_json()).unwrap_err().to_string()
        };
        let twice = refused(&|baseline| baseline.runs.push(baseline.runs[0].clone()));
        assert!(twice.contains("a seed of its own"), "{twice}");
        assert!(refused(&|baseline| baseline.runs.clear()).contains("one run or more"));
        let newer = refused(&|baseline| baseline.baseline_schema = 7);
        assert!(newer.starts_with("baseline format 7 is not 1"), "{newer}");
        let spoiled = refused(&|baseline| baseline.runs[0].cells[0].tally.succeeded += 1);
        assert!(spoiled.starts_with("no run has written this baseline"), "{spoiled}");
        let cut = Baseline::from_json(&baseline.to_json()[..400]).unwrap_err().to_string();
        assert!(cut.starts_with("not a baseline of coalmine: EOF"), "{cut}");
        assert!(!Baseline::is_meant(&rolled_back_result().to_json()));
    }
}
