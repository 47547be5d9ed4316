//! Scenario.
mod plan;
pub use plan::*;
