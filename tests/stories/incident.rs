//! `incident` and `incident-backtest`: an hour that goes wrong, and its log under other rules.

use coalmine::gate::Verdict;
use coalmine::run::AnsweredAsRecorded;

use super::world::{judged, seconds, shipped_result, totals};

#[test]
fn the_rules_of_the_day_do_not_see_the_failing_canary() {
    let result = shipped_result("incident", &[]);
    assert_eq!(judged(&result).verdict, Verdict::Pass);
    assert!(result.record.rollbacks.is_empty(), "a rollback by hand is none of a rule");
}

#[test]
fn each_version_answers_as_recorded_and_tighter_rules_take_the_canary_back() {
    let result = shipped_result("incident-backtest", &[]);
    let record = &result.record;
    assert_eq!(judged(&result).verdict, Verdict::Pass);
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    // It fails from minute 37 on; somebody noticed at minute 52.
    let after = rollback.at.since(record.start);
    assert!(after > seconds(37 * 60) && after < seconds(42 * 60), "{after:?}");
    let [trace] = &result.traces[..] else { panic!("{:?}", result.traces) };
    let answered = |version: &str| {
        let found = trace.answered.iter().find(|one| one.version.as_str() == version);
        let AnsweredAsRecorded { own, lent, .. } = found.unwrap();
        (*own, *lent)
    };
    let (stable, canary) = (answered("gpt-4-v1"), answered("gpt-4-turbo-v2"));
    let (requests, _) = totals(record);
    assert_eq!(stable.0 + stable.1 + canary.0 + canary.1, requests, "each got one answer");
    // The split of the rehearsal draws anew: of the canary's requests a fifth were its own.
    let share = canary.0 as f64 / (canary.0 + canary.1) as f64;
    assert!((share - 0.2).abs() < 0.08, "{share}");
}
