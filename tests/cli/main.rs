//! The program as its users meet it: arguments in, files, text and exit codes out.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod backtests;
mod comparisons;
mod examples;
mod fidelities;
mod gates;
mod generated;
mod inputs;
mod junit;
mod older;
mod outline;
mod outputs;
mod pages;
mod program;
mod readme;
mod samples;
mod sweep_inputs;
mod sweep_tables;
mod sweeps;
mod trace_fits;
mod trace_stats;
mod traces;
mod tunes;
mod validations;
