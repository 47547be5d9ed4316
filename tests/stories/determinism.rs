//! The same seed gives the same bytes, another seed others, and other rules meet the same traffic.

use std::collections::BTreeMap;

use coalmine::exchange::VersionIndex;
use coalmine::record::Outcome;

use super::witness::Witness;
use super::world::{result, results, seconds, shipped};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for name in ["ten-thousand", "low-traffic", "recorded-peak"] {
        let run = |seed| result(&shipped(name, &[]), seed).to_json();
        let first = run(7);
        assert!(first == run(7), "{name}");
        assert!(first != run(8), "{name}");
    }
}

#[test]
fn threads_change_nothing() {
    let loaded = shipped("ten-thousand", &[]);
    let seeds: Vec<u64> = (1..=12).collect();
    let serial: Vec<_> = seeds.iter().map(|seed| result(&loaded, *seed).to_json()).collect();
    assert!(results(&loaded, &seeds, |result| result.to_json()) == serial);
}

#[test]
fn other_rules_meet_the_same_traffic() {
    let strict = shipped("ten-thousand", &["models.gpt-4.rules=../fixtures/rollback-rules.json"]);
    let lax = shipped("ten-thousand", &["models.gpt-4.rules.conditions.0.threshold=0.2"]);
    let (strict, lax) = (strict.scenario, lax.scenario);
    let incident = strict.start + seconds(14 * 60);
    let (strict, lax) = (Witness::of(&strict, 5), Witness::of(&lax, 5));
    let before = |witness: &Witness<'_>| -> Vec<Outcome> {
        let outcomes = witness.outcomes.iter().filter(|outcome| outcome.ended < incident);
        outcomes.copied().collect()
    };
    assert!(before(&strict).iter().filter(|o| o.assigned == VersionIndex(0)).count() > 5_000);
    assert!(before(&strict) == before(&lax));
    // After it, whatever still went to the same version in the same phase met the same fate, and
    // every request is the same, whoever answered it.
    let mut of_lax: BTreeMap<_, _> = lax.outcomes.iter().map(|o| (o.request.id, o)).collect();
    for outcome in &strict.outcomes {
        let other = of_lax.remove(&outcome.request.id).unwrap();
        assert_eq!((outcome.request, outcome.started), (other.request, other.started));
        if (outcome.assigned, outcome.phase) == (other.assigned, other.phase) {
            assert_eq!(outcome.observed, other.observed);
        }
    }
    assert!(of_lax.is_empty());
}
