//! Who can have which tag as a plan goes on: what its phases and commands may do to tags.
//!
//! Errs on the side of what is possible: a rollout may end in a promotion or not, a command may be
//! refused. Who has a tag in the course of a run, the engine alone knows.

use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::TagName;

use super::diagnostic::Diagnostics;
use super::named_version::NamedVersion;
use super::names::{Names, STABLE, report_ambiguous};
use super::place::Place;
use super::tree::Node;

/// The possible holders of each tag, at the beginning of a phase.
pub(crate) struct Holders<'a> {
    names: &'a Names,
    /// Of each model, whether its tags outlive the traffic of their versions.
    keep_tags: Vec<bool>,
    held: Vec<Held>,
}

/// A tag of a model.
struct Held {
    tag: String,
    model: ModelIndex,
    may_be: Vec<VersionIndex>,
    /// Whether one of them has it for certain.
    is_held: bool,
}

impl<'a> Holders<'a> {
    /// At the start. `keep_tags` is that safeguard of each model.
    pub(crate) fn new(names: &'a Names, keep_tags: Vec<bool>) -> Self {
        let held = |(tag, model, version): (&str, _, _)| Held {
            tag: tag.to_owned(),
            model,
            may_be: vec![version],
            is_held: true,
        };
        Self { names, keep_tags, held: names.tags().map(held).collect() }
    }

    /// What `name` at `place` means in a phase that begins now; reported where it means nothing,
    /// or versions of several models.
    pub(crate) fn resolve(
        &self,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<NamedVersion> {
        if let Some(version) = self.names.version(name) {
            return Some(NamedVersion::Fixed(version));
        }
        match self.with(None, name).collect::<Vec<_>>().as_slice() {
            [held] => held.named(),
            [] => {
                self.names.report_unknown(None, name, place, diagnostics);
                None
            }
            several => {
                let versions = several.iter().flat_map(|held| &held.may_be).copied();
                let help = self.names.instead_of_a_tag(versions);
                report_ambiguous(name, place, help, diagnostics);
                None
            }
        }
    }

    /// The model of the version or tag that `name` at `place` means to a command, which can say
    /// what model it is for; reported where it means nothing, or versions of several models.
    pub(crate) fn resolve_model(
        &self,
        given: Option<ModelIndex>,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<ModelIndex> {
        let by_id = self.names.version(name).and_then(|version| self.names.model_of(version));
        if let Some(model) = by_id.filter(|model| given.is_none_or(|given| given == *model)) {
            return Some(model);
        }
        match self.with(given, name).collect::<Vec<_>>().as_slice() {
            [held] => Some(held.model),
            [] => {
                self.names.report_unknown(given, name, place, diagnostics);
                None
            }
            several => {
                let help = self.names.beside_a_tag(several.iter().map(|held| held.model));
                report_ambiguous(name, place, help, diagnostics);
                None
            }
        }
    }

    /// The version that has the tag `stable` of a model for certain, if there is one.
    pub(crate) fn stable(&self, model: ModelIndex) -> Option<VersionIndex> {
        self.with(Some(model), STABLE).next()?.named()?.fixed()
    }

    /// Whether a version can be the stable of its model.
    pub(crate) fn may_be_stable(&self, version: VersionIndex) -> bool {
        self.held.iter().any(|held| held.tag == STABLE && held.may_be.contains(&version))
    }

    /// Whether `version`, which has the tag at the start, may not be the one that has it now.
    pub(crate) fn may_lose(&self, tag: &str, version: VersionIndex) -> bool {
        let of = |held: &&Held| held.tag == tag && held.may_be.contains(&version);
        let model = self.names.model_of(version);
        self.with(model, tag).filter(of).any(|held| held.may_be.len() > 1)
    }

    /// What `name` can mean, of `model` where one is given, without a word about what is wrong
    /// with it.
    pub(crate) fn meant(
        &self,
        model: Option<ModelIndex>,
        name: &str,
    ) -> Option<(ModelIndex, Vec<VersionIndex>)> {
        if let Some(version) = self.names.version(name) {
            return Some((self.names.model_of(version)?, vec![version]));
        }
        let mut held = self.with(model, name);
        let one = held.next().filter(|_| held.next().is_none())?;
        Some((one.model, one.may_be.clone()))
    }

    /// Goes on to the end of a phase: by then its rollout and its commands may have moved tags.
    pub(crate) fn follow(&mut self, phase: &Node) {
        for held in &mut self.held {
            held.is_held &= self.keep_tags.get(usize::from(held.model.0)).copied().unwrap_or(true);
        }
        // A command may name a tag that another one moves, whichever comes first in the file.
        while self.moves(phase) {}
    }

    /// Adds what a phase can make of the tags as they may be; whether anything is new.
    fn moves(&mut self, phase: &Node) -> bool {
        let commands = phase.get("commands").map_or(&[][..], Node::items);
        let mut any = false;
        for node in std::iter::once(phase).chain(commands) {
            let rollout = node.get("rollout").and_then(|rollout| rollout.get("version"));
            let promoted = rollout.or_else(|| node.get("promote")).map(|version| (STABLE, version));
            let tagged = node
                .get("tag")
                .and_then(|tag| Some((tag.get("tag")?.text()?, tag.get("version")?)));
            for (tag, version) in promoted.into_iter().chain(tagged) {
                let given = self.names.model_given(node, &mut Diagnostics::default());
                let meant = version.text().and_then(|name| self.meant(given, name));
                let Some((model, may_be)) = meant else { continue };
                any |= self.add(tag, model, may_be);
            }
        }
        any
    }

    fn add(&mut self, tag: &str, model: ModelIndex, may_be: Vec<VersionIndex>) -> bool {
        let of = |held: &&mut Held| held.tag == tag && held.model == model;
        let Some(held) = self.held.iter_mut().find(of) else {
            self.held.push(Held { tag: tag.to_owned(), model, may_be, is_held: false });
            return true;
        };
        let before = held.may_be.len();
        for version in may_be {
            if !held.may_be.contains(&version) {
                held.may_be.push(version);
            }
        }
        held.may_be.len() > before
    }

    /// The tags of this name, of `model` where one is given.
    fn with<'b>(
        &'b self,
        model: Option<ModelIndex>,
        name: &'b str,
    ) -> impl Iterator<Item = &'b Held> {
        let of_model = move |held: &&Held| model.is_none_or(|model| model == held.model);
        self.held.iter().filter(move |held| held.tag == name).filter(of_model)
    }
}

