//! The result of a run: all that is known of it, as a file from which every output can be made.
//!
//! Made from a run's record, its summary and its verdicts; read back, and checked, with its JSON
//! Schema. Knows nothing of how it is shown.

mod counts;
mod evaluation;
#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
pub(crate) mod example_extremes;
mod file;
mod older;
mod reading;
mod schema;
mod schema_gate;
mod schema_history;
mod schema_live;
mod schema_orders;
mod schema_readings;
mod schema_requests;
mod soundness;
mod unsound;

pub use evaluation::{columns, distrust, evaluate, judge};
pub use file::{ColumnInfo, FileDigest, GateInfo, ReferenceInfo, ResultFile, ScenarioInfo};
pub use reading::ResultError;
pub(crate) use reading::json_problem;
pub(crate) use schema::evidence as evidence_schema;
pub use schema::result_schema;
pub(crate) use schema_gate::{definitions as gate_definitions, gate as gate_schema};
pub use soundness::check_runs;
pub use unsound::Unsound;
