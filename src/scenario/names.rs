//! The names of a scenario's models, versions and tags, and what each of them names.

use crate::exchange::{ModelIndex, VersionIndex};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::named_version::NamedVersion;
use super::place::Place;
use super::shape::quote;
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node};

/// The names that other parts of a scenario may use for models and versions. The id of a version is
/// unique over all models, a tag within its model.
pub(crate) struct Names {
    models: Vec<String>,
    versions: Vec<Named>,
    tags: Vec<Tag>,
}

/// The id of a version.
struct Named {
    id: String,
    model: ModelIndex,
    place: Place,
    priced: bool,
}

struct Tag {
    name: String,
    version: VersionIndex,
    model: ModelIndex,
    place: Place,
}

impl Names {
    /// Of `models`; reported where there is none, where a version's id stands in two models, where
    /// a tag stands twice in one or is a version's id, and where no version of several is stable.
    pub(crate) fn collect(models: &Entry, diagnostics: &mut Diagnostics) -> Self {
        let entries = models.node.entries();
        let mut names = Self { models: Vec::new(), versions: Vec::new(), tags: Vec::new() };
        check_count(models, diagnostics);
        for (index, entry) in (0..).map(ModelIndex).zip(entries) {
            names.models.push(entry.key.clone());
            for version in versions(entry) {
                names.add_version(version, index, diagnostics);
            }
        }
        let mut first = 0;
        for (index, entry) in (0..).map(ModelIndex).zip(entries) {
            for (version, node) in (first..).map(VersionIndex).zip(versions(entry)) {
                let Some(tags) = node.node.get("tags") else { continue };
                // A single tag that should be a list is told already; it is the version's all the
                // same.
                let tags =
                    if tags.text().is_some() { std::slice::from_ref(tags) } else { tags.items() };
                for tag in tags {
                    names.add_tag(tag, index, version, diagnostics);
                }
            }
            if let ([only], None) = (versions(entry), names.stable(index)) {
                let (name, version) = (STABLE.to_owned(), VersionIndex(first));
                names.tags.push(Tag { name, version, model: index, place: only.place });
            }
            names.check_versions(entry, index, VersionIndex(first), diagnostics);
            first += versions(entry).len() as u16;
        }
        names
    }

    /// Of one model whose versions were met elsewhere than in a scenario, at `place`. What they
    /// charge is not asked after.
    pub(crate) fn of_versions<'a>(
        versions: impl Iterator<Item = &'a str>,
        tags: impl Iterator<Item = (&'a str, VersionIndex)>,
        place: Place,
    ) -> Self {
        let model = ModelIndex(0);
        let named = |id: &str| Named { id: id.to_owned(), model, place, priced: true };
        let tag = |(name, version): (&str, VersionIndex)| Tag {
            name: name.to_owned(),
            version,
            model,
            place,
        };
        Self {
            models: vec![String::new()],
            versions: versions.map(named).collect(),
            tags: tags.map(tag).collect(),
        }
    }

