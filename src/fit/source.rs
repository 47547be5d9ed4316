//! Where a recording comes from, as it is told.

use crate::units::format_count;

/// What is told of a recording in the head of the scenario that was fitted to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RecordingSource {
    /// Its file.
    pub name: String,
    /// The SHA-256 of its bytes in hexadecimal, where it was read to its end.
    pub sha256: Option<String>,
    /// How many rows were read.
    pub read: u64,
    /// How many of them were left out, for whatever reason.
    pub left_out: u64,
    /// What was done with it first: a sentence each.
    pub words: Vec<String>,
}

impl RecordingSource {
    /// `9,000 rows were read, 3 of them left out`.
    pub(super) fn rows(&self) -> String {
        let read = format!("{} rows were read", format_count(self.read));
        match self.left_out {
            0 => read,
            left_out => format!("{read}, {} of them left out", format_count(left_out)),
        }
    }
}
