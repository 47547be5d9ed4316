//! `recorded-peak`, and the replay of a real trace.

use std::fs;
use std::io::{self, Write};

use coalmine::gate::Verdict;
use coalmine::result::ResultFile;
use coalmine::run::TraceReport;
use coalmine::trace::TraceFormat;

use super::world::{health, judged, results, root, seconds, shipped, shipped_result, totals};

#[test]
fn the_latency_rule_takes_a_slow_release_back_in_a_recorded_hour() {
    let result = shipped_result("recorded-peak", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert!(rollback.evidence.trigger.starts_with("latency_p99"), "{:?}", rollback.evidence);
    assert_eq!(rollback.evidence.version.as_str(), "gpt-4-turbo-v2");
    let fault = record.start + seconds(35 * 60);
    assert_eq!(rollback.onset, Some(fault));
    // At a check of the grid of 8 s, after four steps with a breach.
    let after = rollback.at.since(fault);
    assert!([40, 48, 56].map(seconds).contains(&after), "{after:?}");
    assert_eq!(rollback.evidence.held, seconds(32));
    for rule in ["error_rate", "success_rate"] {
        assert_eq!(health(record, rule).breaches, 0, "{rule}");
    }
    let [blast] = &record.blasts[..] else { panic!("{:?}", record.blasts) };
    assert_eq!(blast.failed, 0);
    // Four times the canary's latency is three times the stable's for the same draw.
    assert_eq!(blast.slowed, blast.requests);
    // A header, and no blank line.
    let trace = fs::read_to_string(root().join("fixtures/peak-hour.csv")).unwrap();
    assert_accounted(&result, trace.lines().count() as u64 - 1);
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn a_slow_release_is_taken_back_on_a_check_of_the_grid_under_every_seed() {
    let loaded = shipped("recorded-peak", &[]);
    let seeds: Vec<u64> = (1..=100).collect();
    let mut times = results(&loaded, &seeds, |result| {
        let [rollback] = &result.record.rollbacks[..] else { panic!("{}", result.record.seed) };
        rollback.at.since(rollback.onset.unwrap()).as_secs()
    });
    times.sort_unstable();
    assert!(times.iter().all(|time| *time >= 40 && time % 8 == 0), "{times:?}");
    assert_eq!(times[50], 40, "most see the first slow answer at the first check");
    assert!(times[99] <= 80, "{times:?}");
}

#[test]
fn every_row_of_a_real_trace_is_replayed_or_accounted_for() {
    let trace = "../shared/traces/AzureLLMInferenceTrace_code.csv";
    if !root().join(trace).exists() {
        writeln!(io::stderr(), "skipped: {trace} is not there").unwrap();
        return;
    }
    let settings = [format!("workload.arrivals.trace=../{trace}"), "gate=[]".to_owned()];
    let settings = settings.each_ref().map(String::as_str);
    assert_accounted(&shipped_result("recorded-peak", &settings), 8_819);
}

/// Rows read = emitted + dropped, and every row emitted is a request that was sent and has ended.
fn assert_accounted(result: &ResultFile, rows: u64) {
    let [TraceReport { file, accounting, sha256, answered, turns }] = &result.traces[..] else {
        panic!("{:?}", result.traces)
    };
    assert!(file.as_ref().is_some_and(|file| file.ends_with(".csv")), "{file:?}");
    assert_eq!(accounting.format, TraceFormat::Azure);
    assert_eq!((accounting.read, *turns), (rows, 1));
    assert!(answered.is_empty(), "{answered:?}");
    let dropped: u64 = accounting.dropped.values().map(|dropped| dropped.count).sum();
    assert_eq!(accounting.emitted + dropped, rows);
    assert_eq!(totals(&result.record), (accounting.emitted, accounting.emitted));
    assert_eq!(sha256.as_ref().map(String::len), Some(64));
}

/// The hour has 9,875 rows.
#[test]
fn an_hour_that_is_repeated_is_sent_again_after_it() {
    let settings = [
        "workload.arrivals.trace={file: ../fixtures/peak-hour.csv, loop: true}",
        "workload.requests=25000",
        "phases=[{name: all, for: rest}]",
        "columns=[]",
        "reference={}",
        "gate=[]",
    ];
    let result = shipped_result("recorded-peak", &settings);
    let TraceReport { accounting, turns, .. } = &result.traces[0];
    assert_eq!((accounting.read, *turns), (25_000, 3));
    assert_eq!(totals(&result.record), (25_000, 25_000));
    let hours = result.record.end.since(result.record.start).as_secs_f64() / 3_600.0;
    assert!((2.3..2.7).contains(&hours), "{hours}");
}
