//! The model under rehearsal: its versions, their tags, prices and upstreams.

use crate::exchange::VersionIndex;
use crate::units::{ModelId, Price, Ratio, TagName, VersionId, format_significant};
use crate::upstream::{Behaviour, Failure};

use super::decode_distribution;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::plan::{Truth, VersionPlan};
use super::read::{self, Quantity};
use super::shape::quote;
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node};

/// The names that other parts of a scenario may use for versions.
pub(crate) struct Names {
    /// The model's.
    pub(crate) model: Option<ModelId>,
    versions: Vec<String>,
    tags: Vec<(String, usize, Place)>,
}

impl Names {
    /// Of the one model in `models`; reported where there is none or more than one, where a tag
    /// stands twice or is a version's name, and where no version is stable.
    pub(crate) fn collect<'a>(
        models: &'a Entry,
        diagnostics: &mut Diagnostics,
    ) -> (Self, Option<&'a Entry>) {
        let entries = models.node.entries();
        if let [first, second, ..] = entries {
            let message = "a second model: a scenario rehearses one model";
            let diagnostic = Diagnostic::new(second.place, message)
                .note(first.place, "the first model")
                .help("write a scenario for each model");
            diagnostics.report(diagnostic);
        }
        let Some(entry) = entries.first() else {
            if models.node.text().is_none() {
                diagnostics.report(Diagnostic::new(models.place, "models is empty: write a model"));
            }
            let names = Self { model: None, versions: Vec::new(), tags: Vec::new() };
            return (names, None);
        };
        let versions = entry.node.get("versions").map_or(&[][..], Node::entries);
        let mut names = Self {
            model: ModelId::new(&entry.key).ok(),
            versions: versions.iter().map(|version| version.key.clone()).collect(),
            tags: Vec::new(),
        };
        for (index, version) in versions.iter().enumerate() {
            let Some(tags) = version.node.get("tags") else { continue };
            // A single tag that should be a list is told already; it is the version's all the same.
            let tags =
                if tags.text().is_some() { std::slice::from_ref(tags) } else { tags.items() };
            for tag in tags {
                names.add_tag(tag, index, diagnostics);
            }
        }
        names.check_versions(entry, diagnostics);
        (names, Some(entry))
    }

    /// The version that is named `name`, by its id or else by a tag.
    pub(crate) fn version(&self, name: &str) -> Option<VersionIndex> {
        let by_id = self.versions.iter().position(|version| version == name);
        let by_tag = || self.tags.iter().find(|(tag, ..)| tag == name).map(|(_, index, _)| *index);
        by_id.or_else(by_tag).and_then(|index| u16::try_from(index).ok()).map(VersionIndex)
    }

    /// The version that `name` at `place` names; reported where there is none.
    pub(crate) fn resolve(
        &self,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<VersionIndex> {
        let found = self.version(name);
        if found.is_none() {
            let message = format!("{} is no version or tag of the model", quote(name));
            diagnostics.report(self.hint(Diagnostic::new(place, message), name));
        }
        found
    }

    /// `diagnostic` with the version or tag that `name` was probably meant to be.
    pub(crate) fn hint(&self, diagnostic: Diagnostic, name: &str) -> Diagnostic {
        let known = || {
            let tags = self.tags.iter().map(|(tag, ..)| tag.as_str());
            self.versions.iter().map(String::as_str).chain(tags)
        };
        match nearest(name, known()) {
            Some(meant) => diagnostic.suggest(Some(meant)),
            None => diagnostic.help(format!("known versions and tags: {}", listing(known()))),
        }
    }

    /// The versions, in the order of the file.
    pub(crate) fn versions(&self) -> Vec<&str> {
        self.versions.iter().map(String::as_str).collect()
    }

    fn add_tag(&mut self, tag: &Node, index: usize, diagnostics: &mut Diagnostics) {
        let Some(name) = tag.text() else { return };
        if let Some((_, _, first)) = self.tags.iter().find(|(known, ..)| known == name) {
            let message = format!("the tag {} names a version already", quote(name));
            let twice = Diagnostic::new(tag.place, message).note(*first, "it stands here first");
            diagnostics.report(twice.help("a tag names one version at a time: remove one"));
        } else if self.versions.iter().any(|version| version == name) {
            let message = format!("the tag {} is the name of a version", quote(name));
            diagnostics.report(Diagnostic::new(tag.place, message).help("name the tag otherwise"));
        } else {
            self.tags.push((name.to_owned(), index, tag.place));
        }
    }

    fn check_versions(&self, model: &Entry, diagnostics: &mut Diagnostics) {
        let Some(versions) = model.node.entry("versions") else { return };
        let count = self.versions.len();
        if versions.node.text().is_some() {
        } else if count == 0 {
            diagnostics.report(Diagnostic::new(versions.place, "the model has no versions"));
        } else if count > MOST_VERSIONS {
            let message = format!("{count} versions: at most {MOST_VERSIONS} are allowed");
            diagnostics.report(Diagnostic::new(versions.place, message));
        } else if !self.tags.iter().any(|(tag, ..)| tag == "stable") {
            let message = "no version has the tag \"stable\": rollbacks would have no target";
            let help = format!("write `tags: [stable]` at {}", quote(&self.versions[0]));
            diagnostics.report(Diagnostic::new(versions.place, message).help(help));
        }
    }
}

