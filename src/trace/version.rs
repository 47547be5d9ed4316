//! The version of coalmine's own trace format, in its spellings as text.

use super::description::Recognised;
use super::error::{TraceErrorKind, beginning};
use crate::units::Timestamp;

/// The version that is written. The first one is read as well: it had fewer columns.
pub(super) const VERSION: &str = "2";
/// The unit of times in it.
pub(super) const TIME_UNIT: &str = "nanoseconds since the trace began";

/// Whether `version` is one that is read.
pub(super) fn recognise(version: &str) -> Recognised {
    if ["1", VERSION].contains(&version) {
        Recognised::Yes
    } else {
        Recognised::Refused(TraceErrorKind::UnsupportedVersion { found: beginning(version) })
    }
}

/// When a trace began.
pub(super) fn date(text: &str) -> Result<Timestamp, TraceErrorKind> {
    let allowed = "a UTC date and time such as 2024-03-15T11:00:00Z";
    text.parse().map_err(|_| TraceErrorKind::value("began", text, allowed))
}
