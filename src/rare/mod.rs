//! How probable it is that a healthy version is rolled back, where that is too rare to wait for.
//!
//! A weighted run tilts the draws that rules count, so that they fire often, and weighs how much
//! less probable what happened was without that (importance sampling). Where a rule or a judge does
//! not count draws one by one, a replicate of multilevel splitting climbs from runs that come a
//! little nearer to a rollback to runs that come nearer still. [`Approach::of`] looks at what the
//! scenario's rules count and prepares what all runs have in common; [`Approach::run`] makes one of
//! them. Both are unbiased, whatever was prepared: preparation decides how many runs it takes.
//!
//! Knows no files and no threads; the same scenario and seed give the same.

mod approach;
mod counted;
mod lookout;
mod particle;
mod profile;
mod pursuit;
mod splitting;
mod survey;
mod tilted;
mod tilting;
mod traces;

pub use approach::{Approach, RareFigure, RareRun, Unsuited};
pub use tilting::HEAVIEST;
pub use traces::OpenTraces;
