//! Whether the assigned requests fall on their versions as the weights say, and whether pins leave
//! the split enough to decide.
//!
//! Counting costs a request two additions; the counts are looked at after every 16th part more of
//! them, which the test permits: it may be looked at at any time. Only independent choices are
//! counted. Of requests that stick to a key that is a key's first: which keys were seen is
//! remembered in 2^16 bits, one for each value of the last 16 bits of a key's place. A key whose
//! bit another key has set already is not counted; as those bits have no part in the choice, that
//! keeps the counts fair, and their memory bounded.

use super::{Slot, Split};
use crate::math;
use crate::stats::ln_share_evidence;
use crate::units::{Draw, Ratio};

/// What was assigned under one split. Volatile.
#[derive(Clone, Debug, Default)]
pub(super) struct SplitCheck {
    /// Independent choices, by version.
    counts: Vec<u64>,
    /// A bit for each key; empty where no keys stick.
    seen: Vec<u64>,
    /// Requests routed, those that were pinned included.
    requests: u64,
    pinned: u64,
    /// At how many requests the counts are looked at next.
    next_look: u64,
    skew_told: bool,
    pins_told: bool,
}

/// What a look at the counts found.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum SplitFinding {
    Skew(SplitSkew),
    Pins(PinShare),
}

/// Assigned requests that do not fall on their versions as the weights say.
#[derive(Clone, PartialEq, Debug)]
pub struct SplitSkew {
    /// Each version with its weight and how many independent choices fell on it: requests; with
    /// sticky assignment keys seen for the first time, and requests without one.
    pub arms: Vec<(Slot, Ratio, u64)>,
    /// The probability that a look at any time finds counts like these by chance is at most this.
    pub p_value: f64,
}

/// A share of pinned requests above the policy's limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PinShare {
    /// Pinned requests under the present split.
    pub pinned: u64,
    /// All requests under it.
    pub requests: u64,
    /// The largest share that they should have.
    pub limit: Ratio,
}

impl SplitCheck {
    /// A check of a split over `versions`, of which keys are to be remembered where they `stick`.
    pub(super) fn new(versions: usize, stick: bool) -> Self {
        Self {
            counts: vec![0; versions],
            seen: if stick { vec![0; SEEN_BITS / 64] } else { Vec::new() },
            next_look: FIRST_LOOK,
            ..Self::default()
        }
    }

    /// Counts a request of its own chance.
    #[inline]
    pub(super) fn count(&mut self, version: Slot) {
        self.counts[usize::from(version.0)] += 1;
    }

    /// Counts the owner of `place`, if it has not been counted.
    #[inline]
    pub(super) fn count_first(&mut self, place: Draw, version: Slot) {
        let bit = place.bits() as usize % SEEN_BITS;
        let word = &mut self.seen[bit / 64];
        let first = *word & (1 << (bit % 64)) == 0;
        *word |= 1 << (bit % 64);
        self.counts[usize::from(version.0)] += u64::from(first);
    }

    /// Counts a request that was routed. Whether the counts are to be looked at.
    #[inline]
    pub(super) fn routed(&mut self, pinned: bool) -> bool {
        self.requests += 1;
        self.pinned += u64::from(pinned);
        self.requests == self.next_look
    }

    /// Looks at the counts. What is found is told once.
    #[cold]
    pub(super) fn look(&mut self, split: Option<&Split>, max_pinned: Ratio) -> Vec<SplitFinding> {
        self.next_look += (self.next_look / 16).max(FIRST_LOOK);
        let mut findings = Vec::new();
        if let Some(skew) = split.filter(|_| !self.skew_told).and_then(|split| self.skew(split)) {
            self.skew_told = true;
            findings.push(SplitFinding::Skew(skew));
        }
        let above = Ratio::of(self.pinned, self.requests).is_some_and(|share| share > max_pinned);
        if above && self.requests >= PINS_MIN_REQUESTS && !self.pins_told {
            self.pins_told = true;
            let (pinned, requests) = (self.pinned, self.requests);
            findings.push(SplitFinding::Pins(PinShare { pinned, requests, limit: max_pinned }));
        }
        findings
    }

