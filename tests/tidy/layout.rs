//! Where files lie, how long they are, and what must not be left in them.

use super::finding::{Finding, Source};
use super::floors::floor;
use super::token::{Token, past_closing, past_item, reads};

/// Lines of a file that are not test code.
const FILE_LINES: usize = 500;
/// Lines of a function from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;
/// Columns of a line.
const COLUMNS: usize = 100;
/// Lines of the map, `lib.rs`.
const MAP_LINES: usize = 120;
/// Lines of the door, `main.rs`.
const DOOR_LINES: usize = 20;

/// Findings about the file itself: its place, head, sizes and leftovers.
pub(crate) fn layout(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(place(&source.path));
    findings.extend(head(source));
    findings.extend(file_length(source));
    findings.extend(function_lengths(source));
    findings.extend(line_lengths(source));
    findings.extend(module_file(source));
    findings.extend(leftovers(&source.path, &source.text));
    findings
}

/// `src/lib.rs`, `src/main.rs`, `src/x.rs` or `src/x/y.rs`, with `x` in the floor table. Other
/// files (templates, schemas) keep to the same folders.
pub(crate) fn place(path: &str) -> Option<Finding> {
    let parts: Vec<&str> = path.split('/').collect();
    let finding = |what: String, remedy: &str| Finding {
        check: "place",
        path: path.to_owned(),
        line: 1,
        what,
        remedy: remedy.to_owned(),
    };
    if parts.len() > 3 {
        let what = "a third level of folders".to_owned();
        return Some(finding(what, "two levels only: src/module/noun.rs"));
    }
    let module = parts.get(1)?.trim_end_matches(".rs");
    let root = parts.len() == 2 && ["lib", "main"].contains(&module);
    if root || floor(module).is_some() {
        return None;
    }
    let what = format!("the module {module} is on no floor");
    Some(finding(what, "list it in FLOORS of tests/tidy/floors.rs and in docs/architecture.md"))
}

fn head(source: &Source) -> Option<Finding> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let what = "no `//!` at the head".to_owned();
    (!first.starts_with("//! ")).then(|| {
        source.finding("head", 1, what, "open with its purpose and what it knows nothing of")
    })
}

fn file_length(source: &Source) -> Option<Finding> {
    let limit = match source.path.as_str() {
        "src/lib.rs" => MAP_LINES,
        "src/main.rs" => DOOR_LINES,
        _ => FILE_LINES,
    };
    let lines = (1..=source.text.lines().count()).filter(|line| !in_tests(source, *line)).count();
    let what = format!("{lines} lines that are no tests, allowed are {limit}");
    (lines > limit)
        .then(|| source.finding("file length", limit + 1, what, "split it: one noun per file"))
}

/// Whether `line` lies in test code, which has no limits of size.
fn in_tests(source: &Source, line: usize) -> bool {
    let tokens = &source.tokens;
    let after = tokens.partition_point(|token| token.line < line);
    let before = tokens[..after].last().is_some_and(|token| token.test);
    match tokens.get(after) {
        Some(token) if token.line == line => token.test,
        Some(token) => token.test && before,
        None => before,
    }
}

fn function_lengths(source: &Source) -> Vec<Finding> {
    let tokens = &source.tokens;
    let starts = (0..tokens.len()).filter(|index| {
        let named = tokens.get(index + 1).is_some_and(|token| !"(<".contains(&token.text));
        tokens[*index].text == "fn" && named && !tokens[*index].test
    });
    let measured = starts.map(|start| {
        let end = past_item(tokens, start);
        (start, tokens[end - 1].line + 1 - tokens[start].line)
    });
    measured
        .filter(|(_, lines)| *lines > FUNCTION_LINES)
        .map(|(start, lines)| {
            let name = &tokens[start + 1].text;
            let what = format!("fn {name} has {lines} lines, allowed are {FUNCTION_LINES}");
            let remedy = "give its parts names of their own";
            source.finding("function length", tokens[start].line, what, remedy)
        })
        .collect()
}

/// A line with a link may be longer: a link cannot be broken.
fn line_lengths(source: &Source) -> Vec<Finding> {
    let long = source.text.lines().zip(1..).filter(|(line, number)| {
        line.chars().count() > COLUMNS && !line.contains("://") && !in_tests(source, *number)
    });
    long.map(|(line, number)| {
        let what = format!("{} columns, allowed are {COLUMNS}", line.chars().count());
        source.finding("line length", number, what, "break the line")
    })
    .collect()
}

/// `mod.rs` holds documentation, `mod` and `pub use`; nothing else.
fn module_file(source: &Source) -> Option<Finding> {
    if !source.path.ends_with("/mod.rs") {
        return None;
    }
    let tokens = &source.tokens;
    let mut index = 0;
    while index < tokens.len() {
        let start = index;
        while reads(tokens, index, &["#"]) {
            index += if reads(tokens, index + 1, &["!"]) { 2 } else { 1 };
            index = past_closing(tokens, index);
        }
        let Some(first) = tokens.get(index) else { break };
        let public = first.text == "pub";
        if public {
            index += 1;
            if reads(tokens, index, &["("]) {
                index = past_closing(tokens, index);
            }
        }
        let module = reads(tokens, index, &["mod"]) && reads(tokens, index + 2, &[";"]);
        let passed_on = public && reads(tokens, index, &["use"]);
        if !module && !passed_on && !tokens[start].test {
            let what = "mod.rs holds more than documentation, `mod` and `pub use`".to_owned();
            let remedy = "move it into a file named after its noun";
            return Some(source.finding("mod.rs", first.line, what, remedy));
        }
        index = if passed_on { past_semicolon(tokens, index) } else { past_item(tokens, index) };
    }
    None
}

