//! Coalmine's binary form as a format among others: it is told by its first bytes, not by a line,
//! and has a reader and a writer of its own.

use super::description::{Description, FirstLine, Order, Origin, Recognised};
use super::error::TraceErrorKind;
use super::version;

/// The format.
pub(super) static FORMAT: Description = Description {
    name: "coalmine binary",
    begins: "bytes that are no text; `coalmine trace import` writes them",
    time_unit: version::TIME_UNIT,
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise: |_| Recognised::No,
    read: |_| Err(TraceErrorKind::NotPacked),
    write: None,
};
