//! Rollback rules, from the seed's JSON or inline. What a rule may say is the engine's to judge;
//! here its verdict gets a place.

use crate::engine::{
    RawNotification, RawRules, RawTrigger, RuleError, RuleProblem, RuleSet, Safeguards, Target,
    Trigger,
};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::metric::{Metric, Unit};

use super::check::mistyped;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::place::Place;
use super::read;
use super::shape::{Field, Shape, quote};
use super::shapes_rules::CONDITION;
use super::suggest::nearest;
use super::tree::{Node, Value};

/// The rules of `model` that `node` holds.
pub(crate) fn decode(
    node: &Node,
    model: ModelIndex,
    names: &Names,
    safeguards: Safeguards,
    diagnostics: &mut Diagnostics,
) -> Option<RuleSet> {
    let mut ids: Vec<(&str, Place)> = Vec::new();
    let mut conditions = Vec::new();
    for node in node.get("conditions")?.items() {
        conditions.push(condition(node, model, names, safeguards, diagnostics));
        if let (Some(id), Some(place)) =
            (read::text(node, "id"), node.get("id").map(|node| node.place))
        {
            if let Some((_, first)) = ids.iter().find(|(known, _)| *known == id) {
                let message = format!("a second condition with the id {}", quote(id));
                let twice = Diagnostic::new(place, message).note(*first, "the first is here");
                diagnostics.report(twice.help("give each condition an id of its own, or none"));
            }
            ids.push((id, place));
        }
    }
    let notification = node.get("notification");
    let told = |key| notification.and_then(|node| read::text(node, key)).map(str::to_owned);
    let raw = RawRules {
        enable: read::boolean(node, "enable")?,
        rate_limited_is_error: read::boolean(node, "rate_limited_is_error")?,
        alpha: read::number(node, "alpha"),
        conditions: conditions.into_iter().collect::<Option<_>>()?,
        notification: RawNotification {
            slack_webhook: told("slack_webhook"),
            email: told("email"),
        },
    };
    // What is wrong has been told: by the check of the literals, or with its condition.
    RuleSet::new(&raw, safeguards).ok()
}

fn condition(
    node: &Node,
    model: ModelIndex,
    names: &Names,
    safeguards: Safeguards,
    diagnostics: &mut Diagnostics,
) -> Option<RawTrigger> {
    if !matches!(node.value, Value::Map(_)) {
        return None;
    }
    let mut raw = raw(node);
    let [version, target] = names_of(&raw).map(|name| {
        let Named { field, name } = name?;
        let place = node.get(field).map_or(node.place, |node| node.place);
        Some(names.resolve_in(Some(model), name, place, diagnostics))
    });
    check_target(node, model, version, target.flatten(), names, diagnostics);
    let watched = match version {
        Some(version) => version.into_iter().collect(),
        None => names.canaries(model).collect(),
    };
    check_prices(node, &raw, (model, watched), names, diagnostics);
    // What the check has refused is told, and must not be judged again as wrong or missing.
    let mut told: Vec<&'static str> = Vec::new();
    for field in CONDITION.fields {
        let refused = node.get(field.name).is_some_and(|node| !is_legible(node, field));
        if refused || mistyped(node.entries(), CONDITION.fields, field.name) {
            told.push(field.name);
            mend(&mut raw, field.name);
        }
    }
    match Trigger::new(&raw, safeguards) {
        Ok(_) => told.is_empty().then_some(raw),
        Err(error) => {
            report_all((node, safeguards), raw, error, told, diagnostics);
            None
        }
    }
}

