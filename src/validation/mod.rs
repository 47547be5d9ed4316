//! What is known of scenario files before any run, for programs: their problems one by one, and
//! what the valid ones hold.
//!
//! Knows neither files nor the terminal: whoever reads the files brings what came of it, and writes
//! what is made here.

mod contents;
mod document;
mod sarif;
mod sarif_rules;
mod schema;
mod trace_check;
mod uri;

pub use contents::{Contents, FalseAlarmBound, FalseAlarmBounds, TokenFigures, TraceFigures};
pub use document::{PartLeftOut, ValidatedFile, Validation};
pub use sarif::sarif;
pub use schema::validation_schema;
pub use trace_check::{TraceCheck, broken_trace, check_recorded, check_trace, trace_problem};
