//! What holds of any plan, whatever its splits, faults and rules.

use std::cell::Cell;

use proptest::test_runner::{Config, TestRunner};

use super::plans::arb_plan;
use super::witness::Witness;
use super::world::{play, totals, written};

#[test]
fn no_plan_breaks_the_promises_of_the_engine() {
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let (rollbacks, requests) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config);
    let result = runner.run(&arb_plan(), |plan| {
        let loaded = written(&plan.to_string());
        // The witness holds weights, bans, tags and evidence against every event as it comes.
        let witness = Witness::of(&loaded.scenario, loaded.scenario.seed);
        assert_eq!(witness.assigned, witness.outcomes.len() as u64);
        let record = play(&loaded, loaded.scenario.seed).record;
        assert_eq!(totals(&record), (witness.assigned, witness.assigned));
        assert_eq!(record.rollbacks.len() as u64, witness.rollbacks);
        rollbacks.set(rollbacks.get() + witness.rollbacks);
        requests.set(requests.get() + witness.assigned);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(rollbacks.get() > 50, "{} rollbacks show little", rollbacks.get());
    assert!(requests.get() > 100_000, "{} requests show little", requests.get());
}