/// A `use` with a group ends at its semicolon, not at the group's brace.
fn past_semicolon(tokens: &[Token], start: usize) -> usize {
    let length = tokens[start..].iter().position(|token| token.text == ";");
    length.map_or(tokens.len(), |length| start + length + 1)
}

/// Marks and macros of unfinished work, anywhere in a text of whatever language.
pub(crate) fn leftovers(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let marks = ["FIXME", "TODO", "XXX"].into_iter().filter(|mark| words.contains(mark));
        let macros =
            ["dbg!(", "todo!(", "unimplemented!("].into_iter().filter(|name| line.contains(name));
        findings.extend(marks.chain(macros).map(|left| Finding {
            check: "leftover",
            path: path.to_owned(),
            line: number,
            what: format!("{left} was left behind"),
            remedy: "finish it, or file it as an issue".to_owned(),
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(path: &str, text: &str) -> Vec<&'static str> {
        layout(&Source::new(path, text)).iter().map(|finding| finding.check).collect()
    }

    #[test]
    fn files_lie_two_levels_deep_in_modules_with_a_floor() {
        assert_eq!(checks("src/engine/split/even.rs", "//! A."), ["place"]);
        assert_eq!(checks("src/cellar/mod.rs", "//! A."), ["place"]);
        assert_eq!(checks("src/cellar.rs", "//! A."), ["place"]);
        assert!(place("src/report/page/style.css").is_some());
        for path in ["src/lib.rs", "src/main.rs", "src/cli.rs", "src/engine/split.rs"] {
            assert_eq!(checks(path, "//! A."), [""; 0], "{path}");
        }
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        assert_eq!(checks("src/engine/split.rs", "use std::fmt;\n//! Late."), ["head"]);
        assert_eq!(checks("src/engine/split.rs", ""), ["head"]);
    }

    #[test]
    fn files_stop_at_their_limit_not_counting_tests() {
        let code = |lines: usize| format!("//! A.\n{}", "const A: u8 = 1;\n".repeat(lines - 1));
        assert_eq!(checks("src/engine/split.rs", &code(500)), [""; 0]);
        assert_eq!(checks("src/engine/split.rs", &code(501)), ["file length"]);
        assert_eq!(checks("src/lib.rs", &code(121)), ["file length"]);
        assert_eq!(checks("src/main.rs", &code(21)), ["file length"]);
        let comments = format!("//! A.\n{}", "// Why.\n".repeat(500));
        assert_eq!(checks("src/engine/split.rs", &comments), ["file length"]);
        let tests =
            format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// Why.\nfn f() {}\n".repeat(400));
        assert_eq!(checks("src/engine/split.rs", &(code(500) + &tests)), [""; 0]);
    }

    #[test]
    fn functions_stop_at_seventy_lines() {
        let function = |lines: usize| {
            format!("//! A.\npub fn f(a: [u8; 2]) {{\n{}}}\n", "    g();\n".repeat(lines - 2))
        };
        assert_eq!(checks("src/engine/split.rs", &function(70)), [""; 0]);
        assert_eq!(checks("src/engine/split.rs", &function(71)), ["function length"]);
        let test = function(90).replace("pub fn", "#[cfg(test)]\nfn");
        assert_eq!(checks("src/engine/split.rs", &test), [""; 0]);
        let pointer = "//! A.\nstruct A { f: fn(u8) -> u8 }\n".to_owned() + &"// A.\n".repeat(90);
        assert_eq!(checks("src/engine/split.rs", &pointer), [""; 0]);
    }

    #[test]
    fn lines_stop_at_a_hundred_columns_unless_they_hold_a_link() {
        assert_eq!(checks("src/cli.rs", &format!("//! {}", "é".repeat(96))), [""; 0]);
        assert_eq!(checks("src/cli.rs", &format!("//! {}", "é".repeat(97))), ["line length"]);
        assert_eq!(checks("src/cli.rs", &format!("//! https://{}", "a".repeat(97))), [""; 0]);
    }

    #[test]
    fn a_mod_file_only_lists_and_passes_on() {
        let fine = "//! A.\n#![x]\n#[doc(inline)]\nmod a;\npub(crate) mod b;\npub use a::{A, B};\n
            #[cfg(test)]\nmod tests { fn f() {} }\npub(crate) use b::C;";
        assert_eq!(checks("src/engine/mod.rs", fine), [""; 0]);
        for text in
            ["struct A;", "use a::A;", "mod a { }", "pub fn f() {}", "mod a; const A: u8 = 1;"]
        {
            assert_eq!(
                checks("src/engine/mod.rs", &format!("//! A.\n{text}")),
                ["mod.rs"],
                "{text}"
            );
        }
    }

    #[test]
    fn unfinished_work_is_found_in_any_text() {
        for text in
            ["// TODO: x", "# FIXME", "let a = dbg!(b);", "todo!()", "unimplemented!()", "XXX"]
        {
            assert_eq!(leftovers("benches/a.py", text).len(), 1, "{text}");
        }
        assert_eq!(leftovers("src/a.rs", "let todo = XXXL; mastodon(TODOS)"), []);
    }
}
