//! What a run knows of a gateway elsewhere.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use super::retelling::Retelling;
use crate::mock::Planned;
use crate::units::RequestId;

/// What is known of a gateway elsewhere.
pub(super) struct Far<'a> {
    pub(super) retelling: Retelling<'a>,
    /// What the mock was asked for.
    pub(super) plans: Receiver<Planned>,
    /// What the mock was asked for of requests that the workload has not been heard to give yet:
    /// the two are told by different ways, and either may be heard first.
    pub(super) early: BTreeMap<RequestId, Vec<Planned>>,
    /// Answers that named another version than the mock was asked for, or none.
    pub(super) contradicted: u64,
}
