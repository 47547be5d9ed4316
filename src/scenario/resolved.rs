//! The plan spelled out: what follows from several parts is written into the document, and the
//! document becomes JSON, with every literal in one form and sorted keys.

use serde_json::{Map, Value, json};

use crate::engine::CommandKind;
use crate::units::{Duration, Money, Rate, Ratio, Timestamp, Tokens, parse_requests};

use super::command_plan::Instruction;
use super::diagnostic::Diagnostics;
use super::fill::fill;
use super::free;
use super::named_version::NamedVersion;
use super::place::Place;
use super::plan::{PhasePlan, Scenario};
use super::read;
use super::shape::{Literal, Shape, as_number};
use super::shapes::SCENARIO;
use super::tree::{Entry, Node, Scalar, Value as Part};

/// Writes into a tree that has been checked and filled what the plan made from it says of parts
/// that it leaves out: the title, the columns, and of each rule whatever follows from the rest.
pub(crate) fn complete(root: &mut Node, scenario: &Scenario) {
    put(root, "title", &json!(scenario.title));
    let column = |column: &super::plan::Column| {
        let mut map = Map::new();
        map.insert("title".to_owned(), json!(column.title));
        if let Some(phase) = column.phase {
            map.insert("phase".to_owned(), json!(scenario.phases[phase].name));
        }
        if let Some(model) = column.model {
            map.insert("model".to_owned(), json!(scenario.models[usize::from(model.0)].id));
        }
        if let Some(version) = column.version {
            map.insert("version".to_owned(), json!(scenario.version(version).id));
        }
        Value::Object(map)
    };
    // Of each model those are said that hold for it.
    take(root, "safeguards");
    put(root, "columns", &scenario.columns.iter().map(column).collect());
    let models = root.get_mut("models").map_or(&mut [][..], Node::entries_mut);
    for (entry, plan) in models.iter_mut().zip(&scenario.models) {
        put(&mut entry.node, "safeguards", &json!(plan.safeguards));
        put(&mut entry.node, "rules", &json!(plan.rules));
        if entry.node.get("policies").is_none() {
            put(&mut entry.node, "policies", &json!({}));
        }
        let versions = entry.node.get_mut("versions").map_or(&mut [][..], Node::entries_mut);
        for (entry, plan) in versions.iter_mut().zip(&plan.versions) {
            put(&mut entry.node, "tags", &json!(plan.tags));
        }
    }
    fill(root, SCENARIO);
    let phases = root.get_mut("phases").map_or(&mut [][..], Node::items_mut);
    for (node, plan) in phases.iter_mut().zip(&scenario.phases) {
        complete_commands(node, plan);
        if let (Some(rollout), Some(written)) = (&plan.rollout, node.get_mut("rollout")) {
            put(written, "version", &json!(scenario.name_of(&rollout.version)));
        }
        if let Some(split) = &plan.split {
            let weight = |(version, weight): &(NamedVersion, Ratio)| {
                (scenario.name_of(version).to_owned(), json!(weight.get()))
            };
            put(node, "split", &split.iter().map(weight).collect::<Map<_, _>>().into());
        }
    }
}

/// The resolved form of a complete tree.
pub(crate) fn resolve(root: &Node) -> Value {
    node(root, SCENARIO)
}

/// The commands of a phase in the order of the plan, each with its model.
fn complete_commands(node: &mut Node, plan: &PhasePlan) {
    let Some(commands) = node.get_mut("commands").map(Node::items_mut) else { return };
    commands.sort_by_key(|node| read::duration(node, "at"));
    for (node, plan) in commands.iter_mut().zip(&plan.commands) {
        if let Instruction::Engine(CommandKind::Rules(rules)) = &plan.instruction {
            put(node, "rules", &json!(rules));
        }
    }
}

/// Takes a key out of a map.
pub(crate) fn take(map: &mut Node, key: &str) {
    if let Part::Map(entries) = &mut map.value {
        entries.retain(|entry| entry.key != key);
    }
}

/// Writes `value` at the key of a map, at the place of what it replaces.
pub(crate) fn put(map: &mut Node, key: &str, value: &Value) {
    let place = map.entry(key).map_or(map.place, |entry| entry.node.place);
    let node = written(value, place);
    let Part::Map(entries) = &mut map.value else { return };
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.node = node,
        None => entries.push(Entry { place, key: key.to_owned(), node }),
    }
}

