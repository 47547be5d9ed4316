//! Why rules do not see a fault, or see it late: from how their triggers fared at their checks.

use super::played::{Health, Played};
use super::tuned::{Shortfall, Why};
use crate::study::ShareOfRuns;
use crate::units::Ratio;

/// Where rules fall short whose runs under each fault these are, beside the `better` ones: faults
/// that they miss in most runs, or find with more than half as much harm again.
pub(super) fn shortfalls(runs: &[Vec<Played>], better: Option<&[Vec<Played>]>) -> Vec<Shortfall> {
    let told = runs.iter().enumerate().filter_map(|(fault, own)| {
        let harm = mean_harm(own);
        let least = better.map_or(harm, |better| mean_harm(&better[fault]));
        let found = own.iter().filter(|run| run.found_after.is_some()).count() as u64;
        let misses = 2 * found < own.len() as u64;
        let is_late = harm > least * MUCH_MORE && harm - least >= 1.0;
        (misses || is_late).then(|| Shortfall {
            fault,
            why: if misses { why(own) } else { Why::Late },
            found: ShareOfRuns::of(found, own.len() as u64),
            more_harm: harm - least,
        })
    });
    told.collect()
}

fn mean_harm(runs: &[Played]) -> f64 {
    runs.iter().map(|run| run.harm as f64).sum::<f64>() / (runs.len().max(1)) as f64
}

/// What keeps rules from seeing a fault that they miss in most of these runs.
fn why(runs: &[Played]) -> Why {
    let missed = runs.iter().filter(|run| run.found_after.is_none());
    let sum = missed.flat_map(|run| &run.health).fold(Health::default(), |sum, one| Health {
        checks: sum.checks + one.checks,
        no_data: sum.no_data + one.no_data,
        breaches: sum.breaches + one.breaches,
    });
    let share =
        |count: u64| Ratio::new(count as f64 / sum.checks.max(1) as f64).unwrap_or_default();
    if sum.breaches > 0 {
        Why::NotForLong(share(sum.breaches))
    } else if 2 * sum.no_data >= sum.checks {
        Why::NoData(share(sum.no_data))
    } else {
        Why::NeverInBreach
    }
}

/// Chosen.
const MUCH_MORE: f64 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    fn run(harm: u64, found: bool, [checks, no_data, breaches]: [u64; 3]) -> Played {
        let found_after = found.then_some(Duration::from_secs(60));
        Played { harm, found_after, health: vec![Health { checks, no_data, breaches }] }
    }

    #[test]
    fn what_is_missed_is_told_with_what_the_checks_saw() {
        let runs = vec![
            vec![run(500, false, [80, 0, 0]), run(500, false, [80, 4, 0])],
            vec![run(500, false, [80, 70, 0])],
            vec![run(500, false, [80, 0, 8]), run(20, true, [10, 0, 5])],
            vec![run(100, false, [80, 0, 8]); 3],
            vec![run(90, true, [10, 0, 5])],
            vec![run(11, true, [10, 0, 5])],
        ];
        let better: Vec<Vec<Played>> =
            [10, 10, 10, 10, 30, 10].map(|harm| vec![run(harm, true, [1, 0, 1])]).to_vec();
        let found = shortfalls(&runs, Some(&better));
        let ratio = |value| Ratio::new(value).unwrap();
        let told: Vec<(usize, Why)> = found.iter().map(|one| (one.fault, one.why)).collect();
        let expected = [
            (0, Why::NeverInBreach),
            (1, Why::NoData(ratio(0.875))),
            (2, Why::Late),
            (3, Why::NotForLong(ratio(0.1))),
            (4, Why::Late),
        ];
        assert_eq!(told, expected);
        assert_eq!((found[4].more_harm, found[0].found.hits), (60.0, 0));
    }
}