/// Reports a rollback to the very version that the condition watches, which has nowhere to go;
/// warns where that depends on tags, which can move.
fn check_target(
    node: &Node,
    model: ModelIndex,
    version: Option<Option<VersionIndex>>,
    target: Option<VersionIndex>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let (Some(target), Some(action)) = (target, node.get("action")) else { return };
    let ids = names.versions();
    let id = ids[usize::from(target.0)];
    let told = action.text().and_then(|action| action.strip_prefix("rollback_to:")).map(str::trim);
    let is_certain = told == read::text(node, "version");
    let message = match version {
        Some(watched) if watched == Some(target) => {
            format!("the condition watches {id}: a rollback of it cannot go to it")
        }
        None if names.canaries(model).eq([target]) => {
            format!(
                "{id} is the only canary, so the condition watches it: its rollback has no target"
            )
        }
        _ => return,
    };
    let diagnostic = Diagnostic::new(action.place, message);
    let diagnostic = diagnostic.help("write `rollback_to_last_stable`, or another version");
    if is_certain {
        diagnostics.report(diagnostic);
    } else {
        diagnostics.warn(diagnostic);
    }
}

/// Whether a condition on costs has them: each version of its model that it watches must have a
/// price, and the stable if it is compared with.
fn check_prices(
    node: &Node,
    raw: &RawTrigger,
    (model, mut watched): (ModelIndex, Vec<VersionIndex>),
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let metric = raw.metric.as_deref().and_then(Metric::by_name);
    let Some(metric) = metric.filter(|metric| metric.unit() == Unit::Money) else { return };
    if raw.compare_to.is_some() {
        watched.extend(names.stable(model));
    }
    let unpriced: Vec<_> =
        watched.into_iter().filter_map(|version| names.unpriced(version)).collect();
    if unpriced.is_empty() {
        return;
    }
    let place = node.get("metric").map_or(node.place, |node| node.place);
    let ids: Vec<_> = unpriced.iter().map(|(id, _)| quote(id)).collect();
    let message = format!("{metric} is unknown of {}: no price is given", ids.join(", "));
    let mut diagnostic = Diagnostic::new(place, message);
    for (id, place) in unpriced {
        diagnostic = diagnostic.note(place, format!("{id} stands here"));
    }
    let several = raw.version.is_none() && names.canaries(model).count() > 1;
    diagnostics.report(diagnostic.help(if several {
        "write `price: {blended: 0.005 USD}` there, or watch a version that has one by `version`"
    } else {
        "write `price: {blended: 0.005 USD}` there, the dollars for 1,000 tokens"
    }));
}

fn is_legible(node: &Node, field: &Field) -> bool {
    let Shape::One(literal) = field.shape else { return false };
    node.scalar().is_some_and(|scalar| !scalar.is_null() && literal.check(scalar).is_ok())
}

fn raw(node: &Node) -> RawTrigger {
    let text = |key| read::text(node, key).map(str::to_owned);
    let number = |key| read::number(node, key);
    RawTrigger {
        id: text("id"),
        judge: text("judge"),
        metric: text("metric"),
        operator: text("operator"),
        threshold: number("threshold"),
        threshold_ms: number("threshold_ms"),
        compare_to: text("compare_to"),
        form: text("as"),
        duration_seconds: number("duration_seconds"),
        check_interval_seconds: number("check_interval_seconds"),
        window_seconds: number("window_seconds"),
        min_requests: read::integer(node, "min_requests"),
        no_data: text("no_data"),
        version: text("version"),
        action: text("action"),
        prior_strength: number("prior_strength"),
        alpha: number("alpha"),
        effect: number("effect"),
        burst_block_seconds: number("burst_block_seconds"),
        tolerance: number("tolerance"),
        confidence: number("confidence"),
    }
}

/// A version or tag that a rule names, and where.
struct Named<'a> {
    field: &'static str,
    name: &'a str,
}

fn names_of(raw: &RawTrigger) -> [Option<Named<'_>>; 2] {
    let legal = |name: &&str| Target::new(name).is_some();
    let version = raw.version.as_deref().filter(legal);
    let target = raw.action.as_deref().and_then(|action| action.strip_prefix("rollback_to:"));
    let target = target.map(str::trim).filter(legal);
    [
        version.map(|name| Named { field: "version", name }),
        target.map(|name| Named { field: "action", name }),
    ]
}

