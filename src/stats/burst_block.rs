//! Thinning of errors that come in bursts. Knows nothing of what an error is.

use crate::units::{Duration, Timestamp};

/// Lets the first error of each block of time through and no other, whichever arm it hits.
///
/// A test that takes errors as independent is misled by a bad minute of one upstream: its errors
/// are one event. Blocks turn such a burst into as many errors as it has blocks. One error for both
/// arms together, not for each: with one for each, rare blocks would weigh as much as frequent
/// ones, and an arm with a small share would seem to have half of the errors.
///
/// A block begins with the error that is let through and lasts for the length given; so two errors
/// that are let through are never nearer than that, which a fixed grid of blocks would allow.
///
/// The time of an error is that of its completion, when it becomes known: what has been let through
/// cannot be taken back for one that was assigned earlier and completes later. So in the first
/// block of a shock to both arms the one that fails faster comes first. It stays at one error a
/// shock, and blocks are there for that too; but where errors of the two arms take very different
/// times and shocks are frequent, the faster one gets more than its share.
///
/// What it does not help against: at a small share of the traffic, bursts that the canary alone has
/// leave it with too many of the blocks even if the stable has as many bursts of its own. In 20,000
/// hours in which each arm had a burst every five minutes, half of its requests failing for 10 to
/// 30 seconds, [`ErrorRatioTest`] at alpha = 0.01 and an effect of 1.5 raised false alarms
///
/// | canary's share | without blocks | with blocks of 10 s |
/// | --- | --- | --- |
/// | 50 % | 100 % | 0.05 % (1.2 % at an effect of 1) |
/// | 5, then 25, then 50 % | - | 2.8 % |
/// | 5 % | 99.8 % | 11 % |
///
/// (`tests/judges.rs`). The price is time: with at most one error in 10 s, the 18 in a row that
/// reject at 50 % and alpha = 0.001 take three minutes.
///
/// [`ErrorRatioTest`]: super::ErrorRatioTest
///
/// ```
/// use coalmine::stats::BurstBlock;
/// use coalmine::units::{Duration, Timestamp};
/// let mut block = BurstBlock::new(Duration::from_secs(10));
/// let admitted = [3, 4, 12, 13, 40].map(|second| block.admits(Timestamp::from_second(second)));
/// assert_eq!(admitted, [true, false, false, true, true]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BurstBlock {
    length: Duration,
    /// When the last block began; `None` before the first error.
    began: Option<Timestamp>,
}

impl BurstBlock {
    /// Before any error, with blocks of `length`; a length of 0 lets every error through.
    pub const fn new(length: Duration) -> Self {
        Self { length, began: None }
    }

    /// Whether the error that completed `at` this time counts. Times never go back; one before the
    /// last block's beginning is taken as in that block.
    pub fn admits(&mut self, at: Timestamp) -> bool {
        let in_block = |began: Timestamp| at.since(began) < self.length;
        if self.began.is_some_and(in_block) {
            return false;
        }
        self.began = Some(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    #[test]
    fn a_block_ends_when_its_length_has_passed_and_not_before() {
        let mut block = BurstBlock::new(TEN_SECONDS);
        let start = Timestamp::from_second(-3);
        assert!(block.admits(start));
        assert!(!block.admits(start));
        assert!(!block.admits(start + Duration::from_nanos(9_999_999_999)));
        assert!(block.admits(start + TEN_SECONDS));
        assert!(!block.admits(start + Duration::from_secs(19)));
        assert!(block.admits(start + Duration::from_secs(20)));
    }

    #[test]
    fn an_error_before_the_block_belongs_to_it() {
        let mut block = BurstBlock::new(TEN_SECONDS);
        assert!(block.admits(Timestamp::from_second(100)));
        assert!(!block.admits(Timestamp::from_second(50)));
        assert!(block.admits(Timestamp::from_second(110)));
    }

    #[test]
    fn without_length_every_error_counts() {
        let mut block = BurstBlock::new(Duration::ZERO);
        assert!((0..5).all(|_| block.admits(Timestamp::from_second(7))));
    }

    #[test]
    fn errors_at_a_rate_are_let_through_at_the_rate_of_renewal() {
        // After each block of length d the next error is awaited for 1 / rate on average:
        // rate / (1 + rate d) errors a second are let through.
        let mut draws = SplitMix::new(3);
        let mut block = BurstBlock::new(TEN_SECONDS);
        let (rate, errors) = (0.5, 200_000);
        let (mut seconds, mut admitted) = (0.0, 0.0);
        for _ in 0..errors {
            seconds -= crate::math::ln(1.0 - draws.uniform()) / rate;
            let at = Timestamp::EPOCH + Duration::from_secs_f64(seconds);
            admitted += f64::from(u8::from(block.admits(at)));
        }
        let expected = seconds * rate / (1.0 + rate * 10.0);
        assert!((admitted / expected - 1.0).abs() < 0.01, "{admitted} {expected}");
    }
}
