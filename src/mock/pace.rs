//! When each token of a streamed answer comes.

use crate::units::Duration;

/// Tokens that come evenly, with at most one pause among them. Times are from the beginning of the
/// request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TokenPace {
    /// How many come.
    pub(super) count: u32,
    /// When the first comes.
    pub(super) first: Duration,
    /// When it ends.
    pub(super) end: Duration,
    /// Whether the answer is complete: its last token comes at the end. One that is cut ends a gap
    /// after its last token.
    pub(super) complete: bool,
    /// After how many tokens nothing comes for how long.
    pub(super) pause: Option<(u32, Duration)>,
}

impl TokenPace {
    /// No token, and the end.
    pub(super) const fn none(end: Duration) -> Self {
        Self { count: 0, first: end, end, complete: true, pause: None }
    }

    /// When token number `number` comes, from 0; not after the end.
    pub(super) fn at(&self, number: u32) -> Duration {
        let (after, lasts) = self.pause.unwrap_or((u32::MAX, Duration::ZERO));
        let gaps = if self.complete { self.count.saturating_sub(1) } else { self.count };
        let span = self.end.saturating_sub(self.first).saturating_sub(lasts);
        let passed = match gaps {
            0 => 0,
            gaps => u128::from(span.as_nanos()) * u128::from(number) / u128::from(gaps),
        };
        let passed = Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX));
        let paused = if number >= after { lasts } else { Duration::ZERO };
        self.first.saturating_add(passed).saturating_add(paused).min(self.end.max(self.first))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn times(pace: TokenPace) -> Vec<u64> {
        (0..pace.count).map(|number| pace.at(number).as_micros() / 1_000).collect()
    }

    const FIVE: TokenPace =
        TokenPace { count: 5, first: millis(200), end: millis(1_000), complete: true, pause: None };

    #[test]
    fn the_last_token_of_a_complete_answer_comes_at_its_end() {
        assert_eq!(times(FIVE), [200, 400, 600, 800, 1_000]);
        assert_eq!(times(TokenPace { count: 1, ..FIVE }), [200]);
        assert_eq!(times(TokenPace::none(millis(7))), [0; 0]);
    }

    #[test]
    fn an_answer_that_is_cut_ends_a_gap_after_its_last_token() {
        assert_eq!(times(TokenPace { count: 4, complete: false, ..FIVE }), [200, 400, 600, 800]);
    }

    #[test]
    fn nothing_comes_in_a_pause() {
        let paused = |after| {
            let pause = Some((after, millis(5_000)));
            times(TokenPace { end: millis(6_000), pause, ..FIVE })
        };
        assert_eq!(paused(2), [200, 400, 5_600, 5_800, 6_000]);
        assert_eq!(paused(5), [200, 400, 600, 800, 1_000]);
    }

    proptest! {
        #[test]
        fn tokens_come_in_their_order_between_first_and_end(
            count in 1..2_000_u32, first: u64, length: u64, complete: bool,
            pause in proptest::option::of((0..2_000_u32, any::<u64>())),
        ) {
            let first = Duration::from_nanos(first);
            let end = first.saturating_add(Duration::from_nanos(length));
            let pause = pause.map(|(after, lasts)| (after, Duration::from_nanos(lasts)));
            let pace = TokenPace { count, first, end, complete, pause };
            let times: Vec<_> = (0..count).map(|number| pace.at(number)).collect();
            prop_assert!(times.is_sorted());
            prop_assert!(times.iter().all(|at| (first..=end).contains(at)));
        }
    }
}
