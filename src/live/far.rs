//! What a run knows of a gateway elsewhere.

use std::sync::mpsc::Receiver;

use super::retelling::Retelling;
use crate::mock::Planned;

/// What is known of a gateway elsewhere.
pub(super) struct Far<'a> {
    pub(super) retelling: Retelling<'a>,
    /// What the mock was asked for.
    pub(super) plans: Receiver<Planned>,
    /// Answers that named another version than the mock was asked for, or none.
    pub(super) contradicted: u64,
}