/// Reports `first` and then, with each refused field mended, whatever else the engine refuses.
fn report_all(
    (node, safeguards): (&Node, Safeguards),
    mut raw: RawTrigger,
    first: RuleError,
    mut told: Vec<&'static str>,
    diagnostics: &mut Diagnostics,
) {
    let mut error = Some(first);
    while let Some(RuleError { field, problem }) = error {
        if told.contains(&field) {
            break;
        }
        diagnostics.report(complaint(node, field, &problem));
        told.push(field);
        mend(&mut raw, field);
        error = Trigger::new(&raw, safeguards).err();
    }
}

fn complaint(node: &Node, field: &'static str, problem: &RuleProblem) -> Diagnostic {
    let place = node.get(field).map_or(node.place, |node| node.place);
    match problem {
        RuleProblem::Missing { example } => {
            Diagnostic::new(place, format!("condition has no {field:?}"))
                .help(format!("write `{example}`"))
        }
        RuleProblem::Unknown { found, allowed } => match nearest(found, allowed.split(", ")) {
            Some(meant) => Diagnostic::new(place, format!("{field}: {found:?} is unknown"))
                .suggest(Some(meant)),
            None => Diagnostic::new(place, format!("{field}: {problem}")),
        },
        RuleProblem::Misplaced { .. } => {
            let place = node.entry(field).map_or(place, |entry| entry.place);
            Diagnostic::new(place, format!("{field} {problem}")).help("remove it")
        }
        RuleProblem::WrongUnit { instead, .. } => {
            let place = node.entry(field).map_or(place, |entry| entry.place);
            Diagnostic::new(place, format!("{field} {problem}")).suggest(Some(instead))
        }
        _ => Diagnostic::new(place, format!("{field}: {problem}")),
    }
}

/// Puts something valid, or nothing, in the place of a refused field, and takes out what could only
/// be judged by it.
fn mend(raw: &mut RawTrigger, field: &str) {
    let condition = raw.judge.is_none();
    match field {
        "metric" => {
            raw.metric = Some("error_rate".to_owned());
            mend_threshold(raw);
        }
        "compare_to" | "as" => {
            (raw.compare_to, raw.form) = (None, None);
            mend_threshold(raw);
        }
        "threshold" | "threshold_ms" => mend_threshold(raw),
        "operator" => raw.operator = condition.then(|| ">".to_owned()),
        "duration_seconds" => {
            raw.duration_seconds = condition.then_some(0.0);
            (raw.check_interval_seconds, raw.window_seconds) = (None, None);
        }
        "check_interval_seconds" => {
            (raw.check_interval_seconds, raw.window_seconds) = (None, None);
        }
        "action" => raw.action = Some("notify".to_owned()),
        // Nobody knows what else it must have.
        "judge" => {
            let (judge, action) = (Some("sequential".to_owned()), raw.action.take());
            *raw = RawTrigger { judge, action, ..RawTrigger::default() };
        }
        "id" => raw.id = None,
        "window_seconds" => raw.window_seconds = None,
        "min_requests" => raw.min_requests = None,
        "no_data" => raw.no_data = None,
        "version" => raw.version = None,
        "prior_strength" => raw.prior_strength = None,
        "alpha" => raw.alpha = None,
        "effect" => raw.effect = None,
        "burst_block_seconds" => raw.burst_block_seconds = None,
        "tolerance" => raw.tolerance = None,
        _ => raw.confidence = None,
    }
}

/// One threshold, in the unit of the metric; none for a judge but that of an objective.
fn mend_threshold(raw: &mut RawTrigger) {
    let metric = raw.metric.as_deref().and_then(Metric::by_name);
    let time = metric.is_some_and(|metric| metric.unit() == Unit::Time);
    let wanted = raw.judge.as_deref().is_none_or(|judge| judge == "objective");
    let ratio = raw.compare_to.is_some() && raw.form.as_deref() != Some("difference");
    let in_millis = time && !ratio;
    raw.threshold = (wanted && !in_millis).then_some(0.5);
    raw.threshold_ms = (wanted && in_millis).then_some(1_000.0);
}
