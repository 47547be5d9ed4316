//! A twin: the fitted scenario, really run, and what would have been recorded of it.

use std::path::Path;

use super::error::FitError;
use super::observed::Observed;
use crate::run::{Recorded, record_run};
use crate::scenario::{Document, Files, load};
use crate::trace::TraceRecord;

/// What would have been recorded of a run of the scenario `yaml` under `seed`; at most so many
/// requests are sent.
///
/// # Errors
/// The scenario cannot be played: a bug, as it was fitted.
pub(super) fn twin(yaml: &str, seed: u64, requests: u64) -> Result<Observed, FitError> {
    let unplayable = |reason: String| FitError::Unplayable { reason };
    let settings = [format!("workload.requests={requests}")];
    let document = Document {
        path: Path::new("fitted.yaml"),
        bytes: yaml.as_bytes(),
        settings: &settings,
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    let loaded = load(document, &NoFiles).map_err(|error| unplayable(error.to_string()))?;
    let scenario = &loaded.scenario;
    let mut records = Vec::new();
    record_run(scenario, seed, Vec::new(), Recorded::Outcomes, &mut |at, record| {
        records.push(TraceRecord { at: at.since(scenario.start), ..record });
    })
    .map_err(|error| unplayable(error.to_string()))?;
    // They ended in another order; of one instant they keep it.
    records.sort_by_key(|record| record.at);
    let mut observed = Observed::default();
    records.iter().try_for_each(|record| observed.add(record))?;
    Ok(observed)
}

/// A fitted scenario names no files.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("a fitted scenario names no files".to_owned())
    }
}
