//! What a rollback would have spared, within what can be known.

use serde::{Deserialize, Serialize};

use crate::stats::{Confidence, Interval};
use crate::units::VersionId;

/// The requests that a rollback would have moved: those that other versions than its target got in
/// the recording from its instant on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Where they would have gone.
    pub target: VersionId,
    /// How many.
    pub requests: u64,
    /// Those of them that failed in the recording.
    pub failed: u64,
    /// Requests that the target got while they came.
    pub target_requests: u64,
    /// Those of them that failed.
    pub target_failed: u64,
    /// How many failures would have been spared.
    pub spared: Spared,
}

/// How many failures would have been spared: those that were recorded, less those that the target
/// would have had with the same requests. What it would have done with them nobody knows.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spared {
    /// The least: the target would have failed every one of them.
    pub least: i64,
    /// The most: it would have failed none.
    pub most: u64,
    /// Had the target served them as it served its own at that time; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// A value with the 95 % interval of Clopper and Pearson of the target's failures.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Expected {
    /// The value.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}

impl Moved {
    /// Of counts.
    pub(super) fn new(
        target: VersionId,
        (requests, failed): (u64, u64),
        (target_requests, target_failed): (u64, u64),
    ) -> Self {
        let expected = (target_requests > 0).then(|| {
            let with = |rate: f64| failed as f64 - requests as f64 * rate;
            let rate = target_failed as f64 / target_requests as f64;
            let interval =
                Interval::clopper_pearson(target_failed, target_requests, Confidence::PERCENT_95);
            Expected { value: with(rate), low: with(interval.high), high: with(interval.low) }
        });
        let least = failed as i64 - requests as i64;
        let spared = Spared { least, most: failed, expected };
        Self { target, requests, failed, target_requests, target_failed, spared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(own: (u64, u64), target: (u64, u64)) -> Spared {
        Moved::new(VersionId::new("v1").unwrap(), own, target).spared
    }

    #[test]
    fn what_the_target_would_have_done_is_bounded_and_not_guessed() {
        let spared = moved((200, 90), (800, 0));
        assert_eq!((spared.least, spared.most), (-110, 90));
        let expected = spared.expected.unwrap();
        // 0 of 800: the upper limit is 1 - 0.025^(1/800) = 0.4600485 %.
        assert_eq!((expected.value, expected.high), (90.0, 90.0));
        assert!((expected.low - (90.0 - 200.0 * 0.004_600_485)).abs() < 1e-6, "{expected:?}");
        // A target that fails as often spares nothing.
        assert_eq!(moved((100, 10), (50, 5)).expected.unwrap().value, 0.0);
    }

    #[test]
    fn without_a_request_of_the_target_nothing_is_expected() {
        assert_eq!(moved((5, 3), (0, 0)), Spared { least: -2, most: 3, expected: None });
        assert_eq!(moved((0, 0), (9, 1)).expected.unwrap().value, 0.0);
    }
}
