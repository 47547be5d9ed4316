//! What a floor may not touch: paths and macros, in imports, in code and in macro bodies.

use super::finding::{Finding, Source};
use super::floors::{BANS, Ban};
use super::imports::{Path, paths};
use super::token::{Kind, Token, reads};

/// Everything in `source` that its module may not name. `lib.rs` and `main.rs` hold no logic and
/// are judged by their size.
pub(crate) fn bans(source: &Source) -> Vec<Finding> {
    let Some(module) = source.module.first() else { return Vec::new() };
    let named = paths(&source.tokens);
    let mut findings = Vec::new();
    for ban in BANS.iter().filter(|ban| ban.scope.covers(module)) {
        for banned in ban.paths {
            let lines = match banned.strip_suffix('!') {
                Some(name) => macro_lines(&source.tokens, name, ban),
                None if banned.contains("::") => path_lines(&named, banned, ban),
                None => [path_lines(&named, banned, ban), word_lines(&source.tokens, banned, ban)]
                    .concat(),
            };
            let mut lines = lines;
            lines.sort_unstable();
            lines.dedup();
            findings.extend(lines.into_iter().map(|line| {
                source.finding("ban", line, format!("{module} names {banned}"), ban.remedy)
            }));
        }
    }
    findings
}

fn path_lines(named: &[Path], banned: &str, ban: &Ban) -> Vec<usize> {
    let banned: Vec<&str> = banned.split("::").collect();
    let hits = named.iter().filter(|path| !(path.test && ban.allowed_in_tests)).filter(|path| {
        let common = path.segments.iter().zip(&banned).take_while(|(a, b)| a == b).count();
        let import = path.name.is_some();
        // An import of the parent, or of everything in it, would open a way round the ban.
        common == banned.len()
            || (import && common == path.segments.len())
            || (import && common + 1 == path.segments.len() && path.segments[common] == "*")
    });
    hits.map(|path| path.line).collect()
}

/// Uses of a bare name, `HashMap` say, whatever crate it comes from.
fn word_lines(tokens: &[Token], banned: &str, ban: &Ban) -> Vec<usize> {
    if banned.chars().all(|c| c.is_lowercase() || c == '_') {
        // A crate's name is named by paths only; as a word it may be anything.
        return Vec::new();
    }
    let hits = tokens.iter().filter(|token| token.kind == Kind::Word && token.text == banned);
    hits.filter(|token| !(token.test && ban.allowed_in_tests)).map(|token| token.line).collect()
}

fn macro_lines(tokens: &[Token], name: &str, ban: &Ban) -> Vec<usize> {
    let hits = (0..tokens.len()).filter(|index| reads(tokens, *index, &[name, "!"]));
    let hits = hits.filter(|index| !(tokens[*index].test && ban.allowed_in_tests));
    hits.map(|index| tokens[index].line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        bans(&Source::new(path, text)).iter().map(|finding| finding.what.clone()).collect()
    }

    #[test]
    fn the_engine_knows_no_clock_file_socket_generator_or_log() {
        for text in [
            "use std::time::Duration;",
            "use std::{fmt, fs};",
            "use std::io::Write;",
            "use std::net::TcpStream;",
            "fn f() { std::fs::read(p) }",
            "use rand::Rng;",
            "fn f(r: &mut impl rand::Rng) {}",
            "use tokio::sync;",
            "fn f() { log::info!() }",
            "use tracing::info;",
            "fn f() { println!() }",
        ] {
            assert!(!found("src/engine/split.rs", text).is_empty(), "{text}");
        }
        let log = "fn f() { journal.log(1); let rand = 2; } use std::{fmt, sync::Arc};";
        assert_eq!(found("src/engine/split.rs", log), [""; 0]);
    }

    #[test]
    fn no_floor_below_cli_reads_the_clock_the_environment_or_prints() {
        for text in [
            "use std::time::Instant;",
            "use std::time::{Duration, SystemTime};",
            "use std::time;",
            "use std::time::*;",
            "fn f() { std::time::Instant::now(); }",
            "use std::env;",
            "use std::process::ExitCode;",
            "fn f() { eprintln!() }",
        ] {
            assert!(!found("src/report/text.rs", text).is_empty(), "{text}");
            assert_eq!(found("src/cli/run.rs", text), [""; 0], "{text}");
        }
        assert_eq!(found("src/report/text.rs", "use std::time::Duration;"), [""; 0]);
        assert_eq!(found("src/report/text.rs", "const A: &str = env!(\"A\");"), [""; 0]);
    }

    #[test]
    fn threads_and_unseeded_generators_stay_above_the_director() {
        for text in ["use std::thread;", "let a = rand::rng();", "use rand::thread_rng;"] {
            assert!(!found("src/director/mod.rs", text).is_empty(), "{text}");
        }
        assert_eq!(found("src/run/study.rs", "use std::thread;"), [""; 0]);
        assert_eq!(found("src/chance/draw.rs", "use rand::{Rng, RngCore};"), [""; 0]);
    }

    #[test]
    fn hash_ordered_collections_are_for_tests_only() {
        for text in ["use std::collections::HashMap;", "fn f(a: ahash::HashSet<u8>) {}"] {
            assert!(!found("src/simulator/mod.rs", text).is_empty(), "{text}");
        }
        let test = "#[cfg(test)] mod tests { use std::collections::HashMap; }";
        assert_eq!(found("src/simulator/mod.rs", test), [""; 0]);
    }

    #[test]
    fn those_who_judge_and_draw_know_neither_files_nor_the_terminal() {
        for text in ["use std::fs;", "std::io::stdout();", "use std::io::{self, IsTerminal};"] {
            for path in ["src/gate/judge.rs", "src/report/text.rs", "src/assertion/parse.rs"] {
                assert!(!found(path, text).is_empty(), "{path} {text}");
            }
        }
        assert_eq!(found("src/report/text.rs", "use std::io::Write;"), [""; 0]);
    }

    #[test]
    fn tests_may_print_but_not_read_the_clock() {
        let print = "#[cfg(test)] mod tests { fn f() { println!() } }";
        assert_eq!(found("src/stats/window.rs", print), [""; 0]);
        let clock = "#[cfg(test)] mod tests { use std::time::Instant; }";
        assert_eq!(found("src/stats/window.rs", clock).len(), 1);
    }
}
