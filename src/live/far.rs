//! What a run knows of a gateway elsewhere.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use super::retelling::Retelling;
use crate::exchange::{Ending, VersionIndex};
use crate::mock::MockNews;
use crate::scenario::Scenario;
use crate::units::{RequestId, Timestamp};
use crate::wire::RequestNumber;

/// What is known of a gateway elsewhere.
pub(super) struct Far<'a> {
    pub(super) retelling: Retelling<'a>,
    /// What the mock tells.
    pub(super) mock: Receiver<MockNews>,
    /// What came to the mock of requests that the workload has not been heard to give yet:
    /// the two are told by different ways, and either may be heard first.
    pub(super) early: BTreeMap<RequestId, Vec<Came>>,
    /// Answers that named another version than the mock was asked for, or none.
    pub(super) contradicted: u64,
    /// How often it ended a request in each way of which no attempt has reached the mock.
    pub(super) by_itself: BTreeMap<Ending, u64>,
}

impl<'a> Far<'a> {
    /// Of which nothing has been heard, in a run of `scenario`; its journal has so many entries.
    pub(super) fn new(scenario: &'a Scenario, mock: Receiver<MockNews>, entries: u64) -> Self {
        Self {
            retelling: Retelling::new(scenario, entries),
            mock,
            early: BTreeMap::new(),
            contradicted: 0,
            by_itself: BTreeMap::new(),
        }
    }
}

/// An attempt that has come to the mock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    pub(super) number: RequestNumber,
    pub(super) version: VersionIndex,
    pub(super) at: Timestamp,
}
