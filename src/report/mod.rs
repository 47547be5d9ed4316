//! What a person or a machine reads of a run: tables, charts, result file.
//!
//! Everything is returned as text or bytes, made from a run's record, its summary and its verdicts:
//! a [`ResultFile`] holds them all, so that every output can be made again from a stored one. Knows
//! no files and no terminal.

mod comparison;
mod evaluation;
mod evidence_text;
#[cfg(test)]
mod example;
mod facts;
mod figures;
mod fuzz;
mod markdown;
mod narrative;
mod outline;
mod result_file;
mod result_reading;
mod result_schema;
mod schema_history;
mod schema_readings;
mod schema_words;
mod soundness;
mod table_csv;
mod terminal;
mod timeline_chart;
mod verdict;

pub use evaluation::evaluate;
#[doc(hidden)]
pub use fuzz::fuzz_rehearsal;
pub use markdown::markdown_summary;
pub use result_file::{ColumnInfo, FileDigest, GateInfo, ReferenceInfo, ResultFile, ScenarioInfo};
pub use result_reading::ResultError;
pub use result_schema::result_schema;
pub use soundness::Unsound;
pub use table_csv::table_csv;
pub use terminal::{Style, terminal_report};
pub use timeline_chart::timeline_chart;
