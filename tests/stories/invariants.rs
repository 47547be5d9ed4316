//! What holds of any plan, whatever its splits, faults and rules.

use std::cell::Cell;

use coalmine::record::Tally;
use proptest::test_runner::{Config, TestError, TestRunner};

use super::plans::arb_plan;
use super::witness::Witness;
use super::world::{play, totals, written};

#[test]
fn no_plan_breaks_the_promises_of_the_engine() {
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let (rollbacks, requests, commands) = (Cell::new(0), Cell::new(0), Cell::new([0; 3]));
    let (told, tagged, others) = (Cell::new([0; 3]), Cell::new([0; 3]), Cell::new([0; 3]));
    let mut runner = TestRunner::new(config);
    let result = runner.run(&arb_plan(), |plan| {
        let loaded = written(&plan.to_string());
        // The witness holds weights, bans, tags and evidence against every event as it comes.
        let witness = Witness::auditing(&loaded.scenario, loaded.scenario.seed);
        let ended = witness.assigned + witness.kept;
        assert_eq!(ended, witness.outcomes.len() as u64);
        let record = play(&loaded, loaded.scenario.seed).record;
        assert_eq!(totals(&record), (witness.assigned, ended));
        let attempts = record.cells.iter().filter_map(|cell| cell.attempts.as_ref());
        let attempts: u64 = attempts.map(Tally::completed).sum();
        assert_eq!(attempts, witness.attempts.len() as u64);
        assert_eq!(record.rollbacks.len() as u64, witness.rollbacks);
        let rejected = record.key_rejections.iter().map(|rejections| rejections.count);
        assert_eq!(rejected.sum::<u64>(), witness.keys_rejected);
        let [given, refused, missed] = witness.commands;
        let planned: usize = loaded.scenario.phases.iter().map(|phase| phase.commands.len()).sum();
        assert_eq!(given + missed, planned as u64, "given and missed");
        let undone = |given| record.undone_commands.iter().filter(|one| one.given == given).count();
        let refused = refused + witness.not_begun;
        assert_eq!([undone(true), undone(false)], [refused as usize, missed as usize]);
        let by_tag = [witness.begun_by_tag, witness.hit_by_tag, witness.not_begun];
        tagged.set(std::array::from_fn(|of| tagged.get()[of] + by_tag[of]));
        commands.set(std::array::from_fn(|of| commands.get()[of] + witness.commands[of]));
        let beside = [witness.further, witness.kept, loaded.scenario.models.len() as u64 - 1];
        others.set(std::array::from_fn(|of| others.get()[of] + beside[of]));
        told.set(std::array::from_fn(|of| told.get()[of] + witness.told[of]));
        rollbacks.set(rollbacks.get() + witness.rollbacks);
        requests.set(requests.get() + witness.assigned);
        Ok(())
    });
    match result {
        Err(TestError::Fail(reason, plan)) => {
            panic!("{reason}\n\nshrunk; a scenario as it stands:\n{plan:#}")
        }
        result => result.unwrap(),
    }
    assert!(rollbacks.get() > 50, "{} rollbacks show little", rollbacks.get());
    let rules = told.get();
    assert!(rules.iter().all(|count| *count > 20), "breaches begun, ended, fired: {rules:?}");
    let seen = commands.get();
    assert!(seen.iter().all(|count| *count > 50), "commands given, refused, missed: {seen:?}");
    let seen = tagged.get();
    assert!(seen.iter().all(|count| *count > 5), "begun and hit by tag, not begun: {seen:?}");
    let beside = others.get();
    let least = [1_000, 1_000, 30];
    let enough = beside.iter().zip(least).all(|(seen, least)| *seen > least);
    assert!(enough, "further attempts, kept answers, second models: {beside:?}");
    assert!(requests.get() > 100_000, "{} requests show little", requests.get());
}

/// How many plans are tried: a few hundred, or as many as the environment asks for.
#[expect(clippy::disallowed_methods, reason = "how many cases is asked as proptest itself does")]
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(300)
}
