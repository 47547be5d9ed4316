//! How the rows of a format are read, where the format leaves something open.

use super::names::Names;
use crate::units::Duration;

/// What a format is told that leaves something open.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The unit of its times; `None`: that of the format.
    pub unit: Option<TimeUnit>,
    /// Tokens of a block of the prompt, more than 0; `None`: as the format has it.
    pub block: Option<u32>,
    /// What becomes of names of users and conversations.
    pub names: Names,
}

/// The unit that the times of a trace are in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl TimeUnit {
    /// All.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    /// Its symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }

    /// Its name, of several.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
        }
    }

    /// How many decimals of a number of it are a nanosecond.
    pub(super) const fn digits(self) -> i32 {
        match self {
            Self::Seconds => 9,
            Self::Millis => 6,
            Self::Micros => 3,
            Self::Nanos => 0,
        }
    }

    /// One of it.
    pub const fn length(self) -> Duration {
        match self {
            Self::Seconds => Duration::from_secs(1),
            Self::Millis => Duration::from_millis(1),
            Self::Micros => Duration::from_micros(1),
            Self::Nanos => Duration::from_nanos(1),
        }
    }
}
