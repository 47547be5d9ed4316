//! One document laid over another: what the upper one says wins.
//!
//! Maps merge key by key, a choice takes the place of the choice that stood, lists whose items all
//! have names merge by name, other lists and single values replace. A key with nothing behind it
//! (`rules: ~`) takes the lower one's away. Knows nothing of where documents come from.

use std::collections::BTreeMap;

use super::shape::Shape;
use super::tree::{Entry, Node, Value};

/// Opens a file that stands for a part; `None` if it cannot be (which is told).
pub(crate) type Open<'a> = dyn FnMut(&Node) -> Option<Node> + 'a;

/// `upper` laid over `lower`, both of `shape`.
pub(crate) fn merge(lower: Node, upper: Node, shape: Shape, open: &mut Open<'_>) -> Node {
    match (shape, &lower.value, &upper.value) {
        (Shape::FileOr(inner), Value::Scalar(path), Value::Map(_) | Value::List(_))
            if !path.is_null() =>
        {
            match open(&lower) {
                Some(content) => merge(content, upper, *inner, open),
                None => upper,
            }
        }
        (Shape::FileOr(inner), ..) => merge(lower, upper, *inner, open),
        (Shape::Short(short), Value::Scalar(scalar), Value::Map(_)) if !scalar.is_null() => {
            let place = lower.place;
            let entry = Entry { place, key: short.field.to_owned(), node: lower };
            let lower = Node { place, value: Value::Map(vec![entry]) };
            merge(lower, upper, short.full, open)
        }
        (Shape::Short(short), Value::Map(_), Value::Map(_)) => {
            merge(lower, upper, short.full, open)
        }
        (Shape::List(item), Value::List(_), Value::List(_)) => lists(lower, upper, *item, open),
        (
            Shape::Table(_) | Shape::Open(_) | Shape::Record(_) | Shape::Choice(_),
            Value::Map(_),
            Value::Map(_),
        ) => maps(lower, upper, shape, open),
        _ => upper,
    }
}

fn maps(lower: Node, upper: Node, shape: Shape, open: &mut Open<'_>) -> Node {
    let (Value::Map(lower), place, Value::Map(upper)) = (lower.value, upper.place, upper.value)
    else {
        unreachable!("only maps are merged as maps")
    };
    let mut entries: Vec<Option<Entry>> = lower.into_iter().map(Some).collect();
    if let Shape::Choice(choice) = shape {
        let chosen = |key: &str| choice.choices.iter().any(|field| field.name == key);
        let stands = |entry: &Entry| upper.iter().any(|other| other.key == entry.key);
        if upper.iter().any(|entry| chosen(&entry.key)) {
            entries.retain(|entry| {
                entry.as_ref().is_some_and(|entry| !chosen(&entry.key) || stands(entry))
            });
        }
    }
    let mut known = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        known.extend(entry.as_ref().map(|entry| (entry.key.clone(), index)));
    }
    for entry in upper {
        let Some(index) = known.get(&entry.key) else {
            entries.push(Some(entry));
            continue;
        };
        let lower = entries[*index].take();
        let nothing = entry.node.scalar().is_some_and(|scalar| scalar.is_null());
        entries[*index] = lower.filter(|_| !nothing).map(|lower| {
            let Entry { place, key, node } = entry;
            let node = match value_shape(shape, &key) {
                Some(shape) => merge(lower.node, node, shape, open),
                None => node,
            };
            Entry { place, key, node }
        });
    }
    Node { place, value: Value::Map(entries.into_iter().flatten().collect()) }
}

fn lists(lower: Node, upper: Node, item: Shape, open: &mut Open<'_>) -> Node {
    let named = |node: &Node| node.items().iter().all(|item| item.name().is_some());
    if !named(&lower) || !named(&upper) {
        return upper;
    }
    let (Value::List(lower), place, Value::List(upper)) = (lower.value, upper.place, upper.value)
    else {
        unreachable!("only lists are merged as lists")
    };
    let mut known = BTreeMap::new();
    let mut items: Vec<Option<Node>> = Vec::new();
    for node in lower {
        known.extend(node.name().map(|name| (name.to_owned(), items.len())));
        items.push(Some(node));
    }
    for node in upper {
        match node.name().and_then(|name| known.get(name)).map(|index| &mut items[*index]) {
            Some(slot) => *slot = slot.take().map(|lower| merge(lower, node, item, open)),
            None => items.push(Some(node)),
        }
    }
    Node { place, value: Value::List(items.into_iter().flatten().collect()) }
}

/// What the value of `key` is in a map of `shape`.
fn value_shape(shape: Shape, key: &str) -> Option<Shape> {
    match shape {
        Shape::Table(table) => Some(table.value),
        Shape::Open(open) => Some(open.part(key)),
        _ => shape.field(key).map(|field| field.shape),
    }
}
