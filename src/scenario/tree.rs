//! A document as a tree whose every part knows its place.
//!
//! Scalars stay text: what a text means is decided by the shape that is wanted at its place, so
//! `no`, `1e3` and `2024-03-15` are never converted behind anybody's back.

use super::place::Place;

/// A part of a document.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) value: Value,
}

/// What a part of a document is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// A text, number, boolean or nothing.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// Keys with values, in file order; no key twice.
    Map(Vec<Entry>),
}

/// A text as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scalar {
    /// Its characters, without quotes.
    pub(crate) text: String,
    /// Whether it stood in quotes (or in a block), so that it cannot be a number or boolean.
    pub(crate) quoted: bool,
}

/// A key and its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    /// The key's place.
    pub(crate) place: Place,
    /// The key.
    pub(crate) key: String,
    /// The value.
    pub(crate) node: Node,
}

impl Scalar {
    /// Whether nothing is written where a value could be: an empty plain scalar, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        !self.quoted && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The boolean that is written, by the strict rule of YAML 1.2: `true` or `false` only.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" if !self.quoted => Some(true),
            "false" if !self.quoted => Some(false),
            _ => None,
        }
    }
}

impl Entry {
    /// The place to name when the parts of the value do not fit together: that of a setting that
    /// changed one of them, else that of the key.
    pub(crate) fn place_of_whole(&self) -> Place {
        self.node.place_of_setting().unwrap_or(self.place)
    }
}

impl Node {
    /// The place of the last setting that wrote it or a part of it.
    pub(crate) fn place_of_setting(&self) -> Option<Place> {
        let own = Some(self.place).filter(|place| place.is_setting());
        let parts: Option<Place> = match &self.value {
            Value::Scalar(_) => None,
            Value::List(items) => items.iter().filter_map(Self::place_of_setting).max(),
            Value::Map(entries) => {
                entries.iter().filter_map(|entry| entry.node.place_of_setting()).max()
            }
        };
        own.max(parts)
    }

    /// Where it and all its parts begin, in file order.
    pub(crate) fn places(&self) -> Vec<Place> {
        let parts: Vec<&Self> = match &self.value {
            Value::Scalar(_) => Vec::new(),
            Value::List(items) => items.iter().collect(),
            Value::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        };
        let parts = parts.into_iter().flat_map(Self::places);
        [self.place].into_iter().chain(parts).collect()
    }

    /// The scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.is_null()).map(|scalar| scalar.text.as_str())
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a map's key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The items of a list, to be changed.
    pub(crate) fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.value {
            Value::List(items) => items,
            _ => &mut [],
        }
    }

    /// The entries of a map, to be changed.
    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        match &mut self.value {
            Value::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// The value of a map's key, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let entry = self.entries_mut().iter_mut().find(|entry| entry.key == key);
        entry.map(|entry| &mut entry.node)
    }

    /// The entry of a map's key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The name that an item of a list goes by.
    pub(crate) fn name(&self) -> Option<&str> {
        ["name", "title", "id"].iter().find_map(|key| self.get(key).and_then(Self::text))
    }

    /// How many nodes it is made of, itself included.
    pub(crate) fn size(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.node.size()).sum::<usize>(),
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}
