//! The models under rehearsal: their versions with tags, prices and upstreams, and their rules.

use crate::engine::{Assignment, Policies, RuleSet, Safeguards};
use crate::exchange::ModelIndex;
use crate::units::{ModelId, Price, TagName, VersionId};

use super::decode_policies;
use super::decode_rules;
use super::decode_safeguards;
use super::decode_upstream;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::{Names, STABLE};
use super::plan::{ModelPlan, StickyBy, Truth, VersionPlan};
use super::read;
use super::tree::{Entry, Node};

/// A model, as far as it could be made out.
pub(crate) struct Draft {
    id: Option<ModelId>,
    /// In the order of the file; `None` for those that could not be made out.
    versions: Vec<Option<VersionPlan>>,
    assignment: Option<Assignment>,
    sticky_by: Option<StickyBy>,
    policies: Option<Policies>,
    rules: Option<RuleSet>,
    safeguards: Safeguards,
}

impl Draft {
    /// The model at `entry`, whose place in the file is `index`; `safeguards` are those of all
    /// models.
    pub(crate) fn decode(
        entry: &Entry,
        index: ModelIndex,
        safeguards: Option<&Node>,
        names: &Names,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let safeguards = decode_safeguards::decode(safeguards, entry.node.get("safeguards"));
        let entries = entry.node.get("versions").map_or(&[][..], Node::entries);
        let mut versions: Vec<_> =
            entries.iter().map(|entry| version(entry, diagnostics)).collect();
        if let [Some(only)] = &mut versions[..] {
            crown(&mut only.tags);
        }
        let rules = match entry.node.get("rules") {
            Some(node) => decode_rules::decode(node, index, names, safeguards, diagnostics),
            None => Some(RuleSet::default()),
        };
        let assignment = decode_policies::assignment(&entry.node);
        decode_policies::check_judges(&entry.node, assignment, rules.as_ref(), diagnostics);
        let sticky_by = decode_policies::sticky_by(&entry.node, assignment, diagnostics);
        let policies = decode_policies::policies(&entry.node, diagnostics);
        let id = ModelId::new(&entry.key).ok();
        Self { id, versions, assignment, sticky_by, policies, rules, safeguards }
    }

    /// The versions; `None` for those that could not be made out.
    pub(crate) fn versions(&self) -> &[Option<VersionPlan>] {
        &self.versions
    }

    /// What is fixed about it: how the split chooses, and what is guarded against.
    pub(crate) fn fixed(&self) -> (Assignment, Safeguards) {
        (self.assignment.unwrap_or_default(), self.safeguards)
    }

    /// The plan, if all of it could be made out.
    pub(crate) fn finish(self) -> Option<ModelPlan> {
        let versions = self.versions.into_iter().collect::<Option<_>>()?;
        Some(ModelPlan {
            id: self.id?,
            versions,
            assignment: self.assignment?,
            sticky_by: self.sticky_by?,
            policies: self.policies?,
            rules: self.rules?,
            safeguards: self.safeguards,
        })
    }
}

fn version(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<VersionPlan> {
    let node = &entry.node;
    let price = price(node, diagnostics);
    let upstream =
        node.entry("upstream").and_then(|entry| decode_upstream::decode(entry, diagnostics));
    let tags = tags(node);
    let truth = match read::text(node, "truth")? {
        "healthy" => Truth::Healthy,
        "bad" => Truth::Bad,
        "during_faults" => Truth::DuringFaults,
        _ => return None,
    };
    let id = VersionId::new(&entry.key).ok()?;
    Some(VersionPlan { id, tags: tags?, price: price?, upstream: upstream?, truth })
}

/// A model's only version is its stable, whether its `tags` say so or not.
pub(crate) fn crown(tags: &mut Vec<TagName>) {
    if let Ok(stable) = TagName::new(STABLE)
        && !tags.contains(&stable)
    {
        tags.push(stable);
    }
}

/// The tags of the version at `node`.
pub(crate) fn tags(node: &Node) -> Option<Vec<TagName>> {
    let Some(tags) = node.get("tags") else { return Some(Vec::new()) };
    tags.items().iter().map(|tag| TagName::new(tag.text()?).ok()).collect()
}

/// What the version at `node` charges, where it says so.
pub(crate) fn price(node: &Node, diagnostics: &mut Diagnostics) -> Option<Option<Price>> {
    match node.entry("price") {
        Some(entry) => charged(entry, diagnostics).map(Some),
        None => Some(None),
    }
}

fn charged(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Price> {
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
            diagnostics.report(Diagnostic::new(entry.place_of_whole(), message).help(help));
            None
        }
    }
}
