//! Phases: how long they last, how they split the traffic, what they break.

use crate::engine::{Assignment, Safeguards};
use crate::workload::Change;

use super::check::mistyped;
use super::decode_commands::Commanded;
use super::decode_faults::{self, PhaseFaults};
use super::decode_key_commands::ClientKeys;
use super::decode_phase_workload::PhaseWorkloads;
use super::decode_rollout;
use super::decode_split;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::names::Names;
use super::place::Place;
use super::plan::{Awaited, PhaseEnd, PhasePlan, Traffic, VersionPlan};
use super::read;
use super::shape::quote;
use super::shapes::PHASE;
use super::tree::{Entry, Node};

/// What phases are checked against.
pub(crate) struct Surroundings<'a> {
    /// The names of versions.
    pub(crate) names: &'a Names,
    /// The versions of all models; `None` where one could not be made out.
    pub(crate) versions: &'a [Option<&'a VersionPlan>],
    /// What is sent; `None` where it could not be made out.
    pub(crate) traffic: Option<&'a Traffic>,
    /// Of each model, what is fixed about it.
    pub(crate) models: &'a [(Assignment, Safeguards)],
    /// The keys of the workload's clients.
    pub(crate) keys: &'a ClientKeys<'a>,
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
    let (mut decoded, mut faults) = (Vec::new(), Vec::new());
    let mut workloads = PhaseWorkloads::new(around.traffic);
    let keep_tags = around.models.iter().map(|(_, safeguards)| safeguards.keep_tags).collect();
    let mut holders = Holders::new(around.names, keep_tags);
    for (index, node) in phases.iter().enumerate() {
        let last = index + 1 == phases.len();
        let workload = match node.entry("workload") {
            Some(entry) => workloads.decode(entry, diagnostics).map(Some),
            None => Some(None),
        };
        let made = phase(node, last, around, &mut holders, workload, diagnostics);
        let (phase, of_phase) = made.unzip();
        decoded.push(phase.flatten());
        faults.extend(of_phase);
    }
    decode_faults::check_sums(&faults, around.versions, diagnostics);
    if let Some(Some(first)) = decoded.first_mut() {
        let written = first.split.take().unwrap_or_default();
        first.split = Some(decode_split::first(written, around.names));
    }
    decoded.into_iter().collect()
}

/// The phase at `node`. What it begins with goes by the tags as they may be then, its commands by
/// those of its end, at which `holders` are left.
fn phase(
    node: &Node,
    last: bool,
    around: &Surroundings<'_>,
    holders: &mut Holders<'_>,
    workload: Option<Option<Change>>,
    diagnostics: &mut Diagnostics,
) -> Option<(Option<PhasePlan>, PhaseFaults)> {
    if node.entries().is_empty() {
        return None;
    }
    let names = around.names;
    let arrivals = workload.as_ref().and_then(Option::as_ref).and_then(Change::arrivals);
    let endless = around.traffic.is_some_and(|traffic| traffic.is_endless(arrivals));
    let endless = endless.then_some(match arrivals {
        Some(_) => "the phase's arrivals have no end of their own",
        None => "the workload has no end of its own",
    });
    let end = end(node, last, endless, diagnostics);
    let split = match node.entry("split") {
        Some(entry) => decode_split::decode(entry, holders, names, diagnostics).map(Some),
        None => Some(None),
    };
    let rollout = match node.entry("rollout") {
        Some(entry) => {
            let weights = split.as_ref().and_then(Option::as_deref);
            decode_rollout::decode(entry, weights, holders, names, diagnostics).map(Some)
        }
        None => Some(None),
    };
    let (faults, complete) = match node.get("faults") {
        Some(faults) => decode_faults::decode(faults, end, holders, names, diagnostics),
        None => (Vec::new(), true),
    };
    holders.follow(node);
    let commands = match node.get("commands") {
        Some(commands) => {
            let &Surroundings { models, keys, .. } = around;
            let commanded = Commanded { names, holders, models, keys };
            commanded.decode(commands, end.and_then(PhaseEnd::longest), diagnostics)
        }
        None => Some(Vec::new()),
    };
    let redeploy = redeploy(node, diagnostics);
    let (name, end) = (read::text(node, "name").map(str::to_owned), end?);
    let plan = || {
        let placed = faults.iter().map(|placed| (placed.version.clone(), placed.fault.clone()));
        let plan = PhasePlan {
            name: name?,
            end,
            split: split?,
            rollout: rollout?,
            redeploy,
            workload: workload?,
            faults: placed.collect(),
            commands: commands?,
        };
        complete.then_some(plan)
    };
    Some((plan(), PhaseFaults { end, faults }))
}

/// Whether the phase at `node` brings back what was rolled back: it does unless it says otherwise.
fn redeploy(node: &Node, diagnostics: &mut Diagnostics) -> bool {
    let Some(entry) = node.entry("redeploy") else { return true };
    if node.get("split").is_none() && node.get("rollout").is_none() {
        let help = "remove `redeploy`, or put a `split` or a `rollout` beside it";
        let message = "the phase deploys nothing that it could bring back";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
    read::boolean(node, "redeploy").unwrap_or(true)
}

fn end(
    node: &Node,
    last: bool,
    endless: Option<&str>,
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
            let within = read::positive_duration("within", &within.node, diagnostics)?;
            Some(PhaseEnd::Event { event, within })
        }
        _ if chosen.node.text() == Some("rest") => rest(chosen, last, endless, diagnostics),
        _ => read::positive_duration("for", &chosen.node, diagnostics).map(PhaseEnd::After),
    }
}

fn rest(
    chosen: &Entry,
    last: bool,
    endless: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<PhaseEnd> {
    let place = chosen.node.place;
    if !last {
        let message = "`for: rest` is for the last phase: no other would ever begin";
        let help = "write its length, such as `for: 7m`";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    if let Some(why) = endless {
        let message = format!("`for: rest` never ends: {why}");
        let help = "write `workload.requests`, the number of requests, or the length of the phase";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    Some(PhaseEnd::Rest)
}

/// Chosen: more are a mistake; the index of a phase has 16 bits.
const MOST_PHASES: usize = 1_000;
