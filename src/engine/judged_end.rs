//! The end of a request as judges see it.

use crate::exchange::{Class, Observed};
use crate::units::Timestamp;

/// The end of a request's first attempt: a further one depends on how the one before fared, and is
/// no independent event.
#[derive(Clone, Copy, Debug)]
pub(super) struct JudgedEnd<'a> {
    /// Whether it is of the version that is judged; else it is of the stable.
    pub(super) of_canary: bool,
    /// Whether the weights are those that it was assigned under.
    pub(super) under_present_weights: bool,
    /// How many requests have begun on its version, of all activations.
    pub(super) begun: u64,
    /// The second in which it began.
    pub(super) began: i64,
    /// When it ended.
    pub(super) at: Timestamp,
    /// Whom it belongs to, where requests of one owner stick together.
    pub(super) owner: Option<u16>,
    /// What the rules make of it.
    pub(super) class: Class,
    /// What was seen of it.
    pub(super) observed: &'a Observed,
}
