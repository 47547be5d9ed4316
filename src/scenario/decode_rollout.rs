//! Rollouts: the canary, its ladder, its bake.

use crate::engine::{Ladder, LadderError, RolloutStep};
use crate::units::{Duration, Ratio, parse_requests};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::named_version::NamedVersion;
use super::names::Names;
use super::plan::RolloutPlan;
use super::read;
use super::shape::quote;
use super::tree::{Entry, Node};

/// The rollout of a phase that `entry` describes. `split` are the weights of its phase, which may
/// not name its model.
pub(crate) fn decode(
    entry: &Entry,
    split: Option<&[(NamedVersion, Ratio)]>,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<RolloutPlan> {
    let version = entry
        .node
        .get("version")
        .and_then(|version| holders.resolve(version.text()?, version.place, diagnostics));
    if let Some(version) = &version {
        check_split(entry, version, split, names, diagnostics);
        check_stable(entry, version, holders, names, diagnostics);
    }
    let (ladder, bake) = course(&entry.node, diagnostics).unzip();
    Some(RolloutPlan { version: version?, ladder: ladder?, bake: bake? })
}

/// The steps and the bake of a rollout, of a phase or by command.
pub(crate) fn course(node: &Node, diagnostics: &mut Diagnostics) -> Option<(Ladder, Duration)> {
    let ladder = node.entry("steps").and_then(|steps| ladder(steps, diagnostics));
    Some((ladder?, read::duration(node, "bake")?))
}

/// A rollout sets its model's weights itself.
fn check_split(
    entry: &Entry,
    version: &NamedVersion,
    split: Option<&[(NamedVersion, Ratio)]>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let model = names.model_of_named(version);
    let mut named = split.unwrap_or_default().iter();
    if named.any(|(other, _)| names.model_of_named(other) == model) {
        let message = "the phase has a `split` of the same model: the rollout sets its weights";
        diagnostics.report(Diagnostic::new(entry.place, message).help("remove one of the two"));
    }
}

/// Reports a rollout of what is the stable already.
fn check_stable(
    entry: &Entry,
    version: &NamedVersion,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let stable = names.model_of_named(version).and_then(|model| holders.stable(model));
    if stable.map(NamedVersion::Fixed).as_ref() == Some(version)
        && let Some(node) = entry.node.get("version")
    {
        let name = quote(node.text().unwrap_or_default());
        let message = format!("{name} is the stable already: it has nothing to climb to");
        let help = "write the version that is to become the stable";
        diagnostics.report(Diagnostic::new(node.place, message).help(help));
    }
}

/// The steps that an entry lists.
pub(crate) fn ladder(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Ladder> {
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

#[cfg(test)]
mod tests {
    use crate::engine::CommandKind;
    use crate::exchange::ModelIndex;
    use crate::scenario::Instruction;
    use crate::scenario::fixture::load_text;

    #[test]
    fn a_rollout_by_command_is_of_the_model_that_the_command_says() {
        let text = |model: &str| {
            format!(
                "schema: 1
name: rollouts
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}, \
                 models: {{a: 50%, b: 50%}}}}
models:
  a: {{versions: {{a1: {{tags: [stable], upstream: {{latency: 1s}}}}, \
                 a2: {{tags: [beta], upstream: {{latency: 1s}}}}}}}}
  b: {{versions: {{b1: {{tags: [stable], upstream: {{latency: 1s}}}}, \
                 b2: {{tags: [beta], upstream: {{latency: 1s}}}}}}}}
phases:
  - {{name: one, for: 1m, commands: [{{{model}rollout: {{version: beta, steps: \
                 [{{weight: 5%, hold: 5s}}]}}}}]}}
"
            )
        };
        let error = load_text(&text("")).unwrap_err();
        assert!(error.contains("write which model it is for: `model: a` or `model: b`"), "{error}");
        let scenario = load_text(&text("model: b, ")).unwrap().scenario;
        let command = &scenario.phases[0].commands[0];
        assert_eq!(command.model, Some(ModelIndex(1)));
        let kind = &command.instruction;
        assert!(matches!(kind, Instruction::Engine(CommandKind::StartRollout { .. })), "{kind:?}");
    }
}
