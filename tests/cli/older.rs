//! Results of every format that was ever written are still read, and give all reports.
//!
//! `tests/golden/results` holds one of each: reports of the main scenario as the project kept them
//! at the time, shortened: their histograms to steps of 50 ms, their series to every eighth slot.

use serde_json::Value;

use crate::program::{Workplace, project};

/// Each file with the number of its format.
const FILES: [(&str, u64); 6] = [
    ("format-1", 1),
    // The first of its number, the first with a journal, and the last.
    ("format-2-first", 2),
    ("format-2-journal", 2),
    ("format-2-last", 2),
    ("format-3-first", 3),
    ("format-4-first", 4),
];

fn stored(name: &str) -> Value {
    let path = project(&format!("tests/golden/results/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Columns, metrics and values of a table.
fn figures(result: &Value) -> Vec<(Value, Value, Value)> {
    let columns = result["table"]["columns"].as_array().unwrap();
    let cells = columns.iter().flat_map(|column| {
        let cells = column["cells"].as_array().unwrap().iter();
        cells.map(|cell| {
            (column["title"].clone(), cell["estimate"].clone(), cell["change_percent"].clone())
        })
    });
    cells.collect()
}

#[test]
fn results_of_every_older_format_give_all_reports_with_their_own_figures() {
    let schema: Value =
        serde_json::from_str(&Workplace::new().run(&["schema", "result"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, number) in FILES {
        let old = stored(name);
        assert_eq!(old["schema"], number, "{name}");
        let place = Workplace::new();
        place.write("old.json", old.to_string());
        let ended = place.run(&["report", "old.json", "--out", "new"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}");
        assert!(ended.stdout.starts_with("PASS  ten-thousand: "), "{name}: {}", ended.stdout);
        for file in ["result.json", "table.csv", "summary.md", "report.html", "charts/timeline.png"]
        {
            assert!(place.path(&format!("new/{file}")).exists(), "{name}: {file}");
        }
        let new: Value = serde_json::from_str(&place.read("new/result.json")).unwrap();
        assert_eq!(figures(&new), figures(&old), "{name}");
        assert_eq!(new["gate"], old["gate"], "{name}");
        assert_eq!(new["coalmine"], old["coalmine"], "{name}");
        let told =
            |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        let problems: Vec<String> = validator.iter_errors(&new).map(told).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
        // Counted by hand from the cells of phase and version: 3,498 requests, 4 of them failed.
        let endings = &new["table"]["columns"][0]["endings"];
        let failed = endings["failed"].as_object().unwrap().values().map(|n| n.as_u64().unwrap());
        assert_eq!(endings["succeeded"].as_u64().unwrap() + failed.sum::<u64>(), 3_498, "{name}");
    }
}

#[test]
fn a_result_made_anew_is_the_same_when_it_is_made_anew_again() {
    let place = Workplace::new();
    place.write("old.json", stored("format-1").to_string());
    place.run(&["report", "old.json", "--out", "once", "--no-charts"]);
    place.run(&["report", "once", "--out", "twice", "--no-charts"]);
    for file in ["result.json", "table.csv", "summary.md", "report.html"] {
        assert_eq!(place.read(&format!("once/{file}")), place.read(&format!("twice/{file}")));
    }
}

#[test]
fn the_committed_results_fit_the_published_schema() {
    let text = std::fs::read_to_string(project("docs/result.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    for entry in std::fs::read_dir(project("reports")).unwrap() {
        let path = entry.unwrap().path().join("result.json");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let result: Value = serde_json::from_str(&text).unwrap();
        let problems: Vec<String> = validator.iter_errors(&result).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
    }
}
