//! Which modules a file names: `use` trees and paths in code, macro bodies included, made
//! absolute; then the direction between floors and rings among the files of a folder.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Source};
use super::floors::floor;
use super::token::{Kind, Token, reads};

/// One path that a file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Path {
    /// As written, `*` for a glob.
    pub(crate) segments: Vec<String>,
    /// The inline modules around it.
    pub(crate) within: Vec<String>,
    /// Under what name a `use` brings it in: its own, or that after `as`.
    pub(crate) name: Option<String>,
    pub(crate) line: usize,
    pub(crate) test: bool,
}

/// All paths that `tokens` name: every `use` and every path of at least two segments.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut within: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        match token.text.as_str() {
            "mod" if reads(tokens, index + 2, &["{"]) => {
                within.push((tokens[index + 1].text.clone(), depth));
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                within.retain(|(_, outside)| *outside < depth);
            }
            _ => {}
        }
        let around = || within.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if token.text == "use" && !reads(tokens, index + 1, &["<"]) {
            let mut tree = Tree { tokens, at: index + 1, within: around(), found: &mut found };
            tree.read(&[]);
            index = tree.at;
        } else if starts_path(tokens, index) {
            let (segments, end) = path_at(tokens, index);
            let (line, test) = (token.line, token.test);
            if segments.len() > 1 {
                found.push(Path { segments, within: around(), name: None, line, test });
            }
            index = end;
        } else {
            index += 1;
        }
    }
    found
}

/// A word followed by `::` that continues no earlier segment.
fn starts_path(tokens: &[Token], index: usize) -> bool {
    let continues = |at: usize| tokens[at].kind == Kind::Word || tokens[at].text == ">";
    let after_colons = index > 0 && tokens[index - 1].text == "::";
    tokens[index].kind == Kind::Word
        && reads(tokens, index + 1, &["::"])
        && !(after_colons && index > 1 && continues(index - 2))
}

fn path_at(tokens: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut segments = vec![tokens[start].text.clone()];
    let mut index = start + 1;
    while reads(tokens, index, &["::"])
        && tokens.get(index + 1).is_some_and(|token| token.kind == Kind::Word)
    {
        segments.push(tokens[index + 1].text.clone());
        index += 2;
    }
    (segments, index)
}

/// Reads a `use` tree.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
    within: Vec<String>,
    found: &'a mut Vec<Path>,
}

impl Tree<'_> {
    fn text(&self) -> &str {
        self.tokens.get(self.at).map_or(";", |token| token.text.as_str())
    }

    /// Reads one branch after `prefix` and stops at the `,`, `}` or `;` behind it.
    fn read(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        let mut line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let test = self.tokens.get(self.at).is_some_and(|token| token.test);
        loop {
            match self.text() {
                "," | "}" | ";" => break,
                "::" => {}
                "{" => {
                    self.at += 1;
                    self.read_group(&segments);
                    return;
                }
                "as" => {
                    let name = self.tokens.get(self.at + 1).map(|token| token.text.clone());
                    self.at += 2;
                    self.push(segments, name, line, test);
                    return;
                }
                word => {
                    let word = word.to_owned();
                    line = self.tokens[self.at].line;
                    if word != "self" || segments.is_empty() {
                        segments.push(word);
                    }
                }
            }
            self.at += 1;
        }
        let name = segments.last().cloned();
        self.push(segments, name, line, test);
    }

    fn read_group(&mut self, prefix: &[String]) {
        loop {
            match self.text() {
                "}" => {
                    self.at += 1;
                    return;
                }
                ";" => return,
                "," => self.at += 1,
                _ => self.read(prefix),
            }
        }
    }

    fn push(&mut self, segments: Vec<String>, name: Option<String>, line: usize, test: bool) {
        if !segments.is_empty() {
            self.found.push(Path { segments, within: self.within.clone(), name, line, test });
        }
    }
}

/// The place of `path`, written in the module `file`, counted from the crate's root; `None` if
/// it leads out of the crate.
pub(crate) fn resolve(
    path: &Path,
    file: &[String],
    modules: &BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let mut place = [file, &path.within].concat();
    let mut rest = path.segments.as_slice();
    match rest.first().map(String::as_str)? {
        "crate" | "coalmine" => place.clear(),
        "self" => {}
        "super" => {
            while rest.first().is_some_and(|segment| segment == "super") {
                place.pop();
                rest = &rest[1..];
            }
            return Some([&place, rest].concat());
        }
        first => {
            place.push(first.to_owned());
            if !modules.contains(&place) {
                return None;
            }
        }
    }
    Some([&place, &rest[1..]].concat())
}

