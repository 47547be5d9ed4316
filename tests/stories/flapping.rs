//! `flapping`: a failure that comes and goes, before a window that bridges its pauses and one that
//! does not.

use coalmine::gate::Verdict;
use coalmine::record::{Happening, Record, RuleHealth};

use super::world::{judged, results, seconds, shipped, shipped_result};

const HASTY: u16 = 3;

#[test]
fn a_window_longer_than_the_pauses_sees_the_failure_and_a_short_one_forgets_it() {
    let loaded = shipped("flapping", &[]);
    let seeds: Vec<u64> = (1..=10).collect();
    let seen = results(&loaded, &seeds, |result| {
        let record = &result.record;
        assert_eq!(judged(&result).verdict, Verdict::Pass, "seed {}", record.seed);
        let hasty = rule_of(record, HASTY);
        // From the first check of a spell of 20 s to the last that still has it in its 10 s.
        assert!(hasty.longest_timer < seconds(30), "{hasty:?}");
        (record.rollbacks[0].at.since(record.phases[1].start), breaches_begun(record, HASTY))
    });
    // 15 min by 40 s, the last of them begun: once for each spell, and hardly ever else.
    for (after, breaches) in seen {
        assert_eq!(after, seconds(75));
        assert!((23..=25).contains(&breaches), "{breaches}");
    }
}

#[test]
fn a_duration_longer_than_a_spell_and_its_window_is_never_filled() {
    // Two minutes sick, two minutes well: a window of a minute is clean a minute after a spell, so
    // that a breach lasts three minutes, and these rules ask for five.
    let rule = "models.gpt-4-hasty.rules.conditions.0={metric: error_rate, operator: '>', \
                threshold: 0.05, duration_seconds: 300, window_seconds: 60, \
                check_interval_seconds: 15, action: rollback_to_last_stable}";
    let period = "phases.flapping.faults.hasty-v2.0.period=4m";
    let result = shipped_result("flapping", &[rule, period]);
    let hasty = rule_of(&result.record, HASTY);
    assert_eq!(hasty.firings, 0);
    let longest = hasty.longest_timer;
    assert!(longest > seconds(2 * 60) && longest <= seconds(3 * 60), "{longest}");
}

#[test]
fn a_quarter_of_the_requests_fail_where_half_fail_for_half_of_the_time() {
    let result = shipped_result("flapping", &[]);
    let cells = result.record.cells.iter();
    let mut flapping = cells.filter(|cell| cell.phase == 1 && cell.version.0 == HASTY);
    let tally = &flapping.next().unwrap().tally;
    // Of 900 s the last 20 belong to a spell: 460 sick ones.
    let expected = 0.5 * 460.0 / 900.0;
    let share = tally.failed.of("503") as f64 / tally.counted() as f64;
    let error = (expected * (1.0 - expected) / tally.counted() as f64).sqrt();
    assert!((share - expected).abs() < 4.0 * error, "{share}");
}

fn rule_of(record: &Record, version: u16) -> &RuleHealth {
    record.rules.iter().find(|rule| rule.version.0 == version).unwrap()
}

fn breaches_begun(record: &Record, version: u16) -> usize {
    let began = |happening: &Happening| match happening {
        Happening::BreachBegan { version: of, .. } => of.0 == version,
        _ => false,
    };
    record.timeline.events.iter().filter(|event| began(&event.happening)).count()
}
