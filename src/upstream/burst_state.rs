//! The state of bursts of failures, second by second.

use std::cell::Cell;

use super::Bursts;
use super::compiled_failure::CompiledFailure;
use crate::chance::{Chance, Purpose};
use crate::exchange::VersionIndex;
use crate::units::{Ratio, Timestamp};

/// The states of a version's upstream, each of which follows from the one a second before.
#[derive(Clone, Copy, Debug)]
struct Chain {
    chance: Chance,
    place: u16,
    /// As thresholds.
    enter: u128,
    leave: u128,
    /// The second that it begins with, and whether that is bad.
    first: (i64, bool),
}

impl Chain {
    /// Whether `second` is bad, told whether the one before was.
    fn is_bad(&self, second: i64, was_bad: bool) -> bool {
        let draw = self.chance.second(self.place, second).draw(Purpose::Burst, 0);
        was_bad ^ draw.is_below(if was_bad { self.leave } else { self.enter })
    }
}

/// Whether a version is in a bad stretch: a function of the seed, the version and the second, so
/// that runs which send it different requests meet the same bursts.
#[derive(Clone, Debug)]
pub(super) struct BurstState {
    chain: Chain,
    failures: Vec<CompiledFailure>,
    /// A second, and whether it and those before it were bad, a bit for each, the latest lowest. It
    /// follows from the rest, and is kept so that the next one need not be worked out from the
    /// beginning.
    state: Cell<(i64, u128)>,
}

impl BurstState {
    /// The state in the second of `start`, from which it follows second by second.
    pub(super) fn new(
        bursts: &Bursts,
        chance: Chance,
        version: VersionIndex,
        start: Timestamp,
    ) -> Self {
        let (enter, leave) = (bursts.enter.get(), bursts.leave.get());
        let stationary = if enter > 0.0 { enter / (enter + leave) } else { 0.0 };
        let second = start.second();
        let first = chance.second(version.0, second).draw(Purpose::Burst, 1);
        let bad = Ratio::new(stationary).is_ok_and(|share| first.is_below(share.threshold()));
        Self {
            chain: Chain {
                chance,
                place: version.0,
                enter: bursts.enter.threshold(),
                leave: bursts.leave.threshold(),
                first: (second, bad),
            },
            failures: bursts.failures.iter().map(CompiledFailure::new).collect(),
            // Before the beginning it was as in the beginning.
            state: Cell::new((second, if bad { u128::MAX } else { 0 })),
        }
    }

    /// The failures of a burst, if `now` lies in one. Time goes back by two minutes at most: what
    /// lies further back is taken for what was two minutes ago.
    pub(super) fn failures(&self, now: Timestamp) -> &[CompiledFailure] {
        let (mut second, mut history) = self.state.get();
        let target = now.second();
        while second < target {
            second += 1;
            let is_bad = self.chain.is_bad(second, history & 1 == 1);
            history = history << 1 | u128::from(is_bad);
        }
        self.state.set((second, history));
        let back = (second - target).min(i64::from(u128::BITS) - 1);
        if history >> back & 1 == 1 { &self.failures } else { &[] }
    }