    /// The models' ids, in the order of the file.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> + Clone {
        self.models.iter().map(String::as_str)
    }

    /// The model that `name` at `place` names; reported where there is none.
    pub(crate) fn resolve_model(
        &self,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<ModelIndex> {
        let found = self.models.iter().position(|model| model == name);
        if found.is_none() {
            let message = format!("{} is no model of the scenario", quote(name));
            let diagnostic = Diagnostic::new(place, message);
            diagnostics.report(match nearest(name, self.models()) {
                Some(meant) => diagnostic.suggest(Some(meant)),
                None => diagnostic.help(format!("known models: {}", listing(self.models()))),
            });
        }
        found.map(|index| ModelIndex(index as u16))
    }

    /// The version that `name` at `place` names, by its id or else by a tag at the start, among
    /// those of `model` where one is given; reported where there is none, and where it is a tag of
    /// several models.
    pub(crate) fn resolve_in(
        &self,
        model: Option<ModelIndex>,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<VersionIndex> {
        let of_model = |other: ModelIndex| model.is_none_or(|model| model == other);
        let by_id = self.version(name);
        if by_id.and_then(|version| self.model_of(version)).is_some_and(of_model) {
            return by_id;
        }
        let tagged = self.tags.iter().filter(|tag| tag.name == name && of_model(tag.model));
        match tagged.map(|tag| tag.version).collect::<Vec<_>>().as_slice() {
            [version] => Some(*version),
            [] => {
                self.report_unknown(model, name, place, diagnostics);
                None
            }
            several => {
                let help = self.instead_of_a_tag(several.iter().copied());
                report_ambiguous(name, place, help, diagnostics);
                None
            }
        }
    }

    /// The model that a map says it is for; reported where there is none of this name.
    pub(crate) fn model_given(
        &self,
        node: &Node,
        diagnostics: &mut Diagnostics,
    ) -> Option<ModelIndex> {
        let node = node.get("model")?;
        self.resolve_model(node.text()?, node.place, diagnostics)
    }

    /// Reports that `name` at `place` is no version or tag, of `model` where one is given.
    pub(crate) fn report_unknown(
        &self,
        model: Option<ModelIndex>,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) {
        let of = match model {
            Some(model) if self.models.len() > 1 => {
                format!("the model {}", quote(&self.models[usize::from(model.0)]))
            }
            None if self.models.len() > 1 => "any model".to_owned(),
            _ => "the model".to_owned(),
        };
        let message = format!("{} is no version or tag of {of}", quote(name));
        diagnostics.report(self.hint(Diagnostic::new(place, message), model, name));
    }

    /// What to write where a tag stands that one of `versions` may have.
    pub(crate) fn instead_of_a_tag(&self, versions: impl Iterator<Item = VersionIndex>) -> String {
        let ids = versions.map(|version| self.versions[usize::from(version.0)].id.as_str());
        format!("write the version: {}", listing(ids))
    }

    /// What to write beside a tag of these models, where that says which one is meant.
    pub(crate) fn beside_a_tag(&self, models: impl Iterator<Item = ModelIndex>) -> String {
        let said = models.map(|of| format!("`model: {}`", self.models[usize::from(of.0)]));
        format!("write which model it is for: {}", said.collect::<Vec<_>>().join(" or "))
    }

    /// The version of this id.
    pub(crate) fn version(&self, id: &str) -> Option<VersionIndex> {
        let place = self.versions.iter().position(|version| version.id == id)?;
        Some(VersionIndex(place as u16))
    }

    /// The tags with their holders at the start.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, ModelIndex, VersionIndex)> {
        self.tags.iter().map(|tag| (tag.name.as_str(), tag.model, tag.version))
    }

    /// Whether a version or a tag has this name.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        self.versions.iter().any(|version| version.id == name)
            || self.tags.iter().any(|tag| tag.name == name)
    }

    /// The model of a version.
    pub(crate) fn model_of(&self, version: VersionIndex) -> Option<ModelIndex> {
        self.versions.get(usize::from(version.0)).map(|version| version.model)
    }

    /// The model of what a phase names.
    pub(crate) fn model_of_named(&self, named: &NamedVersion) -> Option<ModelIndex> {
        self.model_of(*named.possible().first()?)
    }

    /// The version that is the stable of a model at the start, if one is.
    pub(crate) fn stable(&self, model: ModelIndex) -> Option<VersionIndex> {
        let tagged = self.tags.iter().find(|tag| tag.model == model && tag.name == STABLE);
        tagged.map(|tag| tag.version)
    }

    /// The versions of `model` that may be canaries: all but its stable.
    pub(crate) fn canaries(&self, model: ModelIndex) -> impl Iterator<Item = VersionIndex> {
        let stable = self.stable(model);
        let versions = (0..).map(VersionIndex).zip(&self.versions);
        let own = versions.filter(move |(_, version)| version.model == model);
        own.map(|(index, _)| index).filter(move |index| Some(*index) != stable)
    }

    /// The id of a version that has no price, and where it stands; `None` of one that has.
    pub(crate) fn unpriced(&self, version: VersionIndex) -> Option<(&str, Place)> {
        let version = self.versions.get(usize::from(version.0)).filter(|named| !named.priced)?;
        Some((&version.id, version.place))
    }

    /// The versions, in the order of the file.
    pub(crate) fn versions(&self) -> Vec<&str> {
        self.versions.iter().map(|version| version.id.as_str()).collect()
    }

    /// `diagnostic` with the version or tag that `name` was probably meant to be.
    fn hint(&self, diagnostic: Diagnostic, model: Option<ModelIndex>, name: &str) -> Diagnostic {
        let known = || {
            let of_model = move |other: ModelIndex| model.is_none_or(|model| model == other);
            let versions = self.versions.iter().filter(move |version| of_model(version.model));
            let tags = self.tags.iter().filter(move |tag| of_model(tag.model));
            versions.map(|version| version.id.as_str()).chain(tags.map(|tag| tag.name.as_str()))
        };
        match nearest(name, known()) {
            Some(meant) => diagnostic.suggest(Some(meant)),
            None => {
                // A tag may stand in several models.
                let mut once: Vec<&str> = Vec::new();
                for name in known() {
                    if !once.contains(&name) {
                        once.push(name);
                    }
                }
                diagnostic.help(format!("known versions and tags: {}", listing(once)))
            }
        }
    }

    fn add_version(&mut self, version: &Entry, model: ModelIndex, diagnostics: &mut Diagnostics) {
        // Within one model the parser refuses a key that stands twice.
        if let Some(first) = self.versions.iter().find(|known| known.id == version.key) {
            let message = format!("a second version named {}", quote(&version.key));
            let twice = Diagnostic::new(version.place, message)
                .note(first.place, "the first is here")
                .help("give each version a name of its own, over all models");
            diagnostics.report(twice);
        }
        let (id, place) = (version.key.clone(), version.place);
        let priced = version.node.get("price").is_some();
        self.versions.push(Named { id, model, place, priced });
    }

    fn add_tag(
        &mut self,
        tag: &Node,
        model: ModelIndex,
        version: VersionIndex,
        diagnostics: &mut Diagnostics,
    ) {
        let Some(name) = tag.text() else { return };
        let twice = self.tags.iter().find(|known| known.name == name && known.model == model);
        if let Some(first) = twice {
            let message = format!("the tag {} names a version already", quote(name));
            let twice =
                Diagnostic::new(tag.place, message).note(first.place, "it stands here first");
            diagnostics.report(twice.help("a tag names one version at a time: remove one"));
        } else if self.versions.iter().any(|version| version.id == name) {
            let message = format!("the tag {} is the name of a version", quote(name));
            diagnostics.report(Diagnostic::new(tag.place, message).help("name the tag otherwise"));
        } else {
            self.tags.push(Tag { name: name.to_owned(), version, model, place: tag.place });
        }
    }

    fn check_versions(
        &self,
        model: &Entry,
        index: ModelIndex,
        first: VersionIndex,
        diagnostics: &mut Diagnostics,
    ) {
        let Some(entry) = model.node.entry("versions") else { return };
        let count = versions(model).len();
        if entry.node.text().is_some() {
        } else if count == 0 {
            diagnostics.report(Diagnostic::new(entry.place, "the model has no versions"));
        } else if count > MOST_VERSIONS {
            let message = format!("{count} versions: at most {MOST_VERSIONS} are allowed");
            diagnostics.report(Diagnostic::new(entry.place, message));
        } else if self.stable(index).is_none() {
            let message = "no version has the tag \"stable\": rollbacks would have no target";
            let example = &self.versions[usize::from(first.0)].id;
            let help = format!("write `tags: [stable]` at {}", quote(example));
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        }
    }
}

