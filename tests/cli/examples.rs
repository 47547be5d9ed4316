//! Every example in the pages is tried: scenarios and their parts are loaded, rules are read,
//! commands are run and must print what the page shows.
//!
//! What is done with a block is said by what stands behind its opening fence:
//!
//! | fence | the block is |
//! | --- | --- |
//! | `yaml` | a scenario |
//! | `yaml PART` | keys of a part: `scenario`, `workload`, `model`, `version`, `upstream`, `phase`, `fault`; what it leaves out is filled in |
//! | `yaml gateway` | a configuration of a gateway |
//! | `yaml faults` | a list of faults |
//! | `json rules` | a file of rollback rules |
//! | `console` | `$ coalmine ...` with the output; a line `...` stands for any lines |
//! | `yml` | a file of a CI system: shown only |
//! | `text`, `sh`, `csv`, `json`, `jsonl`, `python`, `rust` | shown only (JSON must be JSON) |

use std::path::Path;

use coalmine::scenario::{Document, Files, ScenarioError, load, load_faults, load_gateway};

use crate::pages::{Block, pages};
use crate::program::{Workplace, project};

/// The project's files, and the rules of the example that is tried.
struct Around<'a> {
    rules: &'a str,
}

impl Files for Around<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        if path.file_name().is_some_and(|name| name == "rules-of-the-page.json") {
            return Ok(self.rules.as_bytes().to_vec());
        }
        std::fs::read(path).map_err(|_| format!("no such file: {}", path.display()))
    }
}

fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| page.blocks()).collect()
}

/// Why the scenario `text`, as if it lay in `scenarios/`, is refused.
fn refusal(text: &str, rules: &str) -> Option<String> {
    let load = |document: Document<'_>| load(document, &Around { rules }).err();
    refused(text, load)
}

/// Why the configuration `text` of a gateway, as if it lay in `scenarios/`, is refused.
fn refusal_of_gateway(text: &str) -> Option<String> {
    refused(text, |document| load_gateway(document, &Around { rules: "{}" }).err())
}

