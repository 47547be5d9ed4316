//! Successive halving: all triggers are tried in few runs, and with each round half as many in
//! twice as many. (K. Jamieson and A. Talwalkar, AISTATS 2016, arXiv 1502.07943, section 3.)

use super::field::Field;
use super::search::{Bar, search};
use crate::units::Ratio;

/// How many runs a round has made, of itself and of those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RoundSize {
    /// Of each bad release.
    pub(super) seeds: u64,
    /// Of the healthy one.
    pub(super) healthy: u64,
}

/// The rounds of a search that ends with this size: the runs of bad releases double from round to
/// round, those of the healthy one, which are the most, grow eightfold.
pub(super) fn rounds(last: RoundSize) -> [RoundSize; ROUNDS] {
    std::array::from_fn(|round| {
        let back = (ROUNDS - 1 - round) as u32;
        RoundSize {
            seeds: (last.seeds >> back).max(1),
            healthy: (last.healthy >> (3 * back)).max(1),
        }
    })
}

/// The triggers (places, rising) that go on into the next round: half of them, but not fewer than
/// `FEWEST`. First those of the best sets at several bars and sizes, then in turn the best that is
/// left against each of `faults`. None of them is disproved to keep `limit` by its false alarms,
/// unless it is in `always`, which go on whatever they did.
pub(super) fn survivors(
    field: &Field,
    faults: &[usize],
    limit: Ratio,
    always: &[usize],
) -> Vec<usize> {
    let wanted = (field.triggers() / 2).max(FEWEST).min(field.triggers());
    let mut kept: Vec<usize> = always.to_vec();
    let mut keep = |one: usize| {
        if !kept.contains(&one) {
            kept.push(one);
        }
        kept.len()
    };
    let bar = Bar::of(limit, field.healthy_runs());
    for set in best_sets(field, limit) {
        set.into_iter().for_each(|one| {
            keep(one);
        });
    }
    let passes = |one: &usize| bar.is_passed(field.false_alarms(&[*one]));
    let ranked = |fault: usize| {
        let harms = field.harm_by_itself(fault);
        let mut order: Vec<usize> = (0..field.triggers()).filter(passes).collect();
        order.sort_by(|one, other| harms[*one].total_cmp(&harms[*other]));
        order
    };
    let orders: Vec<Vec<usize>> = faults.iter().map(|fault| ranked(*fault)).collect();
    let turns =
        (0..field.triggers()).flat_map(|rank| orders.iter().map(move |order| order.get(rank)));
    for one in turns.flatten() {
        if keep(*one) >= wanted {
            break;
        }
    }
    kept.sort_unstable();
    kept
}

/// The best sets at the limit and at looser ones, the strictest first, then smaller ones at the
/// limit; without doubles.
pub(super) fn best_sets(field: &Field, limit: Ratio) -> Vec<Vec<usize>> {
    let loose = LOOSER.map(|times| (times, MOST_TRIGGERS));
    let small = (1..MOST_TRIGGERS).rev().map(|most| (1.0, most));
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for (times, most) in loose.into_iter().chain(small) {
        let loosest = LOOSEST.max(limit.get());
        let looser = Ratio::new((limit.get() * times).min(loosest)).unwrap_or(limit);
        let bar = Bar::of(looser, field.healthy_runs());
        let set = search(field, &|set| bar.is_passed(field.false_alarms(set)), most);
        if !set.is_empty() && !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

/// Chosen: two hundred triggers become fewer than thirty before the many runs of the last round.
pub(super) const ROUNDS: usize = 4;
/// Chosen: some for each kind of fault.
const FEWEST: usize = 24;
/// Chosen: more are a rule set that nobody can explain.
pub(super) const MOST_TRIGGERS: usize = 5;
/// Chosen: nobody takes rules that roll back more than every tenth healthy release.
const LOOSEST: f64 = 0.1;
/// The limits of the frontier, as multiples of the one that is asked for.
const LOOSER: [f64; 4] = [1.0, 10.0, 100.0, 1_000.0];

#[cfg(test)]
mod tests {
    use super::super::field::tests::run;
    use super::*;

    #[test]
    fn rounds_grow_to_the_size_that_was_asked_for() {
        let sizes = rounds(RoundSize { seeds: 40, healthy: 30_000 });
        assert_eq!(sizes.map(|size| size.seeds), [5, 10, 20, 40]);
        assert_eq!(sizes.map(|size| size.healthy), [58, 468, 3_750, 30_000]);
        let few = rounds(RoundSize { seeds: 3, healthy: 100 });
        assert_eq!(few.map(|size| (size.seeds, size.healthy)), [(1, 1), (1, 1), (1, 12), (3, 100)]);
    }

    #[test]
    fn half_go_on_the_best_against_each_fault_and_none_that_cries_wolf() {
        let triggers = 60;
        let mut field = Field::new(triggers);
        // Trigger t ends fault 0 with harm t, fault 1 with harm 100 - t.
        let harm = |of: fn(u64) -> u64| (0..60).map(|one| Some(of(one))).collect::<Vec<_>>();
        field.add_bad(0, 1.0, &run(200, &harm(|one| one)));
        field.add_bad(1, 1.0, &run(200, &harm(|one| 100 - one)));
        for _ in 0..500 {
            // The first three fire on the healthy release in every run.
            field.add_healthy(&[0, 1, 2]);
        }
        let kept = survivors(&field, &[0, 1], Ratio::new(0.01).unwrap(), &[1]);
        assert_eq!(kept.len(), 30);
        assert!(kept.contains(&1) && !kept.contains(&0) && !kept.contains(&2), "{kept:?}");
        assert!(kept.contains(&3) && kept.contains(&59), "{kept:?}");
    }
}
