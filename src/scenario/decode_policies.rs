//! How a model's requests are assigned, and what becomes of those whose attempts fail.

use crate::engine::{
    Assignment, Backoff, Fallback, Policies, PolicyError, RetryOn, RetryPolicy, RuleSet,
};

use crate::exchange::ModelIndex;

use super::decode_arrivals;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::{Scenario, StickyBy};
use super::read;
use super::tree::{Entry, Node};

/// The assignment of the model at `node`.
pub(crate) fn assignment(node: &Node) -> Option<Assignment> {
    match read::text(node, "assignment")? {
        "random" => Some(Assignment::Random),
        "even" => Some(Assignment::Even),
        "sticky" => Some(Assignment::Sticky),
        _ => None,
    }
}

/// What the requests of the model at `node` stick by; reported where they do not stick.
pub(crate) fn sticky_by(
    node: &Node,
    assignment: Option<Assignment>,
    diagnostics: &mut Diagnostics,
) -> Option<StickyBy> {
    let Some(entry) = node.entry("sticky_by") else { return Some(StickyBy::default()) };
    check_sticks(entry, assignment, diagnostics);
    match entry.node.text()? {
        "user" => Some(StickyBy::User),
        "session" => Some(StickyBy::Session),
        "client" => Some(StickyBy::Client),
        _ => None,
    }
}

