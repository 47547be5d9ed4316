//! A tree against the description of its format: unknown and missing keys, wrong kinds, literals
//! that are none. Reports everything and stops at nothing, so that later passes may take any value
//! that they can read for a valid one and leave the rest alone.

use crate::units::Duration;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::shape::{
    Absent, Choice, Field, Literal, Open, Record, Refusal, Shape, Table, as_number, fields, quote,
};
use super::suggest::nearest;
use super::tree::{Entry, Node, Scalar, Value};

/// Reports all of `node` that is not of `shape`.
pub(crate) fn check(node: &Node, shape: Shape, diagnostics: &mut Diagnostics) {
    Check { diagnostics, unit: None, bare: None }.part(node, shape, node.place);
}

struct Check<'a> {
    diagnostics: &'a mut Diagnostics,
    /// The unit of a duration beside the part that is checked next.
    unit: Option<String>,
    /// What the number with a unit that is checked next is without one, in the unit of its key.
    bare: Option<String>,
}

impl Check<'_> {
    /// `owner` is the place that a missing key is reported at: that of the key which holds the
    /// part.
    fn part(&mut self, node: &Node, shape: Shape, owner: Place) {
        match (shape, &node.value) {
            // What it means is for whoever takes it to say.
            (Shape::Free, _) => {}
            (_, Value::Scalar(scalar)) if scalar.is_null() => {
                let message = format!("no value: {} is wanted", shape.wanted());
                self.report(Diagnostic::new(owner, message));
            }
            (Shape::Either(literals), Value::Scalar(scalar)) => {
                self.literals(node.place, scalar, literals);
            }
            (Shape::Short(short), Value::Scalar(scalar)) => {
                self.literals(node.place, scalar, &[short.literal]);
            }
            (Shape::Short(short), Value::Map(_)) => self.part(node, short.full, owner),
            (Shape::One(literal), Value::Scalar(scalar)) => {
                self.literals(node.place, scalar, &[literal]);
            }
            (Shape::OneOrMore(literal), Value::Scalar(scalar)) => {
                self.literals(node.place, scalar, &[literal]);
            }
            (Shape::OneOrMore(literal), Value::List(items)) => {
                for node in items {
                    self.part(node, Shape::One(literal), node.place);
                }
            }
            (Shape::List(item), Value::List(items)) => {
                for node in items {
                    self.part(node, *item, node.place);
                }
            }
            (Shape::Table(table), Value::Map(entries)) => self.table(entries, table),
            (Shape::Open(open), Value::Map(entries)) => self.open(entries, open),
            (Shape::Record(record), Value::Map(entries)) => self.record(entries, record, owner),
            (Shape::Choice(choice), Value::Map(entries)) => self.choice(entries, choice, owner),
            // The files were read and put in place before; a text that is left could not be.
            (Shape::FileOr(_), Value::Scalar(scalar)) => {
                self.literals(node.place, scalar, &[Literal::Path]);
            }
            (Shape::FileOr(shape), _) => self.part(node, *shape, owner),
            _ => self.mismatch(node, &shape.wanted()),
        }
    }

    fn literals(&mut self, place: Place, scalar: &Scalar, literals: &[Literal]) {
        let (unit, bare) = (self.unit.take(), self.bare.take());
        let mut refusals = Vec::new();
        for literal in literals {
            match literal.check(scalar) {
                Ok(()) => return,
                Err(refusal) => refusals.push(refusal),
            }
        }
        let mut refusals = refusals.into_iter();
        let Some(Refusal { message, suggestion }) = refusals.next() else { return };
        let others = literals.iter().skip(1).map(|other| match other {
            Literal::Word(words) => format!("`{}`", words.join("` or `")),
            other => other.wanted().to_owned(),
        });
        let others: Vec<_> = others.collect();
        let message = match others.as_slice() {
            [] => message,
            others => format!("{message}, or {}", others.join(", or ")),
        };
        let suggestion = refusals.fold(suggestion, |found, other| found.or(other.suggestion));
        // `1247` beside `p99: 2156ms` was hardly meant in seconds.
        let beside = unit.filter(|_| literals.contains(&Literal::Duration) && is_bare(scalar));
        let suggestion = beside.map(|unit| scalar.text.clone() + &unit).or(suggestion);
        let suggestion = bare.or(suggestion);
        self.report(Diagnostic::new(place, message).suggest(suggestion.as_deref()));
    }

    fn table(&mut self, entries: &[Entry], table: &Table) {
        for entry in entries {
            let key = Scalar { text: entry.key.clone(), quoted: true };
            self.literals(entry.place, &key, &[table.key]);
            self.unit = unit_beside(entry, entries);
            self.part(&entry.node, table.value, entry.place);
        }
    }

    fn open(&mut self, entries: &[Entry], open: &Open) {
        let known = || open.fields.iter().map(|field| field.name);
        for entry in entries {
            let key = Scalar { text: entry.key.clone(), quoted: true };
            if !known().any(|known| known == entry.key)
                && let Err(Refusal { message, .. }) = open.key.check(&key)
            {
                let diagnostic = Diagnostic::new(entry.place, message);
                self.report(match nearest(&entry.key, known()) {
                    Some(meant) => diagnostic.suggest(Some(meant)),
                    None => diagnostic.help(format!("or one of {}", fields(open.fields))),
                });
                continue;
            }
            self.part(&entry.node, open.part(&entry.key), entry.place);
        }
    }

    fn record(&mut self, entries: &[Entry], record: &Record, owner: Place) {
        for entry in entries {
            match record.fields.iter().find(|field| field.name == entry.key) {
                Some(field) => {
                    self.unit = unit_beside(entry, entries);
                    self.bare = without_unit(entry, field);
                    self.part(&entry.node, field.shape, entry.place);
                }
                None => self.unknown(entry, record.name, record.fields),
            }
        }
        self.missing(entries, record.fields, record.name, owner);
    }

    fn choice(&mut self, entries: &[Entry], choice: &Choice, owner: Place) {
        let mut chosen: Option<&Entry> = None;
        for entry in entries {
            if let Some(field) = choice.beside.iter().find(|field| field.name == entry.key) {
                self.part(&entry.node, field.shape, entry.place);
            } else if let Some(field) = choice.choices.iter().find(|field| field.name == entry.key)
            {
                self.part(&entry.node, field.shape, entry.place);
                if let Some(first) = chosen {
                    let message = format!("{} already says {:?}", choice.name, first.key);
                    let both = Diagnostic::new(entry.place, message)
                        .note(first.place, "it stands here")
                        .help(format!("keep one of {}", fields(choice.choices)));
                    self.report(both);
                }
                chosen = chosen.or(Some(entry));
            } else {
                self.unknown(entry, choice.name, choice.choices);
                // A mistyped choice is one problem, not a missing choice as well.
                chosen = chosen.or(Some(entry));
            }
        }
        if chosen.is_none() && !choice.may_be_left_out() {
            let message =
                format!("{} says nothing: write one of {}", choice.name, fields(choice.choices));
            self.report(Diagnostic::new(owner, message));
        }
        self.missing(entries, choice.beside, choice.name, owner);
    }

    fn unknown(&mut self, entry: &Entry, of: &str, known: &[Field]) {
        let message = format!("unknown key {} in {of}", quote(&entry.key));
        let diagnostic = Diagnostic::new(entry.place, message);
        self.report(match nearest(&entry.key, known.iter().map(|field| field.name)) {
            Some(meant) => diagnostic.suggest(Some(meant)),
            None => diagnostic.help(format!("known keys: {}", fields(known))),
        });
    }

    fn missing(&mut self, entries: &[Entry], known: &[Field], of: &str, owner: Place) {
        for field in known.iter().filter(|field| field.absent == Absent::Refused) {
            let there = entries.iter().any(|entry| entry.key == field.name);
            if !there && !mistyped(entries, known, field.name) {
                let message = format!("{of} has no {:?}: {}", field.name, field.about);
                let help = format!("write `{}:` with {}", field.name, field.shape.wanted());
                self.report(Diagnostic::new(owner, message).help(help));
            }
        }
    }

    fn mismatch(&mut self, node: &Node, wanted: &str) {
        let found = match node.text() {
            Some(text) => quote(text),
            None => node.kind().to_owned(),
        };
        self.report(Diagnostic::new(node.place, format!("found {found} where {wanted} is wanted")));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.report(diagnostic);
    }
}

