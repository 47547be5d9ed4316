//! Names for values: `vars: {rate: 5/s}` and `${rate}`; and values of the environment,
//! `${env:NAME}`.
//!
//! A text that is nothing but `${name}` becomes the value as it was written, so that a number stays
//! a number; within a longer text the value's characters are put in. `$${` stands for `${`. Reads
//! no environment itself: the caller brings it.

use std::collections::BTreeMap;

use super::check::check;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::shape::quote;
use super::shapes::VARS;
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node, Scalar, Value};

/// The values that a document may name.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    list: Vec<Variable>,
    /// Those whose value is being made out, each named by the one before.
    opened: Vec<usize>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    /// Where the name stands.
    key: Place,
    value: Node,
    state: State,
    used: bool,
}

/// How far a value has come that may itself name others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Written,
    Known,
    Unknown,
}

/// Where values come from and problems go to.
pub(crate) struct Scope<'a> {
    /// The value of an environment variable.
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The problems found so far.
    pub(crate) diagnostics: &'a mut Diagnostics,
}

impl Variables {
    /// Takes `vars` out of the document `root`, with their values known.
    pub(crate) fn take(root: &mut Node, scope: &mut Scope<'_>) -> Self {
        let Value::Map(entries) = &mut root.value else { return Self::default() };
        let Some(index) = entries.iter().position(|entry| entry.key == "vars") else {
            return Self::default();
        };
        let vars = entries.remove(index).node;
        check(&vars, VARS, scope.diagnostics);
        let Value::Map(entries) = vars.value else { return Self::default() };
        if entries.len() > MOST {
            let message = format!("{} vars: at most {MOST} are allowed", entries.len());
            scope.diagnostics.report(Diagnostic::new(vars.place, message));
            return Self::default();
        }
        let list = entries.into_iter().map(|entry| Variable {
            name: entry.key,
            key: entry.place,
            value: entry.node,
            state: State::Written,
            used: false,
        });
        let mut variables = Self { list: list.collect(), opened: Vec::new() };
        for index in 0..variables.list.len() {
            variables.know(index, scope);
        }
        variables
    }

    /// Puts values in the place of their names everywhere in `node`.
    pub(crate) fn substitute(&mut self, node: &mut Node, scope: &mut Scope<'_>) {
        match &mut node.value {
            Value::Scalar(scalar) => self.put(scalar, node.place, scope),
            Value::List(items) => items.iter_mut().for_each(|item| self.substitute(item, scope)),
            Value::Map(entries) => {
                self.substitute_keys(entries, scope);
                entries.iter_mut().for_each(|entry| self.substitute(&mut entry.node, scope));
            }
        }
    }

    /// Of two keys that come out the same, the first is kept.
    fn substitute_keys(&mut self, entries: &mut Vec<Entry>, scope: &mut Scope<'_>) {
        if !entries.iter().any(|entry| entry.key.contains(OPENING)) {
            return;
        }
        for entry in &mut *entries {
            let mut key = Scalar { text: std::mem::take(&mut entry.key), quoted: true };
            self.put(&mut key, entry.place, scope);
            entry.key = key.text;
        }
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        entries.retain(|entry| {
            let Some(first) = seen.get(&entry.key) else {
                seen.insert(entry.key.clone(), entry.place);
                return true;
            };
            let message = format!("the key {:?} stands twice", entry.key);
            let twice = Diagnostic::new(entry.place, message)
                .note(*first, "it stands here first")
                .help("remove one of the two");
            scope.diagnostics.report(twice);
            false
        });
    }

    /// Tells of vars that nothing names.
    pub(crate) fn warn_of_unused(&self, diagnostics: &mut Diagnostics) {
        for unused in self.list.iter().filter(|variable| !variable.used) {
            let name = &unused.name;
            let message = format!("nothing uses the var {}", quote(name));
            let help = format!("write `${{{name}}}` where its value belongs, or remove it");
            diagnostics.warn(Diagnostic::new(unused.key, message).help(help));
        }
    }

