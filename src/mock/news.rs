//! What a mock tells of its requests while it serves.

use super::planned::Planned;
use crate::exchange::VersionIndex;
use crate::units::Timestamp;
use crate::wire::RequestNumber;

/// Something that a mock tells of a request. What is told of one comes in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MockNews {
    /// It has come, and may have to wait for its turn.
    Came {
        /// Which request, and which attempt at it.
        number: RequestNumber,
        /// The version of the mock that it asks, a place in its list.
        version: VersionIndex,
        /// When it came.
        at: Timestamp,
    },
    /// Its turn has come.
    Planned(Planned),
}
