//! The README, word for word: what it says the main job prints.

use crate::program::{Workplace, project};

#[test]
fn the_main_job_prints_what_the_readme_shows() {
    let place = Workplace::with_project();
    let ended = place.run(&["run", "scenarios/ten-thousand.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let readme = std::fs::read_to_string(project("README.md")).unwrap();
    for line in ended.stdout.lines() {
        // How long it took is the one thing that may differ.
        let line = line.split(" requests in ").next().unwrap_or(line);
        assert!(readme.contains(line), "not in the README: {line}");
    }
}
