//! `coalmine validate`: checks scenario files, and reads the traces that they replay to the end.

use super::arguments::ValidateArguments;
use super::exit::Exit;
use super::open::{open, open_trace, trace_failure};
use super::terminal::{Failure, complain, print};
use crate::scenario::Scenario;
use crate::units::format_count;
use crate::workload::TraceReader;

pub(super) fn validate(arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let mut exit = Exit::Pass;
    for path in &arguments.scenarios {
        let checked = open(path, &arguments.reading)
            .and_then(|loaded| Ok((summary(&loaded.scenario), read_trace(&loaded.scenario)?)));
        match checked {
            Ok((summary, trace)) => print(&format!("{}: ok: {summary}{trace}\n", path.display()))?,
            Err(failure) => {
                complain(&failure.message);
                exit = failure.exit;
            }
        }
    }
    Ok(exit)
}

fn summary(scenario: &Scenario) -> String {
    format!(
        "{} phases, {} versions of {}, {} rules, {} gate lines",
        scenario.phases.len(),
        scenario.model.versions.len(),
        scenario.model.id,
        scenario.model.rules.triggers.len(),
        scenario.gate.len(),
    )
}

/// Reads the scenario's trace to its end, if it replays one, and says what was in it.
fn read_trace(scenario: &Scenario) -> Result<String, Failure> {
    let Some(input) = open_trace(scenario)? else { return Ok(String::new()) };
    let failed = |error| trace_failure(scenario, &error);
    let mut reader = TraceReader::new(input).map_err(failed)?;
    while reader.next_record().map_err(failed)?.is_some() {}
    let rows = format_count(reader.accounting().read);
    Ok(format!(", trace of {rows} rows ({})", reader.accounting().format))
}
