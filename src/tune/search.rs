//! The set of triggers with the least harm among those whose false alarms are few enough: put
//! together trigger by trigger, then mended by exchanges.

use super::field::Field;
use crate::stats::{Confidence, Interval};
use crate::units::Ratio;

/// How many false alarms are few enough.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// Of so many runs of the healthy release at most so many may be rolled back.
    most: u64,
}

impl Bar {
    /// That `runs` of the healthy release prove, where they are enough for that, or do not
    /// disprove, where they are not, that at most this share is rolled back: by the one-sided
    /// limits of Clopper and Pearson at 95 %.
    pub fn of(limit: Ratio, runs: u64) -> Self {
        let proves = |alarms| upper(alarms, runs, ONE_SIDED) <= limit.get();
        let allows = |alarms| {
            let interval = Interval::clopper_pearson(alarms, runs, two_sided(ONE_SIDED));
            interval.low <= limit.get()
        };
        let enough = proves(0);
        let is_met = |alarms| if enough { proves(alarms) } else { allows(alarms) };
        // By halves: the more alarms, the less they prove.
        let (mut met, mut beyond) = (0, runs + 1);
        while beyond - met > 1 {
            let middle = met + (beyond - met) / 2;
            *(if is_met(middle) { &mut met } else { &mut beyond }) = middle;
        }
        Self { most: met }
    }

    /// Whether a set with so many false alarms passes it.
    pub const fn is_passed(self, alarms: u64) -> bool {
        alarms <= self.most
    }
}

/// How many runs prove a limit with at most so many alarms, at this confidence.
pub fn runs_that_prove(limit: Ratio, alarms: u64, confidence: Confidence) -> u64 {
    let proves = |runs: u64| upper(alarms, runs, confidence) <= limit.get();
    let (mut few, mut enough) = (alarms, alarms + 1);
    while !proves(enough) && enough < MOST_RUNS {
        (few, enough) = (enough, enough * 2);
    }
    while enough - few > 1 {
        let middle = few + (enough - few) / 2;
        *(if proves(middle) { &mut enough } else { &mut few }) = middle;
    }
    enough
}

/// The one-sided upper limit of a probability of which `alarms` of `runs` are known: that of
/// Clopper and Pearson at this confidence.
pub fn upper(alarms: u64, runs: u64, confidence: Confidence) -> f64 {
    Interval::clopper_pearson(alarms, runs, two_sided(confidence)).high
}

/// The confidence of an interval of which either limit alone has this one.
fn two_sided(one_sided: Confidence) -> Confidence {
    Confidence::new(2.0 * one_sided.get() - 1.0).unwrap_or(one_sided)
}

/// The set (places of triggers, rising) with the least harm of those with at most `most` triggers
/// that are `allowed`: greedy, then by exchanges of one trigger until none makes it better.
/// Whatever lowers the harm by less than a hundredth is not taken: a rule that does nothing is one
/// more to explain. The same field gives the same set.
pub fn search(field: &Field, allowed: &dyn Fn(&[usize]) -> bool, most: usize) -> Vec<usize> {
    let mut set: Vec<usize> = Vec::new();
    while set.len() < most {
        let Some((next, harm)) = best_addition(field, allowed, &set) else { break };
        if harm > field.harm(&set) * (1.0 - WORTH_A_TRIGGER) {
            break;
        }
        set.push(next);
    }
    while let Some(better) = best_exchange(field, allowed, &set) {
        set = better;
    }
    while let Some(smaller) = without_the_idlest(field, &set) {
        set = smaller;
    }
    set.sort_unstable();
    set
}

/// The trigger that lowers the harm most beside those of `set`, and the harm with it.
fn best_addition(
    field: &Field,
    allowed: &dyn Fn(&[usize]) -> bool,
    set: &[usize],
) -> Option<(usize, f64)> {
    let harms = field.harm_with_each(set);
    let mut order: Vec<usize> = (0..field.triggers()).filter(|one| !set.contains(one)).collect();
    // Stable: of equals the first.
    order.sort_by(|one, other| harms[*one].total_cmp(&harms[*other]));
    let fits = |one: &usize| allowed(&[set, &[*one]].concat());
    order.into_iter().find(fits).map(|one| (one, harms[one]))
}

/// `set` without the trigger that does least in it, if that is less than a hundredth: others that
/// came later may have left it nothing to do.
fn without_the_idlest(field: &Field, set: &[usize]) -> Option<Vec<usize>> {
    let without = |out: usize| {
        let mut rest = set.to_vec();
        rest.remove(out);
        (field.harm(&rest), rest)
    };
    let best = (0..set.len()).map(without).min_by(|(one, _), (other, _)| one.total_cmp(other));
    let worth = field.harm(set) / (1.0 - WORTH_A_TRIGGER);
    best.filter(|(harm, _)| *harm < worth).map(|(_, rest)| rest)
}