    fn skew(&self, split: &Split) -> Option<SplitSkew> {
        let arm = |(version, _): (Slot, u128)| {
            (version, split.weight(version), self.counts[usize::from(version.0)])
        };
        let arms: Vec<_> = split.parts().map(arm).collect();
        let counts = arms.iter().map(|(_, weight, count)| (*weight, *count));
        let p_value = math::exp(-ln_share_evidence(PRIOR_STRENGTH, counts)).min(1.0);
        (p_value < SKEW_ALPHA).then_some(SplitSkew { arms, p_value })
    }
}

/// After how many requests the counts are looked at first, and how many come between looks at the
/// least. Chosen: no skew can be told from fewer, and looking costs a microsecond.
const FIRST_LOOK: u64 = 16;
/// How many keys are told apart. Chosen: 8 KiB for a model, and enough keys to find a share that is
/// off by two hundredths.
const SEEN_BITS: usize = 1 << 16;
/// The prior's k, from the design of the test: reacts to large differences and to small ones.
const PRIOR_STRENGTH: f64 = 10.0;
/// With at most this probability requests that follow their split are taken for a skew. From the
/// design of the check.
pub const SKEW_ALPHA: f64 = 1e-6;
/// From how many requests on a share of pins is told. Chosen: a share of a few requests is an
/// accident.
const PINS_MIN_REQUESTS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn half() -> Split {
        let half = Ratio::new(0.5).unwrap();
        Split::new(2, &[(Slot(0), half), (Slot(1), half)]).unwrap()
    }

    /// Routes requests to version 1 if `canary` says so, until something is found or `limit` is
    /// reached. After how many what was found.
    fn route(limit: u64, canary: impl Fn(u64) -> bool) -> Option<(u64, Vec<SplitFinding>)> {
        let mut check = SplitCheck::new(2, false);
        for request in 0..limit {
            check.count(Slot(u16::from(canary(request))));
            if check.routed(false) {
                let found = check.look(Some(&half()), Ratio::ZERO);
                if !found.is_empty() {
                    return Some((request + 1, found));
                }
            }
        }
        None
    }

    #[test]
    fn everything_on_one_of_two_is_told_at_the_look_after_the_evidence_suffices() {
        // scipy: E of n requests, all on one of two arms at k = 10, passes 1e6 at n = 33.
        let (requests, found) = route(1_000, |_| true).unwrap();
        assert_eq!(requests, 48);
        let [SplitFinding::Skew(skew)] = found.as_slice() else { panic!("{found:?}") };
        let half = Ratio::new(0.5).unwrap();
        assert_eq!(skew.arms, [(Slot(0), half, 0), (Slot(1), half, requests)]);
        assert!(skew.p_value < 1e-6);
    }

    #[test]
    fn what_was_found_is_told_once() {
        let mut check = SplitCheck::new(2, false);
        let mut told = 0;
        for _ in 0..100_000 {
            check.count(Slot(1));
            if check.routed(false) {
                told += check.look(Some(&half()), Ratio::ZERO).len();
            }
        }
        assert_eq!(told, 1);
    }

    #[test]
    fn shares_as_they_should_be_are_not_told() {
        assert_eq!(route(1_000_000, |request| request % 2 == 0), None);
    }

    #[test]
    fn a_key_is_counted_at_its_first_request_only() {
        let mut check = SplitCheck::new(2, true);
        for _ in 0..1_000 {
            check.count_first(Draw::from_bits(7), Slot(1));
        }
        check.count_first(Draw::from_bits(8), Slot(0));
        assert_eq!(check.counts, [1, 1]);
    }

    #[test]
    fn pins_are_told_above_their_limit_and_from_a_hundred_requests_on() {
        let limit = Ratio::new(0.05).unwrap();
        let told = |every: u64| {
            let mut check = SplitCheck::new(1, false);
            (1..=2_000).find_map(|request| {
                let due = check.routed(request % every == 0);
                let found = if due { check.look(None, limit) } else { Vec::new() };
                found.first().map(|found| (request, found.clone()))
            })
        };
        assert_eq!(told(20), None, "5 % are not above 5 %");
        let pins = PinShare { pinned: 11, requests: 112, limit };
        assert_eq!(told(10), Some((112, SplitFinding::Pins(pins))));
    }
}
