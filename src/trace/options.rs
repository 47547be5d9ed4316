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

    /// `text`, a number without exponent and sign such as `61.114`, in this unit; `None` where it
    /// is none, has more decimals than nanoseconds, or lies beyond 2^63 - 1 ns.
    pub(super) fn parse(self, text: &str) -> Option<Duration> {
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        if decimals > self.digits() as usize || text.contains(['e', 'E']) {
            return None;
        }
        let nanos = super::decimal::scaled(text, self.digits())?;
        i64::try_from(nanos).is_ok().then(|| Duration::from_nanos(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly_to_the_nanosecond() {
        let seconds = |text| TimeUnit::Seconds.parse(text).map(Duration::as_nanos);
        assert_eq!(seconds("61.114"), Some(61_114_000_000));
        assert_eq!(seconds("0.000000001"), Some(1));
        assert_eq!(seconds("9223372036.854775807"), Some(i64::MAX as u64));
        for text in ["9223372036.854775808", "1.0000000001", "1.", ".5", "-1", "1e3", "", "1.+5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(TimeUnit::Millis.parse("3001"), Some(Duration::from_millis(3_001)));
        assert_eq!(TimeUnit::Millis.parse("0.25"), Some(Duration::from_micros(250)));
        assert_eq!(TimeUnit::Nanos.parse("7"), Some(Duration::from_nanos(7)));
        assert_eq!(TimeUnit::Nanos.parse("7.5"), None);
    }
}