/// The versions of the model at `entry`, in the order of the file; `None` for those that could not
/// be made out.
pub(crate) fn decode_versions(
    model: &Entry,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<VersionPlan>> {
    let versions = model.node.get("versions").map_or(&[][..], Node::entries);
    versions.iter().map(|entry| version(entry, diagnostics)).collect()
}

fn version(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<VersionPlan> {
    let node = &entry.node;
    let price = match node.entry("price") {
        Some(entry) => price(entry, diagnostics).map(Some),
        None => Some(None),
    };
    let behaviour = node.get("upstream").and_then(|node| behaviour(node, diagnostics));
    let tags: Option<Vec<_>> = match node.get("tags") {
        Some(tags) => tags.items().iter().map(|tag| TagName::new(tag.text()?).ok()).collect(),
        None => Some(Vec::new()),
    };
    let truth = match read::text(node, "truth")? {
        "healthy" => Truth::Healthy,
        "bad" => Truth::Bad,
        "during_faults" => Truth::DuringFaults,
        _ => return None,
    };
    let id = VersionId::new(&entry.key).ok()?;
    Some(VersionPlan { id, tags: tags?, price: price?, behaviour: behaviour?, truth })
}

fn price(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Price> {
    let node = &entry.node;
    let [blended, input, output] =
        ["blended", "input", "output"].map(|key| node.get(key).is_some());
    match (blended, input, output) {
        (true, false, false) => Some(Price::blended(read::money(node, "blended")?)),
        (false, true, true) => Some(Price {
            input_per_1k: read::money(node, "input")?,
            output_per_1k: read::money(node, "output")?,
        }),
        _ if node.text().is_some() => None,
        _ => {
            let message = "a price is either `blended`, or `input` and `output`";
            let help = "write `price: {blended: 0.008 USD}`, the dollars for 1,000 tokens";
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            None
        }
    }
}

fn behaviour(node: &Node, diagnostics: &mut Diagnostics) -> Option<Behaviour> {
    let latency = node.get("latency");
    let latency =
        latency.and_then(|node| decode_distribution::decode(node, Quantity::Seconds, diagnostics));
    let failures = match node.entry("failures") {
        Some(entry) => {
            let failures = failures(&entry.node, diagnostics);
            check_sum(failures.as_deref(), &[], entry.place, diagnostics);
            failures
        }
        None => Some(Vec::new()),
    };
    let first_token = read::ratio(node, "first_token")?;
    Some(Behaviour { latency: latency?, first_token, failures: failures? })
}

/// The failures of a table by status, in the order of their statuses.
pub(crate) fn failures(node: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<Failure>> {
    let mut failure = |entry: &Entry| {
        let latency = entry.node.get("latency");
        let latency = latency
            .and_then(|node| decode_distribution::decode(node, Quantity::Seconds, diagnostics));
        Some(Failure {
            status: entry.key.parse().ok()?,
            probability: read::ratio(&entry.node, "probability")?,
            latency: latency?,
        })
    };
    let decoded: Vec<_> = node.entries().iter().map(&mut failure).collect();
    let mut failures = decoded.into_iter().collect::<Option<Vec<_>>>()?;
    // The order in a file has no meaning, and must not have one for the draws either.
    failures.sort_by_key(|failure| failure.status);
    Some(failures)
}

/// Reports failures whose probabilities sum to more than 100 %; `others` are those beside them.
pub(crate) fn check_sum(
    failures: Option<&[Failure]>,
    others: &[(&str, f64)],
    place: Place,
    diagnostics: &mut Diagnostics,
) {
    let own = sum(failures.unwrap_or_default());
    let total = own + others.iter().map(|(_, sum)| sum).sum::<f64>();
    if total <= 1.0 + TOLERANCE {
        return;
    }
    let percent = |sum: f64| format!("{}%", format_significant(sum * 100.0, 6));
    let mut message = format!("the failure probabilities sum to {}", percent(total));
    for (what, sum) in others.iter().filter(|(_, sum)| *sum > 0.0) {
        message.push_str(&format!(", {} of them {what}", percent(*sum)));
    }
    message.push_str(": at most 100% are allowed");
    diagnostics.report(Diagnostic::new(place, message));
}

/// The sum of the probabilities.
pub(crate) fn sum(failures: &[Failure]) -> f64 {
    failures.iter().map(|failure| failure.probability).map(Ratio::get).sum()
}

/// What sums of decimal fractions may be off by.
pub(crate) const TOLERANCE: f64 = 1e-9;
/// Chosen: more are a mistake; the index of a version has 16 bits.
const MOST_VERSIONS: usize = 1_000;
