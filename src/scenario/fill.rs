//! Every default written out and every short form unfolded: the tree that the plan is made from.

use super::place::Place;
use super::shape::{Absent, Shape};
use super::tree::{Entry, Node, Scalar, Value};

/// Adds what `shape` says of keys that do not stand, at the place of the map that lacks them.
pub(crate) fn fill(node: &mut Node, shape: Shape) {
    let place = node.place;
    match (shape, &mut node.value) {
        (Shape::FileOr(shape), _) => fill(node, *shape),
        (Shape::Short(short), Value::Scalar(scalar)) if !scalar.is_null() => {
            let value = std::mem::replace(&mut node.value, Value::Map(Vec::new()));
            let entry = Entry { place, key: short.field.to_owned(), node: Node { place, value } };
            node.value = Value::Map(vec![entry]);
            fill(node, short.full);
        }
        (Shape::Short(short), _) => fill(node, short.full),
        (Shape::OneOrMore(_), Value::Scalar(scalar)) if !scalar.is_null() => {
            let value = std::mem::replace(&mut node.value, Value::List(Vec::new()));
            node.value = Value::List(vec![Node { place, value }]);
        }
        (Shape::List(item), Value::List(items)) => {
            for node in items {
                fill(node, *item);
            }
        }
        (Shape::Table(table), Value::Map(entries)) => {
            for entry in entries {
                fill(&mut entry.node, table.value);
            }
        }
        (Shape::Open(open), Value::Map(entries)) => {
            for entry in entries {
                fill(&mut entry.node, open.part(&entry.key));
            }
        }
        (Shape::Record(_) | Shape::Choice(_), Value::Map(entries)) => {
            // Of a choice none is a default, but what stands beside it may be.
            let fields = match shape {
                Shape::Record(record) => record.fields,
                Shape::Choice(choice) => choice.beside,
                _ => &[],
            };
            for known in fields {
                if let Absent::Default(text) = known.absent
                    && !entries.iter().any(|entry| entry.key == known.name)
                {
                    entries.push(entry(known.name, text, place));
                }
            }
            for entry in entries {
                if let Some(field) = shape.field(&entry.key) {
                    fill(&mut entry.node, field.shape);
                }
            }
        }
        _ => (),
    }
}

fn entry(key: &str, text: &str, place: Place) -> Entry {
    let value = Value::Scalar(Scalar { text: text.to_owned(), quoted: false });
    Entry { place, key: key.to_owned(), node: Node { place, value } }
}
