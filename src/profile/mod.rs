//! What describes recorded traffic: its rate and bursts, its sizes, its users, and by model and
//! version how requests ended and how long they took.
//!
//! A [`ProfileMeter`] sees each request once and keeps sums, counts and sketches; what a figure is
//! worth stands beside it. [`TraceStats`] is a profile as a document, with its JSON Schema. Knows
//! no files, and nothing of how a profile is shown.

mod course;
mod distinct;
mod document;
#[cfg(test)]
pub(crate) mod example;
mod figures;
mod group_meter;
mod groups;
mod meter;
mod rank_correlation;
mod schema;
mod shape;
mod times;
mod token_counts;
mod windows;

pub use course::{Course, CourseSlot};
pub use document::{TraceSource, TraceStats};
pub use figures::{
    Clustering, Correlation, CostFigures, Distinct, EndingCount, ErrorRate, Group, Identities,
    Outcomes, Part, PrefixFigures, Profile, TimeFigures, TokenFigures, WindowFigures,
};
pub use meter::ProfileMeter;
pub use schema::stats_schema;
pub use shape::{Shape, ShapeMeter, TokenShape};
