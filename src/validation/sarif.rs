//! What is known of scenario files as SARIF, which code scanning and editors read.
//!
//! The Static Analysis Results Interchange Format 2.1.0 (OASIS Standard, with Errata 01); section
//! numbers in this file are its own. What it demands of readers beyond that, a region in every
//! place and help for every rule, is demanded by GitHub's code scanning. Valid files leave no trace
//! but that they cause no results.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::document::{PartLeftOut, ValidatedFile, Validation};
use super::sarif_rules::{rule_index, rules};
use super::uri::uri;
use crate::json::outline;
use crate::scenario::{Problem, Spot};

/// `validation` as a SARIF log: JSON with a newline at its end. `working_directory`, an absolute
/// path, is the folder that the paths in it are relative to; files in it get relative URIs, as is
/// wanted where it is the root of a repository, and all others absolute ones.
pub fn sarif(validation: &Validation, working_directory: &Path) -> String {
    outline(&log(validation, working_directory))
}

fn log(validation: &Validation, working: &Path) -> Value {
    let (results, more) = results(validation, working);
    let left_out = validation.left_out.iter().map(|part| left_out(part, working));
    let notifications: Vec<_> = left_out.chain(more.map(too_many)).collect();
    let mut invocation = json!({"executionSuccessful": true});
    if !notifications.is_empty() {
        invocation["toolExecutionNotifications"] = json!(notifications);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "coalmine",
                "version": validation.coalmine,
                "semanticVersion": validation.coalmine,
                "rules": rules(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    })
}

/// The results, and how many more there are. What several files share, such as the mistake of one
/// that they are all made with, is told once.
fn results(validation: &Validation, working: &Path) -> (Vec<Value>, Option<u64>) {
    let mut told = BTreeSet::new();
    let mut results = Vec::new();
    let mut more = 0;
    for file in &validation.files {
        more += file.more_problems;
        for problem in &file.problems {
            if !told.insert((problem.kind, &problem.place, &problem.message)) {
                continue;
            }
            match results.len() {
                MOST_RESULTS.. => more += 1,
                _ => results.push(result(problem, file, working)),
            }
        }
    }
    (results, Some(more).filter(|more| *more > 0))
}

fn result(problem: &Problem, file: &ValidatedFile, working: &Path) -> Value {
    let Problem { kind, severity, place, message, help, notes } = problem;
    // A setting is in no file: it is told of the scenario that it changes.
    let of_file = Spot::file(file.file.as_str());
    let (place, mut text) = match &place.setting {
        Some(_) => (&of_file, format!("{place}: {message}")),
        None => (place, message.clone()),
    };
    help.iter().for_each(|help| text.push_str(&format!("\nhelp: {help}")));
    let (elsewhere, in_files): (Vec<_>, Vec<_>) =
        notes.iter().partition(|note| note.place.setting.is_some());
    for note in elsewhere {
        text.push_str(&format!("\nnote: {}: {}", note.place, note.message));
    }
    let mut result = json!({
        "ruleId": kind.id(),
        "ruleIndex": rule_index(*kind),
        "level": severity.name(),
        "message": plain(&text),
        "locations": [location(place, working)],
    });
    if !in_files.is_empty() {
        let related = in_files.iter().zip(1..).map(|(note, id)| {
            let mut related = location(&note.place, working);
            related["id"] = json!(id);
            related["message"] = plain(&note.message);
            related
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

/// The place in its file (sections 3.28 to 3.30).
fn location(place: &Spot, working: &Path) -> Value {
    let file = place.file.as_deref().unwrap_or_default();
    let (line, column) = (place.line.unwrap_or(1), place.column.unwrap_or(1));
    let mut region = json!({"startLine": line, "startColumn": column, "endLine": line});
    // Without an end, a region goes to the end of its line (section 3.30.8).
    if let Some(length) = place.length {
        region["endColumn"] = json!(u64::from(column) + u64::from(length));
    }
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(Path::new(file), working)},
        "region": region,
    }})
}

/// `text` as a message that is read as it stands: braces would be placeholders and are doubled
/// (section 3.11.5), and what looks like a link is none (section 3.11.6).
fn plain(text: &str) -> Value {
    let text = text.replace('{', "{{").replace('}', "}}").replace("](", "\\](");
    json!({"text": text})
}

fn left_out(PartLeftOut { file, part_of, lacks }: &PartLeftOut, working: &Path) -> Value {
    let lacks = lacks.join(", ");
    let text = format!(
        "left out: a part of {part_of}, no scenario by itself: it has no value for {lacks}"
    );
    let place = location(&Spot::file(file.as_str()), working);
    json!({"level": "note", "message": plain(&text), "locations": [place]})
}

