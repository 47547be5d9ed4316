//! The words in which the format is described: what a part of a document may be.
//!
//! One description serves all: the check of a document, its JSON Schema, and the resolution of a
//! `--set` path. It says what can be said of one part alone; what depends on several parts (weights
//! that sum to 1, names that exist) is checked when the plan is made.

use super::suggest::listing;

pub(crate) use super::literal::{Literal, Refusal, as_number};
pub(crate) use super::quote::quote;

/// What a part of a document may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// One value.
    One(Literal),
    /// A list of parts that are all alike.
    List(&'static Self),
    /// A map whose keys are names that the author gives.
    Table(&'static Table),
    /// A map whose keys the format gives.
    Record(&'static Record),
    /// A map with keys of the format, and beside them keys that the author gives.
    Open(&'static Open),
    /// A map with exactly one of several keys.
    Choice(&'static Choice),
    /// One of several literals.
    Either(&'static [Literal]),
    /// A literal as the short form of a map that holds nothing but it.
    Short(&'static Short),
    /// The path of a file that holds the shape, or the shape itself.
    FileOr(&'static Self),
    /// A list of literals, or one by itself.
    OneOrMore(Literal),
    /// Whatever JSON can say.
    Free,
}

/// A map whose keys are names that the author gives.
#[derive(Debug)]
pub(crate) struct Table {
    /// What the keys are.
    pub(crate) key: Literal,
    /// What each holds.
    pub(crate) value: Shape,
    /// Whether the order of the entries has a meaning.
    pub(crate) ordered: bool,
}

/// A literal as the short form of a map: `30%` for `{probability: 30%}`.
#[derive(Debug)]
pub(crate) struct Short {
    /// The literal.
    pub(crate) literal: Literal,
    /// The key that it is the value of.
    pub(crate) field: &'static str,
    /// The map.
    pub(crate) full: Shape,
}

/// A map whose keys the format gives.
#[derive(Debug)]
pub(crate) struct Record {
    /// What it describes, in one or two words.
    pub(crate) name: &'static str,
    /// Its keys.
    pub(crate) fields: &'static [Field],
}

/// A map with keys of the format, all of which may be left out, and beside them keys that the
/// author gives.
#[derive(Debug)]
pub(crate) struct Open {
    /// What it describes, in one or two words.
    pub(crate) name: &'static str,
    /// The keys of the format.
    pub(crate) fields: &'static [Field],
    /// What the other keys are.
    pub(crate) key: Literal,
    /// What each of those holds.
    pub(crate) value: Shape,
}

impl Choice {
    /// Whether none of the choices need stand.
    pub(crate) fn may_be_left_out(&self) -> bool {
        self.choices.iter().any(|field| field.absent != Absent::Refused)
    }
}

impl Open {
    /// What the key holds.
    pub(crate) fn part(&self, key: &str) -> Shape {
        let field = self.fields.iter().find(|field| field.name == key);
        field.map_or(self.value, |field| field.shape)
    }
}

/// A map with exactly one of several keys.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What it describes, in one or two words.
    pub(crate) name: &'static str,
    /// The keys of which one stands; or none, where one of them may be left out.
    pub(crate) choices: &'static [Field],
    /// Keys that stand beside it.
    pub(crate) beside: &'static [Field],
}

/// A key of the format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// The key.
    pub(crate) name: &'static str,
    /// What holds where it does not stand.
    pub(crate) absent: Absent,
    /// What it holds.
    pub(crate) shape: Shape,
    /// What it means: one sentence with unit, range and default.
    pub(crate) about: &'static str,
}

/// What holds where a key does not stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Absent {
    /// It must stand.
    Refused,
    /// This value.
    Default(&'static str),
    /// What the key's sentence says.
    Nothing,
}

/// A key that must stand.
pub(crate) const fn required(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, absent: Absent::Refused, shape, about }
}

/// A key that may be left out.
pub(crate) const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, absent: Absent::Nothing, shape, about }
}

/// A key that has this value where it is left out.
pub(crate) const fn defaulted(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    about: &'static str,
) -> Field {
    Field { name, absent: Absent::Default(default), shape, about }
}

impl Shape {
    /// The field `key` of a record or choice.
    pub(crate) fn field(self, key: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == key)
    }

    /// The fields of a record or choice; none of anything else.
    pub(crate) fn fields(self) -> impl Iterator<Item = &'static Field> {
        let (first, second): (&'static [Field], &'static [Field]) = match self {
            Self::Record(record) => (record.fields, &[]),
            Self::Choice(choice) => (choice.choices, choice.beside),
            _ => (&[], &[]),
        };
        first.iter().chain(second)
    }

    /// What stands at the key `key` of a record, or at each key of the table that stands there.
    pub(crate) fn below(self, key: &str) -> Option<Self> {
        match self.field(key)?.shape {
            Self::Table(table) => Some(table.value),
            shape => Some(shape),
        }
    }

    /// What it is, in a few words, for a message that says what is wanted.
    pub(crate) fn wanted(self) -> String {
        match self {
            Self::One(Literal::Word(words)) => words.join(" or "),
            Self::One(literal) => literal.wanted().to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Table(table) => format!("a map, each key {}", table.key.wanted()),
            Self::Record(record) => format!("a map with {}", fields(record.fields)),
            Self::Open(open) => {
                format!("a map, each key {}, or one of {}", open.key.wanted(), fields(open.fields))
            }
            Self::Choice(choice) => format!("a map with one of {}", fields(choice.choices)),
            Self::Either(literals) => {
                let wanted = literals.iter().map(|literal| Self::One(*literal).wanted());
                wanted.collect::<Vec<_>>().join(", or ")
            }
            Self::Short(short) => {
                format!("{}, or {}", short.literal.wanted(), short.full.wanted())
            }
            Self::FileOr(shape) => format!("the path of a file, or {}", shape.wanted()),
            Self::OneOrMore(literal) => format!("{}, or a list of such", literal.wanted()),
            Self::Free => "a value".to_owned(),
        }
    }
}

/// The names of `fields`.
pub(crate) fn fields(fields: &[Field]) -> String {
    listing(fields.iter().map(|field| field.name))
}
