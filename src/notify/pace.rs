//! How often and how long a message is tried: attempts, timeout, waits. Pure; knows neither clock
//! nor channel.

use crate::units::{Draw, Duration};

/// How often and how long a message is tried. Between attempts it waits a random part of a wait
/// that grows fourfold ("full jitter", as
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/> calls it), but no
/// shorter than a server asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Attempts in all; 0 counts as 1.
    pub attempts: u8,
    /// The most that an attempt may take.
    pub timeout: Duration,
    /// The longest wait before the second attempt.
    pub first_wait: Duration,
    /// The longest wait before any attempt, also where a server asks for more.
    pub longest_wait: Duration,
}

impl Pace {
    /// The wait after attempt number `attempt`, counted from 1, where the server asked for `asked`.
    pub fn wait(&self, attempt: u8, asked: Option<Duration>, draw: Draw) -> Duration {
        let quadruplings = u32::from(attempt.saturating_sub(1)).min(31);
        let grown = u128::from(self.first_wait.as_nanos()) << (2 * quadruplings);
        let longest = self.longest_wait.as_nanos();
        let ceiling = u64::try_from(grown).map_or(longest, |grown| grown.min(longest));
        let drawn = Duration::from_nanos(ceiling).mul_f64(draw.unit());
        drawn.max(asked.unwrap_or(Duration::ZERO).min(self.longest_wait))
    }
}

impl Default for Pace {
    /// Four attempts of at most 10 s, with waits of up to 1, 4 and 16 s between them, up to 60 s
    /// where a server asks for it: a message is delivered or given up within four minutes.
    fn default() -> Self {
        Self {
            attempts: 4,
            timeout: Duration::from_secs(10),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(draw: u64, asked: Option<u64>) -> Vec<u64> {
        let draw = Draw::from_bits(draw);
        let asked = asked.map(Duration::from_secs);
        let wait = |attempt| Pace::default().wait(attempt, asked, draw);
        (1..=5).map(|attempt| wait(attempt).as_nanos().div_ceil(1_000_000_000)).collect()
    }

    #[test]
    fn waits_grow_fourfold_up_to_the_longest() {
        assert_eq!(waits(u64::MAX, None), [1, 4, 16, 60, 60]);
        assert_eq!(waits(1 << 63, None), [1, 2, 8, 30, 30], "half of them, rounded up");
    }

    #[test]
    fn jitter_can_take_all_of_a_wait() {
        let least = Pace::default().wait(3, None, Draw::from_bits(0));
        assert!(least < Duration::from_millis(1), "{least}");
    }

    #[test]
    fn what_a_server_asks_for_is_granted_up_to_the_longest() {
        assert_eq!(waits(0, Some(7)), [7; 5]);
        assert_eq!(waits(u64::MAX, Some(7)), [7, 7, 16, 60, 60]);
        assert_eq!(waits(0, Some(3_600)), [60; 5]);
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_longest(
            (attempt, bits) in any::<(u8, u64)>(),
            (first, longest) in any::<(u64, u64)>(),
            asked in any::<Option<u64>>(),
        ) {
            let pace = Pace {
                first_wait: Duration::from_nanos(first),
                longest_wait: Duration::from_nanos(longest),
                ..Pace::default()
            };
            let asked = asked.map(Duration::from_nanos);
            let wait = pace.wait(attempt, asked, Draw::from_bits(bits));
            // The product with a fraction is a double: it may round up by its last bit.
            prop_assert!(wait.as_nanos() as f64 <= longest as f64 * (1.0 + 1e-12) + 1.0);
        }
    }
}
