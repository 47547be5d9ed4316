//! Arrivals: any model from its parameters, and sums of them.

use crate::arrivals::{Arrivals, ArrivalsError, Form, Given, Key, Kind, VALUE, Value, form};
use crate::units::{Duration, Rate, Ratio};

use super::decode_distribution;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::read::Quantity;
use super::shape::as_number;
use super::tree::{Entry, Node};

/// The arrivals that `chosen` describes: the key is the model's name.
pub(crate) fn decode(chosen: &Entry, diagnostics: &mut Diagnostics) -> Option<Arrivals> {
    if chosen.key == "sum" {
        let parts = chosen.node.items().iter();
        let parts = parts.map(|part| decode(part.entries().first()?, diagnostics));
        // All of them, so that every problem is told.
        let parts: Vec<_> = parts.collect();
        let parts: Option<Vec<_>> = parts.into_iter().collect();
        return match Arrivals::sum(parts?) {
            Ok(arrivals) => Some(arrivals),
            Err(error) => refuse(chosen, &error, diagnostics),
        };
    }
    let (given, unreadable) = given(chosen, form(&chosen.key)?, diagnostics);
    match Arrivals::build(&chosen.key, &given)? {
        Ok(arrivals) => unreadable.is_empty().then_some(arrivals),
        // Told by the check, as far as it is not what cannot be read itself.
        Err(ArrivalsError::Missing { .. }) => None,
        Err(error) if error.key().is_none() && !unreadable.is_empty() => None,
        Err(error) => refuse(chosen, &error, diagnostics),
    }
}

fn refuse(
    chosen: &Entry,
    error: &ArrivalsError,
    diagnostics: &mut Diagnostics,
) -> Option<Arrivals> {
    let at_key = error.key().and_then(|key| chosen.node.get(key));
    let place = at_key.map_or(chosen.node.place, |node| node.place);
    diagnostics.report(Diagnostic::new(place, error.to_string()));
    None
}

/// What stands for the parameters of a model, and the keys of values that cannot be read.
fn given(chosen: &Entry, form: Form, diagnostics: &mut Diagnostics) -> (Given, Vec<&'static str>) {
    let (mut given, mut unreadable) = (Given::default(), Vec::new());
    let mut add = |key, node, kind| match value(node, kind, diagnostics) {
        Some(value) => given.add(key, value),
        None => unreadable.push(key),
    };
    match form {
        Form::One(kind) => add(VALUE, &chosen.node, kind),
        Form::Map(keys) => {
            for Key { name, kind, .. } in keys {
                if let Some(node) = chosen.node.get(name) {
                    add(name, node, *kind);
                }
            }
        }
    }
    (given, unreadable)
}

fn value(node: &Node, kind: Kind, diagnostics: &mut Diagnostics) -> Option<Value> {
    match kind {
        Kind::Rate => Rate::parse(node.text()?).ok().map(Value::Rate),
        Kind::Duration => Duration::parse(node.text()?).ok().map(Value::Duration),
        Kind::Ratio => Ratio::parse(node.text()?).ok().map(Value::Ratio),
        Kind::Number(least, most) => {
            let number = as_number(node.text()?).filter(|number| (least..=most).contains(number));
            number.map(Value::Number)
        }
        Kind::Count(least, most) => {
            let count = node.text()?.parse().ok().filter(|count| (least..=most).contains(count));
            count.map(Value::Count)
        }
        Kind::Durations => distribution(node, Quantity::Seconds, diagnostics),
        Kind::Rates => distribution(node, Quantity::PerSecond, diagnostics),
        Kind::RateList if node.text().is_some() => None,
        Kind::RateList => {
            let rate = |item: &Node| Rate::parse(item.text()?).ok();
            node.items().iter().map(rate).collect::<Option<_>>().map(Value::RateList)
        }
    }
}

fn distribution(node: &Node, kind: Quantity, diagnostics: &mut Diagnostics) -> Option<Value> {
    decode_distribution::decode(node, kind, diagnostics).map(Value::Distribution)
}
