//! What readers of logs keep from one row to the next: the unit of plain numbers, seconds where
//! nobody says otherwise, and the numbers of names.

use super::error::TraceErrorKind;
use super::names::Names;
use super::options::{ReadOptions, TimeUnit};
use super::unasked::no_blocks;

/// Of a log in a format without blocks.
pub(super) struct Logged {
    pub(super) unit: TimeUnit,
    /// Whether somebody asked for it.
    asked: bool,
    pub(super) names: Names,
}

impl Logged {
    /// As the options say; an error where one does not fit `format`.
    pub(super) fn new(options: &ReadOptions, format: &'static str) -> Result<Self, TraceErrorKind> {
        no_blocks(options, format)?;
        let (unit, asked) = (options.unit.unwrap_or(TimeUnit::Seconds), options.unit.is_some());
        Ok(Self { unit, asked, names: options.names.clone() })
    }

    /// An error where a unit is asked for and `stamp`, as `format` has it, is a date: it has none.
    pub(super) fn check_unit(
        &self,
        format: &'static str,
        stamp: Option<&str>,
    ) -> Result<(), TraceErrorKind> {
        let is_date = |stamp: &str| stamp.trim().parse::<f64>().is_err();
        match stamp.filter(|stamp| self.asked && is_date(stamp)) {
            Some(_) => Err(TraceErrorKind::FixedUnit { format, has: "dates", unit: self.unit }),
            None => Ok(()),
        }
    }
}