/// The modules that `sources` make up.
pub(crate) fn modules(sources: &[Source]) -> BTreeSet<Vec<String>> {
    sources.iter().map(|source| source.module.clone()).filter(|place| !place.is_empty()).collect()
}

/// Names of a module on the same or a higher floor.
pub(crate) fn direction(source: &Source, modules: &BTreeSet<Vec<String>>) -> Vec<Finding> {
    let Some(here) = source.module.first() else { return door(source) };
    let Some(here_floor) = floor(here) else { return Vec::new() };
    let mut findings = Vec::new();
    for path in paths(&source.tokens) {
        let Some(place) = resolve(&path, &source.module, modules) else { continue };
        let written = path.segments.join("::");
        let (what, remedy) = match place.first().map(|there| (there, floor(there))) {
            Some((there, _)) if there == here => continue,
            Some((_, Some(there_floor))) if there_floor < here_floor => continue,
            Some((there, Some(there_floor))) => (
                format!(
                    "{here} (floor {here_floor}) names {there} (floor {there_floor}) as {written}"
                ),
                "a module names lower floors only: move the shared type down",
            ),
            _ => (
                format!("{written} hides from which module it comes"),
                "name the module: crate::module::Name",
            ),
        };
        findings.push(source.finding("direction", path.line, what, remedy));
    }
    findings
}

/// `main.rs` names nothing of the library but `cli`.
fn door(source: &Source) -> Vec<Finding> {
    if source.path != "src/main.rs" {
        return Vec::new();
    }
    let library = |path: &Path| path.segments[0] == "coalmine" || path.segments[0] == "crate";
    let cli = |path: &Path| path.segments.get(1).is_some_and(|segment| segment == "cli");
    let strays = paths(&source.tokens).into_iter().filter(|path| library(path) && !cli(path));
    strays
        .map(|path| {
            let what = format!("main.rs names {}", path.segments.join("::"));
            source.finding("direction", path.line, what, "main.rs is a door: call coalmine::cli")
        })
        .collect()
}

/// Rings among the files of each folder; names that `mod.rs` passes on count as the file they
/// come from.
pub(crate) fn rings(sources: &[Source]) -> Vec<Finding> {
    let modules = modules(sources);
    let folders: BTreeSet<&String> = sources.iter().filter_map(|s| s.module.first()).collect();
    let mut findings = Vec::new();
    for folder in folders {
        let edges = edges(folder, sources, &modules);
        let mut reported = BTreeSet::new();
        for start in edges.keys() {
            let Some(ring) = ring_through(start, &edges) else { continue };
            if ring.iter().any(|file| reported.contains(file)) {
                continue;
            }
            reported.extend(ring.clone());
            let next = &ring[1 % ring.len()];
            let line = edges[start].get(next).copied().unwrap_or(1);
            findings.push(Finding {
                check: "ring",
                path: format!("src/{folder}/{start}.rs"),
                line,
                what: format!("a ring of files: {} -> {start}", ring.join(" -> ")),
                remedy: "move what they share into a file that names none of them".to_owned(),
            });
        }
    }
    findings
}

/// From each file of a folder the files it names, each with the line that names it.
type Edges = BTreeMap<String, BTreeMap<String, usize>>;

fn edges(folder: &str, sources: &[Source], modules: &BTreeSet<Vec<String>>) -> Edges {
    let root = vec![folder.to_owned()];
    let file_of = |place: &[String]| -> Option<String> {
        let known = place.len() >= 2 && place[0] == folder && modules.contains(&place[..2]);
        known.then(|| place[1].clone())
    };
    // Which file each name comes from that the folder's own mod.rs passes on.
    let mut passed_on: BTreeMap<String, String> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module == root) {
        for path in paths(&source.tokens) {
            let origin = resolve(&path, &root, modules).and_then(|place| file_of(&place));
            if let (Some(name), Some(origin)) = (path.name, origin) {
                passed_on.insert(name, origin);
            }
        }
    }
    let mut edges = Edges::new();
    for source in sources.iter().filter(|s| s.module.len() == 2 && s.module[0] == folder) {
        let mut named = BTreeMap::new();
        for path in paths(&source.tokens).into_iter().filter(|path| !path.test) {
            let Some(place) = resolve(&path, &source.module, modules) else { continue };
            if place.first() != Some(&root[0]) {
                continue;
            }
            let there: Vec<String> = match (file_of(&place), place.get(1).map(String::as_str)) {
                (Some(file), _) => vec![file],
                (None, Some("*")) => passed_on.values().cloned().collect(),
                (None, Some(name)) => passed_on.get(name).cloned().into_iter().collect(),
                (None, None) => Vec::new(),
            };
            for file in there.into_iter().filter(|file| *file != source.module[1]) {
                named.entry(file).or_insert(path.line);
            }
        }
        edges.insert(source.module[1].clone(), named);
    }
    edges
}