    /// The bad stretches before `end`, in their order: from which second to before which. The
    /// states are worked out anew, as they do not depend on what was asked before.
    pub(super) fn stretches(&self, end: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let chain = self.chain;
        let last = end.ceil_second().second();
        let mut states = std::iter::successors(Some(chain.first), move |(second, was_bad)| {
            let next = second + 1;
            (next < last).then(|| (next, chain.is_bad(next, *was_bad)))
        });
        std::iter::from_fn(move || {
            let (from, _) = states.find(|(second, bad)| *bad && *second < last)?;
            let until = states.find(|(_, bad)| !*bad).map_or(last, |(second, _)| second);
            Some((Timestamp::from_second(from), Timestamp::from_second(until).min(end)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{Failure, FailureKind};

    const VERSION: VersionIndex = VersionIndex(2);

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).unwrap()
    }

    fn state(enter: f64, leave: f64, start: i64) -> BurstState {
        let failures = vec![Failure {
            kind: FailureKind::Status(503),
            probability: Ratio::ONE,
            latency: None,
        }];
        let bursts = Bursts { enter: ratio(enter), leave: ratio(leave), failures };
        BurstState::new(&bursts, Chance::new(5, 0), VERSION, Timestamp::from_second(start))
    }

    fn is_bad(state: &BurstState, second: i64) -> bool {
        !state.failures(Timestamp::from_second(second)).is_empty()
    }

    #[test]
    fn bursts_have_the_share_and_the_length_that_the_chain_has() {
        // Stationary share 0.002 / (0.002 + 0.05) = 1/26; mean length 1 / 0.05 = 20 s. The chain
        // forgets with 1 - 0.052 a second, so the standard deviation of the share over n seconds
        // is sqrt(p q / n * (1.948 / 0.052)) = 0.00118 for a million.
        let state = state(0.002, 0.05, 0);
        let states: Vec<bool> = (0..1_000_000).map(|second| is_bad(&state, second)).collect();
        let bad = states.iter().filter(|bad| **bad).count() as f64;
        let begins = states.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        assert!((bad / 1e6 - 1.0 / 26.0).abs() < 4.0 * 0.00118, "{bad}");
        // About 1,923 bursts, geometric lengths: standard error 20 / sqrt(1923) = 0.46.
        assert!((bad / begins - 20.0).abs() < 4.0 * 0.46, "{}", bad / begins);
    }

    #[test]
    fn the_state_of_a_second_does_not_depend_on_when_it_is_asked_for() {
        let (often, seldom) = (state(0.01, 0.1, 100), state(0.01, 0.1, 100));
        let mut states = Vec::new();
        for second in 100..10_000 {
            let bad = is_bad(&often, second);
            states.push(bad);
            if second % 97 == 0 {
                assert_eq!(bad, is_bad(&seldom, second), "{second}");
                let before = (second - 100).max(100);
                let then = states[(before - 100) as usize];
                assert_eq!(then, is_bad(&seldom, before), "{before}, a while ago");
            }
        }
    }

    #[test]
    fn the_stretches_are_those_in_which_requests_would_have_failed() {
        let state = state(0.05, 0.3, 100);
        let end = Timestamp::from_second(2_000);
        let stretches: Vec<_> = state.stretches(end).collect();
        let seconds: Vec<(i64, i64)> =
            stretches.iter().map(|(from, until)| (from.second(), until.second())).collect();
        assert!(seconds.windows(2).all(|pair| pair[0].1 < pair[1].0), "{seconds:?}");
        for second in 100..2_000 {
            let within = seconds.iter().any(|(from, until)| (*from..*until).contains(&second));
            assert_eq!(within, is_bad(&state, second), "{second}");
        }
        // About 1,900 * 0.05 * 0.3 / 0.35 = 81 of them begin, give or take ten or so.
        assert!((40..=120).contains(&seconds.len()), "{}", seconds.len());
    }

    #[test]
    fn a_stretch_ends_with_the_run_at_the_latest() {
        let end = Timestamp::from_nanos(7_500_000_000);
        let ever: Vec<_> = state(1.0, 0.0, 3).stretches(end).collect();
        assert_eq!(ever, [(Timestamp::from_second(3), end)]);
        assert_eq!(state(0.0, 0.5, 3).stretches(end).count(), 0);
        assert_eq!(state(1.0, 0.0, 3).stretches(Timestamp::from_second(3)).count(), 0);
    }

    #[test]
    fn a_burst_that_is_never_entered_or_never_left_keeps_its_state() {
        let never = state(0.0, 0.5, 0);
        let ever = state(1.0, 0.0, 0);
        assert!((0..1_000).all(|second| !is_bad(&never, second)));
        assert!((0..1_000).all(|second| is_bad(&ever, second)));
        let neither = state(0.0, 0.0, 0);
        assert!(!is_bad(&neither, 10));
    }
}
