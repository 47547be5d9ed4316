//! Arrivals: any model from its parameters, and sums of them.

use crate::arrivals::{Arrivals, ArrivalsError, Form, Given, Key, Kind, VALUE, Value, form};
use crate::units::{Duration, Rate, Ratio};
use crate::workload::Tenant;

use super::decode_distribution;
use super::decode_population::ranks;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::read::Quantity;
use super::shape::{as_number, quote};
use super::suggest::nearest;
use super::tree::{Entry, Node};

/// The arrivals that `chosen` describes: the key is the model's name. What is said of who sends
/// them is refused.
pub(crate) fn decode(chosen: &Entry, diagnostics: &mut Diagnostics) -> Option<Arrivals> {
    let mut parts = Parts { senders: None, tenants: Vec::new(), diagnostics };
    parts.decode(chosen)
}

/// The arrivals that `chosen` describes, and who sends those of each process; `clients` are the
/// keys of the workload's clients, in their order.
pub(crate) fn decode_with_tenants(
    chosen: &Entry,
    clients: &[&str],
    diagnostics: &mut Diagnostics,
) -> (Option<Arrivals>, Vec<Tenant>) {
    let mut parts = Parts { senders: Some(clients), tenants: Vec::new(), diagnostics };
    let arrivals = parts.decode(chosen);
    (arrivals, parts.tenants)
}

/// What it takes to decode processes of arrivals, one after the other.
struct Parts<'a> {
    /// The keys of clients; `None`: no part may say who sends its requests.
    senders: Option<&'a [&'a str]>,
    /// Of the processes so far.
    tenants: Vec<Tenant>,
    diagnostics: &'a mut Diagnostics,
}

impl Parts<'_> {
    fn decode(&mut self, chosen: &Entry) -> Option<Arrivals> {
        if chosen.key == "sum" {
            let parts = chosen.node.items().iter();
            // All of them, so that every problem is told.
            let parts: Vec<_> = parts.map(|part| self.part(part)).collect();
            let parts: Option<Vec<_>> = parts.into_iter().collect();
            return match Arrivals::sum(parts?) {
                Ok(arrivals) => Some(arrivals),
                Err(error) => refuse(chosen, &error, self.diagnostics),
            };
        }
        self.tenants.push(Tenant::default());
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
    fn part(&mut self, part: &Node) -> Option<Arrivals> {
        let said = |entry: &&Entry| SENDERS.contains(&entry.key.as_str());
        let chosen = part.entries().iter().find(|entry| !said(entry))?;
        let arrivals = self.decode(chosen);
        let senders: Vec<_> = part.entries().iter().filter(said).collect();
        if let Some(first) = senders.first() {
            self.seat(first, part, chosen)?;
        }
        arrivals
    }

    /// The process that was decoded last comes from senders of its own.
    fn seat(&mut self, first: &Entry, part: &Node, chosen: &Entry) -> Option<()> {
        let refused = match (self.senders, chosen.key.as_str()) {
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
            let (name, known) = (client.text()?, self.senders?);
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
