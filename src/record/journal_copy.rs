//! The engine's journal of a run, bounded in number.

use serde::{Deserialize, Serialize};

use crate::engine::{Digest, Entry, Sealed};

/// The entries of a run's journal in their order, up to a bound. They form a chain: each states the
/// hash of the one before.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct JournalCopy {
    /// What came first, at most [`JournalCopy::CAPACITY`].
    pub entries: Vec<Entry>,
    /// The hash of the last of these; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
    /// How many entries came after these.
    pub omitted: u64,
}

impl JournalCopy {
    /// How many entries there were.
    pub fn total(&self) -> u64 {
        self.entries.len() as u64 + self.omitted
    }

    /// How many entries are kept. Chosen: more than any plan of a person's makes, and a megabyte at
    /// the most.
    pub const CAPACITY: usize = 1_000;

    pub(super) fn push(&mut self, sealed: &Sealed) {
        if self.entries.len() < Self::CAPACITY {
            self.entries.push(sealed.entry().clone());
            self.head = Some(sealed.hash());
        } else {
            self.omitted += 1;
        }
    }
}