/// A shortest ring from `start` back to itself, breadth first.
fn ring_through(start: &str, edges: &Edges) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut waiting = std::collections::VecDeque::from([vec![start.to_owned()]]);
    while let Some(trail) = waiting.pop_front() {
        for next in edges.get(trail.last()?)?.keys() {
            if next == start {
                return Some(trail);
            }
            if edges.contains_key(next) && seen.insert(next.clone()) {
                waiting.push_back([trail.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text)
    }

    fn breaches(path: &str, text: &str) -> Vec<Finding> {
        let source = source(path, text);
        direction(&source, &BTreeSet::from([source.module.clone()]))
    }

    fn written(text: &str) -> Vec<String> {
        paths(&super::super::token::tokens(text)).iter().map(|p| p.segments.join("::")).collect()
    }

    #[test]
    fn a_use_tree_is_read_to_its_leaves() {
        let text = "use a::{self, b::{c, d as e}, f::*}; pub(crate) use g; use h::{i};";
        assert_eq!(written(text), ["a", "a::b::c", "a::b::d", "a::f::*", "g", "h::i"]);
        assert_eq!(
            written("x(::std::fs::read(p)); <A as b::C>::d(); e::f::<g::H>()"),
            ["std::fs::read", "b::C", "e::f", "g::H"]
        );
    }

    #[test]
    fn naming_a_higher_floor_is_found_wherever_it_stands() {
        for text in [
            "use crate::gate::Verdict;",
            "use crate::{units::Ratio, gate::Verdict};",
            "fn f() -> crate::gate::Verdict { g() }",
            "mod inner { use super::super::super::gate::Verdict; }",
            "macro_rules! m { () => { $crate::gate::judge() } }",
            "#[cfg(test)] mod tests { use crate::gate::Verdict; }",
            "use super::super::gate;",
        ] {
            let found = breaches("src/engine/split.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].what.contains("engine (floor 2) names gate (floor 9)"), "{found:?}");
        }
    }

    #[test]
    fn equal_floors_do_not_name_each_other() {
        assert_eq!(breaches("src/workload/mod.rs", "\nuse crate::upstream::Plan;")[0].line, 2);
        assert_eq!(breaches("src/math/gamma.rs", "use crate::units::Ratio;").len(), 1);
    }

    #[test]
    fn lower_floors_own_files_and_other_crates_may_be_named() {
        let text = "use crate::units::Ratio; use super::window::Window; use std::fmt;
            use crate::engine::split; pub(in crate::engine) fn f() { gate::x() }
            // crate::gate\nconst A: &str = \"crate::gate::x\";";
        assert_eq!(breaches("src/engine/split.rs", text), []);
    }

    #[test]
    fn a_name_from_the_root_is_found_because_it_hides_its_floor() {
        for text in ["use crate::Verdict;", "use crate::*;", "use crate as all;"] {
            assert_eq!(breaches("src/engine/split.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn main_names_cli_only() {
        assert_eq!(breaches("src/main.rs", "fn main() { coalmine::cli::run() }"), []);
        assert_eq!(breaches("src/main.rs", "use coalmine::engine::Engine;").len(), 1);
    }

    #[test]
    fn a_ring_of_files_is_found_directly_and_through_the_folders_names() {
        let direct = [
            source("src/stats/mod.rs", "mod a; mod b; mod c;"),
            source("src/stats/a.rs", "use super::b::B;"),
            source("src/stats/b.rs", "\nuse crate::stats::c::C;"),
            source("src/stats/c.rs", "fn f() { super::a::g() }"),
        ];
        let found = rings(&direct);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, "a ring of files: a -> b -> c -> a");
        let through = [
            source("src/stats/mod.rs", "mod a; mod b; pub use a::A; pub use b::{B as Bee};"),
            source("src/stats/a.rs", "use super::Bee;"),
            source("src/stats/b.rs", "use crate::stats::A;"),
        ];
        assert_eq!(rings(&through).len(), 1);
    }

    #[test]
    fn a_chain_of_files_and_a_ring_of_tests_are_no_ring() {
        let sources = [
            source("src/stats/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            source("src/stats/a.rs", "use super::b::B; use super::A as Own;"),
            source("src/stats/b.rs", "#[cfg(test)] mod tests { use super::super::A; }"),
        ];
        assert_eq!(rings(&sources), []);
    }
}