    /// The names of the vars.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.list.iter().map(|variable| variable.name.as_str())
    }

    /// Makes out the value of a var, and of those that it names.
    fn know(&mut self, index: usize, scope: &mut Scope<'_>) {
        if self.list[index].state != State::Written {
            return;
        }
        let place = self.list[index].value.place;
        let written = self.list[index].value.scalar().filter(|scalar| !scalar.is_null()).cloned();
        self.opened.push(index);
        let known = written.and_then(|scalar| self.replaced(&scalar, place, scope));
        self.opened.pop();
        self.list[index].state = if known.is_some() { State::Known } else { State::Unknown };
        if let Some(scalar) = known {
            self.list[index].value.value = Value::Scalar(scalar);
        }
    }

    fn put(&mut self, scalar: &mut Scalar, place: Place, scope: &mut Scope<'_>) {
        if scalar.text.contains(OPENING)
            && let Some(replaced) = self.replaced(scalar, place, scope)
        {
            *scalar = replaced;
        }
    }

    /// `scalar` with values for names; `None`, and told, where one is not known.
    fn replaced(&mut self, scalar: &Scalar, place: Place, scope: &mut Scope<'_>) -> Option<Scalar> {
        let mut text = String::new();
        let mut rest = scalar.text.as_str();
        while let Some(at) = rest.find(OPENING) {
            let (before, after) = (&rest[..at], &rest[at + OPENING.len()..]);
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str(OPENING);
                rest = after;
                continue;
            }
            text.push_str(before);
            let Some(end) = after.find('}') else {
                let message = "a `${` is not closed: write `${name}`, or `$${` for the characters";
                scope.diagnostics.settle(Diagnostic::new(place, message));
                return None;
            };
            let value = self.value(after[..end].trim(), place, scope)?;
            rest = &after[end + 1..];
            if text.is_empty() && rest.is_empty() && before.is_empty() {
                return Some(value);
            }
            text.push_str(&value.text);
            if text.len() > LONGEST {
                let message = format!("with its vars the text is longer than {LONGEST} bytes");
                scope.diagnostics.settle(Diagnostic::new(place, message));
                return None;
            }
        }
        text.push_str(rest);
        Some(Scalar { text, quoted: scalar.quoted })
    }

    /// The value of a name that stands at `place`; told where there is none.
    fn value(&mut self, name: &str, place: Place, scope: &mut Scope<'_>) -> Option<Scalar> {
        if let Some(variable) = name.strip_prefix("env:") {
            return environment(variable.trim(), place, scope);
        }
        let Some(index) = self.list.iter().position(|variable| variable.name == name) else {
            let message = format!("there is no var {}", quote(name));
            let unknown = Diagnostic::new(place, message);
            let unknown = match nearest(name, self.names()) {
                Some(meant) => unknown.suggest(Some(&format!("${{{meant}}}"))),
                None if self.list.is_empty() => {
                    unknown.help("write it under `vars:`; the environment is `${env:NAME}`")
                }
                None => unknown.help(format!("known vars: {}", listing(self.names()))),
            };
            scope.diagnostics.settle(unknown);
            return None;
        };
        self.list[index].used = true;
        if let Some(start) = self.opened.iter().position(|opened| *opened == index) {
            let ring = self.opened[start..].iter().chain([&index]);
            let ring: Vec<_> = ring.map(|index| self.list[*index].name.as_str()).collect();
            let message = format!("the vars name each other in a ring: {}", ring.join(" -> "));
            let ring = Diagnostic::new(place, message).help("write a value into one of them");
            scope.diagnostics.settle(ring);
            return None;
        }
        if self.opened.len() >= DEEPEST {
            let message = format!("more than {DEEPEST} vars name each other in a row");
            scope.diagnostics.settle(Diagnostic::new(place, message));
            return None;
        }
        self.know(index, scope);
        let variable = &self.list[index];
        if variable.state == State::Unknown {
            // Why it is not known is told where it stands.
            scope.diagnostics.leave(place);
            return None;
        }
        let scalar = variable.value.scalar().cloned()?;
        let note = format!("{} is {} here", quote(name), quote(&scalar.text));
        scope.diagnostics.came_from(place, variable.value.place, note);
        Some(scalar)
    }
}

fn environment(name: &str, place: Place, scope: &mut Scope<'_>) -> Option<Scalar> {
    let message = match (scope.environment)(name) {
        Some(text) if text.contains(['\n', '\r', '\0']) || text.len() > LONGEST => {
            format!("the environment's {name} is not one line of at most {LONGEST} bytes")
        }
        Some(text) => {
            let note = format!("from the environment's {name}");
            scope.diagnostics.came_from(place, place, note);
            return Some(Scalar { text, quoted: false });
        }
        None => format!("the environment has no variable {}", quote(name)),
    };
    let help = format!("set it for the command: `{name}=... coalmine ...`");
    scope.diagnostics.settle(Diagnostic::new(place, message).help(help));
    None
}

