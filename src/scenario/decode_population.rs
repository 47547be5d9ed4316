//! Who sends requests: users, sessions, clients, prompts.

use std::num::NonZeroU32;

use crate::chance::Zipf;
use crate::engine::Target;
use crate::exchange::ModelIndex;
use crate::units::{KeyId, Ratio};
use crate::workload::{Client, Pin, Population, Sessions, Tenant};

use super::decode_distribution;
use super::decode_split::check_sum;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::place::Place;
use super::read::{self, Quantity};
use super::tree::{Entry, Node};

/// The population of the workload `node`, whose requests ask for models with these shares, and
/// whose processes of arrivals have these `tenants`. So many users of closed arrivals come beside
/// those that it describes.
pub(crate) fn decode(
    node: &Node,
    models: Option<Vec<Ratio>>,
    tenants: Vec<Tenant>,
    names: &Names,
    closed_users: u64,
    diagnostics: &mut Diagnostics,
) -> Option<Population> {
    let closed_users = closed_users + tenants.iter().map(Tenant::own_users).sum::<u64>();
    let all_named = !tenants.is_empty() && tenants.iter().all(|tenant| tenant.client.is_some());
    let users = node.get("users").and_then(|users| ranks(users, "count"));
    if let (Some(users), Some(node)) = (&users, node.get("users")) {
        check_users(users, node, closed_users, diagnostics);
    }
    let sessions = match node.get("sessions") {
        None => Some(None),
        Some(node) => sessions(node, users.as_ref(), closed_users, diagnostics).map(Some),
    };
    let clients = match node.entry("clients") {
        None => Some(Vec::new()),
        Some(entry) => clients(entry, all_named, names, diagnostics),
    };
    let prompts = match node.get("prompts") {
        None => Some(None),
        Some(node) => ranks(node, "distinct").map(Some),
    };
    Some(Population {
        users: users?,
        sessions: sessions?,
        clients: clients?,
        tenants,
        prompts: prompts?,
        models: models?,
        stream: read::ratio(node, "stream")?,
    })
}

/// Ranks of `node`, whose number stands at `count`.
pub(crate) fn ranks(node: &Node, count: &str) -> Option<Zipf> {
    let count: u32 = read::integer(node, count)?.try_into().ok()?;
    Zipf::new(NonZeroU32::new(count)?, read::number(node, "zipf")?).ok()
}

/// Users of closed arrivals and of tenants are numbered after the others.
fn check_users(users: &Zipf, node: &Node, closed: u64, diagnostics: &mut Diagnostics) {
    let most = u64::from(u32::MAX) - closed;
    let users = users.count().get();
    if u64::from(users) > most {
        let message = format!(
            "{users} users beside the {closed} of the arrivals are too many: allowed are {most}"
        );
        let place = node.get("count").map_or(node.place, |count| count.place);
        diagnostics.report(Diagnostic::new(place, message));
    }
}

fn sessions(
    node: &Node,
    users: Option<&Zipf>,
    closed_users: u64,
    diagnostics: &mut Diagnostics,
) -> Option<Sessions> {
    let requests = node
        .get("requests")
        .and_then(|requests| decode_distribution::decode(requests, Quantity::Number, diagnostics));
    let users = users.map_or(0, |users| u64::from(users.count().get())) + closed_users;
    let most = Sessions::MOST_USERS;
    if users > u64::from(most) {
        let message = format!("the sessions of {users} users cannot be kept: allowed are {most}");
        diagnostics.report(Diagnostic::new(node.place, message).help("lower `users`"));
    }
    Some(Sessions { requests: requests?, gap: read::duration(node, "gap")? })
}

/// The version that requests for `model`, or any, ask for, by the name that stands at `node`.
fn pinned(
    node: &Node,
    model: Option<ModelIndex>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<Pin> {
    let name = node.text()?;
    let version = names.resolve_in(model, name, node.place, diagnostics)?;
    Some(Pin { model: names.model_of(version)?, version: Target::new(name)? })
}

fn clients(
    entry: &Entry,
    all_named: bool,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Client>> {
    if entry.node.text().is_some() {
        return None;
    }
    let mut seen: Vec<(&str, Place)> = Vec::new();
    for item in entry.node.items() {
        let Some(key) = item.get("key") else { continue };
        let Some(name) = key.text() else { continue };
        if let Some((_, first)) = seen.iter().find(|(seen, _)| *seen == name) {
            let message = format!("key {name:?} has two clients: each client has its own");
            let diagnostic = Diagnostic::new(key.place, message);
            diagnostics.report(diagnostic.note(*first, "the first"));
        }
        seen.push((name, key.place));
    }
    let client = |item: &Node, diagnostics: &mut Diagnostics| {
        let key = KeyId::new(read::text(item, "key")?).ok()?;
        let model = match item.get("model") {
            Some(model) => Some(names.resolve_model(model.text()?, model.place, diagnostics)?),
            None => None,
        };
        let made_for = match item.get("version") {
            Some(node) => Some(names.resolve_in(model, node.text()?, node.place, diagnostics)?),
            None => None,
        };
        let pin = match item.get("pin") {
            Some(pin) => Some(pinned(pin, model, names, diagnostics)?),
            None => None,
        };
        Some(Client { key, share: read::ratio(item, "share")?, made_for, model, pin })
    };
    let items = entry.node.items().iter();
    let clients: Vec<_> = items.map(|item| client(item, diagnostics)).collect();
    let clients: Vec<Client> = clients.into_iter().collect::<Option<_>>()?;
    let sum: f64 = clients.iter().map(|client| client.share.get()).sum();
    // Where every process names its client, shares have nothing to decide.
    if !(all_named && sum == 0.0) {
        check_sum("shares", "the clients", sum, entry, diagnostics);
    }
    if clients.len() > usize::from(u16::MAX) {
        let message = format!("{} clients are too many: allowed are {}", clients.len(), u16::MAX);
        diagnostics.report(Diagnostic::new(entry.place, message));
    }
    Some(clients)
}
