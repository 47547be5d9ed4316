//! `coalmine validate`: folders, parts of scenarios, exit codes, what is told to programs.

use serde_json::{Value, json};

use crate::generated::hold;
use crate::program::{Ended, Workplace, project};

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
    // Lists of faults lie there too.
    files.retain(|file| !file.starts_with("scenarios/faults/"));
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

fn stretch(file: &str, line: u64, column: u32, length: u32) -> Value {
    json!({"file": file, "line": line, "column": column, "length": length})
}

/// Validates by `arguments` and holds the document to its schema. Nothing is said beside it.
fn document(place: &Workplace, arguments: &[&str]) -> (i32, Value) {
    let arguments = [&["validate", "--format", "json"], arguments].concat();
    let Ended { code, stdout, stderr } = place.run(&arguments);
    assert_eq!(stderr, "");
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let schema = serde_json::from_str(&place.run(&["schema", "validation"]).stdout).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let told =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    let breaches: Vec<_> = validator.iter_errors(&document).map(told).collect();
    assert_eq!(breaches, [""; 0], "{stdout}");
    assert_eq!(document["ok"], code == 0);
    (code, document)
}

#[test]
fn a_document_tells_of_every_file_what_text_tells() {
    let place = place(&[
        ("s/a.yaml", "extends: [parts/base.yaml]\nname: a\nvars: {unused: 1}\n"),
        ("s/broken.yaml", &SOUND.replace("error_rate", "error_rat").replace("250ms", "250")),
        ("s/parts/base.yaml", &SOUND.replace("name: sound\n", "")),
    ]);
    let (code, told) = document(&place, &["s", "missing.yaml"]);
    assert_eq!(code, 3);
    let files = told["files"].as_array().unwrap();
    let names: Vec<_> = files.iter().map(|file| file["file"].as_str().unwrap()).collect();
    assert_eq!(names, ["s/a.yaml", "s/broken.yaml", "missing.yaml"]);
    let part = json!({"file": "s/parts/base.yaml", "part_of": "s/a.yaml", "lacks": ["name"]});
    assert_eq!(told["left_out"], json!([part]));
    // A warning alone does no harm.
    assert_eq!((&files[0]["ok"], &files[0]["contents"]["name"]), (&json!(true), &json!("a")));
    let odd = &files[0]["problems"][0];
    assert_eq!((&odd["kind"], &odd["severity"]), (&json!("odd-scenario"), &json!("warning")));
    assert_eq!(odd["place"], stretch("s/a.yaml", 3, 8, 6));
    // Counted in the text of `SOUND`.
    let broken = &files[1];
    assert!(broken.get("contents").is_none());
    let problems = broken["problems"].as_array().unwrap();
    let kinds: Vec<_> = problems.iter().map(|problem| &problem["kind"]).collect();
    assert_eq!(kinds, ["invalid-scenario", "invalid-gate-line"]);
    assert_eq!(problems[0]["help"], json!(["did you mean `250s`?"]));
    let lines = [0, 1].map(|index: usize| problems[index]["place"]["line"].as_u64());
    assert_eq!(lines, [Some(7), Some(9)]);
    let message = problems[1]["message"].as_str().unwrap();
    assert!(message.contains("error_rat"), "{message}");
    assert_eq!(files[2]["problems"][0]["place"], json!({"file": "missing.yaml"}));
    assert_eq!(files[2]["problems"][0]["kind"], "unreadable-file");
}

#[test]
fn settings_notes_and_other_files_have_their_places_in_the_document() {
    let place = place(&[(
        "a.yaml",
        &SOUND.replace("name: sound", "name: one\nname: two\nextends: [../x.yaml, b.yaml]"),
    )]);
    let (_, told) = document(&place, &["a.yaml", "--set", "seed=-7"]);
    let problems = told["files"][0]["problems"].as_array().unwrap();
    let of = |kind: &str| problems.iter().find(|problem| problem["kind"] == kind).unwrap();
    let twice = of("broken-yaml");
    let stretch = |line, column, length| stretch("a.yaml", line, column, length);
    assert_eq!(twice["place"], stretch(3, 1, 4));
    let note = json!({"place": stretch(2, 1, 4), "message": "it stands here first"});
    assert_eq!(twice["notes"], json!([note]));
    assert_eq!(of("file-outside")["place"], stretch(4, 11, 9));
    assert_eq!(of("unreadable-file")["place"], stretch(4, 22, 6));
    let setting = &of("invalid-setting")["place"];
    assert_eq!(*setting, json!({"setting": "seed", "column": 1, "length": 2}));
}

