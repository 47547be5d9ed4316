//! Rollbacks by command to a version that is the canary by then: they give all traffic to what the
//! rehearsal is there to try, which is hardly meant.

use crate::exchange::VersionIndex;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::place::Place;
use super::read;
use super::shape::quote;
use super::tree::{Entry, Node};

/// Warns of rollbacks to a version that the split in force makes a canary. A version that an
/// earlier part of the plan can have made the stable is left aside.
pub(crate) fn warn(root: &Node, names: &Names, diagnostics: &mut Diagnostics) {
    let mut canaries: Vec<(VersionIndex, Place)> = Vec::new();
    for phase in root.get("phases").map_or(&[][..], Node::items) {
        if let Some(split) = phase.get("split") {
            follow(split, names, &mut canaries);
        }
        let commands = phase.get("commands").map_or(&[][..], Node::items);
        for node in std::iter::once(phase).chain(commands) {
            canaries.retain(|(version, _)| !may_promote(node, *version, names));
        }
        for command in commands {
            if let Some(to) = command.get("rollback").and_then(|node| node.entry("to"))
                && let Some(version) = version(command, &to.node, names)
                && let Some((_, split)) = canaries.iter().find(|(canary, _)| *canary == version)
            {
                diagnostics.warn(odd(to, version, *split, names));
            }
        }
    }
}

fn odd(to: &Entry, version: VersionIndex, split: Place, names: &Names) -> Diagnostic {
    let name = to.node.text().unwrap_or_default();
    let message = format!(
        "{} is a canary here: a rollback to it gives it all the traffic and marks the stable as \
         rolled back",
        quote(name)
    );
    let stable = names.model_of(version).and_then(|model| names.stable(model));
    let ids = names.versions();
    let stable = stable.map_or("stable", |stable| ids[usize::from(stable.0)]);
    let help = format!(
        "write `to: {stable}` to take its traffic away, or `promote: {name}` to give it all of it"
    );
    Diagnostic::new(to.node.place, message).note(split, "by this split").help(help)
}

/// Follows a split: of the models that it names, its versions beside the stable are the canaries.
fn follow(split: &Node, names: &Names, canaries: &mut Vec<(VersionIndex, Place)>) {
    let mut untold = Diagnostics::default();
    let versions = split.entries().iter().filter_map(|arm| {
        let version = names.resolve(&arm.key, arm.place, &mut untold)?;
        let weight = read::ratio(split, &arm.key)?.get();
        Some((version, arm.place, names.model_of(version)?, weight))
    });
    let versions: Vec<_> = versions.collect();
    canaries.retain(|(canary, _)| {
        !versions.iter().any(|(.., model, _)| names.model_of(*canary) == Some(*model))
    });
    let is_canary = |(version, _, model, weight): &&(VersionIndex, Place, _, f64)| {
        *weight > 0.0 && names.stable(*model) != Some(*version)
    };
    canaries
        .extend(versions.iter().filter(is_canary).map(|(version, place, ..)| (*version, *place)));
}

/// Whether a phase or a command can make `version` the stable, or let another split come.
fn may_promote(node: &Node, version: VersionIndex, names: &Names) -> bool {
    let mut untold = Diagnostics::default();
    let named = |node: &Node| node.text().and_then(|n| names.resolve(n, node.place, &mut untold));
    let rollout = node.get("rollout").and_then(|rollout| rollout.get("version"));
    let tagged = node.get("tag").and_then(|tag| tag.get("version"));
    [rollout, node.get("promote"), tagged]
        .into_iter()
        .flatten()
        .map(named)
        .any(|of| of.is_none_or(|of| of == version))
}

/// The version that a command's rollback names.
fn version(command: &Node, to: &Node, names: &Names) -> Option<VersionIndex> {
    let mut untold = Diagnostics::default();
    let model = command
        .get("model")
        .and_then(|node| names.resolve_model(node.text()?, node.place, &mut untold));
    names.resolve_in(model, to.text()?, to.place, &mut untold)
}

#[cfg(test)]
mod tests {
    use crate::scenario::fixture::load_text;

    /// The warnings of a scenario whose phases are these.
    fn warnings(phases: &[&str]) -> String {
        let phases: String = phases
            .iter()
            .enumerate()
            .map(|(index, phase)| format!("  - {{name: p{index}, for: 1m, {phase}}}\n"))
            .collect();
        let text = format!(
            "schema: 1
name: odd
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{tags: [beta], upstream: {{latency: 1s}}}}
      v3: {{upstream: {{latency: 1s}}}}
phases:
{phases}"
        );
        load_text(&text).unwrap().warnings.to_string()
    }

    const CANARY: &str = "split: {v1: 50%, v2: 50%}";

    #[test]
    fn a_rollback_to_the_canary_is_warned_of() {
        for to in ["v2", "beta"] {
            let back = format!("commands: [{{at: 1s, rollback: {{to: {to}}}}}]");
            for phases in [&[&*format!("{CANARY}, {back}")][..], &[CANARY, &*back]] {
                let told = warnings(phases);
                assert!(told.contains(&format!("\"{to}\" is a canary here")), "{told}");
                assert!(told.contains("`to: v1`"), "{told}");
            }
        }
    }

    #[test]
    fn a_rollback_to_what_is_or_may_be_the_stable_is_not() {
        let back = |to: &str| format!("commands: [{{at: 1s, rollback: {{to: {to}}}}}]");
        assert_eq!(warnings(&[CANARY, &back("v1")]), "");
        assert_eq!(warnings(&[CANARY, &back("v3")]), "", "an older version, say");
        assert_eq!(warnings(&[CANARY, "split: {v1: 100%, v2: 0%}", &back("v2")]), "");
        let promoted = "commands: [{at: 1s, promote: v2}]";
        assert_eq!(warnings(&[CANARY, promoted, &back("v2")]), "");
    }
}
