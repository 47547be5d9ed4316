//! The bodies of the fuzz targets for scenarios, for files of rollback rules and for the
//! configurations of gateways.

use std::path::Path;

use super::document::Document;
use super::files::Files;
use super::load::load;
use super::load_gateway::load_gateway;

/// Loads `bytes` as a scenario whose files are the same bytes again, and prints what is wrong with
/// it. Whatever the bytes are, nothing panics.
///
/// # Panics
/// What was loaded is not what was resolved, or a refusal does not say that it is one.
pub fn fuzz_scenario(bytes: &[u8]) {
    check(bytes, bytes);
}

/// Loads `bytes` as the rollback rules of a sound scenario. Whatever they are, nothing panics.
///
/// # Panics
/// As [`fuzz_scenario`].
pub fn fuzz_rules(bytes: &[u8]) {
    check(AROUND_RULES, bytes);
}

/// Loads `bytes` as the configuration of a gateway whose files are the same bytes again, and the
/// plan of it spelled out again. Whatever the bytes are, nothing panics.
///
/// # Panics
/// What is spelled out is refused or is not what it was spelled out from, or a refusal does not say
/// that it is one.
pub fn fuzz_gateway(bytes: &[u8]) {
    match load_gateway(document(bytes), &Same(bytes)) {
        Ok(loaded) => {
            let text = loaded.to_yaml();
            let again = load_gateway(document(text.as_bytes()), &Same(bytes));
            let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again.to_yaml(), text);
        }
        Err(error) => assert!(error.to_string().starts_with("error: ")),
    }
}

/// A scenario whose rules are in a file.
const AROUND_RULES: &[u8] = b"\
schema: 1
name: around-rules
workload: {arrivals: {constant: 1/s}, requests: 10, tokens: {input: 1, output: 1}}
models:
  m:
    rules: rules.json
    versions:
      old: {tags: [stable], upstream: {latency: 1ms}}
      new: {tags: [beta], upstream: {latency: 1ms}}
phases: [{name: all, for: rest, split: {old: 50%, new: 50%}}]
";

fn check(scenario: &[u8], file: &[u8]) {
    match load(document(scenario), &Same(file)) {
        Ok(loaded) => assert_eq!(loaded.resolved["name"], loaded.scenario.name.as_str()),
        Err(error) => assert!(error.to_string().starts_with("error: ")),
    }
}

fn document(bytes: &[u8]) -> Document<'_> {
    Document {
        path: Path::new("fuzz.yaml"),
        bytes,
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    }
}

struct Same<'a>(&'a [u8]);

impl Files for Same<'_> {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEEDS: [&str; 3] = [
        include_str!("../../tests/golden/accepted/everything.yaml"),
        include_str!("../../tests/golden/accepted/ten-thousand.yaml"),
        include_str!("../../tests/golden/accepted/smallest.yaml"),
    ];

    const GATEWAYS: [&str; 2] = [
        include_str!("../../fixtures/gateway.yaml"),
        include_str!("../../tests/golden/gateways/everything.yaml"),
    ];

    const WORDS: [&str; 24] = [
        "",
        "~",
        "0",
        "-1",
        "1e400",
        "5",
        "5%",
        "120%",
        "0s",
        "5ms",
        "9999999999h",
        "1/s",
        "0/s",
        "rest",
        "stable",
        "v2",
        "[]",
        "{}",
        "[a]",
        "{a: b}",
        "*normal",
        "true",
        "'",
        "9e99",
    ];

    /// A valid scenario with some words replaced, some lines left out, repeated or moved: close
    /// enough to the format to reach its deepest checks.
    fn mangled(seeds: &'static [&'static str]) -> impl Strategy<Value = String> {
        let change = (any::<prop::sample::Index>(), 0..4_u8, 0..WORDS.len());
        (0..seeds.len(), prop::collection::vec(change, 1..4)).prop_map(|(seed, changes)| {
            let mut text = seeds[seed].to_owned();
            for (index, kind, word) in changes {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                let at = index.index(lines.len());
                match kind {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[index.index(lines.len())].clone()),
                    _ => {
                        let parts: Vec<_> = lines[at]
                            .split_inclusive([' ', '{', '}', '[', ']', ',', '\n'])
                            .map(str::to_owned)
                            .collect();
                        let chosen = index.index(parts.len().max(1));
                        let part = parts.get(chosen).cloned().unwrap_or_default();
                        let end = part.len() - part.trim_end_matches([' ', '}', ']', ',']).len();
                        let new = format!("{}{}", WORDS[word], &part[part.len() - end..]);
                        let mut parts = parts;
                        if let Some(part) = parts.get_mut(chosen) {
                            *part = new;
                        }
                        lines[at] = parts.concat();
                    }
                }
                text = lines.join("\n");
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn mangled_scenarios_are_loaded_or_refused(text in mangled(&SEEDS)) {
            fuzz_scenario(text.as_bytes());
        }

        #[test]
        fn mangled_gateways_are_loaded_or_refused(text in mangled(&GATEWAYS)) {
            fuzz_gateway(text.as_bytes());
        }

        #[test]
        fn arbitrary_text_is_loaded_or_refused(text in ".{0,200}") {
            fuzz_scenario(text.as_bytes());
            fuzz_gateway(text.as_bytes());
        }
    }
}
