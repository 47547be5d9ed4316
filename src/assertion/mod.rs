//! The gate's grammar: a line such as `error_rate{phase=canary} < 1%`, parsed and not judged.
//!
//! ```text
//! assertion = sum operator sum | sum "within" sum ".." sum | sum "~" sum "+-" literal
//! sum       = product {("+" | "-") product}
//! product   = value {("*" | "/") value}
//! value     = reading | "baseline" "(" reading ")" | literal | "(" sum ")"
//! reading   = metric [selectors]
//!           | quantile "(" metric [selectors] ")" | "p" "(" event [selectors] ")"
//! quantile  = "median" | "p90" | "p95" | "p99"                     over runs
//! event     = "rollback" | "false_rollback" | "promotion" | "lost_tag" | "rejected_key"
//! selectors = "{" [selector {"," selector}] "}"
//! selector  = ("phase" | "version" | "model" | "column" | "arm" | "within") "=" text
//! operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
//! text      = bare word, or any text in ' or "
//! literal   = 90s | 1% | 150 | 0.008 USD | 25/s | 1.2      in the unit of what it stands beside
//! ```
//!
//! An unknown metric, selector or operator is an error with its column and what was probably
//! meant, never a line that passes. So are values that do not go together: a time and a ratio.
//! Whether a phase, version or column of a selector exists is for the scenario to check. Knows
//! nothing of results.

mod cursor;
mod error;
mod expression;
mod fuzz;
mod kind;
mod literal;
mod parser;
mod printing;
mod reading;
mod selecting;
mod syntax;
mod typing;

pub use error::ParseError;
pub use expression::{Assertion, Claim, Comparison, Expression, Operation, Tolerance};
#[doc(hidden)]
pub use fuzz::fuzz_assertion;
pub use kind::Kind;
pub use literal::Literal;
pub use reading::{Arm, OverRuns, Reading, Selector, Source};