/// Whether a value is a number of no unit.
fn is_bare(scalar: &Scalar) -> bool {
    scalar.text.starts_with(|c: char| c.is_ascii_digit()) && as_number(&scalar.text).is_some()
}

/// The number that `entry` was probably meant to be, where its key, which says the unit, holds a
/// bare number and it has a unit of its own: `5%` as 0.05, `3s` in milliseconds as 3000.
fn without_unit(entry: &Entry, field: &Field) -> Option<String> {
    let Shape::One(Literal::Number(least, most)) = field.shape else { return None };
    let text = entry.node.text()?.trim();
    let number = if let Some(percent) = text.strip_suffix('%') {
        // The exponent is shifted in the text: 0.05 exactly, not 5 / 100.
        format!("{}e-2", as_number(percent.trim_end())?).parse::<f64>().ok()?
    } else if field.name.ends_with("_seconds") {
        Duration::parse(text).ok()?.as_secs_f64()
    } else if field.name.ends_with("_ms") {
        Duration::parse(text).ok()?.as_nanos() as f64 / 1e6
    } else {
        as_number(text.strip_suffix("USD")?.trim_end())?
    };
    (least..=most).contains(&number).then(|| number.to_string())
}

/// The unit of a duration that stands beside `entry`, which itself is a bare number.
fn unit_beside(entry: &Entry, entries: &[Entry]) -> Option<String> {
    entry.node.scalar().filter(|scalar| is_bare(scalar))?;
    // A long table is not searched whole for a hint.
    entries
        .iter()
        .take(64)
        .find_map(|other| {
            let text = other.node.text().filter(|text| Duration::parse(text).is_ok())?;
            let unit = text.trim().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            Some(unit.trim_start()).filter(|unit| unit.chars().all(char::is_alphabetic))
        })
        .map(str::to_owned)
}

/// Whether one of the keys is none of the `known` ones and was probably meant to be `wanted`: then
/// that is told, and `wanted` is not missing as well.
pub(crate) fn mistyped(entries: &[Entry], known: &[Field], wanted: &str) -> bool {
    let names = || known.iter().map(|field| field.name);
    entries
        .iter()
        .filter(|entry| !names().any(|name| name == entry.key))
        .any(|entry| nearest(&entry.key, names()) == Some(wanted))
}
