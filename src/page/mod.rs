//! The report of a run as one HTML page that needs nothing beside itself.
//!
//! A [`ResultFile`](crate::result::ResultFile) becomes text: what a reader asks first stands first.
//! The page is whole without its styles and without its script, so that a content-security policy
//! that forbids both leaves it readable; the script adds what a pointer can do. Knows no files and
//! no browser.

mod compared_head;
mod compared_page;
mod compared_runs;
mod compared_table;
mod comparison;
#[cfg(test)]
mod contrast;
mod document;
mod escape;
mod fidelity;
mod figure;
mod gate;
mod key_figures;
mod markup;
mod outcomes;
mod percentiles;
mod provenance;
mod resolved;
mod rule_health;
mod selections;
mod shell;
mod story;
mod sweep_page;
mod tune_page;
mod verdict;

pub use compared_page::comparison_page;
pub use document::report_page;
pub use fidelity::fidelity_page;
pub use provenance::Provenance;
pub use sweep_page::sweep_page;
pub use tune_page::tune_page;
