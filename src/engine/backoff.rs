//! How long to wait before a further attempt.

use serde::{Deserialize, Serialize};

use super::PolicyError;
use super::policy_error::MAX_BACKOFF;
use crate::units::{Draw, Duration, Ratio};

/// The wait before a further attempt: `first`, doubled for each further one that was made before,
/// at most `max`, less a random part of up to `jitter` of it.
///
/// ```
/// use coalmine::engine::Backoff;
/// use coalmine::units::{Draw, Duration, Ratio};
/// let (first, max) = (Duration::from_millis(100), Duration::from_millis(300));
/// let backoff = Backoff::new(first, max, Ratio::ZERO).unwrap();
/// let any = Draw::from_bits(7);
/// let waits = [1, 2, 3, 4].map(|number| backoff.wait(number, any));
/// assert_eq!(waits, [100, 200, 300, 300].map(Duration::from_millis));
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawBackoff", into = "RawBackoff")]
pub struct Backoff {
    first: Duration,
    max: Duration,
    jitter: Ratio,
}

impl Backoff {
    /// The longest wait that can be asked for.
    pub const MAX: Duration = MAX_BACKOFF;

    /// A backoff from `first` to `max`, which is at most [`Backoff::MAX`].
    ///
    /// # Errors
    /// `max` is below `first`, or too long.
    pub fn new(first: Duration, max: Duration, jitter: Ratio) -> Result<Self, PolicyError> {
        if max < first || max > Self::MAX {
            return Err(PolicyError::Backoff { first, max });
        }
        Ok(Self { first, max, jitter })
    }

    /// The first wait, before jitter.
    pub const fn first(self) -> Duration {
        self.first
    }

    /// The longest wait.
    pub const fn max(self) -> Duration {
        self.max
    }

    /// How much of a wait is left to chance.
    pub const fn jitter(self) -> Ratio {
        self.jitter
    }

    /// The wait before further attempt `number`, counted from 1. Without jitter the draw has no
    /// effect.
    pub fn wait(self, number: u8, draw: Draw) -> Duration {
        self.before(number, Duration::ZERO).drawn(draw)
    }

    /// The wait before further attempt `number`, but no shorter than what was `asked` for, of which
    /// no more is granted than the longest wait.
    pub(super) fn before(self, number: u8, asked: Duration) -> Wait {
        let doublings = u32::from(number.saturating_sub(1)).min(63);
        let nanos = u128::from(self.first.as_nanos()) << doublings;
        let longest = nanos.min(u128::from(self.max.as_nanos())) as u64;
        Wait {
            longest: Duration::from_nanos(longest),
            jitter: self.jitter,
            shortest: asked.min(self.max),
        }
    }
}

/// A wait as far as it is known before chance has its say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Wait {
    longest: Duration,
    jitter: Ratio,
    shortest: Duration,
}

impl Wait {
    /// None at all.
    pub(super) const NONE: Self =
        Self { longest: Duration::ZERO, jitter: Ratio::ZERO, shortest: Duration::ZERO };

    /// How long it is.
    pub(super) fn drawn(self, draw: Draw) -> Duration {
        self.longest.mul_f64(1.0 - self.jitter.get() * draw.unit()).max(self.shortest)
    }
}

impl Default for Backoff {
    /// Envoy's: 25 ms to ten times that, all of it left to chance.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(25),
            max: Duration::from_millis(250),
            jitter: Ratio::ONE,
        }
    }
}

/// A backoff as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBackoff {
    first: Duration,
    max: Duration,
    jitter: Ratio,
}

impl TryFrom<RawBackoff> for Backoff {
    type Error = PolicyError;
    fn try_from(raw: RawBackoff) -> Result<Self, PolicyError> {
        Self::new(raw.first, raw.max, raw.jitter)
    }
}

impl From<Backoff> for RawBackoff {
    fn from(Backoff { first, max, jitter }: Backoff) -> Self {
        Self { first, max, jitter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn jitter_takes_a_part_of_the_wait_and_no_more() {
        let backoff = Backoff::new(millis(100), millis(100), Ratio::from_percent(25)).unwrap();
        let [least, most] = [u64::MAX, 0].map(|bits| backoff.wait(1, Draw::from_bits(bits)));
        assert!(least >= millis(75) && least < millis(76), "{least:?}");
        assert!(most <= millis(100) && most > millis(99), "{most:?}");
        assert_eq!(backoff.wait(3, Draw::from_bits(1 << 63)).as_micros(), 87_500);
    }

    #[test]
    fn what_is_asked_for_is_the_shortest_wait_as_far_as_the_longest_allows() {
        let backoff = Backoff::new(millis(100), millis(1_500), Ratio::from_percent(50)).unwrap();
        let waits = |number, asked| {
            [u64::MAX, 0].map(|bits| {
                backoff.before(number, millis(asked)).drawn(Draw::from_bits(bits)).as_nanos()
                    / 1_000_000
            })
        };
        assert_eq!(waits(1, 0), [50, 100], "left to chance");
        assert_eq!(waits(1, 80), [80, 100]);
        assert_eq!(waits(1, 1_000), [1_000, 1_000]);
        assert_eq!(waits(1, 2_000), [1_500, 1_500]);
        assert_eq!(waits(5, 1_000), [1_000, 1_500], "doubled to more than was asked for");
    }

    #[test]
    fn many_doublings_end_at_the_maximum() {
        let backoff = Backoff::new(millis(1), Backoff::MAX, Ratio::ZERO).unwrap();
        assert_eq!(backoff.wait(u8::MAX, Draw::from_bits(0)), Backoff::MAX);
    }

    #[test]
    fn a_maximum_below_the_first_wait_or_above_a_minute_is_refused() {
        let error = Backoff::new(millis(100), millis(50), Ratio::ZERO).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a backoff from 100 ms to 50 ms: its longest wait must be at least its first and at \
             most 60 s"
        );
        assert!(Backoff::new(millis(100), millis(60_001), Ratio::ZERO).is_err());
    }
}