/// Reports `models` of which there are none or too many.
pub(crate) fn check_count(models: &Entry, diagnostics: &mut Diagnostics) {
    let entries = models.node.entries();
    if entries.is_empty() && models.node.text().is_none() {
        diagnostics.report(Diagnostic::new(models.place, "models is empty: write a model"));
    } else if entries.len() > MOST_MODELS {
        let message = format!("{} models: at most {MOST_MODELS} are allowed", entries.len());
        diagnostics.report(Diagnostic::new(models.place, message));
    }
}

fn versions(model: &Entry) -> &[Entry] {
    model.node.get("versions").map_or(&[], Node::entries)
}

/// Reports that the tag `name` at `place` is one of several models; `help` says what to write.
pub(crate) fn report_ambiguous(
    name: &str,
    place: Place,
    help: String,
    diagnostics: &mut Diagnostics,
) {
    let message = format!("the tag {} names a version of several models", quote(name));
    diagnostics.report(Diagnostic::new(place, message).help(help));
}

/// The tag whose holder is the stable version; the only version of a model has it unasked.
pub(crate) const STABLE: &str = "stable";
/// Chosen: more are a mistake; with [`MOST_VERSIONS`] the index of a version has 16 bits.
const MOST_MODELS: usize = 64;
/// Chosen: more are a mistake.
const MOST_VERSIONS: usize = 1_000;
