//! Settings of the command line: `--set models.gpt-4.versions.gpt-4-v1.upstream.failures.500=1%`.
//!
//! A path follows the format: keys joined by dots, where a key that has dots itself is matched as
//! the longest one that exists; items of lists by number from 0 or by their name, title or id. It
//! may name a key that the file leaves out, but none that the format does not know.

use std::borrow::Cow;

use super::diagnostic::Diagnostic;
use super::files::{Reading, fits};
use super::parse::parse_setting;
use super::place::Place;
use super::shape::{Field, Literal, Shape, quote};
use super::shorthand::renamed;
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node, Scalar, Value};
use crate::units::format_counted;

/// Puts the value of `setting`, `PATH=VALUE`, into `root`; a setting that cannot be is reported.
pub(crate) fn apply(root: &mut Node, shape: Shape, setting: &str, reading: &mut Reading<'_>) {
    let (path, value) = setting.split_once('=').unwrap_or((setting, ""));
    let (path, value) = (path.trim(), value.trim());
    if path.is_empty() || value.is_empty() {
        let source = reading.sources.add_setting(path, value);
        let message = "a setting is PATH=VALUE, such as seed=7 or phases.canary.for=10m";
        reading.diagnostics.report(Diagnostic::new(Place::start_of(source), message));
        return;
    }
    let value = as_text(value);
    let Some(mut value) = parse_setting(path, &value, reading.sources, reading.diagnostics) else {
        return;
    };
    reading.substitute(&mut value);
    let place = value.place;
    if let Err(refused) = (Setting { reading, place }).put(root, shape, path, value) {
        let diagnostic = Diagnostic::new(place, refused.message);
        reading.diagnostics.report(match dotted(path).or(refused.meant) {
            Some(meant) => diagnostic.suggest(Some(&meant)),
            None => diagnostic.help(refused.known),
        });
    }
}

/// A value that YAML would take for a map with an empty value though its author means a text, such
/// as `:memory:`: nobody writes `a:` for a map on a command line. Quoted it is the text.
fn as_text(value: &str) -> Cow<'_, str> {
    let is_text = |c: char| c.is_ascii_graphic() && !"{}[]\"'\\,#&*!|>%@`".contains(c);
    if value.ends_with(':') && value.chars().all(is_text) {
        return Cow::Owned(format!("\"{value}\""));
    }
    Cow::Borrowed(value)
}

/// A path that names items as `conditions[0]`, as it is written here: `conditions.0`.
fn dotted(path: &str) -> Option<String> {
    let mut parts = path.split('[');
    let mut dotted = parts.next()?.to_owned();
    for part in parts {
        let (item, rest) = part.split_once(']')?;
        dotted.push_str(&format!(".{}{rest}", item.trim_matches(['"', '\''])));
    }
    (dotted != path).then_some(dotted)
}

/// Whether a setting is of the vars, which must stand before their values go where they are named.
pub(crate) fn is_of_vars(setting: &str) -> bool {
    let path = setting.split_once('=').map_or(setting, |(path, _)| path).trim();
    path == "vars" || path.starts_with("vars.")
}

/// Why a path leads nowhere.
struct Refused {
    message: String,
    meant: Option<String>,
    known: String,
}

struct Setting<'a, 'b> {
    reading: &'a mut Reading<'b>,
    place: Place,
}

