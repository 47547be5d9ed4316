//! A complete document as YAML: the keys in the order of the format, every default written out,
//! literals as they were written.
//!
//! What is written is a scenario that means the same.

use super::shape::{Field, Literal, Shape, as_number};
use super::tree::{Entry, Node, Scalar, Value};

/// The document `root` as YAML. `relocate` says how a path must be written that stands in `node`.
pub(crate) fn write(root: &Node, shape: Shape, relocate: &dyn Fn(&Node) -> String) -> String {
    let mut writer = Writer { text: String::new(), relocate };
    writer.entries(root, shape, 0);
    writer.text
}

struct Writer<'a> {
    text: String,
    relocate: &'a dyn Fn(&Node) -> String,
}

impl Writer<'_> {
    /// The entries of a map, one on each line or more.
    fn entries(&mut self, map: &Node, shape: Shape, depth: usize) {
        for (index, (entry, shape)) in ordered(map, shape).into_iter().enumerate() {
            // The first entry of an item stands behind its dash.
            if index > 0 || !self.text.ends_with("- ") {
                self.text.push_str(&"  ".repeat(depth));
            }
            self.text.push_str(&key(&entry.key));
            self.text.push(':');
            self.value(&entry.node, shape, depth);
        }
    }

    /// What stands behind a key.
    fn value(&mut self, node: &Node, shape: Shape, depth: usize) {
        let shape = within(shape, node);
        match (&node.value, shape) {
            (Value::List(items), _) if items.iter().any(|item| !is_flat(item)) => {
                let item = item_of(shape);
                self.text.push('\n');
                for node in items {
                    self.text.push_str(&"  ".repeat(depth + 1));
                    self.text.push_str("- ");
                    if is_flat(node) {
                        self.text.push_str(&self.flat(node, item));
                        self.text.push('\n');
                    } else {
                        self.entries(node, within(item, node), depth + 2);
                    }
                }
            }
            (Value::Map(entries), _) if !entries.is_empty() => {
                self.text.push('\n');
                self.entries(node, shape, depth + 1);
            }
            _ => {
                let flat = self.flat(node, shape);
                self.text.push_str(&format!(" {flat}\n"));
            }
        }
    }

    /// A part in one line.
    fn flat(&self, node: &Node, shape: Shape) -> String {
        let shape = within(shape, node);
        match (&node.value, shape) {
            (Value::List(items), _) => {
                let item = item_of(shape);
                let items: Vec<_> = items.iter().map(|node| self.flat(node, item)).collect();
                format!("[{}]", items.join(", "))
            }
            (Value::Scalar(scalar), _) if is_path(scalar, shape) => {
                scalar_text(&Scalar { text: (self.relocate)(node), quoted: scalar.quoted })
            }
            (Value::Scalar(scalar), _) => scalar_text(scalar),
            (Value::Map(_), _) => {
                let entry = |(entry, shape): (&Entry, Shape)| {
                    format!("{}: {}", key(&entry.key), self.flat(&entry.node, shape))
                };
                let entries: Vec<_> = ordered(node, shape).into_iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// The shape of what stands there.
fn within(shape: Shape, node: &Node) -> Shape {
    match (shape, &node.value) {
        (Shape::FileOr(inner), Value::Scalar(_)) if matches!(*inner, Shape::One(_)) => *inner,
        (Shape::FileOr(_), Value::Scalar(_)) => Shape::One(Literal::Path),
        (Shape::FileOr(inner), _) => within(*inner, node),
        (Shape::Short(short), Value::Map(_)) => within(short.full, node),
        (shape, _) => shape,
    }
}

/// The shape of the items of a list.
fn item_of(shape: Shape) -> Shape {
    match shape {
        Shape::List(item) => *item,
        Shape::OneOrMore(literal) => Shape::One(literal),
        _ => Shape::Free,
    }
}

/// Whether `scalar` is the path of a file, and none of the words that may stand for one.
fn is_path(scalar: &Scalar, shape: Shape) -> bool {
    match shape {
        Shape::One(literal) => literal == Literal::Path,
        Shape::Either(literals) => {
            let fitting = literals.iter().find(|literal| literal.check(scalar).is_ok());
            fitting == Some(&Literal::Path)
        }
        _ => false,
    }
}

/// The entries of a map, each with its shape: those whose keys the format gives in its order.
fn ordered(map: &Node, shape: Shape) -> Vec<(&Entry, Shape)> {
    if let Shape::Table(table) = shape {
        return map.entries().iter().map(|entry| (entry, table.value)).collect();
    }
    if let Shape::Open(open) = shape {
        return map.entries().iter().map(|entry| (entry, open.part(&entry.key))).collect();
    }
    if let Shape::Free = shape {
        return map.entries().iter().map(|entry| (entry, Shape::Free)).collect();
    }
    let entry = |field: &'static Field| Some((map.entry(field.name)?, field.shape));
    shape.fields().filter_map(entry).collect()
}

fn is_flat(node: &Node) -> bool {
    !matches!(&node.value, Value::Map(entries) if !entries.is_empty())
}

fn key(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '%' | '-');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let plain = starts && text.chars().all(plain) && !is_word(text);
    if plain { text.to_owned() } else { quoted(text) }
}

fn scalar_text(scalar: &Scalar) -> String {
    if scalar.is_null() {
        return "~".to_owned();
    }
    let text = scalar.text.as_str();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '%' | '-' | ' ');
    let starts = text.starts_with(|c: char| c.is_alphanumeric() || c == '.');
    let plain = starts && !text.ends_with(' ') && text.chars().all(plain);
    // What was a number or a boolean must stay one; what was in quotes must not become one.
    let plain = plain || is_timestamp(text) || as_number(text).is_some();
    if !scalar.quoted && plain { text.to_owned() } else { quoted(text) }
}

/// A point in time has colons that do not end a key.
fn is_timestamp(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '.' | '+'))
}

/// Whether other readers of YAML take a plain text for no text.
fn is_word(text: &str) -> bool {
    ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// In double quotes; what would be the name of a value stays the characters that it is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}