impl Held {
    /// `None` where the tag is no valid name, which is told elsewhere.
    fn named(&self) -> Option<NamedVersion> {
        if let ([version], true) = (self.may_be.as_slice(), self.is_held) {
            return Some(NamedVersion::Fixed(*version));
        }
        let (model, may_be) = (self.model, self.may_be.clone());
        Some(NamedVersion::Holder { model, tag: TagName::new(&self.tag).ok()?, may_be })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixture::{load_phases, load_text};

    /// What the last of these phases splits by: each name, and who may have it.
    fn named(more: &str, phases: &[&str]) -> Vec<(String, Vec<u16>)> {
        let scenario = load_phases(more, phases).unwrap_or_else(|error| panic!("{error}")).scenario;
        let split = scenario.phases.last().unwrap().split.as_ref().unwrap();
        let one = |named: &NamedVersion| {
            let mut may_be: Vec<_> = named.possible().iter().map(|version| version.0).collect();
            may_be.sort_unstable();
            (scenario.name_of(named).to_owned(), may_be)
        };
        split.iter().map(|(named, _)| one(named)).collect()
    }

    fn fixed(version: u16) -> (String, Vec<u16>) {
        (format!("v{}", version + 1), vec![version])
    }

    fn tagged(tag: &str, may_be: &[u16]) -> (String, Vec<u16>) {
        (tag.to_owned(), may_be.to_vec())
    }

    const SPLIT: &str = "split: {stable: 50%, beta: 50%}";
    const PROMOTED: &str = "commands: [{at: 1s, promote: beta}]";

    #[test]
    fn a_tag_that_nothing_moves_is_its_version() {
        assert_eq!(named("", &[SPLIT]), [fixed(0), fixed(1)]);
        let same = "commands: [{at: 1s, tag: {tag: beta, version: v2}}]";
        assert_eq!(named("", &[same, SPLIT]), [fixed(0), fixed(1)]);
        let meanwhile = format!("{SPLIT}, {PROMOTED}");
        assert_eq!(named("", &[&meanwhile]), [fixed(0), fixed(1)], "when the phase begins");
    }

    #[test]
    fn a_tag_that_an_earlier_phase_may_have_moved_is_whoever_has_it() {
        let rollout = "rollout: {version: beta, steps: [{weight: 50%, hold: 5s}]}";
        for earlier in [rollout, PROMOTED, "commands: [{at: 1s, tag: {tag: stable, version: v2}}]"]
        {
            let split = "split: {v1: 20%, stable: 80%}";
            assert_eq!(named("", &[earlier, split]), [fixed(0), tagged("stable", &[0, 1])]);
        }
        let swapped = "commands: [{at: 1s, tag: {tag: beta, version: stable}}, {at: 2s, promote: \
                       v3}]";
        let expected = [tagged("beta", &[0, 1, 2]), tagged("stable", &[0, 2])];
        assert_eq!(named("", &[swapped, SPLIT]), expected, "in whatever order they come");
    }

    #[test]
    fn a_tag_that_a_command_makes_can_be_named_by_later_phases() {
        let made = "commands: [{at: 1s, tag: {tag: golden, version: beta}}]";
        let split = "split: {v1: 50%, golden: 50%}";
        assert_eq!(named("", &[made, split]), [fixed(0), tagged("golden", &[1])]);
        let error = load_phases("", &[&format!("{split}, {made}")]).unwrap_err();
        assert!(error.contains("\"golden\" is no version or tag of the model"), "{error}");
    }

    #[test]
    fn where_tags_go_with_the_traffic_any_may_be_lost() {
        let loose = "safeguards: {keep_tags: false}";
        let lost = [tagged("beta", &[1]), tagged("stable", &[0])];
        assert_eq!(named(loose, &["split: {v1: 100%}", SPLIT]), lost);
        assert_eq!(named(loose, &[SPLIT]), [fixed(0), fixed(1)], "not before the first");
    }

    #[test]
    fn what_is_certain_to_be_refused_is_an_error() {
        let twice = load_phases("", &["split: {v1: 50%, stable: 50%}"]).unwrap_err();
        assert!(twice.contains("\"stable\" is a version that has a weight already"), "{twice}");
        let rollout = |name: &str| {
            format!("rollout: {{version: {name}, steps: [{{weight: 50%, hold: 5s}}]}}")
        };
        let error = load_phases("", &[&rollout("stable")]).unwrap_err();
        assert!(error.contains("\"stable\" is the stable already"), "{error}");
        assert!(load_phases("", &[PROMOTED, &rollout("stable")]).is_ok(), "it may be another");
        assert!(load_phases("", &[PROMOTED, &rollout("beta")]).is_ok());
    }

    #[test]
    fn faults_add_up_on_whoever_a_tag_may_mean() {
        let faults = |tag: u32, version: u32| {
            format!(
                "faults: {{beta: [{{failures: {{\"503\": {tag}%}}}}], v3: [{{failures: {{\"500\": \
                 {version}%}}}}]}}"
            )
        };
        let moved = "commands: [{at: 1s, tag: {tag: beta, version: v3}}]";
        assert!(load_phases("", &[moved, &faults(60, 40)]).is_ok());
        assert!(load_phases("", &[&faults(60, 41)]).is_ok(), "beta is v2");
        let error = load_phases("", &[moved, &faults(60, 41)]).unwrap_err();
        assert!(error.contains("sum to 101%, 41% of them of other faults"), "{error}");
    }

    #[test]
    fn a_command_says_which_of_two_models_that_came_to_have_its_tag() {
        let text = |first: &str, last: &str| {
            format!(
                "schema: 1
name: ambiguous
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}, \
                 models: {{a: 50%, b: 50%}}}}
models:
  a: {{versions: {{a1: {{upstream: {{latency: 1s}}}}}}}}
  b: {{versions: {{b1: {{{first}upstream: {{latency: 1s}}}}}}}}
phases:
  - name: one
    for: 1m
    commands: [{{at: 1s, tag: {{tag: golden, version: a1}}}}{last}]
"
            )
        };
        let back = |model: &str| format!(", {{at: 9s, rollback: {{to: golden}}{model}}}");
        assert!(load_text(&text("", &back(""))).is_ok(), "one model has it");
        let second = ", {at: 2s, tag: {tag: golden, version: b1}}";
        let (made, held) = (format!("{second}{}", back("")), back(""));
        for (first, last) in [("", &made), ("tags: [stable, golden], ", &held)] {
            let error = load_text(&text(first, last)).unwrap_err();
            assert!(error.contains("\"golden\" names a version of several models"), "{error}");
            assert!(error.contains("`model: a`") && error.contains("`model: b`"), "{error}");
        }
        let given = format!("{second}{}", back(", model: b"));
        let scenario = load_text(&text("", &given)).unwrap().scenario;
        assert_eq!(scenario.phases[0].commands[2].model, Some(ModelIndex(1)));
    }
}