impl Setting<'_, '_> {
    /// Puts `value` at `path` below `node`.
    fn put(
        &mut self,
        node: &mut Node,
        shape: Shape,
        path: &str,
        value: Node,
    ) -> Result<(), Refused> {
        self.unfold(node, shape);
        match (shape, &mut node.value) {
            (Shape::FileOr(shape), _) => self.put(node, *shape, path, value),
            (Shape::Short(short), _) => self.put(node, short.full, path, value),
            (Shape::List(item), Value::List(items)) => self.put_item(items, *item, path, value),
            (Shape::Table(table), Value::Map(entries)) => {
                let keys = entries.iter().map(|entry| entry.key.as_str());
                if let Some((index, rest)) = longest(keys, path) {
                    return self.put_entry(&mut entries[index], table.value, rest, value);
                }
                let key = Scalar { text: path.to_owned(), quoted: true };
                // A var that nothing can have named yet is a slip of the pen.
                let new = table.key != Literal::Variable;
                if new && fits(&value, table.value) && table.key.check(&key).is_ok() {
                    let key = path.to_owned();
                    entries.push(Entry { place: self.place, key, node: value });
                    return Ok(());
                }
                Err(unknown(path, entries.iter().map(|entry| entry.key.as_str())))
            }
            (Shape::Open(open), Value::Map(entries)) => {
                let (key, rest) = match path.split_once('.') {
                    Some((key, rest)) => (key, Some(rest)),
                    None => (path, None),
                };
                let part = open.part(key);
                if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
                    return self.put_entry(entry, part, rest, value);
                }
                let text = Scalar { text: key.to_owned(), quoted: true };
                let known = open.fields.iter().map(|field| field.name);
                if !known.clone().any(|known| known == key) && open.key.check(&text).is_err() {
                    return Err(unknown(key, known));
                }
                let mut node = Node { place: self.place, value: Value::Map(Vec::new()) };
                self.put_or_descend(&mut node, part, rest, value)?;
                entries.push(Entry { place: self.place, key: key.to_owned(), node });
                Ok(())
            }
            (Shape::Record(_) | Shape::Choice(_), Value::Map(entries)) => {
                let (key, rest) = match path.split_once('.') {
                    Some((key, rest)) => (key, Some(rest)),
                    None => (path, None),
                };
                if key == "extends" {
                    return Err(Refused {
                        message: "files are put together before anything is set".to_owned(),
                        meant: None,
                        known: "write a file that extends them".to_owned(),
                    });
                }
                let Some(field) = shape.field(renamed(key)) else {
                    return Err(unknown(key, shape.fields().map(|field| field.name)));
                };
                self.put_field(entries, (shape, field), rest, value)
            }
            _ => Err(Refused {
                message: format!("{} leads into {}", quote(path), node.kind()),
                meant: None,
                known: "it has no parts; set it as a whole".to_owned(),
            }),
        }
    }

    fn put_field(
        &mut self,
        entries: &mut Vec<Entry>,
        (shape, field): (Shape, &'static Field),
        rest: Option<&str>,
        value: Node,
    ) -> Result<(), Refused> {
        if let Shape::Choice(choice) = shape {
            // A choice that is set takes the place of the one that stood.
            let chosen = |key: &str| choice.choices.iter().any(|field| field.name == key);
            if chosen(field.name) {
                entries.retain(|entry| entry.key == field.name || !chosen(&entry.key));
            }
        }
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == field.name) {
            return self.put_entry(entry, field.shape, rest, value);
        }
        let mut node = Node { place: self.place, value: Value::Map(Vec::new()) };
        if rest.is_none() || fits(&node, field.shape) {
            self.put_or_descend(&mut node, field.shape, rest, value)?;
            entries.push(Entry { place: self.place, key: field.name.to_owned(), node });
            return Ok(());
        }
        Err(Refused {
            message: format!("the file has no {:?} to set a part of", field.name),
            meant: None,
            known: format!("set {:?} as a whole: {}", field.name, field.shape.wanted()),
        })
    }

    fn put_item(
        &mut self,
        items: &mut [Node],
        item: Shape,
        path: &str,
        value: Node,
    ) -> Result<(), Refused> {
        let names = items.iter().map(|item| item.name().unwrap_or_default().to_owned());
        let names: Vec<_> = names.collect();
        let (index, rest) = match longest(names.iter().map(String::as_str), path) {
            Some((index, rest)) => (Some(index), rest),
            None => {
                let (number, rest) = match path.split_once('.') {
                    Some((number, rest)) => (number, Some(rest)),
                    None => (path, None),
                };
                (number.parse::<usize>().ok(), rest)
            }
        };
        let count = items.len();
        match index.and_then(|index| items.get_mut(index)) {
            Some(node) => self.put_or_descend(node, item, rest, value),
            None => {
                let named = names.iter().map(String::as_str).filter(|name| !name.is_empty());
                let mut refused = unknown(path, named.clone());
                if named.count() == 0 {
                    let items = format_counted(count as u64, "item", "items");
                    refused.known = format!("the list has {items}, counted from 0");
                }
                Err(refused)
            }
        }
    }

    fn put_entry(
        &mut self,
        entry: &mut Entry,
        shape: Shape,
        rest: Option<&str>,
        value: Node,
    ) -> Result<(), Refused> {
        if rest.is_none() {
            // What a new value lacks is told of the setting: the file's line has it.
            entry.place = self.place;
        }
        self.put_or_descend(&mut entry.node, shape, rest, value)
    }

    fn put_or_descend(
        &mut self,
        node: &mut Node,
        shape: Shape,
        rest: Option<&str>,
        value: Node,
    ) -> Result<(), Refused> {
        match rest {
            Some(rest) => self.put(node, shape, rest, value),
            None => {
                *node = value;
                Ok(())
            }
        }
    }

    /// Brings a part that is written in short, in another file or not at all into its full form.
    fn unfold(&mut self, node: &mut Node, shape: Shape) {
        let Some(scalar) = node.scalar().cloned() else { return };
        let maps =
            matches!(shape, Shape::Table(_) | Shape::Open(_) | Shape::Record(_) | Shape::Choice(_));
        if scalar.is_null() && maps {
            node.value = Value::Map(Vec::new());
        } else if let Shape::Short(short) = shape {
            let value = node.clone();
            let entry = Entry { place: node.place, key: short.field.to_owned(), node: value };
            node.value = Value::Map(vec![entry]);
        } else if matches!(shape, Shape::FileOr(_))
            && !scalar.is_null()
            && let Some(content) = self.reading.open(&scalar, node.place)
        {
            *node = content;
        }
    }
}

