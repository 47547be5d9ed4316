//! Scenario files.

mod diagnostic;
mod parse;
mod place;
mod render;
mod suggest;
mod tree;

pub use diagnostic::ScenarioError;
