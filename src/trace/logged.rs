//! What readers of logs keep from one row to the next: the unit of plain numbers, seconds where
//! nobody says otherwise, and the numbers of names.

use super::error::TraceErrorKind;
use super::names::Names;
use super::options::{ReadOptions, TimeUnit};
use super::unasked::no_blocks;

/// Of a log in a format without blocks.
pub(super) struct Logged {
    pub(super) unit: TimeUnit,
    pub(super) names: Names,
}

impl Logged {
    /// As the options say; an error where one does not fit `format`.
    pub(super) fn new(options: &ReadOptions, format: &'static str) -> Result<Self, TraceErrorKind> {
        no_blocks(options, format)?;
        let unit = options.unit.unwrap_or(TimeUnit::Seconds);
        Ok(Self { unit, names: options.names.clone() })
    }
}
