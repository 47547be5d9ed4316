//! Tags that a gate line or a column names, and that a phase can move: there they go on meaning the
//! version that has them at the start, which is hardly what is meant.

use crate::exchange::VersionIndex;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::names::{Names, STABLE};
use super::place::Place;
use super::read;
use super::shape::quote;
use super::tree::Node;

/// The tags of the start that do not stay where they are for certain.
pub(crate) struct MovedTags {
    moved: Vec<Moved>,
}

/// A tag that a phase can give to another version.
struct Moved {
    tag: String,
    /// Who has it at the start, by index and by id.
    version: VersionIndex,
    id: String,
    /// The first phase that can move it: its index, its name and where it stands.
    phase: usize,
    name: String,
    place: Place,
}

/// Something that names a version for the whole run or a phase of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naming<'a> {
    /// As it is written.
    pub(crate) name: &'a str,
    /// What it means.
    pub(crate) version: VersionIndex,
    /// The phase (an index) that it is about; `None` for the whole run.
    pub(crate) phase: Option<usize>,
    /// What it can say instead of a tag, beside the version.
    pub(crate) instead: Option<&'static str>,
}

impl MovedTags {
    /// Of a plan's `phases`.
    pub(crate) fn of(phases: &[Node], names: &Names) -> Self {
        let mut holders = Holders::new(names, Vec::new());
        let (mut moved, ids): (Vec<Moved>, _) = (Vec::new(), names.versions());
        for (phase, node) in phases.iter().enumerate() {
            holders.follow(node);
            for (tag, _, version) in names.tags() {
                let is_told = moved.iter().any(|one| one.tag == tag && one.version == version);
                if is_told || !holders.may_lose(tag, version) {
                    continue;
                }
                moved.push(Moved {
                    tag: tag.to_owned(),
                    version,
                    id: ids[usize::from(version.0)].to_owned(),
                    phase,
                    name: read::text(node, "name").unwrap_or_default().to_owned(),
                    place: node.place,
                });
            }
        }
        Self { moved }
    }

    /// Warns where what is named at `place` is a tag that may be another's by then.
    pub(crate) fn warn(&self, naming: Naming<'_>, place: Place, diagnostics: &mut Diagnostics) {
        let Naming { name, version, phase, instead } = naming;
        let mut moved = self.moved.iter().filter(|one| one.tag == name && one.version == version);
        let Some(moved) = moved.find(|one| phase.is_none_or(|phase| phase >= one.phase)) else {
            return;
        };
        let message = format!(
            "{} means {} here, which has it at the start; phase {} can give it to another",
            quote(name),
            moved.id,
            quote(&moved.name)
        );
        let instead = instead.filter(|_| name == STABLE);
        let instead = instead.map_or_else(String::new, |instead| format!(", or write {instead}"));
        let help = format!("name the version{instead}");
        diagnostics.warn(Diagnostic::new(place, message).note(moved.place, "here").help(help));
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::fixture::load_phases;

    /// What is warned of, of these phases and what is made of the run.
    fn warnings(phases: &[&str], made: &str) -> String {
        // The fixture ends with its phases.
        let last = phases.len() - 1;
        let with = format!("{}}}\n{made}\n# {{", phases[last]);
        let phases: Vec<&str> = phases[..last].iter().copied().chain([with.as_str()]).collect();
        let loaded = load_phases("", &phases).unwrap_or_else(|error| panic!("{error}"));
        loaded.warnings.to_string()
    }

    const SPLIT: &str = "split: {v1: 50%, v2: 50%}";
    const PROMOTED: &str = "commands: [{at: 1s, promote: beta}]";

    #[test]
    fn a_gate_line_of_a_tag_that_may_have_moved_is_warned_of() {
        let told = warnings(&[SPLIT, PROMOTED], "gate: [\"error_rate{version=stable} < 1%\"]");
        let means = "\"stable\" means v1 here, which has it at the start; phase \"p1\" can give it \
                     to another";
        assert!(told.contains(means), "{told}");
        assert!(told.contains("name the version, or write arm=stable"), "{told}");
        let rollout = "rollout: {version: v2, steps: [{weight: 50%, hold: 5s}]}";
        let told = warnings(&[SPLIT, rollout], "gate: [\"error_rate{version=stable} < 1%\"]");
        assert!(told.contains(means), "{told}");
    }

    #[test]
    fn a_column_of_a_tag_that_may_have_moved_is_warned_of() {
        let column = |version: &str| format!("columns: [{{title: a, version: {version}}}]");
        let told = warnings(&[SPLIT, PROMOTED], &column("stable"));
        assert!(told.contains("\"stable\" means v1 here"), "{told}");
        assert!(!told.contains("arm"), "a column has none: {told}");
        assert_eq!(warnings(&[SPLIT, PROMOTED], &column("v1")), "");
    }

    #[test]
    fn what_is_about_a_phase_before_the_move_is_not() {
        let line =
            |phase: &str| format!("gate: [\"error_rate{{version=stable, phase={phase}}} < 1%\"]");
        assert_eq!(warnings(&[SPLIT, PROMOTED, SPLIT], &line("p0")), "");
        for phase in ["p1", "p2"] {
            let told = warnings(&[SPLIT, PROMOTED, SPLIT], &line(phase));
            assert!(told.contains("\"stable\" means v1 here"), "{phase}: {told}");
        }
    }

    #[test]
    fn what_names_no_tag_that_can_move_is_not() {
        for line in ["version=v1", "version=beta", "arm=stable"] {
            let gate = format!("gate: [\"error_rate{{{line}}} < 1%\"]");
            assert_eq!(warnings(&[SPLIT, PROMOTED], &gate), "", "{line}");
        }
        let gate = "gate: [\"error_rate{version=stable} < 1%\"]";
        assert_eq!(warnings(&[SPLIT], gate), "");
        let same = "commands: [{at: 1s, tag: {tag: stable, version: v1}}]";
        assert_eq!(warnings(&[SPLIT, same], gate), "", "it stays where it is");
    }
}