fn refused(text: &str, load: impl FnOnce(Document<'_>) -> Option<ScenarioError>) -> Option<String> {
    let path = project("scenarios/of-the-page.yaml");
    let document = Document {
        path: Path::new(&path),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new(env!("CARGO_MANIFEST_DIR")),
        allow_outside: false,
    };
    load(document).map(|error| format!("{error}\nin:\n{text}"))
}

/// A map with the lines of `keys`, and those of `defaults` whose key is not among them.
fn filled(keys: &str, defaults: &[(&str, &str)]) -> String {
    let has = |key: &str| keys.lines().any(|line| line.starts_with(&format!("{key}:")));
    let missing = defaults.iter().filter(|(key, _)| !has(key));
    let missing: String = missing.map(|(key, value)| format!("{key}: {value}\n")).collect();
    format!("{missing}{keys}")
}

/// `text`, as the value of a key at `columns`.
fn indented(text: &str, columns: usize) -> String {
    let lines = text.lines().map(|line| format!("\n{}{line}", " ".repeat(columns)));
    lines.collect()
}

const WORKLOAD: &str = "{arrivals: {poisson: 10/s}, requests: 1000, \
                        tokens: {input: 620, output: 210}, \
                        clients: [{key: team-search, share: 100%}]}";
const VERSIONS: &str = "
      gpt-4-v1: {tags: [stable], upstream: {latency: 1247ms}}
      gpt-4-turbo-v2: {tags: [beta], upstream: {latency: 892ms}}";
const SPLIT: &str = "{gpt-4-v1: 95%, gpt-4-turbo-v2: 5%}";

/// A whole scenario around the keys of a part of one.
fn around(part: &str, keys: &str) -> Option<String> {
    let phases = format!("[{{name: canary, for: 10m, split: {SPLIT}}}]");
    let upstream = |upstream: &str| {
        format!(
            "
      gpt-4-v1: {{tags: [stable], upstream: {{latency: 1247ms}}}}
      gpt-4-turbo-v2:
        tags: [beta]
        upstream:{}",
            indented(upstream, 10)
        )
    };
    let (mut workload, mut versions) = (WORKLOAD.to_owned(), VERSIONS.to_owned());
    let (mut model, mut phase) = (String::new(), phases);
    match part {
        "scenario" => {}
        "workload" => {
            let tokens = ("tokens", "{input: 620, output: 210}");
            let trace = keys.contains("trace:");
            let defaults = [("arrivals", "{poisson: 10/s}"), ("requests", "1000"), tokens];
            let defaults = if trace { &[][..] } else { &defaults };
            workload = indented(&filled(keys, defaults), 2);
        }
        "model" => model = indented(keys, 4),
        "version" => {
            let keys = filled(keys, &[("upstream", "{latency: 892ms}")]);
            let stable = "\n      gpt-4-v1: {tags: [stable], upstream: {latency: 1247ms}}";
            versions = format!("{stable}\n      gpt-4-turbo-v2:{}", indented(&keys, 8));
        }
        "upstream" => {
            let parts = ["latency:", "first_token:", "per_output_token:", "preset:"];
            let whole = keys.lines().any(|line| parts.iter().any(|part| line.starts_with(part)));
            let latency = if whole { &[][..] } else { &[("latency", "892ms")] };
            versions = upstream(&filled(keys, latency));
        }
        "phase" => {
            let mut defaults = vec![("name", "canary")];
            if !keys.lines().any(|line| line.starts_with("rollout:")) {
                defaults.push(("split", SPLIT));
            }
            let ends = ["for:", "until:", "requests:"];
            if !keys.lines().any(|line| ends.iter().any(|end| line.starts_with(end))) {
                defaults.push(("for", "10m"));
            }
            phase = format!("\n  -{}", &indented(&filled(keys, &defaults), 4)[4..]);
        }
        "fault" => {
            let fault = &indented(keys, 10)[10..];
            phase = format!(
                "\n  - name: canary\n    for: 10m\n    split: {SPLIT}\n    faults:\n      \
                 gpt-4-turbo-v2:\n        -{fault}"
            );
        }
        _ => return None,
    }
    let model = if model.contains("\n    versions:") {
        model
    } else {
        format!("\n    versions:{versions}{model}")
    };
    let model = format!("\n  gpt-4:{model}");
    let defaults = [
        ("schema", "1"),
        ("name", "of-the-page"),
        ("workload", workload.as_str()),
        ("models", model.as_str()),
        ("phases", phase.as_str()),
    ];
    let top = if part == "scenario" { keys } else { "" };
    Some(filled(top, &defaults))
}

#[test]
fn every_scenario_in_the_pages_is_valid() {
    let mut tried = 0;
    let mut refused = Vec::new();
    for block in blocks() {
        let Some(part) = block.info.strip_prefix("yaml") else { continue };
        let text = match part.trim() {
            "gateway" => {
                let why = refusal_of_gateway(&block.text);
                refused.extend(why.map(|why| format!("{}: {why}", block.place)));
                continue;
            }
            "faults" => {
                let why = load_faults("faults.yaml", block.text.as_bytes()).err();
                refused.extend(why.map(|why| format!("{}: {why}", block.place)));
                continue;
            }
            "" => block.text,
            part => around(part, &block.text)
                .unwrap_or_else(|| panic!("{}: {part} is no part of a scenario", block.place)),
        };
        tried += 1;
        refused.extend(refusal(&text, "{}").map(|why| format!("{}: {why}", block.place)));
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(tried >= 10, "{tried} examples");
}

#[test]
fn every_file_of_rules_in_the_pages_is_valid() {
    let scenario = around("model", "rules: rules-of-the-page.json").unwrap();
    let rules: Vec<_> = blocks().into_iter().filter(|block| block.info == "json rules").collect();
    assert!(!rules.is_empty());
    for block in rules {
        let refused = refusal(&scenario, &block.text);
        assert!(refused.is_none(), "{}: {}", block.place, refused.unwrap());
    }
}

#[test]
fn every_block_says_what_it_is() {
    const SHOWN: [&str; 9] =
        ["text", "sh", "csv", "json", "jsonl", "json rules", "python", "rust", "yml"];
    for block in blocks() {
        let tried = block.info == "console" || block.info.starts_with("yaml");
        assert!(tried || SHOWN.contains(&block.info.as_str()), "{}: {:?}", block.place, block.info);
        if block.info.starts_with("json") {
            let whole = serde_json::from_str::<serde_json::Value>(&block.text).is_ok();
            let lines = || block.text.lines().map(serde_json::from_str::<serde_json::Value>);
            assert!(whole || lines().all(|line| line.is_ok()), "{} is no JSON", block.place);
        }
    }
}

#[test]
fn every_command_in_the_pages_prints_what_they_show() {
    let mut tried = 0;
    for block in blocks().into_iter().filter(|block| block.info == "console") {
        let place = Workplace::with_project();
        for (command, shown) in commands(&block.text) {
            // What a shell would take the quotes from holds no blanks in the pages.
            let words: Vec<_> =
                command.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            let arguments = words.strip_prefix(&["coalmine"]);
            let arguments = arguments
                .unwrap_or_else(|| panic!("{}: {command} does not run coalmine", block.place));
            let ended = place.run(arguments);
            let printed = format!("{}{}", ended.stdout, ended.stderr);
            assert!(
                fits(&shown, &printed.lines().collect::<Vec<_>>()),
                "{}: {command} prints\n{printed}",
                block.place
            );
            tried += 1;
        }
    }
    assert!(tried >= 3, "{tried} commands");
}

/// The commands of a console block, each with the lines that are shown after it.
fn commands(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("output before the first command: {line}"),
        }
    }
    commands
}

/// Whether `printed` is what is `shown`, where `...` stands for any number of lines.
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        (["...", rest @ ..], _) => {
            (0..=printed.len()).any(|skipped| fits(rest, &printed[skipped..]))
        }
        ([line, shown @ ..], [first, printed @ ..]) => {
            line.trim_end() == first.trim_end() && fits(shown, printed)
        }
        _ => false,
    }
}

#[test]
fn output_is_compared_line_by_line_but_for_what_is_left_out() {
    assert!(fits(&["a", "...", "c"], &["a", "b", "b", "c"]));
    assert!(fits(&["...", "c"], &["c"]));
    assert!(!fits(&["a", "..."], &["b"]));
    assert!(!fits(&["a"], &["a", "b"]));
}

#[test]
fn a_wrong_example_is_refused_with_its_reason() {
    for (part, keys) in [
        ("workload", "arivals: {poisson: 1/s}"),
        ("upstream", "latency: 5"),
        ("phase", "for: 0s"),
        ("fault", "failures: {\"503\": 300%}"),
        ("scenario", "gate: [eror_rate < 1%]"),
    ] {
        let why = refusal(&around(part, keys).unwrap(), "{}");
        assert!(why.is_some_and(|why| why.contains("error: ")), "{part}: {keys}");
    }
    for part in ["scenario", "workload", "model", "version", "upstream", "phase"] {
        assert_eq!(refusal(&around(part, "").unwrap(), "{}"), None, "{part}");
    }
}
