//! Rollbacks by command to a version that is the canary by then: they give all traffic to what the
//! rehearsal is there to try, which is hardly meant.

use crate::exchange::{ModelIndex, VersionIndex};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::names::Names;
use super::place::Place;
use super::read;
use super::shape::quote;
use super::tree::{Entry, Node};

/// Warns of rollbacks to a version that the split in force makes a canary. A version that an
/// earlier part of the plan can have made the stable is left aside.
pub(crate) fn warn(
    root: &Node,
    names: &Names,
    keep_tags: Vec<bool>,
    diagnostics: &mut Diagnostics,
) {
    let mut canaries: Vec<Canary> = Vec::new();
    let mut holders = Holders::new(names, keep_tags);
    for phase in root.get("phases").map_or(&[][..], Node::items) {
        if let Some(split) = phase.get("split") {
            follow(split, names, &holders, &mut canaries);
        }
        holders.follow(phase);
        canaries.retain(|canary| !holders.may_be_stable(canary.version));
        for command in phase.get("commands").map_or(&[][..], Node::items) {
            let given = names.model_given(command, &mut Diagnostics::default());
            if let Some(to) = command.get("rollback").and_then(|node| node.entry("to"))
                && let Some((_, meant)) = to.node.text().and_then(|to| holders.meant(given, to))
                && let Some(canary) = canaries.iter().find(|canary| meant == [canary.version])
            {
                diagnostics.warn(odd(to, canary, names, &holders));
            }
        }
    }
}

/// A version that a split makes a canary.
struct Canary {
    version: VersionIndex,
    model: ModelIndex,
    /// Where the split says so.
    place: Place,
}

fn odd(to: &Entry, canary: &Canary, names: &Names, holders: &Holders<'_>) -> Diagnostic {
    let name = to.node.text().unwrap_or_default();
    let message = format!(
        "{} is a canary here: a rollback to it gives it all the traffic and marks the stable as \
         rolled back",
        quote(name)
    );
    let stable = holders.stable(canary.model);
    let ids = names.versions();
    let stable = stable.map_or("stable", |stable| ids[usize::from(stable.0)]);
    let help = format!(
        "write `to: {stable}` to take its traffic away, or `promote: {name}` to give it all of it"
    );
    Diagnostic::new(to.node.place, message).note(canary.place, "by this split").help(help)
}

/// Follows a split: of the models that it names, its versions beside the stable are the canaries.
/// Of a model whose stable may be one or the other, none is for certain.
fn follow(split: &Node, names: &Names, holders: &Holders<'_>, canaries: &mut Vec<Canary>) {
    let mut untold = Diagnostics::default();
    let arms = split.entries().iter().filter_map(|arm| {
        let named = holders.resolve(&arm.key, arm.place, &mut untold)?;
        Some((arm, names.model_of_named(&named)?, named))
    });
    let arms: Vec<_> = arms.collect();
    canaries.retain(|canary| !arms.iter().any(|(_, model, _)| *model == canary.model));
    for (arm, model, named) in arms {
        if let Some(version) = named.fixed()
            && read::ratio(split, &arm.key).is_some_and(|weight| weight.get() > 0.0)
            && holders.stable(model).is_some_and(|stable| stable != version)
        {
            canaries.push(Canary { version, model, place: arm.place });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::fixture::load_phases;

    fn warnings(phases: &[&str]) -> String {
        load_phases("", phases).unwrap().warnings.to_string()
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
        assert_eq!(warnings(&[promoted, CANARY, &back("v2")]), "", "the stable, if it was taken");
    }

    #[test]
    fn a_tag_that_has_certainly_not_moved_is_what_it_was() {
        let told = |first: &str| {
            let moved = format!("commands: [{{at: 1s, tag: {{tag: beta, version: {first}}}}}]");
            warnings(&[&moved, CANARY, "commands: [{at: 1s, rollback: {to: beta}}]"])
        };
        assert!(told("v2").contains("\"beta\" is a canary here"), "to whom it names already");
        assert_eq!(told("v3"), "", "it may be v3 by then");
    }
}
