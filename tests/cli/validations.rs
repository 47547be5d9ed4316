//! `coalmine validate`: folders, parts of scenarios, exit codes.

use crate::program::{Ended, Workplace};

/// A scenario that goes through.
const SOUND: &str = "schema: 1
name: sound
workload: {arrivals: {constant: 10/s}, requests: 100, tokens: {input: 600, output: 200}}
models:
  gpt-4:
    versions:
      old: {tags: [stable], upstream: {latency: 250ms}}
phases: [{name: all, for: rest, split: {old: 100%}}]
gate: [error_rate < 5%]
";

fn place(files: &[(&str, &str)]) -> Workplace {
    let place = Workplace::new();
    for (name, text) in files {
        std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        place.write(name, text);
    }
    place
}

#[test]
fn the_projects_scenarios_are_valid_by_their_folder() {
    let place = Workplace::with_project();
    let of_folder = place.run(&["validate", "scenarios"]);
    assert_eq!(of_folder.code, 0, "{}", of_folder.stderr);
    let mut files = place.files();
    files.retain(|file| file.starts_with("scenarios/") && file.ends_with(".yaml"));
    assert!(files.len() > 20);
    let named: Vec<&str> =
        ["validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let by_name = place.run(&named);
    assert_eq!(of_folder.stdout, by_name.stdout);
    assert_eq!(of_folder.stdout.matches(": ok: ").count(), files.len());
}

#[test]
fn parts_of_a_folder_are_left_out_and_told_while_broken_scenarios_are_not() {
    let place = place(&[
        ("s/a.yaml", "extends: [parts/base.yaml]\nname: a\n"),
        ("s/broken.yaml", &SOUND.replace("error_rate", "error_rat")),
        ("s/of-broken.yaml", "extends: [broken.yaml]\nname: b\ngate: [rollbacks == 0]\n"),
        ("s/parts/base.yaml", &SOUND.replace("name: sound\n", "")),
    ]);
    let Ended { code, stdout, stderr } = place.run(&["validate", "s"]);
    assert_eq!(code, 3, "{stderr}");
    let told: Vec<_> = stdout.lines().filter_map(|line| line.split(": ok").next()).collect();
    assert_eq!(told, ["s/a.yaml", "s/of-broken.yaml"]);
    let expected = "s/parts/base.yaml: left out: a part of s/a.yaml, no scenario by itself: it \
                    lacks `name`";
    assert!(stderr.contains(expected), "{stderr}");
    // It has all that a scenario has, so that it was meant to be one.
    assert!(stderr.contains("error: s/broken.yaml:9:"), "{stderr}");
    let named = place.run(&["validate", "s/parts/base.yaml"]);
    assert_eq!(named.code, 3);
    assert!(named.stderr.contains("scenario has no \"name\""), "{}", named.stderr);
}

#[test]
fn a_folder_without_scenarios_is_nothing_to_evaluate() {
    let place = place(&[("s/a.yaml", SOUND), ("empty/rules.json", "{}")]);
    let ended = place.run(&["validate", "s", "empty"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""));
    let expected = "error: nothing to evaluate: no scenario in empty: looked for *.yaml and *.yml";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

#[test]
fn every_file_is_checked_whatever_is_wrong_with_others() {
    let place = place(&[("a.yaml", SOUND)]);
    let ended = place.run(&["validate", "missing.yaml", "a.yaml"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("cannot read scenario missing.yaml"), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("a.yaml: ok: "), "{}", ended.stdout);
}
