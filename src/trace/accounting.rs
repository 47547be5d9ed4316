//! What became of a trace's rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::format::TraceFormat;

/// Why a row was not handed on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// It does not have the format's shape, or a value outside its range.
    Malformed,
    /// It is earlier than the row before it.
    OutOfOrder,
    /// It lies outside the stretch that is replayed.
    OutsideWindow,
    /// It is not in the sample that is replayed.
    NotSampled,
    /// Other requests were sent when its time came.
    Replaced,
}

/// Rows that were dropped for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// The lines of the first few, counted from 1.
    pub lines: Vec<u64>,
}

/// Rows read = emitted + dropped, at any time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accounting {
    /// The format that the trace was read in.
    pub format: TraceFormat,
    /// The unit that its times were taken to be in.
    pub unit: String,
    /// Rows that were read: lines that are neither header nor blank.
    pub read: u64,
    /// Rows that were handed on.
    pub emitted: u64,
    /// Rows that were not.
    pub dropped: BTreeMap<DropReason, Dropped>,
}

impl Accounting {
    pub(super) fn new(format: TraceFormat) -> Self {
        let (unit, dropped) = (format.description().time_unit.to_owned(), BTreeMap::new());
        Self { format, unit, read: 0, emitted: 0, dropped }
    }

    /// Whether every row that was read is accounted for.
    pub fn is_balanced(&self) -> bool {
        let dropped: u64 = self.dropped.values().map(|dropped| dropped.count).sum();
        self.read == self.emitted + dropped
    }

    pub(super) const fn emit(&mut self) {
        self.read += 1;
        self.emitted += 1;
    }

    /// The row on `line`, which was handed on, counts as dropped after all.
    pub(super) fn take_back(&mut self, reason: DropReason, line: u64) {
        self.read -= 1;
        self.emitted -= 1;
        self.drop_row(reason, line);
    }

    pub(super) fn drop_row(&mut self, reason: DropReason, line: u64) {
        self.read += 1;
        let dropped = self.dropped.entry(reason).or_default();
        dropped.count += 1;
        if dropped.lines.len() < EXAMPLES {
            dropped.lines.push(line);
        }
    }
}

/// Chosen: enough lines to see a pattern, few enough to print.
const EXAMPLES: usize = 5;
