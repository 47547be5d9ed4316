//! Operations on an engine with one model and four versions, in a form that a person can keep.

use serde::{Deserialize, Serialize};

/// Something that is done to the engine. Numbers that name a version or a request in flight are
/// taken modulo how many there are, so that every operation makes sense at every time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Time passes, in milliseconds; a negative number is a clock that jumps back.
    Wait(i32),
    /// A request is routed, by its draw or to a pinned version.
    Route {
        /// The draw's upper bits.
        draw: u32,
        /// A version.
        pin: Option<u8>,
    },
    /// A request in flight ends: with a status (200 is a success), after milliseconds of latency.
    Complete {
        /// Which.
        request: u8,
        /// The status; 0 is a timeout.
        status: u16,
        /// Its latency.
        latency: u16,
    },
    /// The client of a request in flight leaves.
    Abandon(u8),
    /// A version is registered.
    Register(u8),
    /// A tag (0 is `stable`) is set to a version.
    Tag {
        /// The tag.
        tag: u8,
        /// The version.
        version: u8,
        /// Whether earlier holders are remembered.
        preserve_previous: bool,
    },
    /// The weights are set, in parts of their sum.
    Split {
        /// By version.
        parts: [u8; 4],
        /// Whether what was rolled back is deployed again.
        redeploy: bool,
    },
    /// The rules are set.
    Rules(Rules),
    /// All traffic to a version, or to the last stable.
    Rollback(Option<u8>),
    /// A rollout begins.
    Start {
        /// The canary.
        version: u8,
        /// The steps.
        ladder: Ladder,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// A version is promoted.
    Promote {
        /// Which.
        version: u8,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// The rollout pauses.
    Pause,
    /// It is resumed.
    Resume,
    /// It is aborted.
    Abort,
    /// The engine is stopped and restored from its journal; what was in flight is lost.
    Restart,
}

/// Sets of rules that operations choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// None.
    None,
    /// Errors above 20 % at one check, of five requests.
    Hasty,
    /// The document's two rules, and errors of the stable.
    Document,
    /// A judge, and no data for a breach.
    Strict,
}

/// Ladders that operations choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ladder {
    /// One step to all traffic.
    One,
    /// Three steps of some seconds.
    Three,
    /// Two steps, the second of which waits for a command.
    Paused,
}

/// A list of operations as lines of JSON.
pub fn write_operations(operations: &[Operation]) -> String {
    let line = |operation: &Operation| {
        serde_json::to_string(operation).expect("an operation has a JSON form") + "\n"
    };
    operations.iter().map(line).collect()
}

/// The operations that lines of JSON say.
///
/// # Errors
/// A line is none: with its number, from 1.
pub fn read_operations(text: &str) -> Result<Vec<Operation>, (usize, serde_json::Error)> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines.map(|(line, number)| serde_json::from_str(line).map_err(|e| (number, e))).collect()
}
