//! What is done to an engine, in a form that a person can read and keep.

use serde::{Deserialize, Serialize};

use super::order::{Name, Order};
use crate::exchange::Ending;

/// Something that is done to the engine. Numbers that name a model, a version, a key or a request
/// are taken modulo how many there are, so that every operation makes sense at every time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Time passes, in milliseconds; a negative number is a clock that jumps back.
    Wait(i32),
    /// A request is routed, by its draw or its user, or to a pinned version.
    Route {
        /// Of which model.
        model: u8,
        /// The draw's upper bits.
        draw: u32,
        /// Whose it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<u8>,
        /// What it asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pin: Option<Name>,
    },
    /// An attempt in flight ends.
    Complete {
        /// Which.
        request: u8,
        /// How.
        ending: End,
        /// Its latency in milliseconds.
        latency: u16,
        /// Whether its client had a token already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        token: bool,
        /// The tokens of a complete answer; one of 200 or more was cut off there.
        #[serde(default)]
        output: u8,
    },
    /// A request that waits for another attempt gets it.
    Retry {
        /// Which.
        request: u8,
        /// The draw's upper bits.
        draw: u32,
    },
    /// The client of a request that waits for another attempt leaves.
    GiveUp(u8),
    /// The client of an attempt in flight leaves.
    Abandon(u8),
    /// Requests are routed one after the other and end at once: with a 503 on the version that
    /// fails, else well.
    Traffic {
        /// Of which model.
        model: u8,
        /// How many.
        requests: u8,
        /// The version that fails.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failing: Option<u8>,
        /// Their latency in milliseconds.
        latency: u16,
    },
    /// Somebody presents a key's secret.
    Authenticate {
        /// The key.
        key: u8,
        /// The secret.
        secret: u8,
    },
    /// A command.
    Command {
        /// For which model.
        model: u8,
        /// What.
        order: Order,
    },
    /// The engine is stopped and restored from its journal; what was in flight is lost.
    Restart,
}

/// How an attempt ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Well.
    Success,
    /// With a status that is no success.
    Status(u16),
    /// Too late.
    Timeout,
    /// The connection broke off.
    Reset,
    /// The stream stopped before its finish.
    Truncated,
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Success => Self::Success,
            End::Status(status) => Self::Status(status),
            End::Timeout => Self::Timeout,
            End::Reset => Self::Reset,
            End::Truncated => Self::Truncated,
        }
    }
}
