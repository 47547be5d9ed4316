//! The lines of a gate that are judged on the runs of a study.
//!
//! A study keeps values of its runs and not their requests: lines on what is over runs, and on
//! exact values, can be judged; lines on shares, means and quantiles of requests cannot.

use crate::assertion::{Assertion, OverRuns, ParseError, Reading, Selector};
use crate::gate::claimed_probability;
use crate::metric::Metric;
use crate::scenario::{GateLine, ModelPlan, Scenario};

/// The lines that are judged on the runs of a cell.
#[derive(Clone, Debug)]
pub struct Lines {
    lines: Vec<GateLine>,
    readings: Vec<Reading>,
    left_out: u64,
}

/// Why a line that was given cannot be judged.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum LineError {
    /// It is none.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// It is of something else than what weighted runs tell.
    #[error(
        "{text} cannot be judged with --rare: weighted runs tell the probability of a false \
         rollback and nothing else; write p(false_rollback) < 1e-6, or run the sweep without --rare"
    )]
    NotRare {
        /// The line.
        text: String,
    },
    /// It is of requests, which a study does not keep.
    #[error(
        "{metric} is of requests, which a sweep does not keep: write a quantile over runs, such as \
         median({metric}) or p95({metric})"
    )]
    OfRequests {
        /// The metric.
        metric: Metric,
    },
    /// A selector names what the scenario does not have.
    #[error("the scenario has no {kind} {name:?}; known: {known}")]
    Unknown {
        /// What it should be.
        kind: &'static str,
        /// What was written.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Lines {
    /// The lines that are judged on runs of `scenario`: those of its own that read something over
    /// runs, and those that were `given` beside them.
    ///
    /// # Errors
    /// One of these cannot be judged.
    pub fn of(scenario: &Scenario, given: &[GateLine]) -> Result<Self, LineError> {
        for line in given {
            check(&line.assertion, scenario)?;
        }
        let own = scenario.gate.iter().filter(|line| is_over_runs(&line.assertion));
        let own: Vec<GateLine> = own.cloned().collect();
        let left_out = (scenario.gate.len() - own.len()) as u64;
        let lines: Vec<GateLine> = own.into_iter().chain(given.iter().cloned()).collect();
        let mut readings: Vec<Reading> = Vec::new();
        for reading in lines.iter().flat_map(|line| line.assertion.readings()) {
            if !readings.iter().any(|known| known.is_like(reading)) {
                readings.push(reading.clone());
            }
        }
        Ok(Self { lines, readings, left_out })
    }

    /// Those that weighted runs tell, of the scenario's own and of those that were `given`.
    ///
    /// # Errors
    /// One of these is of something else.
    pub fn of_rare(scenario: &Scenario, given: &[GateLine]) -> Result<Self, LineError> {
        let is_told = |line: &&GateLine| claimed_probability(&line.assertion).is_some();
        if let Some(line) = given.iter().find(|line| !is_told(line)) {
            return Err(LineError::NotRare { text: line.text.clone() });
        }
        let own: Vec<GateLine> = scenario.gate.iter().filter(is_told).cloned().collect();
        let left_out = (scenario.gate.len() - own.len()) as u64;
        let lines = own.into_iter().chain(given.iter().cloned()).collect();
        Ok(Self { lines, readings: Vec::new(), left_out })
    }

    /// The lines.
    pub fn lines(&self) -> &[GateLine] {
        &self.lines
    }

    /// What is read of each run for them, each once.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// How many lines of the scenario are left out: those that are of single runs.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// The line that a text of the command line says; it is the `number`-th of them.
///
/// # Errors
/// It is none.
pub fn given_line(text: &str, number: u32) -> Result<GateLine, ParseError> {
    let assertion = Assertion::parse(text)?;
    Ok(GateLine { text: text.to_owned(), assertion, file: "--gate".to_owned(), line: number })
}

/// Whether a line of a scenario is one of a study: it reads something over runs, and nothing that
/// only requests could tell.
fn is_over_runs(assertion: &Assertion) -> bool {
    let over = |reading: &Reading| reading.over_runs != OverRuns::Itself;
    assertion.readings().any(over) && assertion.readings().all(can_be_read)
}

/// Whether a value of each run tells it.
fn can_be_read(reading: &Reading) -> bool {
    reading.over_runs != OverRuns::Itself || !reading.is_estimate()
}

fn check(assertion: &Assertion, scenario: &Scenario) -> Result<(), LineError> {
    if let Some(reading) = assertion.readings().find(|reading| !can_be_read(reading)) {
        return Err(LineError::OfRequests { metric: reading.metric });
    }
    assertion.readings().try_for_each(|reading| check_names(&reading.selector, scenario))
}

fn check_names(selector: &Selector, scenario: &Scenario) -> Result<(), LineError> {
    let of = |model: &&ModelPlan| selector.model().is_none_or(|name| model.id.as_str() == name);
    let versions = || scenario.models.iter().filter(of).flat_map(|model| &model.versions);
    let named = versions().flat_map(|version| {
        let tags = version.tags.iter().map(|tag| tag.as_str());
        std::iter::once(version.id.as_str()).chain(tags)
    });
    let lists = [
        ("phase", selector.phase(), scenario.phases.iter().map(|one| one.name.as_str()).collect()),
        ("column", selector.column(), scenario.columns.iter().map(|one| &one.title[..]).collect()),
        ("model", selector.model(), scenario.models.iter().map(|one| one.id.as_str()).collect()),
        ("version or tag", selector.version(), named.collect::<Vec<&str>>()),
    ];
    for (kind, name, known) in lists {
        let Some(name) = name.filter(|name| !known.contains(name)) else { continue };
        let (name, known) = (name.to_owned(), known.join(", "));
        return Err(LineError::Unknown { kind, name, known });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::example::scenario;
    use super::*;

    fn given(texts: &[&str]) -> Result<Lines, LineError> {
        let lines = texts.iter().zip(1..).map(|(text, number)| given_line(text, number).unwrap());
        Lines::of(&scenario(), &lines.collect::<Vec<_>>())
    }

    #[test]
    fn lines_over_runs_are_taken_and_each_reading_once() {
        let lines = given(&["p(rollback) > 50%", "p(rollback) < 99% * p(promotion)"]).unwrap();
        // The scenario has one on error rates, one on rollbacks, and one over runs.
        assert_eq!((lines.lines().len(), lines.left_out()), (3, 2));
        let readings: Vec<String> = lines.readings().iter().map(ToString::to_string).collect();
        assert_eq!(readings, ["median(time_to_rollback)", "p(rollback)", "p(promotion)"]);
        assert_eq!(lines.lines()[2].line, 2);
    }

    #[test]
    fn what_a_study_cannot_judge_is_refused_with_a_remedy() {
        let cases = [
            ("error_rate < 1%", "median(error_rate) or p95(error_rate)"),
            ("p(rollback{phase=later}) < 1%", "no phase \"later\"; known: before, bad"),
            ("p(rollback{version=v9}) < 1%", "no version or tag \"v9\"; known: v1, stable, v2"),
            ("p(rollback{model=m9}) < 1%", "no model \"m9\"; known: m"),
            ("median(error_rate{column=C}) < 1%", "no column \"C\"; known: "),
        ];
        for (text, part) in cases {
            let error = given(&[text]).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let known = ["median(error_rate{phase=bad, version=v2}) < 1%", "rollbacks == 1"];
        assert_eq!(given(&known).unwrap().readings().len(), 3);
        assert!(given_line("p(rollback) <", 1).is_err());
    }
}
