//! What a sweep makes of odd input, and of what an earlier one has left in its folder.

use serde_json::Value;

use crate::sweeps::{LENIENT, place, sweep, swept};

#[test]
fn a_fault_of_nothing_leaves_a_healthy_version_whose_rollbacks_are_false() {
    let place = place();
    // The rule fires on whatever there is, ten seconds after the fault has begun.
    let nervous = "models.m.rules.conditions.errors.operator='>='";
    let threshold = "models.m.rules.conditions.errors.threshold=0";
    let late = ["--set", "models.m.rules.conditions.errors.duration_seconds=15"];
    let settings = ["--seeds", "4", "--set", nervous, "--set", threshold];
    let vary = ["--vary", "vars.failing=0%,40%"];
    let report = swept(&place, &[&settings[..], &late, &vary].concat());
    let falsely = |cell: usize| &report["cells"][cell]["false_rollback"]["hits"];
    assert_eq!((falsely(0), falsely(1)), (&Value::from(4), &Value::from(0)));
}

#[test]
fn what_a_sweep_does_not_write_is_not_left_by_an_earlier_one() {
    let place = place();
    let arguments = ["sweep", "small.yaml", "--seeds", "4", "--out", "out"];
    let vary = ["--vary", "models.m.rules.conditions.errors.threshold=0.2,0.3"];
    assert_eq!(place.run(&[&arguments[..], &vary, &LENIENT].concat()).code, 0);
    let charts = || std::fs::read_dir(place.path("out/charts")).unwrap().count();
    assert!(charts() > 0);
    assert_eq!(place.run(&[&arguments[..], &["--no-charts"], &LENIENT].concat()).code, 0);
    assert_eq!(charts(), 0);
}

#[test]
fn ranges_without_a_count_and_wrong_paths_are_told_with_the_way_out() {
    let place = place();
    let path = "models.m.rules.conditions.errors.threshold";
    for range in ["0.1..0.3", "0.1..0.3:"] {
        let ended = sweep(&place, &["--seeds", "4", "--vary", &format!("{path}={range}")]);
        assert_eq!(ended.code, 2);
        let part = format!("write {path}=0.1..0.3:10");
        assert!(ended.stderr.contains(&part), "{}", ended.stderr);
    }
    let ended = sweep(&place, &["--seeds", "4", "--vary", "models.m.rulez=0.1..0.3:50"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("--vary models.m.rulez"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("--set"), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("wrong with 40 combinations more\n"), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_refused_before_anything_is_run() {
    let place = place();
    for command in [&["sweep", "small.yaml", "--seeds", "4"][..], &["run", "small.yaml"]] {
        let ended = place.run(&[command, &["--out", "/proc/reports"]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
        let part = "report files cannot go to /proc/reports: /proc cannot be written to";
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}
