//! coalmine rehearses a model canary before its users meet it.

pub mod assertion;
pub mod chance;
pub mod cli;
pub mod director;
pub mod engine;
pub mod exchange;
pub mod gate;
pub mod math;
pub mod metric;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod simulator;
pub mod stats;
pub mod summary;
pub mod units;
pub mod upstream;
pub mod workload;
