//! The search for rules: those that let the least harm happen, of all that leave a healthy release
//! alone.
//!
//! A [`Subject`] is a scenario's canary, healthy or with a fault on it. Many triggers are
//! [observed](observe) in one run, since triggers that may not act leave it as it is; a [`Field`]
//! knows what any set of them would have come to. A [`Tuning`] narrows a library of triggers down
//! in rounds and tries the best sets, in force, on faults and seeds that no round has used; what
//! comes out is [`Tuned`], a [`TuneReport`] for all combinations of what is varied.
//!
//! Knows no files, no terminal and no threads: it says which runs are to be made.

mod batch;
mod contest;
#[cfg(test)]
pub(crate) mod example;
mod field;
mod halving;
mod library;
mod observation;
mod played;
mod present;
mod report;
mod schema;
mod search;
mod shortfall;
mod subject;
mod tried;
mod tuned;
mod tuning;
mod yardstick;

pub use batch::{Answer, Batch};
pub use field::Field;
pub use observation::{Firing, Observation, observe};
pub use played::{Health, Played};
pub use report::{Combination, KnownFault, TuneReport};
pub use schema::tune_schema;
pub use search::{Bar, runs_that_prove, search, upper};
pub use subject::{Subject, Unfit};
pub use tried::{Alarms, HarmRatio, OnFault, Tried};
pub use tuned::{FailedCheck, Normal, Round, Shortfall, Tuned, Why};
pub use tuning::{Goal, TuneError, Tuning};
pub use yardstick::Yardstick;
