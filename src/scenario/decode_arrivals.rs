//! Arrivals: any model from its parameters, traces, and sums of them.

use std::path::PathBuf;

use crate::arrivals::{Arrivals, ArrivalsError, Form, Given, Key, Kind, VALUE, Value, form};
use crate::units::{Duration, Rate, Ratio};
use crate::workload::{PlaybackOptions, Tenant};

use super::decode_distribution;
use super::decode_population::ranks;
use super::decode_trace;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::files::Folder;
use super::read::Quantity;
use super::shape::{as_number, quote};
use super::suggest::nearest;
use super::tree::{Entry, Node};

/// A part of what is sent.
pub(crate) enum Piece {
    /// It is generated.
    Generated(Arrivals),
    /// It is read from the trace in this file.
    Recorded(PathBuf, PlaybackOptions),
}

/// What the parts of a workload's arrivals refer to.
pub(crate) struct Around<'a> {
    /// The keys of the workload's clients, in their order.
    pub(crate) clients: &'a [&'a str],
    /// Where traces are.
    pub(crate) folder: &'a Folder,
}

/// The arrivals that `chosen` describes: the key is the model's name. What is said of who sends
/// them is refused, and traces are none of them.
pub(crate) fn decode(chosen: &Entry, diagnostics: &mut Diagnostics) -> Option<Arrivals> {
    let mut parts = Parts { around: None, tenants: Vec::new(), diagnostics };
    let generated = |piece| match piece {
        Piece::Generated(arrivals) => Some(arrivals),
        Piece::Recorded(..) => None,
    };
    let pieces = parts.decode(chosen)?.into_iter().map(generated);
    Arrivals::sum(pieces.collect::<Option<_>>()?).ok()
}

/// What the arrivals that `chosen` describes consist of, in the order of their processes, and who
/// sends those of each process.
pub(crate) fn decode_with_tenants(
    chosen: &Entry,
    around: &Around<'_>,
    diagnostics: &mut Diagnostics,
) -> (Option<Vec<Piece>>, Vec<Tenant>) {
    let mut parts = Parts { around: Some(around), tenants: Vec::new(), diagnostics };
    let pieces = parts.decode(chosen);
    (pieces, parts.tenants)
}

/// Whether all of the arrivals that `chosen` describes are read from traces.
pub(crate) fn is_recorded(chosen: &Entry) -> bool {
    match chosen.key.as_str() {
        "trace" => true,
        "sum" => {
            let parts = chosen.node.items();
            let all = parts.iter().all(|part| process(part).is_some_and(is_recorded));
            all && !parts.is_empty()
        }
        _ => false,
    }
}

/// What a part of a sum says of when its requests are sent.
fn process(part: &Node) -> Option<&Entry> {
    part.entries().iter().find(|entry| !SENDERS.contains(&entry.key.as_str()))
}

/// What it takes to decode processes of arrivals, one after the other.
struct Parts<'a> {
    /// `None`: no part may say who sends its requests, or replay a trace.
    around: Option<&'a Around<'a>>,
    /// Of the processes so far.
    tenants: Vec<Tenant>,
    diagnostics: &'a mut Diagnostics,
}

impl Parts<'_> {
    fn decode(&mut self, chosen: &Entry) -> Option<Vec<Piece>> {
        if chosen.key == "sum" {
            return self.sum(chosen);
        }
        self.tenants.push(Tenant::default());
        if chosen.key == "trace" {
            let folder = self.around?.folder;
            let (file, options) = decode_trace::decode(&chosen.node, folder, self.diagnostics)?;
            return Some(vec![Piece::Recorded(file, options)]);
        }
        self.model(chosen).map(|arrivals| vec![Piece::Generated(arrivals)])
    }

    fn sum(&mut self, chosen: &Entry) -> Option<Vec<Piece>> {
        let first = self.tenants.len();
        // All of them, so that every problem is told.
        let parts: Vec<_> = chosen.node.items().iter().map(|part| self.part(part)).collect();
        let parts: Vec<_> = parts.into_iter().collect::<Option<_>>()?;
        let (count, most) = (self.tenants.len() - first, Arrivals::MOST_PROCESSES);
        if !(1..=most).contains(&count) {
            let error = ArrivalsError::Parts { count, most };
            return refuse(chosen, &error, self.diagnostics);
        }
        Some(parts.into_iter().flatten().collect())
    }

    fn model(&mut self, chosen: &Entry) -> Option<Arrivals> {
        let (given, unreadable) = given(chosen, form(&chosen.key)?, self.diagnostics);
        match Arrivals::build(&chosen.key, &given)? {
            Ok(arrivals) => unreadable.is_empty().then_some(arrivals),
            // Told by the check, as far as it is not what cannot be read itself.
            Err(ArrivalsError::Missing { .. }) => None,
            Err(error) if error.key().is_none() && !unreadable.is_empty() => None,
            Err(error) => refuse(chosen, &error, self.diagnostics),
        }
    }

    /// A part of a sum, with what it says of who sends it.
    fn part(&mut self, part: &Node) -> Option<Vec<Piece>> {
        let chosen = process(part)?;
        let pieces = self.decode(chosen);
        let mut senders = part.entries().iter();
        if let Some(first) = senders.find(|entry| SENDERS.contains(&entry.key.as_str())) {
            self.seat(first, part, chosen)?;
        }
        pieces
    }

    /// The process that was decoded last comes from senders of its own.
    fn seat(&mut self, first: &Entry, part: &Node, chosen: &Entry) -> Option<()> {
        let refused = match (self.around, chosen.key.as_str()) {
            (None, _) => Some("the arrivals of a phase come from those who send all"),
            (_, "sum") => Some("a sum has no senders of its own: say it of each of its parts"),
            (_, "closed") if first.key == "users" || part.get("users").is_some() => {
                Some("closed arrivals have users of their own already")
            }
            _ => None,
        };
        if let Some(message) = refused {
            let help = format!("remove `{}`", first.key);
            self.diagnostics.report(Diagnostic::new(first.place, message).help(help));
            return None;
        }
        let tenant = self.tenants.last_mut()?;
        if let Some(client) = part.get("client") {
            let (name, known) = (client.text()?, self.around?.clients);
            let place = known.iter().position(|key| *key == name);
            if place.is_none() {
                let message = format!("{} is the key of none of the `clients`", quote(name));
                let help = match nearest(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "write it into `workload.clients`".to_owned(),
                };
                self.diagnostics.report(Diagnostic::new(client.place, message).help(help));
            }
            tenant.client = Some(u16::try_from(place?).ok()?);
        }
        if let Some(users) = part.get("users") {
            tenant.users = Some(ranks(users, "count")?);
        }
        Some(())
    }
}

/// What a part of a sum can say of who sends it.
const SENDERS: [&str; 2] = ["client", "users"];

fn refuse<T>(chosen: &Entry, error: &ArrivalsError, diagnostics: &mut Diagnostics) -> Option<T> {
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
