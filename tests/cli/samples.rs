//! The sample reports, byte for byte: what is committed under `reports/` is what the program makes.
//!
//! `COALMINE_BLESS=1 cargo test --test cli samples` writes them anew.

use std::collections::BTreeMap;
use std::path::Path;

use crate::program::{Workplace, project};

/// The scenarios whose reports are kept.
const SAMPLES: [&str; 3] = ["ten-thousand", "low-traffic", "progressive"];

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a report by their paths from the project's root. Its page knows nothing of when and
/// where the run was: it is made from `result.json` alone.
fn made_anew(name: &str) -> Files {
    let place = Workplace::with_project();
    let ended = place.run(&["run", &format!("scenarios/{name}.yaml"), "--no-charts"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}: {}", ended.stdout);
    let folder = format!("reports/{name}");
    std::fs::remove_file(place.path(&format!("{folder}/run.json"))).unwrap();
    let ended = place.run(&["report", &folder]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}: {}", ended.stdout);
    let files = place.files().into_iter().filter(|path| path.starts_with("reports/"));
    files.map(|path| (path.clone(), std::fs::read(place.path(&path)).unwrap())).collect()
}

/// The files of a report that are committed; those of a run that somebody made there are not.
fn committed(name: &str) -> Files {
    let mut files = Files::new();
    for folder in [format!("reports/{name}"), format!("reports/{name}/charts")] {
        for entry in std::fs::read_dir(project(&folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap();
            if path.is_file() && file != "run.json" {
                files.insert(format!("{folder}/{file}"), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Makes the committed files those that were made.
fn bless(made: &Files, committed: &Files) {
    for path in committed.keys().filter(|path| !made.contains_key(*path)) {
        std::fs::remove_file(project(path)).unwrap();
    }
    for (path, bytes) in made {
        let path = project(path);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn the_sample_reports_are_those_that_the_program_makes() {
    let mut stale = Vec::new();
    for name in SAMPLES {
        let (made, kept) = (made_anew(name), committed(name));
        if std::env::var_os("COALMINE_BLESS").is_some() {
            bless(&made, &kept);
            continue;
        }
        let differ = |path: &&String| made.get(*path) != kept.get(*path);
        let paths = made.keys().chain(kept.keys().filter(|path| !made.contains_key(*path)));
        stale.extend(paths.filter(differ).cloned());
    }
    let remedy = "COALMINE_BLESS=1 cargo test --test cli samples";
    assert!(stale.is_empty(), "run `{remedy}`, these are stale:\n{}", stale.join("\n"));
}

#[test]
fn every_sample_is_shown_with_the_command_that_makes_it() {
    let page = std::fs::read_to_string(project("reports/README.md")).unwrap();
    for name in SAMPLES {
        for part in [format!("({name}/report.html)"), format!("coalmine run scenarios/{name}.yaml")]
        {
            assert!(page.contains(&part), "{part} is not in reports/README.md");
        }
    }
}
