//! The models of a gateway: their versions, and what is deployed at the first start.

use serde_json::{Map, Value as Json};

use crate::engine::{Assignment, RuleSet, Safeguards};
use crate::exchange::ModelIndex;
use crate::units::{ModelId, Ratio, VersionId};

use super::decode_gateway_upstreams::check_name;
use super::decode_model;
use super::decode_policies;
use super::decode_rollout;
use super::decode_rules;
use super::decode_split;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::free;
use super::gateway_plan::{GatewayModel, GatewayRollout, GatewayVersion, StickySource};
use super::holders::Holders;
use super::named_version::NamedVersion;
use super::names::{Names, check_count};
use super::read;
use super::shape::quote;
use super::tree::{Entry, Node, Value};

/// The models of the configuration `root`.
pub(crate) fn decode(root: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<GatewayModel>> {
    let models = root.entry("models")?;
    check_count(models, diagnostics);
    let made = models.node.entries().iter().map(|entry| model(entry, root, diagnostics));
    let made: Vec<_> = made.collect();
    made.into_iter().collect()
}

/// A model by itself: ids of versions and tags are its own, whatever others have.
fn model(entry: &Entry, root: &Node, diagnostics: &mut Diagnostics) -> Option<GatewayModel> {
    let node = &entry.node;
    let value = Value::Map(vec![entry.clone()]);
    let alone = Node { place: entry.place, value };
    let alone = Entry { place: entry.place, key: "models".to_owned(), node: alone };
    let names = Names::collect(&alone, diagnostics);
    let holders = Holders::new(&names, vec![true]);
    let entries = node.get("versions").map_or(&[][..], Node::entries);
    let made = entries.iter().map(|entry| version(entry, root, diagnostics));
    let mut versions: Vec<_> = made.collect();
    if let [Some(only)] = &mut versions[..] {
        decode_model::crown(&mut only.tags);
    }
    let max_versions = max_versions(node, entries.len(), diagnostics);
    let rules = match node.get("rules") {
        Some(rules) => {
            decode_rules::decode(rules, ModelIndex(0), &names, Safeguards::default(), diagnostics)
        }
        None => Some(RuleSet::default()),
    };
    let assignment = decode_policies::assignment(node);
    decode_policies::check_judges(node, assignment, rules.as_ref(), diagnostics);
    let sticky_by = sticky_by(node, assignment, diagnostics);
    let policies = decode_policies::policies(node, diagnostics);
    let rollout = rollout(node, &holders, &names, diagnostics);
    let split = split(node, &holders, &names, diagnostics);
    Some(GatewayModel {
        id: ModelId::new(&entry.key).ok()?,
        max_versions: max_versions?,
        versions: versions.into_iter().collect::<Option<_>>()?,
        split: split?,
        assignment: assignment?,
        sticky_by: sticky_by?,
        policies: policies?,
        rules: rules?,
        rollout: rollout?,
    })
}

fn version(entry: &Entry, root: &Node, diagnostics: &mut Diagnostics) -> Option<GatewayVersion> {
    let node = &entry.node;
    let price = decode_model::price(node, diagnostics);
    let upstream = node.get("upstream");
    if let Some(name) = upstream {
        check_name(name, root, diagnostics);
    }
    let parameters = match node.get("parameters") {
        Some(node) => parameters(node, diagnostics),
        None => Some(Map::new()),
    };
    Some(GatewayVersion {
        id: VersionId::new(&entry.key).ok()?,
        upstream: upstream?.text()?.to_owned(),
        tags: decode_model::tags(node)?,
        parameters: parameters?,
        price: price?,
        notes: read::text(node, "notes").unwrap_or_default().to_owned(),
        concurrency: read::at_once(node, "concurrency")?,
    })
}

/// The parameters at `node`; reported where they cannot be put into a body.
fn parameters(node: &Node, diagnostics: &mut Diagnostics) -> Option<Map<String, Json>> {
    let entries = node.entries().iter();
    let made: Vec<_> = entries.map(|entry| parameter(entry, diagnostics)).collect();
    made.into_iter().collect()
}

fn parameter(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<(String, Json)> {
    if ["messages", "stream", "stream_options"].contains(&entry.key.as_str()) {
        let message = format!("{} is the client's to say", quote(&entry.key));
        diagnostics.report(Diagnostic::new(entry.place, message).help("remove it"));
        return None;
    }
    let value = free::json(&entry.node, diagnostics)?;
    let message = match (entry.key.as_str(), &value) {
        ("model", Json::String(model)) if !model.is_empty() => None,
        ("model", _) => Some("`model` is what the upstream calls the model: a text, not empty"),
        ("override", Json::Bool(_)) => None,
        ("override", _) => Some("`override` is true or false"),
        _ => None,
    };
    if let Some(message) = message {
        diagnostics.report(Diagnostic::new(entry.node.place, message));
    }
    Some((entry.key.clone(), value))
}

fn max_versions(node: &Node, count: usize, diagnostics: &mut Diagnostics) -> Option<u16> {
    let Some(written) = node.get("max_versions") else { return Some(u16::MAX) };
    let most: u16 = read::integer(node, "max_versions")?.try_into().ok()?;
    if count > usize::from(most) {
        let message = format!("`max_versions` is {most}, and there are {count} versions");
        let help = format!("write {count} or more, or take versions out");
        diagnostics.report(Diagnostic::new(written.place, message).help(help));
    }
    Some(most)
}

fn sticky_by(
    node: &Node,
    assignment: Option<Assignment>,
    diagnostics: &mut Diagnostics,
) -> Option<StickySource> {
    let Some(entry) = node.entry("sticky_by") else { return Some(StickySource::default()) };
    decode_policies::check_sticks(entry, assignment, diagnostics);
    if let Some(name) = entry.node.get("header") {
        return name.text()?.parse().ok().map(StickySource::Header);
    }
    match read::text(&entry.node, "owner")? {
        "user" => Some(StickySource::User),
        "session" => Some(StickySource::Session),
        "client" => Some(StickySource::Client),
        _ => None,
    }
}

/// The rollout of a model, if it has one.
fn rollout(
    node: &Node,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<Option<GatewayRollout>> {
    let Some(entry) = node.entry("rollout") else { return Some(None) };
    if let Some(split) = node.entry("split") {
        let message = "the model has a `split`: the rollout sets its weights";
        let both = Diagnostic::new(entry.place, message).note(split.place, "it stands here");
        diagnostics.report(both.help("remove one of the two"));
    }
    let plan = decode_rollout::decode(entry, None, holders, names, diagnostics)?;
    let version = id(&plan.version, names)?;
    Some(Some(GatewayRollout { version, ladder: plan.ladder, bake: plan.bake }))
}

/// What is deployed of a model at the first start.
fn split(
    node: &Node,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(VersionId, Ratio)>> {
    let split = match node.entry("split") {
        Some(entry) => decode_split::decode(entry, holders, names, diagnostics)?,
        None => decode_split::first(Vec::new(), names),
    };
    split.iter().map(|(named, weight)| Some((id(named, names)?, *weight))).collect()
}

/// The id of what is named: at the first start nobody but the file has moved a tag.
fn id(named: &NamedVersion, names: &Names) -> Option<VersionId> {
    let version = named.fixed()?;
    VersionId::new(names.versions().get(usize::from(version.0))?).ok()
}
