//! Rollouts: the canary, its ladder, its bake.

use crate::engine::{Ladder, LadderError, RolloutStep};
use crate::exchange::VersionIndex;
use crate::units::{Ratio, parse_requests};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::plan::RolloutPlan;
use super::read;
use super::tree::{Entry, Node};

/// The rollout that `entry` describes. `split` are the weights of its phase, which may not name its
/// model.
pub(crate) fn decode(
    entry: &Entry,
    split: Option<&[(VersionIndex, Ratio)]>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<RolloutPlan> {
    let node = &entry.node;
    let version = node.entry("version").and_then(|entry| {
        let name = entry.node.text()?;
        names.resolve(name, entry.node.place, diagnostics)
    });
    if let Some(version) = version {
        check_split(entry, version, split, names, diagnostics);
    }
    let ladder = node.entry("steps").and_then(|steps| ladder(steps, diagnostics));
    Some(RolloutPlan { version: version?, ladder: ladder?, bake: read::duration(node, "bake")? })
}

/// A rollout sets its model's weights itself.
fn check_split(
    entry: &Entry,
    version: VersionIndex,
    split: Option<&[(VersionIndex, Ratio)]>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let model = names.model_of(version);
    let mut named = split.unwrap_or_default().iter();
    if named.any(|(other, _)| names.model_of(*other) == model) {
        let message = "the phase has a `split` of the same model: the rollout sets its weights";
        diagnostics.report(Diagnostic::new(entry.place, message).help("remove one of the two"));
    }
}

fn ladder(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Ladder> {
    let items = entry.node.items();
    if entry.node.text().is_some() {
        return None;
    }
    let steps: Option<Vec<_>> = items.iter().map(step).collect();
    match Ladder::new(steps?) {
        Ok(ladder) => Some(ladder),
        Err(error) => {
            let at_fault = match error {
                LadderError::NotRising { stage, .. } => items.get(usize::from(stage.0)),
                LadderError::Empty | LadderError::TooMany { .. } => None,
            };
            let weight = at_fault.map(|item| item.get("weight").unwrap_or(item).place);
            let place = weight.unwrap_or(entry.place);
            diagnostics.report(Diagnostic::new(place, error.to_string()));
            None
        }
    }
}

fn step(node: &Node) -> Option<RolloutStep> {
    let require = match node.get("require") {
        Some(require) => Some(parse_requests(require.text()?).ok()?),
        None => None,
    };
    Some(RolloutStep {
        weight: read::ratio(node, "weight")?,
        hold: read::duration(node, "hold")?,
        require,
        pause: read::boolean(node, "pause")?,
    })
}
