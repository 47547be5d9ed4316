//! The bodies of the fuzz targets for scenarios and for files of rollback rules.

use std::path::Path;

use super::files::Files;
use super::load::{Document, load};

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
    let document = Document {
        path: Path::new("fuzz.yaml"),
        bytes: scenario,
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    match load(document, &Same(file)) {
        Ok(loaded) => assert_eq!(loaded.resolved["name"], loaded.scenario.name.as_str()),
        Err(error) => assert!(error.to_string().starts_with("error: ")),
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
    fn mangled() -> impl Strategy<Value = String> {
        let change = (any::<prop::sample::Index>(), 0..4_u8, 0..WORDS.len());
        (0..SEEDS.len(), prop::collection::vec(change, 1..4)).prop_map(|(seed, changes)| {
            let mut text = SEEDS[seed].to_owned();
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
        fn mangled_scenarios_are_loaded_or_refused(text in mangled()) {
            fuzz_scenario(text.as_bytes());
        }

        #[test]
        fn arbitrary_text_is_loaded_or_refused(text in ".{0,200}") {
            fuzz_scenario(text.as_bytes());
        }
    }
}
