//! coalmine rehearses a model canary before its users meet it.
//!
//! It replays recorded or synthetic traffic through the routing and rollback [`engine`] that also
//! serves production, against [`upstream`]s with injected latency and failures, and answers with a
//! comparison table, a chart and a verdict. The engine, and everything else on floors 0 to 5 of the
//! list below, refuses to know a clock, a socket, a file or a generator of its own: time, draws and
//! bytes are arguments, so the same scenario, seed and build give the same bytes.
//!
//! Two types matter most: [`engine::Engine`], which routes requests and takes traffic away from a
//! version that breaks its rules, and [`record::Record`], which holds all that a run left behind.
//! [`run::run_virtual`] leads from a [`scenario::Scenario`] to a record, [`result::evaluate`] from
//! there to table and verdict.
//!
//! ```
//! use std::path::Path;
//!
//! use coalmine::result::evaluate;
//! use coalmine::run::run_virtual;
//! use coalmine::scenario::{Document, Files, load};
//!
//! struct NoFiles;
//! impl Files for NoFiles {
//!     fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
//!         Err("not here".to_owned())
//!     }
//! }
//!
//! let text = "
//! schema: 1
//! name: smallest
//! workload:
//!   {arrivals: {constant: 10/s}, requests: 100, tokens: {input: 600, output: 200}}
//! models:
//!   gpt-4:
//!     versions:
//!       old: {tags: [stable], upstream: {latency: 250ms}}
//! phases: [{name: all, for: rest, split: {old: 100%}}]
//! gate: [error_rate < 5%]
//! ";
//! let document = Document {
//!     path: Path::new("smallest.yaml"),
//!     bytes: text.as_bytes(),
//!     settings: &[],
//!     working_directory: Path::new("/"),
//!     allow_outside: false,
//! };
//! let loaded = load(document, &NoFiles).unwrap();
//! let rehearsal = run_virtual(&loaded.scenario, 7, Vec::new(), &mut |_| {}).unwrap();
//! let result = evaluate(&loaded, Vec::new(), 7, rehearsal);
//! assert_eq!(result.gate.verdict(), Some(coalmine::gate::Verdict::Pass));
//! ```
//!
//! The modules, from the lowest floor to the highest: one names only those on lower floors, which
//! `tests/tidy` holds it to. `docs/architecture.md` tells how they work together.

// Floor 0: quantities with their units; functions with the same results on every platform.
pub mod math;
pub mod units;

// Floor 1: what is measured, asked and answered; chance, statistics, numbers drawn and written.
pub mod chance;
pub mod chart;
pub mod exchange;
mod json;
pub mod metric;
pub mod stats;

// Floor 2: routing and rollback; when requests come, and recorded ones.
pub mod arrivals;
pub mod engine;
pub mod trace;

// Floor 3: what answers, what asks, what stands between, what goes over the wire, what is claimed,
// what happened, what describes recorded traffic.
pub mod assertion;
pub mod middlebox;
pub mod profile;
pub mod record;
pub mod upstream;
pub mod wire;
pub mod workload;

// Floors 4 and 5: the plan of a rehearsal or a gateway, who follows it; the time on the wall, what
// keeps a journal, who tells people.
pub mod clock;
pub mod dashboard;
pub mod director;
pub mod notify;
pub mod scenario;
pub mod store;

// Floors 6 and 7: runs, and what serves and asks over HTTP.
pub mod gateway;
pub mod load;
pub mod mock;
pub mod run;
pub mod simulator;

// Floor 8: runs over HTTP, runs in which rare things happen; what tests and fuzz targets share.
pub mod live;
pub mod rare;
pub mod testing;

// Floors 8 to 14: what runs mean, is it enough, what is kept, how they differ, how it is shown.
pub mod backtest;
pub mod compare;
pub mod fidelity;
pub mod fit;
pub mod gate;
pub mod page;
pub mod report;
pub mod result;
pub mod study;
pub mod suite;
pub mod summary;
pub mod tune;
pub mod validation;

// Floor 15: arguments, files, terminal, exit codes.
pub mod cli;
