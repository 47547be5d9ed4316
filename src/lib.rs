//! coalmine rehearses a model canary before its users meet it.

pub mod engine;
pub mod exchange;
pub mod metric;
pub mod scenario;
pub mod units;
