//! The gate's grammar: a line such as `error_rate{phase=canary} < 1%`, parsed and not judged.
//!
//! ```text
//! assertion = term operator term            at least one term is a metric
//! term      = metric ["{" [selector {"," selector}] "}"] | literal
//! operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
//! selector  = ("phase" | "version" | "model" | "column" | "arm") "=" value
//! value     = bare word, or any text in ' or "
//! literal   = 90s | 1% | 150 | 0.008 USD    in the unit of the metric on the other side
//! ```
//!
//! An unknown metric, selector or operator is an error with its column and what was probably
//! meant, never a line that passes. Whether a phase, version or column of a selector exists is for
//! the scenario to check. Knows nothing of results.

mod error;
mod expression;
mod fuzz;
mod parser;

pub use error::ParseError;
pub use expression::{Arm, Assertion, Comparison, Literal, Selector, Term};
#[doc(hidden)]
pub use fuzz::fuzz_assertion;
