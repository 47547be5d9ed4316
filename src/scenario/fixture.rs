//! What tests of scenarios share.

use std::path::Path;

use super::{Document, Files, Loaded, load};

/// The scenario that `text` is, which names no files; or all that is wrong with it.
pub(crate) fn load_text(text: &str) -> Result<Loaded, String> {
    let document = Document {
        path: Path::new("a.yaml"),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    load(document, &NoFiles).map_err(|error| error.to_string())
}

/// The scenario whose model has `more`, the versions v1 (the stable), v2 (tagged beta) and v3, and
/// whose phases `p0`, `p1`, ... of a minute each are these.
pub(crate) fn load_phases(more: &str, phases: &[&str]) -> Result<Loaded, String> {
    let phases = phases.iter().enumerate();
    let phases: String = phases
        .map(|(index, phase)| format!("  - {{name: p{index}, for: 1m, {phase}}}\n"))
        .collect();
    load_text(&format!(
        "schema: 1
name: phases
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}}}
models:
  m:
    {more}
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{tags: [beta], upstream: {{latency: 1s}}}}
      v3: {{upstream: {{latency: 1s}}}}
phases:
{phases}"
    ))
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("no file {}", path.display()))
    }
}