/// Reports what requests stick by, at `entry`, where they do not stick.
pub(crate) fn check_sticks(
    entry: &Entry,
    assignment: Option<Assignment>,
    diagnostics: &mut Diagnostics,
) {
    if assignment.is_some_and(|assignment| assignment != Assignment::Sticky) {
        let message = "`sticky_by` without `assignment: sticky`: no requests stick";
        let help = "write `assignment: sticky`, or remove `sticky_by`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
}

/// Reports requests that stick by what the workload's requests do not have: a client, or a session
/// of more than one request. Whether traces have sessions their rows say.
pub(crate) fn check_sticky(root: &Node, diagnostics: &mut Diagnostics) {
    let Some(workload) = root.get("workload") else { return };
    let arrivals = workload.get("arrivals").and_then(|arrivals| arrivals.entries().first());
    let is_recorded = arrivals.is_some_and(decode_arrivals::is_recorded);
    for model in root.get("models").map_or(&[][..], Node::entries) {
        let Some(by) = model.node.get("sticky_by") else { continue };
        let lacks = match by.text() {
            Some("client") => "clients",
            Some("session") if !is_recorded => "sessions",
            _ => continue,
        };
        if workload.get(lacks).is_none() {
            let one = lacks.trim_end_matches('s');
            let message =
                format!("requests cannot stick by their {one}: the workload has no `{lacks}`");
            let help = format!("write `workload.{lacks}`, or `sticky_by: user`");
            diagnostics.report(Diagnostic::new(by.place, message).help(help));
        }
    }
}

/// Whether requests of some model stick by their session.
pub(crate) fn sticks_by_session(root: &Node) -> bool {
    let models = root.get("models").map_or(&[][..], Node::entries);
    models
        .iter()
        .any(|model| model.node.get("sticky_by").is_some_and(|by| by.text() == Some("session")))
}

/// Reports a judge beside an assignment under which its test says nothing.
pub(crate) fn check_judges(
    node: &Node,
    assignment: Option<Assignment>,
    rules: Option<&RuleSet>,
    diagnostics: &mut Diagnostics,
) {
    if let (Some(assignment), Some(rules), Some(at)) = (assignment, rules, node.get("assignment"))
        && let Some(message) = blind_judge(assignment, rules)
    {
        let help = "write `assignment: random` or `sticky`, or take the judge out";
        diagnostics.report(Diagnostic::new(at.place, message).help(help));
    }
}

/// What is wrong with a judge of `rules` under `assignment`, if anything is.
pub(crate) fn blind_judge(assignment: Assignment, rules: &RuleSet) -> Option<String> {
    if assignment.is_by_chance() {
        return None;
    }
    let (trigger, _) = rules.judges().find(|(_, judge)| judge.needs_chance())?;
    Some(format!(
        "{} cannot watch requests that are assigned in turns: its test holds for requests that \
         chance assigns",
        trigger.id
    ))
}

/// The policies of the model at `node`.
pub(crate) fn policies(node: &Node, diagnostics: &mut Diagnostics) -> Option<Policies> {
    let Some(node) = node.get("policies") else { return Some(Policies::default()) };
    let retry = match node.get("retry") {
        Some(node) => retry(node, diagnostics).map(Some),
        None => Some(None),
    };
    let fallback = node.get("fallback").map(|_| Fallback::Stable);
    Some(Policies { retry: retry?, fallback, max_pinned: read::ratio(node, "max_pinned")? })
}

/// Warns of retries that honour a `retry-after` which none of them can ever meet.
pub(crate) fn warn(root: &Node, scenario: &Scenario, diagnostics: &mut Diagnostics) {
    for (index, entry) in root.get("models").map_or(&[][..], Node::entries).iter().enumerate() {
        let Some(model) = scenario.models.get(index) else { continue };
        let Some(retry) = model.policies.retry.as_ref().filter(|r| r.honours_retry_after()) else {
            continue;
        };
        let node = entry.node.get("policies").and_then(|node| node.get("retry"));
        let Some(given) = node.and_then(|node| node.entry("honours_retry_after")) else { continue };
        let of_model = ModelIndex(index as u16);
        let mut faults = scenario.phases.iter().flat_map(|phase| &phase.faults);
        let limited = model.versions.iter().any(|version| {
            version.behaviour().is_some_and(|behaviour| !behaviour.rate_limit.is_none())
        }) || faults.any(|(version, fault)| {
            !fault.rate_limit.is_none() && scenario.model_of_named(version) == of_model
        });
        let (message, help) = if !retry.retries_rate_limits() {
            let message = "`honours_retry_after` has no effect: only a 429 asks for a wait, and \
                           none is retried";
            (message, "write \"429\" into `on`, or remove `honours_retry_after`")
        } else if !limited {
            let message = "`honours_retry_after` has no effect: no upstream of the model has a \
                           rate limit, which alone asks for a wait";
            (message, "write the upstream's `rate_limit`, or remove `honours_retry_after`")
        } else {
            continue;
        };
        diagnostics.warn(Diagnostic::new(given.place, message).help(help));
    }
}

fn retry(node: &Node, diagnostics: &mut Diagnostics) -> Option<RetryPolicy> {
    let on = match node.get("on") {
        Some(list) => {
            let on: Vec<_> = list.items().iter().map(|item| retry_on(item, diagnostics)).collect();
            on.into_iter().collect::<Option<Vec<_>>>()
        }
        None => Some(RetryOn::DEFAULT.to_vec()),
    };
    let backoff = match node.get("backoff") {
        Some(node) => {
            let [first, max] = ["first", "max"].map(|key| read::duration(node, key));
            tell(node, Backoff::new(first?, max?, read::ratio(node, "jitter")?), diagnostics)
        }
        None => Some(Backoff::default()),
    };
    let attempts = u8::try_from(read::integer(node, "attempts")?).ok()?;
    let place = node.get("on").unwrap_or(node);
    let policy = tell(place, RetryPolicy::new(attempts, on?, backoff?), diagnostics)?;
    Some(policy.honouring_retry_after(read::boolean(node, "honours_retry_after")?))
}

fn retry_on(item: &Node, diagnostics: &mut Diagnostics) -> Option<RetryOn> {
    match item.text()?.parse() {
        Ok(on) => Some(on),
        Err(error) => {
            diagnostics.report(Diagnostic::new(item.place, error.to_string()));
            None
        }
    }
}

fn tell<T>(node: &Node, made: Result<T, PolicyError>, diagnostics: &mut Diagnostics) -> Option<T> {
    match made {
        Ok(made) => Some(made),
        Err(error) => {
            diagnostics.report(Diagnostic::new(node.place, error.to_string()));
            None
        }
    }
}
