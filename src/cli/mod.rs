//! The command line: arguments, files, terminal, exit codes.
//!
//! Results go to stdout, everything else to stderr. This floor alone reads clocks, files and the
//! environment; whatever it does not have to know stands on the floors under it.

mod app;
mod arguments;
mod compare;
mod digest;
mod disk;
mod exit;
mod explain;
mod explain_models;
mod explain_rules;
mod explain_traffic;
mod init;
mod judges;
mod open;
mod output;
mod pipeline;
mod progress;
mod provenance;
mod report;
mod run;
mod scenario_files;
mod schema;
mod terminal;
mod validate;

pub use app::main;
pub use exit::Exit;