/// `set` with one trigger exchanged for another, where that lowers the harm by more than rounding.
fn best_exchange(
    field: &Field,
    allowed: &dyn Fn(&[usize]) -> bool,
    set: &[usize],
) -> Option<Vec<usize>> {
    let mut best: Option<(f64, Vec<usize>)> = None;
    let now = field.harm(set);
    for out in 0..set.len() {
        let mut rest = set.to_vec();
        rest.remove(out);
        let Some((next, harm)) = best_addition(field, allowed, &rest) else { continue };
        let known = best.as_ref().map_or(now * (1.0 - ROUNDING), |(harm, _)| *harm);
        if harm < known {
            rest.push(next);
            best = Some((harm, rest));
        }
    }
    best.map(|(_, set)| set)
}

/// The design's: an upper 95 % bound.
pub(super) const ONE_SIDED: Confidence = Confidence::PERCENT_95;
/// How many checks there are at most: each is one more chance to pass by luck, which the confidence
/// of every one takes into account.
pub(super) const CHECKS: usize = 3;
/// Chosen.
const WORTH_A_TRIGGER: f64 = 0.01;
/// Chosen: nobody waits for more.
const MOST_RUNS: u64 = 1 << 40;
/// Above the rounding of a sum of millions of terms.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::field::tests::run;
    use super::*;

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).unwrap()
    }

    #[test]
    fn runs_prove_a_limit_once_they_are_enough() {
        // Without an alarm the upper limit is 1 - 0.05^(1/n): 2.995e-5 of 100,000, and 1e-4 needs
        // 29,956; with one alarm of 47,437, the root of (1-p)^n + n p (1-p)^(n-1) = 0.05.
        let upper = |alarms, runs| upper(alarms, runs, ONE_SIDED);
        assert!((upper(0, 100_000) - 2.995_687e-5).abs() < 1e-10);
        assert!(upper(0, 29_955) > 1e-4 && upper(0, 29_956) <= 1e-4);
        assert!(upper(1, 47_430) > 1e-4 && upper(1, 47_440) <= 1e-4);
        assert_eq!(Bar::of(ratio(1e-4), 29_956).most, 0);
        assert_eq!(Bar::of(ratio(1e-4), 47_440).most, 1);
        assert_eq!(runs_that_prove(ratio(1e-4), 0, ONE_SIDED), 29_956);
        // Of 300 one alarm disproves 1e-4: chance has 1.7e-4 at least.
        assert_eq!(Bar::of(ratio(1e-4), 300).most, 0);
        // And of 1,000 one does not: 5.1e-5.
        assert_eq!(Bar::of(ratio(1e-4), 1_000).most, 1);
    }

    #[test]
    fn exchanges_mend_what_greed_began_with() {
        let mut field = Field::new(3);
        // The first trigger is the best alone; the other two together are better than with it.
        let harms = [[Some(40), Some(10), None], [Some(40), None, Some(10)]];
        harms
            .iter()
            .enumerate()
            .for_each(|(fault, harm)| field.add_bad(fault, 1.0, &run(100, harm)));
        assert_eq!(search(&field, &|_| true, 1), [0]);
        assert_eq!(search(&field, &|_| true, 2), [1, 2]);
        assert_eq!(search(&field, &|set| !set.contains(&1), 2), [0, 2]);
    }

    proptest! {
        #[test]
        fn what_is_found_passes_and_no_single_trigger_is_better(
            harms in prop::collection::vec(
                prop::collection::vec(prop::option::weighted(0.7, 0..100_u64), 6), 1..8,
            ),
            alarms in prop::collection::vec(any::<u8>(), 6),
            most in 0..3_u64,
        ) {
            let mut field = Field::new(6);
            for (fault, harm) in harms.iter().enumerate() {
                field.add_bad(fault, 1.0 + fault as f64, &run(100, harm));
            }
            for bit in 0..8 {
                let fires = |trigger: &usize| alarms[*trigger] >> bit & 1 == 1;
                field.add_healthy(&(0..6).filter(fires).collect::<Vec<_>>());
            }
            let bar = Bar { most };
            let found = search(&field, &|set| bar.is_passed(field.false_alarms(set)), 3);
            prop_assert!(bar.is_passed(field.false_alarms(&found)));
            for one in (0..6).filter(|one| bar.is_passed(field.false_alarms(&[*one]))) {
                let worth = field.harm(&[]) * (1.0 - WORTH_A_TRIGGER);
                let alone = field.harm(&[one]);
                let slack = 1.0 + 3.0 * WORTH_A_TRIGGER;
                prop_assert!(field.harm(&found) <= alone * slack || alone > worth);
            }
            for out in 0..found.len() {
                let mut rest = found.clone();
                rest.remove(out);
                prop_assert!(field.harm(&rest) * (1.0 - WORTH_A_TRIGGER) >= field.harm(&found));
            }
        }
    }
}
