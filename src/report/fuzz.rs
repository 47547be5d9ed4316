//! The body of the fuzz target for whole rehearsals: from a scenario's text to every output but the
//! charts.

use std::path::Path;

use super::{Style, markdown_summary, table_csv, terminal_report};
use crate::result::{ResultFile, evaluate};
use crate::run::run_virtual;
use crate::scenario::{Document, Files, PhaseEnd, Scenario, Traffic, load};
use crate::units::Duration;

/// Runs the scenario `bytes`, if it is one, cut down to a few hundred requests and a few minutes,
/// and reports it. Whatever was accepted is run or refused by the engine, and its result is read
/// back as it was written.
///
/// # Panics
/// One of that does not hold.
pub fn fuzz_rehearsal(bytes: &[u8]) {
    let document = Document {
        path: Path::new("fuzz.yaml"),
        bytes,
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    let Ok(mut loaded) = load(document, &NoFiles) else { return };
    if !cut_down(&mut loaded.scenario) {
        return;
    }
    let seed = loaded.scenario.seed;
    let Ok(rehearsal) = run_virtual(&loaded.scenario, seed, Vec::new(), &mut |_| {}) else {
        return;
    };
    let result = evaluate(&loaded, Vec::new(), seed, rehearsal);
    let written = result.to_json();
    match ResultFile::from_json(&written) {
        Ok(read) => assert!(read.to_json() == written, "the result is read back as another one"),
        Err(error) => panic!("the result cannot be read back: {error}"),
    }
    let style = Style { width: 80, colour: true, unicode: true, intervals: true };
    assert!(terminal_report(&result, style).ends_with('\n'));
    assert!(markdown_summary(&result).ends_with('\n'));
    assert!(table_csv(&result).ends_with('\n'));
}

/// Makes a rehearsal short, whatever it was; whether it can be run without files.
fn cut_down(scenario: &mut Scenario) -> bool {
    let Traffic::Generated(workload) = &mut scenario.traffic else { return false };
    let requests = workload.requests.unwrap_or(MOST_REQUESTS);
    workload.requests = Some(requests.min(MOST_REQUESTS));
    for phase in &mut scenario.phases {
        match &mut phase.end {
            PhaseEnd::After(length) | PhaseEnd::Event { within: length, .. } => {
                *length = (*length).min(LONGEST_PHASE);
            }
            // How long these take depends on the traffic, which may be one request a year.
            end => *end = PhaseEnd::After(LONGEST_PHASE),
        }
    }
    scenario.phases.len() <= MOST_PHASES
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }
}

/// Enough for the default rules to have data and to fire, few enough for hundreds of runs a second.
const MOST_REQUESTS: u64 = 300;
const MOST_PHASES: usize = 8;
/// Longer than the duration of most rules.
const LONGEST_PHASE: Duration = Duration::from_secs(150);
