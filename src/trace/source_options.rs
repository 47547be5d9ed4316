//! How a trace is read, where that is not as its beginning tells.

use super::format::TraceFormat;
use super::options::ReadOptions;

/// How a trace is read; by default its format is told by its beginning, and the first broken row
/// ends the reading.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// The format; `None`: the one that its beginning tells.
    pub format: Option<TraceFormat>,
    /// What the format leaves open.
    pub rows: ReadOptions,
    /// How many broken rows are left out before one ends the reading.
    pub skip_bad: u64,
    /// Whether rows may come before others that were sent earlier.
    pub any_order: bool,
}
