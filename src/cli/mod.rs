//! The command line: arguments, files, terminal, exit codes.
//!
//! Results go to stdout, everything else to stderr. This floor alone reads clocks, files and the
//! environment; whatever it does not have to know stands on the floors under it.

mod apart;
mod app;
mod arguments;
mod backtest;
mod backtest_arguments;
mod baselines;
mod compare;
mod digest;
mod disk;
mod exit;
mod explain;
mod explain_models;
mod explain_rules;
mod explain_traffic;
mod gate;
mod gate_arguments;
mod gate_outputs;
mod gated;
mod github;
mod init;
mod interrupt;
mod journal;
mod judges;
mod mock;
mod open;
mod open_gateway;
mod output;
mod pipeline;
mod playing;
mod progress;
mod provenance;
mod quoting;
mod report;
mod run;
mod scenario_files;
mod schema;
mod scratch;
mod serve;
mod server_log;
mod shared_arguments;
mod signals;
mod terminal;
mod trace;
mod trace_export;
mod trace_fit;
mod trace_format;
mod trace_import;
mod trace_import_report;
mod trace_rows;
mod trace_stats;
mod trace_synth;
mod unfit;
mod user_names;
mod validate;
mod wildcard;

pub use app::main;
pub use exit::Exit;
