//! A check that was carried out, for those who follow how near triggers come to firing.

use super::Slot;
use crate::units::{Duration, Timestamp};

/// A check that a trigger has made of a version.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// The trigger's place in the rule set.
    pub trigger: usize,
    /// Of which version.
    pub version: Slot,
    /// The check.
    pub at: Timestamp,
    /// When the next one is due.
    pub next: Timestamp,
    /// For how long the comparison must hold; zero for judges.
    pub duration: Duration,
    /// How near to a breach the reading is: 1 if it is one, below 1 and at least 0 if not.
    pub nearness: f64,
}
