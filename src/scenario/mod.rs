//! Scenario files.

mod check;
mod diagnostic;
mod json_schema;
mod parse;
mod place;
mod render;
mod shape;
mod shapes;
mod suggest;
mod tree;

pub use diagnostic::ScenarioError;
pub use json_schema::json_schema;