const OPENING: &str = "${";
/// Chosen: each is looked up by its name wherever it stands.
const MOST: usize = 1_000;
/// Chosen: a person does not follow more; recursion needs a bound.
const DEEPEST: usize = 32;
/// Chosen: a paragraph; vars that repeat vars must not fill the memory.
const LONGEST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::error::conclude;
    use crate::scenario::parse::parse_file;
    use crate::scenario::place::Sources;

    /// The document with its values in place, and what is told of it.
    fn resolved(text: &str) -> (Node, String) {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let mut root =
            parse_file("a.yaml", text.as_bytes(), &mut sources, &mut diagnostics).unwrap();
        let environment = |name: &str| match name {
            "RATE" => Some("5/s".to_owned()),
            "LINES" => Some("a\nb".to_owned()),
            _ => None,
        };
        let mut scope = Scope { environment: &environment, diagnostics: &mut diagnostics };
        let mut variables = Variables::take(&mut root, &mut scope);
        variables.substitute(&mut root, &mut scope);
        variables.warn_of_unused(&mut diagnostics);
        let told = match conclude(diagnostics, sources) {
            Ok(warnings) => warnings.to_string(),
            Err(error) => error.to_string(),
        };
        (root, told)
    }

    fn scalar(text: &str, quoted: bool) -> Option<Scalar> {
        Some(Scalar { text: text.to_owned(), quoted })
    }

    #[test]
    fn a_value_that_is_a_name_as_a_whole_stays_what_it_is() {
        let text = "vars: {n: 7, t: '7'}\na: ${n}\nb: \"${n}\"\nc: ${t}\nd: v${n}\ne: '${n}'";
        let (root, told) = resolved(text);
        assert_eq!(told, "");
        let at = |key| root.get(key).and_then(Node::scalar).cloned();
        assert_eq!(at("a"), scalar("7", false));
        assert_eq!(at("b"), scalar("7", false));
        assert_eq!(at("c"), scalar("7", true));
        assert_eq!(at("d"), scalar("v7", false));
        assert_eq!(at("e"), scalar("7", false));
        assert!(root.get("vars").is_none());
    }

    #[test]
    fn values_name_others_and_the_environment_in_any_order() {
        let text = "vars: {a: '${b}/s', b: '${c}${c}', c: 3}\nx: ${a}\ny: ${env:RATE}\n${c}: z";
        let (root, told) = resolved(text);
        assert_eq!(told, "");
        assert_eq!(root.get("x").unwrap().text(), Some("33/s"));
        assert_eq!(root.get("y").unwrap().text(), Some("5/s"));
        assert_eq!(root.get("3").unwrap().text(), Some("z"));
    }

    #[test]
    fn two_dollars_stand_for_one_that_means_nothing() {
        let (root, told) = resolved("vars: {a: 1}\nx: $${a} ${a} $5 $${b");
        assert_eq!(told, "");
        assert_eq!(root.get("x").unwrap().text(), Some("${a} 1 $5 ${b"));
    }

    #[test]
    fn names_without_a_value_are_told_with_what_is_known() {
        let cases = [
            ("vars: {rate: 1}\nx: ${rat}", "2:4: there is no var \"rat\""),
            ("vars: {rate: 1}\nx: ${rat}", "help: did you mean `${rate}`?"),
            ("vars: {rate: 1}\nx: ${banana}", "help: known vars: rate"),
            ("x: ${banana}", "help: write it under `vars:`"),
            ("x: ${env:NOTHING}", "the environment has no variable \"NOTHING\""),
            ("x: ${env:LINES}", "the environment's LINES is not one line"),
            ("x: ${rate", "a `${` is not closed"),
            ("x: ${}", "there is no var \"\""),
            ("vars: {a: '${b}', b: '${c}', c: '${b}'}", "in a ring: b -> c -> b"),
            ("vars: {a: 1}\nx: {b: 1}\ny: {'${a}': 1, 1: 2}", "the key \"1\" stands twice"),
            ("vars: {a: [1]}\nx: ${a}", "found a list where a single value is wanted"),
            ("vars: {a: ~}\nx: ${a}", "no value: a single value is wanted"),
            ("vars: {a b: 1}\nx: ${a b}", "\"a b\" is no name of a var"),
            ("vars: {a: 1}\nx: 2", "warning: a.yaml:1:8: nothing uses the var \"a\""),
        ];
        for (text, expected) in cases {
            let (_, told) = resolved(text);
            assert!(told.contains(expected), "{text}: {told}");
        }
    }

    #[test]
    fn one_slip_is_told_once() {
        let (_, told) = resolved("vars: {a: '${b}', b: '${zzzzz}'}\nx: ${a}\ny: ${b}");
        assert_eq!(told.matches("error:").count(), 1, "{told}");
    }

    #[test]
    fn vars_that_repeat_vars_are_bounded() {
        let mut text = "vars:\n  v0: 0123456789\n".to_owned();
        for level in 1..20 {
            text.push_str(&format!("  v{level}: {}\n", format!("${{v{}}}", level - 1).repeat(10)));
        }
        let (_, told) = resolved(&format!("{text}x: ${{v19}}"));
        assert!(told.contains("longer than 4096 bytes"), "{told}");
        let chain: Vec<_> = (0..900).map(|n| format!("  v{n}: ${{v{}}}", n + 1)).collect();
        let (_, told) = resolved(&format!("vars:\n{}\n  v900: 1\nx: ${{v0}}", chain.join("\n")));
        assert!(told.contains("more than 32 vars name each other in a row"), "{told}");
    }
}
