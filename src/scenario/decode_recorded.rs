//! Versions that answer as a trace has recorded them.

use crate::exchange::{ModelIndex, VersionIndex};
use crate::workload::RecordedVersion;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::{Scenario, Traffic, UpstreamPlan};
use super::read;
use super::tree::{Entry, Node};

/// Whether the upstream at `node` answers as recorded.
pub(crate) fn is_recorded(node: &Node) -> bool {
    read::boolean(node, "recorded") == Some(true)
}

/// Reports what stands beside `recorded` in an upstream: it has no part in what was recorded.
pub(crate) fn check_alone(upstream: &Entry, diagnostics: &mut Diagnostics) {
    let node = &upstream.node;
    for (key, entry) in BESIDE.iter().filter_map(|key| Some((key, node.entry(key)?))) {
        let message = format!("`{key}` beside `recorded`: the answers are those of the trace");
        let help = format!("remove `{key}`, or `recorded`");
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
}

/// Tells the traffic which versions answer as recorded, and reports those that cannot: without a
/// trace, or with faults, of which nobody knows what they would have done to what was recorded.
pub(crate) fn complete(root: &Node, scenario: &mut Scenario, diagnostics: &mut Diagnostics) {
    let mut recorded = Vec::new();
    for (index, model) in (0..).map(ModelIndex).zip(&scenario.models) {
        let first = scenario.first_version(index).0;
        let versions = (first..)
            .zip(&model.versions)
            .filter(|(_, version)| version.upstream == UpstreamPlan::Recorded);
        recorded.extend(versions.map(|(place, version)| RecordedVersion {
            model: index,
            id: version.id.clone(),
            version: VersionIndex(place),
        }));
    }
    if recorded.is_empty() {
        return;
    }
    let phases = root.get("phases").map_or(&[][..], Node::items);
    for (node, phase) in phases.iter().zip(&scenario.phases) {
        let hit = phase
            .faults
            .iter()
            .find_map(|(named, _)| recorded.iter().find(|one| named.may_be(one.version)));
        if let (Some(hit), Some(faults)) = (hit, node.entry("faults")) {
            let message = format!("a fault on {:?}, which answers as recorded", hit.id.as_str());
            let help = "remove the fault, or let a twin answer: `coalmine trace fit` makes one";
            diagnostics.report(Diagnostic::new(faults.place, message).help(help));
        }
    }
    if let Traffic::Replayed { replay, .. } = &mut scenario.traffic {
        replay.recorded = recorded;
    } else if let Some(workload) = root.entry("workload") {
        let message = "a version answers as recorded, and the workload replays no trace";
        let help = "write `arrivals: {trace: FILE}`, or remove `recorded: true`";
        diagnostics.report(Diagnostic::new(workload.place, message).help(help));
    }
}

const BESIDE: [&str; 9] = [
    "preset",
    "latency",
    "first_token",
    "failures",
    "correlate",
    "burst",
    "capacity",
    "rate_limit",
    "slowdown",
];
