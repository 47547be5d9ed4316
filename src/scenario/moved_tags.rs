//! Tags in the `split` and the `faults` of phases: they mean the versions that have them at the
//! start, which is hardly meant where an earlier phase can give them to others.

use crate::exchange::ModelIndex;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::{Names, STABLE};
use super::place::Place;
use super::shape::quote;
use super::tree::{Entry, Node};

/// A tag that a phase can give to another version.
struct Moved<'a> {
    tag: &'a str,
    model: ModelIndex,
    /// Where this is said.
    place: Place,
}

/// Warns of tags in splits and faults that an earlier phase can move.
pub(crate) fn warn(root: &Node, names: &Names, diagnostics: &mut Diagnostics) {
    let ids = names.versions();
    let mut moved: Vec<Moved<'_>> = Vec::new();
    for phase in root.get("phases").map_or(&[][..], Node::items) {
        let named = ["split", "faults"].into_iter().filter_map(|key| phase.get(key));
        for entry in named.flat_map(Node::entries) {
            let tag = entry.key.as_str();
            if ids.contains(&tag) {
                continue;
            }
            let version = names.resolve(tag, entry.place, &mut Diagnostics::default());
            let Some((version, model)) = version.zip(version.and_then(|v| names.model_of(v)))
            else {
                continue;
            };
            let earlier = moved.iter().find(|moved| (moved.tag, moved.model) == (tag, model));
            let Some(earlier) = earlier else { continue };
            let id = ids[usize::from(version.0)];
            let message = format!(
                "the tag {} means {id} here, which has it at the start: another version may have \
                 it by now",
                quote(tag)
            );
            let help = format!(
                "write `{id}`, or the version that is meant; in a command `split` a tag means \
                 whoever has it then"
            );
            let odd = Diagnostic::new(entry.place, message).note(earlier.place, "it can move here");
            diagnostics.warn(odd.help(help));
        }
        moved.extend(moves(phase, names));
    }
}

/// The tags that a phase can give to other versions than those that have them at the start.
fn moves<'a>(phase: &'a Node, names: &Names) -> Vec<Moved<'a>> {
    let commands = phase.get("commands").map_or(&[][..], Node::items);
    let mut moved = Vec::new();
    for node in std::iter::once(phase).chain(commands) {
        let becomes_stable = |entry: &'a Entry, version: &'a Node| (entry, STABLE, version);
        let rollout = node.entry("rollout");
        let rollout = rollout.and_then(|at| Some(becomes_stable(at, at.node.get("version")?)));
        let promote = node.entry("promote").map(|at| becomes_stable(at, &at.node));
        let tag = node
            .entry("tag")
            .and_then(|at| Some((at, at.node.get("tag")?.text()?, at.node.get("version")?)));
        for (entry, tag, version) in [rollout, promote, tag].into_iter().flatten() {
            let Some(name) = version.text() else { continue };
            let mut untold = Diagnostics::default();
            let Some(version) = names.resolve(name, version.place, &mut untold) else { continue };
            let Some(model) = names.model_of(version) else { continue };
            if names.resolve_in(Some(model), tag, entry.place, &mut untold) != Some(version) {
                moved.push(Moved { tag, model, place: entry.place });
            }
        }
    }
    moved
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
name: moved
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

    #[test]
    fn a_tag_that_an_earlier_phase_can_move_is_warned_of() {
        let stable = "split: {stable: 100%}";
        let rollout = "rollout: {version: beta, steps: [{weight: 50%, hold: 5s}]}";
        for earlier in [rollout, "commands: [{at: 1s, promote: v2}]"] {
            let told = warnings(&[earlier, stable]);
            assert!(told.contains("\"stable\" means v1 here"), "{told}");
        }
        let moved = "commands: [{at: 1s, tag: {tag: beta, version: v3}}]";
        let fault = "faults: {beta: [{failures: {\"503\": 30%}}]}";
        let told = warnings(&[moved, fault]);
        assert!(told.contains("\"beta\" means v2 here"), "{told}");
    }

    #[test]
    fn tags_that_stay_where_they_are_are_not_warned_of() {
        let split = "split: {stable: 50%, beta: 50%}";
        let moved = "commands: [{at: 1s, tag: {tag: beta, version: v3}}]";
        let same = "commands: [{at: 1s, tag: {tag: beta, version: v2}}]";
        let by_id = "split: {v1: 50%, v2: 50%}";
        assert_eq!(warnings(&[&format!("{split}, {moved}")]), "");
        assert_eq!(warnings(&[same, split]), "");
        assert_eq!(warnings(&[moved, by_id]), "");
    }
}
