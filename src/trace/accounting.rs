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

impl DropReason {
    /// It in words, after "dropped as".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::OutOfOrder => "out of order",
            Self::OutsideWindow => "outside the window",
            Self::NotSampled => "not in the sample",
            Self::Replaced => "replaced by a phase's own arrivals",
        }
    }
}

/// Rows that have something in common: that they were dropped for one reason, or came late.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// The lines of the first few, or the rows of a binary trace, counted from 1.
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
    /// Rows that came after one that was sent later, where any order is allowed: they are among
    /// those that were handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Dropped>,
}

impl Accounting {
    pub(super) fn new(format: TraceFormat, unit: &str) -> Self {
        let (unit, dropped) = (unit.to_owned(), BTreeMap::new());
        Self { format, unit, read: 0, emitted: 0, dropped, late: None }
    }

    /// What [`Dropped::lines`] are the numbers of: lines, or rows where there are no lines.
    pub const fn numbered(&self) -> &'static str {
        match self.format {
            TraceFormat::Packed => "row",
            _ => "line",
        }
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
        self.dropped.entry(reason).or_default().add(line);
    }

    /// So many rows were read and not handed on, nobody knows which.
    pub(super) fn leave_out(&mut self, reason: DropReason, count: u64) {
        if count > 0 {
            self.read += count;
            self.dropped.entry(reason).or_default().count += count;
        }
    }

    /// The row on `line`, which is handed on, came late.
    pub(super) fn note_late(&mut self, line: u64) {
        self.late.get_or_insert_default().add(line);
    }

    /// How many broken rows were left out.
    pub(super) fn malformed(&self) -> u64 {
        self.dropped.get(&DropReason::Malformed).map_or(0, |dropped| dropped.count)
    }
}

impl Dropped {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < EXAMPLES {
            self.lines.push(line);
        }
    }
}

/// Chosen: enough lines to see a pattern, few enough to print.
const EXAMPLES: usize = 5;
