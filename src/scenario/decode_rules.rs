//! Rollback rules, from the seed's JSON or inline. What a rule may say is the engine's to judge;
//! here its verdict gets a place.

use crate::engine::{
    Action, Notification, RawTrigger, RuleError, RuleProblem, RuleSet, Target, Trigger,
};

use super::decode_model::Names;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::read;
use super::shape::quote;
use super::suggest::nearest;
use super::tree::Node;

/// The rules that `node` holds.
pub(crate) fn decode(node: &Node, names: &Names, diagnostics: &mut Diagnostics) -> Option<RuleSet> {
    let mut ids: Vec<(&str, Place)> = Vec::new();
    let mut triggers = Vec::new();
    for node in node.get("conditions")?.items() {
        triggers.push(trigger(node, names, diagnostics));
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
    let notification = Notification { slack_webhook: told("slack_webhook"), email: told("email") };
    let triggers = triggers.into_iter().collect::<Option<_>>()?;
    Some(RuleSet { enable: read::boolean(node, "enable")?, triggers, notification })
}

fn trigger(node: &Node, names: &Names, diagnostics: &mut Diagnostics) -> Option<Trigger> {
    if node.entries().is_empty() {
        return None;
    }
    // A value that the check refused must not be judged again as a missing one.
    let legible = node.entries().iter().all(|entry| match entry.key.as_str() {
        "id" | "judge" | "metric" | "operator" | "no_data" | "version" | "action" => {
            entry.node.text().is_some()
        }
        "min_requests" => read::integer(node, "min_requests").is_some(),
        key => read::number(node, key).is_some(),
    });
    let raw = raw(node);
    let before = names_of(&raw);
    for name in before.into_iter().flatten() {
        let place = node.get(name.field).map_or(node.place, |node| node.place);
        names.resolve(name.name, place, diagnostics);
    }
    if !legible {
        return None;
    }
    match Trigger::new(&raw) {
        Ok(trigger) => Some(trigger),
        Err(error) => {
            report_all(node, raw, error, diagnostics);
            None
        }
    }
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
        duration_seconds: number("duration_seconds"),
        check_interval_seconds: number("check_interval_seconds"),
        window_seconds: number("window_seconds"),
        min_requests: read::integer(node, "min_requests"),
        no_data: text("no_data"),
        version: text("version"),
        action: text("action"),
        alpha: number("alpha"),
        prior_strength: number("prior_strength"),
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
fn report_all(node: &Node, mut raw: RawTrigger, first: RuleError, diagnostics: &mut Diagnostics) {
    let mut told = Vec::new();
    let mut error = Some(first);
    while let Some(RuleError { field, problem }) = error {
        if told.contains(&field) {
            break;
        }
        told.push(field);
        diagnostics.report(complaint(node, field, &problem));
        // Without its metric nothing can be said of a threshold.
        if !mend(&mut raw, field) {
            break;
        }
        error = Trigger::new(&raw).err();
    }
}

fn complaint(node: &Node, field: &'static str, problem: &RuleProblem) -> Diagnostic {
    let place = node.get(field).map_or(node.place, |node| node.place);
    match problem {
        RuleProblem::Missing { example } => {
            Diagnostic::new(place, format!("condition has no {field:?}"))
                .help(format!("write `{example}`"))
        }
        RuleProblem::Unknown { found, allowed } => {
            let meant = nearest(found, allowed.split(", "));
            Diagnostic::new(place, format!("{field}: {problem}")).suggest(meant)
        }
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

/// Puts something valid in the place of a refused field; `false` where nothing could be.
fn mend(raw: &mut RawTrigger, field: &str) -> bool {
    match field {
        "threshold" => raw.threshold = raw.threshold_ms.is_none().then_some(0.5),
        "threshold_ms" => raw.threshold_ms = raw.threshold.is_none().then_some(1_000.0),
        "operator" => raw.operator = raw.judge.is_none().then(|| ">".to_owned()),
        "duration_seconds" => raw.duration_seconds = raw.judge.is_none().then_some(3_600.0),
        "action" => raw.action = Some("notify".to_owned()),
        "check_interval_seconds" => raw.check_interval_seconds = None,
        "window_seconds" => raw.window_seconds = None,
        "min_requests" => raw.min_requests = None,
        "no_data" => raw.no_data = None,
        "version" => raw.version = None,
        "alpha" => raw.alpha = None,
        "prior_strength" => raw.prior_strength = None,
        _ => return false,
    }
    true
}

/// The action as it is written in a file.
pub(crate) fn action_text(action: &Action) -> String {
    match action {
        Action::RollbackToLastStable => "rollback_to_last_stable".to_owned(),
        Action::RollbackTo(target) => format!("rollback_to:{}", target.as_str()),
        Action::Notify => "notify".to_owned(),
    }
}
