//! The version of coalmine's own trace format, in both of its spellings.

use super::description::Recognised;
use super::error::{TraceErrorKind, beginning};

/// The version that is read and written.
pub(super) const VERSION: &str = "1";
/// The unit of times in it.
pub(super) const TIME_UNIT: &str = "nanoseconds since the trace began";

/// Whether `version` is the one that is read.
pub(super) fn recognise(version: &str) -> Recognised {
    if version == VERSION {
        Recognised::Yes
    } else {
        Recognised::Refused(TraceErrorKind::UnsupportedVersion { found: beginning(version) })
    }
}
