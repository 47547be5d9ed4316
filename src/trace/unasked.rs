//! Options of reading that a format has no use for: to be told, not to be ignored.

use super::error::TraceErrorKind;
use super::options::ReadOptions;

/// An error where a unit of time is asked for that `format` does not leave open: it has its times
/// in what `has` says.
pub(super) fn fixed_unit(
    options: &ReadOptions,
    format: &'static str,
    has: &'static str,
) -> Result<(), TraceErrorKind> {
    match options.unit {
        Some(unit) => Err(TraceErrorKind::FixedUnit { format, has, unit }),
        None => Ok(()),
    }
}

/// An error where a size of blocks is asked for: `format` has no blocks.
pub(super) fn no_blocks(options: &ReadOptions, format: &'static str) -> Result<(), TraceErrorKind> {
    match options.block {
        Some(block) => Err(TraceErrorKind::FixedBlock { format, has: "no blocks", block }),
        None => Ok(()),
    }
}