fn too_many(more: u64) -> Value {
    json!({"level": "warning", "message": plain(&format!("and {more} more problems"))})
}

/// GitHub's code scanning shows the first 5,000 results of a run and refuses 25,000.
const MOST_RESULTS: usize = 5_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Note, ProblemKind};

    fn told(problems: Vec<Problem>) -> Value {
        let file = ValidatedFile::new("s/a b.yaml".to_owned(), problems, None);
        let run = log(&Validation::new(vec![file], Vec::new()), Path::new("/w"));
        run["runs"][0].clone()
    }

    fn problem(place: Spot, message: &str) -> Problem {
        Problem::new(ProblemKind::InvalidGateLine, place, message)
    }

    #[test]
    fn regions_are_as_exact_as_places() {
        let line = Spot::line("t.csv", 7);
        let stretch = Spot { column: Some(3), length: Some(2), ..line.clone() };
        let of = |place| told(vec![problem(place, "x")])["results"][0]["locations"][0].clone();
        let region = |region| json!({"physicalLocation": {"artifactLocation": {"uri": "t.csv"}, "region": region}});
        // The column behind the last character: 3 + 2.
        let expected = json!({"startLine": 7, "startColumn": 3, "endLine": 7, "endColumn": 5});
        assert_eq!(of(stretch), region(expected));
        let to_its_end = json!({"startLine": 7, "startColumn": 1, "endLine": 7});
        assert_eq!(of(line), region(to_its_end));
        let first_line = json!({"startLine": 1, "startColumn": 1, "endLine": 1});
        assert_eq!(of(Spot::file("t.csv")), region(first_line));
    }

    #[test]
    fn messages_are_read_as_they_stand() {
        let mut problem = problem(Spot::file("a"), "{0} of [a](b) and [c] {");
        problem.help.push("write {{x}}".to_owned());
        let text = told(vec![problem])["results"][0]["message"]["text"].clone();
        assert_eq!(text, "{{0}} of [a\\](b) and [c] {{\nhelp: write {{{{x}}}}");
    }

    #[test]
    fn settings_are_told_of_the_scenario_and_notes_where_they_are() {
        let setting = Spot { setting: Some("seed".to_owned()), file: None, ..Spot::file("") };
        let mut problem = problem(setting.clone(), "no");
        problem.notes = vec![
            Note { place: Spot::line("b.yaml", 2), message: "this".to_owned() },
            Note { place: setting, message: "that".to_owned() },
        ];
        let result = told(vec![problem])["results"][0].clone();
        assert_eq!(result["message"]["text"], "--set seed: no\nnote: --set seed: that");
        let uri =
            |location: &Value| location["physicalLocation"]["artifactLocation"]["uri"].clone();
        assert_eq!(uri(&result["locations"][0]), "s/a%20b.yaml");
        let related = &result["relatedLocations"];
        assert_eq!((uri(&related[0]), &related[0]["id"]), (json!("b.yaml"), &json!(1)));
        assert_eq!(related[0]["message"]["text"], "this");
        assert_eq!(related.as_array().unwrap().len(), 1);
    }

    #[test]
    fn every_result_names_its_rule_and_every_rule_has_what_readers_show() {
        let problems = ProblemKind::ALL.map(|kind| Problem::new(kind, Spot::file("a"), "x"));
        let run = told(problems.to_vec());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), ProblemKind::ALL.len());
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
            for text in ["shortDescription", "fullDescription", "help"] {
                let text = rule[text]["text"].as_str().unwrap();
                assert!(text.ends_with('.') && text.len() <= 1_024, "{text}");
            }
        }
        assert_eq!(rules[4]["name"], "InvalidGateLine");
    }

    #[test]
    fn what_is_told_twice_is_one_result_and_too_many_are_counted() {
        let run = told(vec![problem(Spot::file("a"), "x"); 2]);
        assert_eq!(run["results"].as_array().unwrap().len(), 1);
        let file = |number: usize| {
            let place = |line| Spot::line(format!("{number}.yaml"), line);
            let problems = (1..=1_001).map(|line| problem(place(line), "x")).collect();
            ValidatedFile::new(format!("{number}.yaml"), problems, None)
        };
        let files = (0..6).map(file).collect();
        let run = log(&Validation::new(files, Vec::new()), Path::new("/w"))["runs"][0].clone();
        assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
        let notice = &run["invocations"][0]["toolExecutionNotifications"][0];
        // Six times 1,001 less 5,000.
        assert_eq!(notice["message"]["text"], "and 1006 more problems");
    }
}