/// Which of `keys` is the longest that `path` begins with, and what follows it.
fn longest<'a, 'b>(
    keys: impl Iterator<Item = &'a str>,
    path: &'b str,
) -> Option<(usize, Option<&'b str>)> {
    let matches = keys.enumerate().filter_map(|(index, key)| {
        let rest = path.strip_prefix(key).filter(|_| !key.is_empty())?;
        let rest = if rest.is_empty() { None } else { Some(rest.strip_prefix('.')?) };
        Some((key.len(), index, rest))
    });
    matches.max_by_key(|(length, ..)| *length).map(|(_, index, rest)| (index, rest))
}

fn unknown<'a>(path: &str, known: impl Iterator<Item = &'a str>) -> Refused {
    let known: Vec<_> = known.collect();
    let key = path.split('.').next().unwrap_or(path);
    let meant =
        nearest(path, known.iter().copied()).or_else(|| nearest(key, known.iter().copied()));
    let meant = meant.map(str::to_owned);
    let known = match known.as_slice() {
        [] => "nothing is known here".to_owned(),
        known => format!("known here: {}", listing(known.iter().copied())),
    };
    Refused { message: format!("the file has no {}", quote(key)), meant, known }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::diagnostic::Diagnostics;
    use crate::scenario::error::conclude;
    use crate::scenario::files::{Files, Folder};
    use crate::scenario::parse::parse_file;
    use crate::scenario::place::Sources;
    use crate::scenario::shapes::SCENARIO;

    struct Rules;

    impl Files for Rules {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            match path.to_str() {
                Some("rules.json") => Ok(b"{\"conditions\": [{\"threshold\": 0.05}]}".to_vec()),
                _ => Err("no such file".to_owned()),
            }
        }
    }

    const TEXT: &str = r"
seed: 1
workload: {arrivals: {poisson: 5/s}}
models:
  gpt-4.1:
    rules: rules.json
    versions:
      v1.0:
        upstream: {failures: {500: 1%}}
phases:
  - {name: after rollback, for: 5m}
