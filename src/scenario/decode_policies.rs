//! How a model's requests are assigned, and what becomes of those whose attempts fail.

use crate::engine::{
    Assignment, Backoff, Fallback, Policies, PolicyError, RetryOn, RetryPolicy, RuleSet,
    TriggerKind,
};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::StickyBy;
use super::read;
use super::tree::Node;

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
    if assignment.is_some_and(|assignment| assignment != Assignment::Sticky) {
        let message = "`sticky_by` without `assignment: sticky`: no requests stick";
        let help = "write `assignment: sticky`, or remove `sticky_by`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
    match entry.node.text()? {
        "user" => Some(StickyBy::User),
        "session" => Some(StickyBy::Session),
        "client" => Some(StickyBy::Client),
        _ => None,
    }
}

/// Reports requests that stick by their client where the workload has none.
pub(crate) fn check_clients(root: &Node, diagnostics: &mut Diagnostics) {
    if root.get("workload").is_none_or(|workload| workload.get("clients").is_some()) {
        return;
    }
    for model in root.get("models").map_or(&[][..], Node::entries) {
        if let Some(by) = model.node.get("sticky_by").filter(|by| by.text() == Some("client")) {
            let message = "requests cannot stick by their client: the workload has no `clients`";
            let help = "write `workload.clients`, or `sticky_by: user`";
            diagnostics.report(Diagnostic::new(by.place, message).help(help));
        }
    }
}

/// Reports a judge beside an assignment under which its test says nothing.
pub(crate) fn check_judges(
    node: &Node,
    assignment: Option<Assignment>,
    rules: Option<&RuleSet>,
    diagnostics: &mut Diagnostics,
) {
    let triggers = rules.map_or(&[][..], |rules| &rules.triggers);
    let judge = triggers.iter().find(|trigger| matches!(trigger.kind, TriggerKind::Judge(_)));
    if let (Some(judge), Some(Assignment::Even), Some(at)) =
        (judge, assignment, node.get("assignment"))
    {
        let message = format!(
            "{} cannot watch requests that are assigned in turns: its test holds for what \
             chance has assigned",
            judge.id
        );
        let help = "write `assignment: random` or `assignment: sticky`, or take the judge out";
        diagnostics.report(Diagnostic::new(at.place, message).help(help));
    }
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
