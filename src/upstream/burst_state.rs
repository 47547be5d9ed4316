//! The state of bursts of failures, second by second.

use std::cell::Cell;

use super::Bursts;
use super::compiled_failure::CompiledFailure;
use crate::chance::{Chance, Purpose};
use crate::exchange::VersionIndex;
use crate::units::{Ratio, Timestamp};

/// Whether a version is in a bad stretch: a function of the seed, the version and the second, so
/// that runs which send it different requests meet the same bursts.
#[derive(Clone, Debug)]
pub(super) struct BurstState {
    chance: Chance,
    place: u16,
    /// As thresholds.
    enter: u128,
    leave: u128,
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
            chance,
            place: version.0,
            enter: bursts.enter.threshold(),
            leave: bursts.leave.threshold(),
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
            let draw = self.chance.second(self.place, second).draw(Purpose::Burst, 0);
            let was_bad = history & 1 == 1;
            let is_bad = was_bad ^ draw.is_below(if was_bad { self.leave } else { self.enter });
            history = history << 1 | u128::from(is_bad);
        }
        self.state.set((second, history));
        let back = (second - target).min(i64::from(u128::BITS) - 1);
        if history >> back & 1 == 1 { &self.failures } else { &[] }
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
    fn a_burst_that_is_never_entered_or_never_left_keeps_its_state() {
        let never = state(0.0, 0.5, 0);
        let ever = state(1.0, 0.0, 0);
        assert!((0..1_000).all(|second| !is_bad(&never, second)));
        assert!((0..1_000).all(|second| is_bad(&ever, second)));
        let neither = state(0.0, 0.0, 0);
        assert!(!is_bad(&neither, 10));
    }
}