#[test]
fn traces_are_told_in_numbers_or_with_the_line_that_is_broken() {
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let rows =
        "2023-11-16 18:17:00,100,10\n2023-11-16 18:17:01,200,10\n2023-11-16 18:17:04,600,40\n";
    let replay = |traces: &str| {
        SOUND.replace(
            "{arrivals: {constant: 10/s}, requests: 100, tokens: {input: 600, output: 200}}",
            &format!("{{arrivals: {traces}}}"),
        )
    };
    let place = place(&[
        ("a.yaml", &replay("{trace: a.csv}")),
        ("b.yaml", &replay("{sum: [{trace: b.csv}, {trace: a.csv}, {trace: c.csv}]}")),
        ("a.csv", &format!("{header}{rows}")),
        ("b.csv", &format!("{header}{rows}2023-11-16 18:17:03,5,5\n")),
    ]);
    let (code, told) = document(&place, &["a.yaml", "b.yaml"]);
    assert_eq!(code, 3);
    let trace = &told["files"][0]["contents"]["traces"][0];
    let expected = [
        ("file", json!("a.csv")),
        ("format", json!("azure")),
        ("rows_read", json!(3)),
        ("rows_replayed", json!(3)),
        ("requests", json!(3)),
        ("span_seconds", json!(4.0)),
        ("requests_per_second", json!(0.75)),
    ];
    for (name, value) in expected {
        assert_eq!(trace[name], value, "{name}");
    }
    // (100 + 200 + 600) / 3 and (10 + 10 + 40) / 3.
    assert_eq!(trace["input_tokens"]["mean"], 300.0);
    assert_eq!(trace["output_tokens"]["mean"], 20.0);
    assert_eq!(trace["input_tokens"]["p50"], 200.0);
    // Each trace is read, whatever is wrong with others.
    let problems = told["files"][1]["problems"].as_array().unwrap();
    let told: Vec<_> =
        problems.iter().map(|problem| (&problem["kind"], &problem["place"])).collect();
    let broken = (&json!("broken-trace"), &json!({"file": "b.csv", "line": 5}));
    let missing = (&json!("unreadable-file"), &json!({"file": "c.csv"}));
    assert_eq!(told, [broken, missing]);
    let text = place.run(&["validate", "b.yaml"]).stderr;
    assert!(text.starts_with("error: b.csv:5: the row is 1 s earlier than line 4"), "{text}");
    assert!(text.contains("\nerror: cannot read trace c.csv: "), "{text}");
}

#[test]
fn false_alarms_are_told_in_numbers() {
    let place = Workplace::with_project();
    let (code, told) = document(&place, &["scenarios/low-traffic.yaml"]);
    assert_eq!(code, 0);
    let alarms = &told["files"][0]["contents"]["false_alarms"];
    let shares = alarms["models"][0]["shares"].as_array().unwrap();
    let sum: f64 = shares.iter().filter_map(Value::as_f64).sum();
    assert!(sum > 0.0 && (alarms["probability_at_most"].as_f64().unwrap() - sum).abs() < 1e-12);
    let text = place.run(&["validate", "scenarios/low-traffic.yaml"]).stdout;
    assert!(text.contains(&format!("at most {sum} ")), "{text}{sum}");
}

