//! `bursty-upstream`: what a rule for independent errors makes of bursts, and one for bursts.

use coalmine::compare::{RunInput, Settings, compare};
use coalmine::exchange::Ending;
use coalmine::gate::Verdict;
use coalmine::record::Record;
use coalmine::result::ResultFile;
use coalmine::units::Timestamp;

use super::witness::Witness;
use super::world::{gated, judged, result, results, seconds, shipped, shipped_result, written};

const EVEN: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 5;

#[test]
fn bursts_lose_a_healthy_canary_to_the_tuned_rule_and_not_to_the_long_one() {
    let loaded = shipped("bursty-upstream", &[]);
    let seeds: Vec<u64> = (1..=12).collect();
    let lost = results(&loaded, &seeds, |result| {
        [EVEN, SHORT, LONG].map(|version| falsely_rolled_back(&result, version))
    });
    let count = |which: usize| lost.iter().filter(|lost| lost[which]).count();
    assert_eq!(count(0), 0, "13 of 250 where 5 are expected, in five windows on end");
    // Computed apart from this program over 400 hours of the chain: 95.8 % and 0.
    assert!(count(1) >= 9, "{lost:?}");
    assert_eq!(count(2), 0, "{lost:?}");
}

#[test]
fn all_six_versions_fail_alike_on_average() {
    let loaded = shipped("bursty-upstream", &[]);
    let seeds: Vec<u64> = (1..=12).collect();
    let shares = results(&loaded, &seeds, |result| {
        // Those that stay in for the whole hour.
        [0, 2, 4].map(|version| failed_share(&result.record, version))
    });
    let mean = |which: usize| shares.iter().map(|share| share[which]).sum::<f64>() / 12.0;
    // Independent: 180,000 requests at 2 %.
    assert!((mean(0) - 0.02).abs() < 4.0 * (0.02_f64 * 0.98 / 180_000.0).sqrt());
    // In bursts: of n seconds a share of 1/26 is bad, with the variance (1/26)(25/26)/n (1 + r)/(1
    // - r) of a chain that forgets with r = 1 - 0.002 - 0.05 a second; 52 % of that fail.
    let (bad, r) = (1.0_f64 / 26.0, 1.0 - 0.002 - 0.05);
    let variance = bad * (1.0 - bad) / (2.0 * 12.0 * 3_600.0) * (1.0 + r) / (1.0 - r);
    let bursty = f64::midpoint(mean(1), mean(2));
    assert!((bursty - 0.02).abs() < 4.0 * 0.52 * variance.sqrt(), "{bursty}");
}

#[test]
fn a_sick_canary_is_caught_by_both_rules_at_their_own_time() {
    let result = shipped_result("bursty-upstream", &[]);
    let record = &result.record;
    let after = |version: u16| {
        let rollback = record.rollbacks.iter().find(|rollback| rollback.version.0 == version);
        rollback.unwrap().at.since(record.phases[1].start)
    };
    // The next check after the onset, and the duration.
    assert_eq!((after(EVEN), after(LONG)), (seconds(15 + 60), seconds(15 + 180)));
    // One run leaves the line about a rate open, several do not.
    assert_eq!(judged(&result).verdict, Verdict::Inconclusive);
    assert_eq!(gated("bursty-upstream"), Verdict::Pass);
}

#[test]
fn the_bursts_of_a_record_are_those_in_which_requests_failed() {
    let loaded = written(
        "
schema: 1
name: bursts
workload: {arrivals: {constant: 10/s}, requests: 36000, tokens: {input: 10, output: 10}}
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 100ms}}
      v2: {upstream: {latency: 100ms, burst: {enter: 1%, leave: 10%, failures: {\"503\": 52%}}}}
phases: [{name: all, for: rest, split: {v1: 50%, v2: 50%}}]
",
    );
    let record = result(&loaded, 1).record;
    let [bursts] = &record.bursts[..] else { panic!("{:?}", record.bursts) };
    assert_eq!(bursts.version.0, 1);
    let kept = bursts.stretches.iter().map(|one| one.until.since(one.from).as_nanos());
    assert!(kept.sum::<u64>() <= bursts.total.as_nanos());
    let last = bursts.stretches.last().unwrap().until;
    let within =
        |at: Timestamp| bursts.stretches.iter().any(|one| (one.from..one.until).contains(&at));
    let witness = Witness::of(&loaded.scenario, 1);
    let own = witness
        .outcomes
        .iter()
        .filter(|outcome| outcome.assigned == bursts.version && outcome.started < last);
    let (mut failed, mut hit) = (0, 0);
    for outcome in own {
        let fails = outcome.observed.ending == Ending::Status(503);
        assert!(!fails || within(outcome.started), "{outcome:?}");
        failed += u64::from(fails);
        hit += u64::from(within(outcome.started));
    }
    // Binomial: four standard deviations of the share.
    let deviation = (0.52_f64 * 0.48 / hit as f64).sqrt();
    assert!((failed as f64 / hit as f64 - 0.52).abs() < 4.0 * deviation, "{failed} of {hit}");
}

#[test]
fn a_judge_takes_a_burst_for_proof_unless_it_counts_one_error_of_each_block() {
    let lost = |block: u32| {
        let judge = format!(
            "models.long.rules={{conditions: [{{judge: sequential, burst_block_seconds: {block}, \
             action: rollback_to_last_stable}}]}}"
        );
        let loaded = shipped("bursty-upstream", &[&judge]);
        let seeds: Vec<u64> = (1..=12).collect();
        let lost = results(&loaded, &seeds, |result| falsely_rolled_back(&result, LONG));
        lost.into_iter().filter(|lost| *lost).count()
    };
    // The first long burst is the canary's in one of two hours, and proof then.
    let (every_error, one_of_each_block) = (lost(0), lost(10));
    assert!(every_error >= 2, "{every_error} of 12");
    assert_eq!(one_of_each_block, 0);
}

fn falsely_rolled_back(result: &ResultFile, version: u16) -> bool {
    let mut rollbacks = result.record.rollbacks.iter();
    rollbacks.any(|rollback| rollback.version.0 == version && rollback.onset.is_none())
}

/// The share of a version's requests of the first phase that failed.
fn failed_share(record: &Record, version: u16) -> f64 {
    let mut cells = record.cells.iter();
    let cell = cells.find(|cell| cell.phase == 0 && cell.version.0 == version).unwrap();
    cell.tally.failed.total() as f64 / cell.tally.counted() as f64
}

/// Errors that come in bursts make most pairs of runs look different, though they differ in nothing
/// but the seed.
#[test]
fn runs_under_other_seeds_are_not_found_different_where_errors_come_in_bursts() {
    let loaded = shipped("bursty-upstream", &[]);
    let runs = results(&loaded, &[1, 2, 3, 4], |result| result);
    let input = |result| RunInput { label: "run", sha256: "", result };
    let inputs: Vec<RunInput<'_>> = runs.iter().map(input).collect();
    let comparison = compare(&inputs, &Settings::default()).unwrap();
    let found = comparison.findings.iter().map(|of| of.worse + of.better + of.different);
    assert_eq!(found.sum::<u64>(), 0);
    assert!(comparison.findings.iter().any(|of| of.undecided > 0), "as independent they differ");
}