/// A value as a document has it.
fn written(value: &Value, place: Place) -> Node {
    let value = match value {
        Value::Array(items) => Part::List(items.iter().map(|item| written(item, place)).collect()),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let node = written(value, place);
                Entry { place, key: key.clone(), node }
            };
            Part::Map(map.iter().map(entry).collect())
        }
        Value::String(text) => Part::Scalar(Scalar { text: text.clone(), quoted: true }),
        other => Part::Scalar(Scalar { text: other.to_string(), quoted: false }),
    };
    Node { place, value }
}

fn node(of: &Node, shape: Shape) -> Value {
    match shape {
        Shape::One(literal) => {
            of.scalar().map_or(Value::Null, |scalar| self::literal(scalar, literal))
        }
        Shape::Either(literals) => {
            let Some(scalar) = of.scalar() else { return Value::Null };
            let fitting = literals.iter().find(|literal| literal.check(scalar).is_ok());
            fitting.map_or(Value::Null, |literal| self::literal(scalar, *literal))
        }
        Shape::List(item) => of.items().iter().map(|of| node(of, *item)).collect(),
        Shape::Table(table) if table.ordered => {
            let item = |entry: &Entry| {
                let mut value = node(&entry.node, table.value);
                if let Value::Object(map) = &mut value {
                    map.insert("id".to_owned(), json!(entry.key));
                }
                value
            };
            of.entries().iter().map(item).collect()
        }
        Shape::Table(table) => {
            let item = |entry: &Entry| (entry.key.clone(), node(&entry.node, table.value));
            Value::Object(of.entries().iter().map(item).collect())
        }
        Shape::Open(open) => {
            let item =
                |entry: &Entry| (entry.key.clone(), node(&entry.node, open.part(&entry.key)));
            Value::Object(of.entries().iter().map(item).collect())
        }
        Shape::Record(_) | Shape::Choice(_) => {
            let item = |entry: &Entry| {
                let field = shape.field(&entry.key)?;
                Some((entry.key.clone(), node(&entry.node, field.shape)))
            };
            Value::Object(of.entries().iter().filter_map(item).collect())
        }
        Shape::Short(short) => node(of, short.full),
        Shape::FileOr(shape) => node(of, *shape),
        Shape::OneOrMore(literal) => {
            of.items().iter().map(|of| node(of, Shape::One(literal))).collect()
        }
        Shape::Free => free::json(of, &mut Diagnostics::default()).unwrap_or_default(),
    }
}

/// One literal in its one form: what cannot be expressed otherwise stays text.
fn literal(scalar: &Scalar, literal: Literal) -> Value {
    let text = scalar.text.as_str();
    let value = match literal {
        Literal::Duration => Duration::parse(text).ok().map(|time| json!(time.to_literal())),
        Literal::Ratio => Ratio::parse(text).ok().map(|ratio| json!(ratio.get())),
        Literal::Rate => {
            Rate::parse(text).ok().map(|rate| json!(format!("{}/s", rate.per_second())))
        }
        Literal::Money => Money::parse(text).ok().map(money),
        Literal::Tokens => Tokens::parse(text).ok().map(|tokens| json!(tokens.get())),
        Literal::Requests => parse_requests(text).ok().map(|count| json!(count)),
        Literal::Timestamp => {
            text.parse::<Timestamp>().ok().map(|instant| json!(instant.to_string()))
        }
        Literal::Figure => Some(figure(text)),
        Literal::Integer(..) => text.parse::<u64>().ok().map(|number| json!(number)),
        Literal::Number(..) => as_number(text).map(|number| json!(number)),
        Literal::Bool => scalar.as_bool().map(|boolean| json!(boolean)),
        _ => None,
    };
    value.unwrap_or_else(|| json!(text))
}

/// A figure whose unit tells what it is.
fn figure(text: &str) -> Value {
    if let Ok(duration) = Duration::parse(text) {
        json!(duration.to_literal())
    } else if let Ok(amount) = Money::parse(text) {
        money(amount)
    } else if let Ok(speed) = Rate::parse(text) {
        json!(format!("{}/s", speed.per_second()))
    } else if let Ok(ratio) = Ratio::parse(text) {
        json!(ratio.get())
    } else {
        json!(text)
    }
}

/// `0.008 USD`, exactly.
fn money(amount: Money) -> Value {
    let pico = amount.as_pico_usd();
    let fraction = format!("{:012}", pico % PICO_PER_USD);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    json!(format!("{}{point}{fraction} USD", pico / PICO_PER_USD))
}

const PICO_PER_USD: u128 = 1_000_000_000_000;
