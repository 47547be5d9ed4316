//! What became of a version's requests, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::exchange::Ending;

/// Counts of one version, over all its behaviours.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Clone, Debug, Default)]
struct Counts {
    in_flight: u64,
    endings: BTreeMap<Ending, u64>,
}

impl Tally {
    /// How many requests have come.
    pub(super) fn requests(&self) -> u64 {
        let counts = self.lock();
        counts.in_flight + counts.endings.values().sum::<u64>()
    }

    /// Requests that have come, that have not ended, and the others by their ending.
    pub(super) fn to_json(&self) -> Value {
        let counts = self.lock().clone();
        let ended: u64 = counts.endings.values().sum();
        let endings: Map<_, _> = counts
            .endings
            .iter()
            .map(|(ending, count)| (ending.name().into_owned(), json!(count)))
            .collect();
        let in_flight = counts.in_flight;
        json!({"requests": ended + in_flight, "in_flight": in_flight, "endings": endings})
    }

    /// A request has come.
    pub(super) fn begin(&self) {
        self.lock().in_flight += 1;
    }

    /// One that had come has ended.
    pub(super) fn end(&self, ending: Ending) {
        let mut counts = self.lock();
        counts.in_flight = counts.in_flight.saturating_sub(1);
        *counts.endings.entry(ending).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_in_flight_until_they_end() {
        let tally = Tally::default();
        (0..4).for_each(|_| tally.begin());
        tally.end(Ending::Success);
        tally.end(Ending::Status(503));
        tally.end(Ending::Success);
        let expected = json!({
            "requests": 4, "in_flight": 1, "endings": {"success": 2, "503": 1},
        });
        assert_eq!((tally.to_json(), tally.requests()), (expected, 4));
    }
}
