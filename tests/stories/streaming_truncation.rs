//! `streaming-truncation`: streams that begin with 200 and never finish, before rules on statuses
//! and times, and before one that counts finishes.

use coalmine::gate::Verdict;
use coalmine::record::{Record, Tally};

use super::world::{judged, results, seconds, shipped, shipped_result};

const STATUS_STABLE: u16 = 2;
const STATUS_CANARY: u16 = 3;

#[test]
fn no_status_and_no_time_tells_of_streams_without_an_end() {
    let loaded = shipped("streaming-truncation", &[]);
    let seeds: Vec<u64> = (1..=10).collect();
    let seen = results(&loaded, &seeds, |result| {
        let record = &result.record;
        assert_eq!(judged(&result).verdict, Verdict::Pass, "seed {}", record.seed);
        let by_status = record.rules.iter().filter(|rule| rule.version.0 == STATUS_CANARY);
        let breaches: u64 = by_status.map(|rule| rule.breaches).sum();
        (record.rollbacks[0].at.since(record.phases[1].start), breaches)
    });
    // At the first check a quarter of the window is of after the onset: 19 errors of 250 expected,
    // and with fewer than 13 its breach begins at the second.
    for (after, breaches) in seen {
        assert!(after == seconds(75) || after == seconds(90), "{after}");
        assert_eq!(breaches, 0);
    }
}

#[test]
fn what_broke_off_is_known_and_its_tokens_are_not() {
    let result = shipped_result("streaming-truncation", &[]);
    let canary = truncating(&result.record, STATUS_CANARY);
    let stable = truncating(&result.record, STATUS_STABLE);
    // Three in ten, within four standard deviations.
    let share = canary.failed.of("truncated") as f64 / canary.counted() as f64;
    let error = (0.3_f64 * 0.7 / canary.counted() as f64).sqrt();
    assert!((share - 0.3).abs() < 4.0 * error, "{share}");
    // Tokens of a request on average, where a stream that broke off has none: 830 and 70 % of it.
    // Of input and output the coefficient of variation is about 1; 0.03 is four standard
    // deviations of the ratio of two means of 3,600.
    let tokens =
        |tally: &Tally| (tally.input_tokens + tally.output_tokens) as f64 / tally.counted() as f64;
    let ratio = tokens(canary) / tokens(stable);
    assert!((ratio - 0.7).abs() < 0.07, "{ratio}");
    // Those that came whole are as long as ever.
    let length = |tally: &Tally| tally.output_tokens as f64 / tally.succeeded as f64;
    assert!((length(canary) / length(stable) - 1.0).abs() < 0.08);
}

#[test]
fn a_stream_that_has_begun_is_not_tried_again() {
    let retry = "models.gpt-4-by-status.policies={retry: {attempts: 3, on: [truncated]}}";
    let with = shipped_result("streaming-truncation", &[retry]);
    let without = shipped_result("streaming-truncation", &[]);
    let broken = |record: &Record| truncating(record, STATUS_CANARY).failed.of("truncated");
    let (with, without) = (broken(&with.record), broken(&without.record));
    // Answers of three tokens or fewer break off before their first: these alone are tried again.
    assert!(with > without * 98 / 100, "{with} of {without}");
}

fn truncating(record: &Record, version: u16) -> &Tally {
    let mut cells = record.cells.iter();
    &cells.find(|cell| cell.phase == 1 && cell.version.0 == version).unwrap().tally
}
