//! Phases: how long they last, how they split the traffic, what they break.

use crate::exchange::VersionIndex;
use crate::units::{Duration, format_duration};
use crate::upstream::{Failure, Fault, LatencyChange};

use super::check::mistyped;
use super::decode_distribution;
use super::decode_model;
use super::decode_rollout;
use super::decode_split;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::place::Place;
use super::plan::{Awaited, PhaseEnd, PhasePlan, VersionPlan};
use super::read::{self, Quantity};
use super::shape::quote;
use super::shapes::PHASE;
use super::tree::{Entry, Node};

/// What phases are checked against.
pub(crate) struct Surroundings<'a> {
    /// The names of versions.
    pub(crate) names: &'a Names,
    /// The versions of all models; `None` where one could not be made out.
    pub(crate) versions: &'a [Option<&'a VersionPlan>],
    /// Whether the workload goes on for ever.
    pub(crate) endless: bool,
}

/// The phases in their order.
pub(crate) fn decode(
    entry: &Entry,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<PhasePlan>> {
    let phases = entry.node.items();
    if phases.is_empty() && entry.node.text().is_none() && entry.node.entries().is_empty() {
        diagnostics.report(Diagnostic::new(entry.place, "there are no phases: write at least one"));
    }
    if phases.len() > MOST_PHASES {
        let message = format!("{} phases: at most {MOST_PHASES} are allowed", phases.len());
        diagnostics.report(Diagnostic::new(entry.place, message));
    }
    let mut names: Vec<(&str, Place)> = Vec::new();
    for name in phases.iter().filter_map(|phase| phase.get("name")) {
        let Some(text) = name.text() else { continue };
        if let Some((_, first)) = names.iter().find(|(known, _)| *known == text) {
            let message = format!("a second phase named {}", quote(text));
            let twice = Diagnostic::new(name.place, message).note(*first, "the first is here");
            diagnostics.report(twice.help("give each phase a name of its own"));
        }
        names.push((text, name.place));
    }
    let mut decoded = Vec::new();
    for (index, node) in phases.iter().enumerate() {
        let last = index + 1 == phases.len();
        decoded.push(phase(node, last, around, diagnostics));
    }
    if let Some(Some(first)) = decoded.first_mut() {
        let written = first.split.take().unwrap_or_default();
        first.split = Some(decode_split::first(written, around.names));
    }
    decoded.into_iter().collect()
}

fn phase(
    node: &Node,
    last: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PhasePlan> {
    if node.entries().is_empty() {
        return None;
    }
    let end = end(node, last, around, diagnostics);
    let split = match node.entry("split") {
        Some(entry) => decode_split::decode(entry, around.names, diagnostics).map(Some),
        None => Some(None),
    };
    let rollout = match node.entry("rollout") {
        Some(entry) => {
            let weights = split.as_ref().and_then(Option::as_deref);
            decode_rollout::decode(entry, weights, around.names, diagnostics).map(Some)
        }
        None => Some(None),
    };
    let faults = match node.get("faults") {
        Some(faults) => self::faults(faults, end, around, diagnostics),
        None => Some(Vec::new()),
    };
    let name = read::text(node, "name")?.to_owned();
    Some(PhasePlan { name, end: end?, split: split?, rollout: rollout?, faults: faults? })
}

fn end(
    node: &Node,
    last: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PhaseEnd> {
    let ends: Vec<_> =
        ["for", "requests", "until"].iter().filter_map(|key| node.entry(key)).collect();
    let within = node.entry("within");
    match ends.as_slice() {
        [] if ["for", "requests", "until"]
            .iter()
            .any(|key| mistyped(node.entries(), PHASE.fields, key)) =>
        {
            return None;
        }
        [] => {
            let message = "the phase has no end";
            let help = "write `for: 7m`, `for: rest`, `requests: 1000`, or `until: rollback` with \
                        `within: 5m`";
            diagnostics.report(Diagnostic::new(node.place, message).help(help));
            return None;
        }
        [first, second, ..] => {
            let message = format!("the phase ends by {:?} already", first.key);
            let both = Diagnostic::new(second.place, message).note(first.place, "it stands here");
            diagnostics.report(both.help("keep one of `for`, `requests`, `until`"));
            return None;
        }
        [_] => (),
    }
    let chosen = ends[0];
    if chosen.key != "until"
        && let Some(within) = within
    {
        let message = "`within` belongs to `until`: it bounds the wait for an event";
        diagnostics.report(Diagnostic::new(within.place, message).help("remove it"));
    }
    match chosen.key.as_str() {
        "requests" => read::integer(node, "requests").map(PhaseEnd::Requests),
        "until" => {
            let event = Awaited::by_name(chosen.node.text()?)?;
            let Some(within) = within else {
                let name = event.name();
                let message = format!("a phase `until: {name}` needs `within`: it may never come");
                let help = "write `within: 5m`, the phase's latest end";
                diagnostics.report(Diagnostic::new(chosen.place, message).help(help));
                return None;
            };
            let within = positive("within", &within.node, diagnostics)?;
            Some(PhaseEnd::Event { event, within })
        }
        _ if chosen.node.text() == Some("rest") => rest(chosen, last, around, diagnostics),
        _ => positive("for", &chosen.node, diagnostics).map(PhaseEnd::After),
    }
}

fn rest(
    chosen: &Entry,
    last: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PhaseEnd> {
    let place = chosen.node.place;
    if !last {
        let message = "`for: rest` is for the last phase: no other would ever begin";
        let help = "write its length, such as `for: 7m`";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    if around.endless {
        let message = "`for: rest` never ends: the workload has no end of its own";
        let help = "write `workload.requests`, the number of requests, or the length of the phase";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    Some(PhaseEnd::Rest)
}

fn positive(key: &str, node: &Node, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let duration = Duration::parse(node.text()?).ok()?;
    if duration.is_zero() {
        let message = format!("`{key}` is 0s: allowed is more than 0s");
        diagnostics.report(Diagnostic::new(node.place, message));
        return None;
    }
    Some(duration)
}

fn faults(
    node: &Node,
    end: Option<PhaseEnd>,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(VersionIndex, Fault)>> {
    let mut all = Vec::new();
    let mut seen: Vec<(VersionIndex, Place)> = Vec::new();
    let mut complete = node.text().is_none();
    for entry in node.entries() {
        let version = around.names.resolve(&entry.key, entry.place, diagnostics);
        if let Some(version) = version {
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == version) {
                let message = format!("{} is a version that has faults already", quote(&entry.key));
                let twice = Diagnostic::new(entry.place, message).note(*first, "they stand here");
                diagnostics.report(twice.help("put all faults of a version into one list"));
            }
            seen.push((version, entry.place));
        }
        let mut placed = Vec::new();
        for item in entry.node.items() {
            match (version, fault(item, end, diagnostics)) {
                (Some(version), Some(fault)) => {
                    let place = item.place_of_setting().unwrap_or(item.place);
                    placed.push((place, fault.clone()));
                    all.push((version, fault));
                }
                _ => complete = false,
            }
        }
        if let Some(version) = version {
            check_overlaps(&placed, version, around, diagnostics);
        }
    }
    all.sort_by_key(|(version, _)| *version);
    complete.then_some(all)
}

fn fault(node: &Node, end: Option<PhaseEnd>, diagnostics: &mut Diagnostics) -> Option<Fault> {
    if node.entries().is_empty() {
        return None;
    }
    let at = read::duration(node, "at");
    let longest = match end {
        Some(PhaseEnd::After(length) | PhaseEnd::Event { within: length, .. }) => Some(length),
        _ => None,
    };
    if let (Some(at), Some(longest)) = (at, longest)
        && at >= longest
        && let Some(place) = node.get("at").map(|node| node.place)
    {
        let message = format!(
            "the fault begins {} into a phase that lasts at most {}: it would never begin",
            format_duration(at),
            format_duration(longest)
        );
        let help = "`at` counts from the beginning of the phase";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    if node.get("failures").is_none() && node.get("latency").is_none() {
        let message = "the fault changes nothing";
        let help = "write `failures: {\"503\": 30%}`, or `latency: {times: 3}`";
        diagnostics.report(Diagnostic::new(node.place, message).help(help));
    }
    let lasts = match node.get("for") {
        Some(lasts) => positive("for", lasts, diagnostics).map(Some),
        None => Some(None),
    };
    let failures = match node.get("failures") {
        Some(failures) => decode_model::failures(failures, diagnostics),
        None => Some(Vec::new()),
    };
    let latency = match node.get("latency") {
        Some(change) => latency_change(change, diagnostics).map(Some),
        None => Some(None),
    };
    let ramp = read::duration(node, "ramp")?;
    Some(Fault { at: at?, lasts: lasts?, ramp, failures: failures?, latency: latency? })
}

fn latency_change(node: &Node, diagnostics: &mut Diagnostics) -> Option<LatencyChange> {
    let chosen = node.entries().first()?;
    match chosen.key.as_str() {
        "times" => read::number(node, "times").map(LatencyChange::Times),
        "add" => read::duration(node, "add").map(LatencyChange::Add),
        "replace" => decode_distribution::decode(&chosen.node, Quantity::Seconds, diagnostics)
            .map(LatencyChange::Replace),
        _ => None,
    }
}

/// Reports faults that, with the normal failures and the other faults at their onset, fail more
/// than all requests. The most that overlap do so at the onset of one of them.
fn check_overlaps(
    faults: &[(Place, Fault)],
    version: VersionIndex,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let normal = around.versions.get(usize::from(version.0)).copied().flatten();
    let normal = normal.map_or(&[][..], |version| &version.behaviour.failures);
    let active = |fault: &Fault, at: Duration| {
        let over = fault.lasts.is_some_and(|lasts| fault.at.saturating_add(lasts) <= at);
        fault.at <= at && !over
    };
    for (index, (place, fault)) in faults.iter().enumerate() {
        // Of faults with one onset, the last in the file is told.
        let beside = faults.iter().enumerate().filter(|(other, (_, beside))| {
            *other != index && active(beside, fault.at) && (beside.at < fault.at || *other < index)
        });
        let beside: f64 = beside.map(|(_, (_, fault))| decode_model::sum(&fault.failures)).sum();
        let failures: &[Failure] = &fault.failures;
        let others =
            [("the version's own", decode_model::sum(normal)), ("of other faults", beside)];
        if !failures.is_empty() {
            decode_model::check_sum(Some(failures), &others, *place, diagnostics);
        }
    }
}

/// Chosen: more are a mistake; the index of a phase has 16 bits.
const MOST_PHASES: usize = 1_000;
