//! `retry-mask`: what retries hide from clients they do not hide from rules.

use coalmine::engine::Reading;
use coalmine::gate::Verdict;

use super::world::{judged, seconds, shipped_result};

#[test]
fn clients_see_next_to_nothing_of_a_canary_that_its_rule_takes_away() {
    let result = shipped_result("retry-mask", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert_eq!(rollback.at.since(record.phases[1].start), seconds(75), "as if nobody had retried");
    let Reading::Share { hits, requests, .. } = rollback.evidence.reading else {
        panic!("{rollback:?}")
    };
    // 60 s at 4.17 requests a second, each of which takes 1 + 0.6 + 0.36 attempts on the canary:
    // 490 on average, with a standard deviation of some 35; 60 % of them fail.
    assert!((490 - 140..=490 + 140).contains(&requests), "{requests}");
    let share = hits as f64 / requests as f64;
    let error = (0.6_f64 * 0.4 / requests as f64).sqrt();
    assert!((share - 0.6).abs() < 4.0 * error, "{hits} of {requests}");

    let incident = |version: u16| {
        let cells = record.cells.iter();
        cells.filter(move |cell| cell.phase == 1 && cell.version.0 == version)
    };
    // The attempts of requests that took several, and those requests as their clients saw them.
    let failed_attempts: u64 =
        incident(1).filter_map(|cell| cell.attempts.as_ref()).map(|t| t.failed.total()).sum();
    let seen: u64 =
        incident(1).filter_map(|cell| cell.finals.as_ref()).map(|t| t.failed.total()).sum();
    assert!(failed_attempts > 300, "{failed_attempts}");
    assert!(seen <= 2, "{seen} of some 310 requests at 0.02 % each");
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}
