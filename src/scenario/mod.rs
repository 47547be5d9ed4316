//! Scenario files.

mod check;
mod diagnostic;
mod files;
mod fill;
mod json_schema;
mod parse;
mod place;
mod render;
mod set;
mod shape;
mod shapes;
mod suggest;
mod tree;

pub use diagnostic::ScenarioError;
pub use files::Files;
pub use json_schema::json_schema;