/// What the document and the text say of every malformed scenario is one and the same.
#[test]
fn the_document_holds_every_problem_that_the_texts_of_malformed_scenarios_have() {
    let place = Workplace::new();
    let folder = std::path::PathBuf::from(project("tests/golden/errors"));
    let mut checked = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let file = path.to_str().unwrap();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let settings = text.lines().map_while(|line| line.strip_prefix("# set: "));
        let settings: Vec<_> = settings.flat_map(|setting| ["--set", setting]).collect();
        let (code, told) = document(&place, &[&[file], &settings[..]].concat());
        assert_eq!(code, 3, "{file}");
        let text = place.run(&[&["validate", file], &settings[..]].concat()).stderr;
        let problems = told["files"][0]["problems"].as_array().unwrap();
        let more = text.contains("more errors");
        assert_eq!(problems.len() > 50, more, "{file}");
        let errors = text.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, problems.len().min(50), "{file}: {text}");
        for problem in problems.iter().take(50) {
            let spot = &problem["place"];
            let place = match spot["setting"].as_str() {
                Some(setting) => format!("--set {setting}"),
                None => format!(
                    "{}:{}:{}",
                    spot["file"].as_str().unwrap(),
                    spot["line"],
                    spot["column"]
                ),
            };
            let line = format!("error: {place}: {}\n", problem["message"].as_str().unwrap());
            assert!(text.contains(&line), "{file}: {line}{text}");
            for help in problem["help"].as_array().unwrap() {
                assert!(text.contains(&format!(" help: {}\n", help.as_str().unwrap())), "{file}");
            }
            for note in problem["notes"].as_array().unwrap() {
                assert!(text.contains(note["message"].as_str().unwrap()), "{file}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}

/// The layout of what is told of a scenario with many mistakes in several files and settings.
#[test]
fn the_documents_of_a_malformed_scenario_are_laid_out_as_they_were() {
    let place = Workplace::new();
    place.bring("tests/golden/errors");
    let file = "tests/golden/errors/extends-and-vars.yaml";
    let mut stale = Vec::new();
    for format in ["json", "sarif"] {
        let arguments = ["validate", file, "--set", "vars.rat=5/s", "--format", format];
        let Ended { stdout, .. } = place.run(&arguments);
        hold(&format!("tests/golden/validations/extends-and-vars.{format}"), &stdout, &mut stale);
    }
    assert_eq!(stale, [""; 0], "COALMINE_BLESS=1 writes them anew");
}

#[test]
fn replays_that_cannot_work_are_refused() {
    let place = Workplace::new();
    let head = "#coalmine-trace 2\nat_ns,version,input_tokens,output_tokens,status,duration_ns\n";
    let row = |second: u64, size: &str| format!("{second}000000000,v1,{size},200,1000\n");
    let rows = |seconds: &[u64]| -> String { seconds.iter().map(|at| row(*at, "5,5")).collect() };
    place.write("log.csv", format!("{head}{}", rows(&[0, 10, 20])));
    place.write("unsorted.csv", format!("{head}{}", rows(&[0, 20, 10])));
    place.write("sizes.csv", format!("{head}{}{}{}", row(0, "5,5"), row(1, "5,"), row(2, "5,")));
    let scenario = |trace: &str, v2: &str| {
        format!(
            "schema: 1\nname: s\nworkload:\n  arrivals: {{trace: {trace}}}\nmodels:\n  m:\n    \
             versions:\n      v1: {{tags: [stable], upstream: {{recorded: true}}}}\n      \
             v2: {{upstream: {v2}}}\nphases: [{{name: all, for: 1m, split: {{v1: 100%}}}}]\n"
        )
    };
    let window = |from: &str| format!("{{file: log.csv, window: {{from: {from}, for: 5s}}}}");
    let unsorted = "{file: unsorted.csv, window: {from: 0s, for: 5s}}";
    let latency = "{latency: 1s}";
    let cases = [
        (window("10s"), latency, None),
        (window("2h"), latency, Some("log.csv:5: no request between 2h and ")),
        (window("11s"), latency, Some("the ones beside it are sent at 10 s and 20 s")),
        (unsorted.to_owned(), latency, Some("unsorted.csv:5: the row is 10 s earlier than line 4")),
        ("sizes.csv".to_owned(), latency, Some("sizes.csv:4: 2 of 3 rows, this the first, do not")),
        ("log.csv".to_owned(), "{recorded: true}", Some("says what version \"v2\" answered")),
    ];
    for (trace, v2, said) in cases {
        place.write("s.yaml", scenario(&trace, v2));
        let ended = place.run(&["validate", "s.yaml"]);
        assert_eq!(ended.code, if said.is_some() { 3 } else { 0 }, "{trace}: {}", ended.stderr);
        assert!(ended.stderr.contains(said.unwrap_or_default()), "{trace}: {}", ended.stderr);
    }
}