";

    fn set(setting: &str) -> Result<Node, String> {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let mut root =
            parse_file("a.yaml", TEXT.as_bytes(), &mut sources, &mut diagnostics).unwrap();
        let mut folder = Folder::new(Path::new("a.yaml"), Path::new("/"), false);
        let mut reading = Reading::new(&Rules, &mut folder, &mut sources, &mut diagnostics);
        apply(&mut root, SCENARIO, setting, &mut reading);
        match conclude(diagnostics, sources) {
            Ok(_) => Ok(root),
            Err(error) => Err(error.to_string()),
        }
    }

    fn at<'a>(root: &'a Node, path: &[&str]) -> &'a Node {
        path.iter().fold(root, |node, key| match key.parse::<usize>() {
            Ok(index) if !node.items().is_empty() => &node.items()[index],
            _ => node.get(key).unwrap_or_else(|| panic!("{key}")),
        })
    }

    #[test]
    fn keys_with_dots_are_matched_as_the_longest_that_exists() {
        let path = "models.gpt-4.1.versions.v1.0.upstream.failures.500";
        let root = set(&format!("{path}=2%")).unwrap();
        let keys = ["models", "gpt-4.1", "versions", "v1.0", "upstream", "failures", "500"];
        assert_eq!(at(&root, &keys).text(), Some("2%"));
        let root = set(&format!("{path}.latency.constant=1s")).unwrap();
        let failure = at(&root, &keys);
        assert_eq!(failure.get("probability").unwrap().text(), Some("1%"));
        assert_eq!(at(failure, &["latency", "constant"]).text(), Some("1s"));
    }

    #[test]
    fn items_go_by_number_or_name() {
        for path in ["phases.0.for", "phases.after rollback.for"] {
            let root = set(&format!("{path}=9m")).unwrap();
            assert_eq!(at(&root, &["phases", "0", "for"]).text(), Some("9m"));
        }
    }

    #[test]
    fn keys_that_the_file_leaves_out_can_be_set() {
        assert_eq!(at(&set("title='x: y'").unwrap(), &["title"]).text(), Some("x: y"));
        let root = set("models.gpt-4.1.versions.v1.0.upstream.failures.503={probability: 3%}");
        assert!(root.is_ok(), "{root:?}");
        let root = set("workload.tokens.input.constant=7").unwrap();
        assert_eq!(at(&root, &["workload", "tokens", "input", "constant"]).text(), Some("7"));
    }

    #[test]
    fn a_choice_that_is_set_replaces_the_one_that_stood() {
        let root = set("workload.arrivals.constant=3/s").unwrap();
        assert_eq!(at(&root, &["workload", "arrivals"]).entries().len(), 1);
    }

    #[test]
    fn a_part_of_a_file_that_is_named_can_be_set() {
        let root = set("models.gpt-4.1.rules.conditions.0.threshold=0.1").unwrap();
        let keys = ["models", "gpt-4.1", "rules", "conditions", "0", "threshold"];
        assert_eq!(at(&root, &keys).text(), Some("0.1"));
    }

    #[test]
    fn an_entry_that_is_set_whole_stands_where_the_setting_does() {
        for setting in ["workload=~", "seed=~", "models.gpt-4.1.versions={}", "phases=~"] {
            let (path, _) = setting.split_once('=').unwrap();
            let root = set(setting).unwrap();
            let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
            let above = if above.is_empty() { &root } else { at(&root, &["models", "gpt-4.1"]) };
            assert!(above.entry(key).unwrap().place.is_setting(), "{setting}");
        }
        let root = set("workload.arrivals=~").unwrap();
        assert!(!root.entry("workload").unwrap().place.is_setting(), "only what is set");
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused_with_what_is_known() {
        let cases = [
            ("sead=1", "did you mean `seed`?"),
            ("models.gpt-4.versions.v1.0.price.blended=1 USD", "did you mean `gpt-4.1`?"),
            ("phases.after rolback.for=1m", "did you mean `after rollback`?"),
            ("phases.7.for=1m", "known here: after rollback"),
            ("phases[0].for=1m", "did you mean `phases.0.for`?"),
            ("phases['after rollback'].for=1m", "did you mean `phases.after rollback.for`?"),
            (
                "models.gpt-4.1.rules.conditions[0].threshold=0.1",
                "did you mean `models.gpt-4.1.rules.conditions.0.threshold`?",
            ),
            (
                "models.gpt-4.1.rules.conditions.1.threshold=0.1",
                "the list has 1 item, counted from 0",
            ),
            ("seed.x=1", "leads into a single value"),
            ("gate.0=a", "has no \"gate\" to set a part of"),
            ("seed", "a setting is PATH=VALUE"),
            ("seed=", "a setting is PATH=VALUE"),
            ("seed=[1", "error: --set seed: a bracket is not closed"),
        ];
        for (setting, expected) in cases {
            let error = set(setting).unwrap_err();
            assert!(error.contains(expected), "{setting}: {error}");
        }
    }
}
