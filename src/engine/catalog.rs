//! The catalog of one model: its versions, which never change, and the tags that name them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Evaluation, Version};
use crate::units::{TagName, Timestamp, VersionId};

/// The place of a version in its model's catalog, in the order of registration. A driver that
/// serves several models has its own numbers for their versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Slot(pub u16);

/// The versions and tags of one model.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Catalog {
    registered: Vec<Registered>,
    /// For each tag its moves, the last one last; never empty.
    tags: BTreeMap<TagName, Vec<TagMove>>,
}

/// A version and what has become of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Registered {
    version: Version,
    /// Whether a rollback took its traffic and it has not been deployed again.
    rolled_back: bool,
    evaluations: Vec<Evaluation>,
}

/// A tag moved from one version to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TagMove {
    /// The version that held it before; `None`: none, or none that is remembered.
    pub from: Option<Slot>,
    /// The version that holds it from then on; `None`: it was dropped.
    pub to: Option<Slot>,
    /// Who wanted it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The number of the journal entry.
    pub entry: u64,
}

impl Catalog {
    /// The versions, in the order of their registration; a [`Slot`] counts in this list.
    pub fn versions(&self) -> impl ExactSizeIterator<Item = &Version> {
        self.registered.iter().map(|registered| &registered.version)
    }

    /// Every slot that has a version.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = Slot> + use<> {
        (0..self.registered.len()).map(|index| Slot(index as u16))
    }

    /// A version.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn version(&self, slot: Slot) -> &Version {
        &self.registered(slot).version
    }

    /// A version's name.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn id(&self, slot: Slot) -> &VersionId {
        &self.version(slot).id
    }

    /// Whether a rollback took the version's traffic and it has not been deployed again.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn is_rolled_back(&self, slot: Slot) -> bool {
        self.registered(slot).rolled_back
    }

    /// The results of runs that were attached to a version, the oldest first.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn evaluations(&self, slot: Slot) -> &[Evaluation] {
        &self.registered(slot).evaluations
    }

    /// The version that `name` names: an exact id first, then a tag.
    pub fn resolve(&self, name: &str) -> Option<Slot> {
        self.slot(name).or_else(|| self.holder(name))
    }

    /// The version with this id.
    pub fn slot(&self, id: &str) -> Option<Slot> {
        self.slots().find(|slot| self.id(*slot).as_str() == id)
    }

    /// The version that holds a tag.
    pub fn holder(&self, tag: &str) -> Option<Slot> {
        self.history(tag).last()?.to
    }

    /// The versions that held a tag before its present holder, the last one first.
    pub fn previous_holders(&self, tag: &str) -> impl Iterator<Item = Slot> {
        self.history(tag).iter().rev().filter_map(|moved| moved.from)
    }

    /// Every tag that has a holder, with it, in the order of the names.
    pub fn tags(&self) -> impl Iterator<Item = (&TagName, Slot)> {
        self.tags.iter().filter_map(|(tag, moves)| Some((tag, moves.last()?.to?)))
    }

    /// The tags of a version, the most recently set last.
    pub fn tags_of(&self, slot: Slot) -> Vec<&TagName> {
        let held = self.tags.iter().filter_map(|(tag, moves)| {
            let last = moves.last()?;
            (last.to == Some(slot)).then_some((last.entry, tag))
        });
        let mut held: Vec<_> = held.collect();
        held.sort();
        held.into_iter().map(|(_, tag)| tag).collect()
    }

    /// The moves of a tag that are remembered, the oldest first.
    pub fn history(&self, tag: &str) -> &[TagMove] {
        let found = self.tags.iter().find(|(name, _)| name.as_str() == tag);
        found.map_or(&[], |(_, moves)| moves)
    }

    /// Adds a version that is not there yet.
    pub(super) fn register(&mut self, version: Version) {
        debug_assert!(self.slot(version.id.as_str()).is_none(), "{} is there already", version.id);
        let registered = Registered { version, rolled_back: false, evaluations: Vec::new() };
        self.registered.push(registered);
    }

    /// Attaches the results of a run to a version.
    pub(super) fn evaluate(&mut self, slot: Slot, evaluation: Evaluation) {
        self.registered_mut(slot).evaluations.push(evaluation);
    }

    /// Marks a version whose traffic a rollback took, or takes the mark away.
    pub(super) fn set_rolled_back(&mut self, slot: Slot, rolled_back: bool) {
        self.registered_mut(slot).rolled_back = rolled_back;
    }

    /// Moves a tag. Without `preserve_previous` its earlier moves are forgotten, and from whom this
    /// one took it.
    pub(super) fn move_tag(&mut self, tag: TagName, moved: TagMove, preserve_previous: bool) {
        let moves = self.tags.entry(tag).or_default();
        let from = moved.from.filter(|_| preserve_previous);
        if !preserve_previous {
            moves.clear();
        }
        moves.push(TagMove { from, ..moved });
    }

    fn registered(&self, slot: Slot) -> &Registered {
        &self.registered[usize::from(slot.0)]
    }

    fn registered_mut(&mut self, slot: Slot) -> &mut Registered {
        &mut self.registered[usize::from(slot.0)]
    }
}

/// The tag whose holder is the stable version.
pub(super) const STABLE: &str = "stable";

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> Version {
        Version::new(VersionId::new(name).unwrap(), name, Timestamp::EPOCH)
    }

    fn tag(name: &str) -> TagName {
        TagName::new(name).unwrap()
    }

    fn moved(from: Option<Slot>, to: Slot, entry: u64) -> TagMove {
        TagMove { from, to: Some(to), by: "ops".to_owned(), at: Timestamp::EPOCH, entry }
    }

    const OLD: Slot = Slot(0);
    const NEW: Slot = Slot(1);

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        catalog.register(version("v1"));
        catalog.register(version("v2"));
        catalog
    }

    #[test]
    fn an_exact_id_wins_over_a_tag_and_a_tag_remembers_its_holders() {
        let mut catalog = catalog();
        catalog.move_tag(tag("stable"), moved(None, OLD, 1), true);
        catalog.move_tag(tag("stable"), moved(Some(OLD), NEW, 2), true);
        catalog.move_tag(tag("stable"), moved(Some(NEW), OLD, 3), true);
        assert_eq!(catalog.resolve("v1"), Some(OLD));
        assert_eq!(catalog.resolve("stable"), Some(OLD));
        assert_eq!(catalog.resolve("v3"), None);
        let previous: Vec<_> = catalog.previous_holders("stable").collect();
        assert_eq!(previous, [NEW, OLD]);
        catalog.move_tag(tag("stable"), moved(Some(OLD), NEW, 4), false);
        assert_eq!(catalog.previous_holders("stable").count(), 0, "what was before is forgotten");
        assert_eq!(catalog.history("stable").len(), 1);
    }

    #[test]
    fn a_dropped_tag_names_nothing_and_remembers_who_held_it() {
        let mut catalog = catalog();
        catalog.move_tag(tag("beta"), moved(None, NEW, 1), true);
        catalog.move_tag(tag("beta"), TagMove { to: None, ..moved(Some(NEW), NEW, 2) }, true);
        assert_eq!(catalog.holder("beta"), None);
        assert_eq!(catalog.tags().count(), 0);
        assert_eq!(catalog.previous_holders("beta").next(), Some(NEW));
    }

    #[test]
    fn the_tags_of_a_version_end_with_the_one_that_was_set_last() {
        let mut catalog = catalog();
        for (name, entry) in [("a", 3), ("b", 9), ("c", 5)] {
            catalog.move_tag(tag(name), moved(None, NEW, entry), true);
        }
        let names: Vec<_> = catalog.tags_of(NEW).into_iter().map(TagName::as_str).collect();
        assert_eq!(names, ["a", "c", "b"]);
        assert!(catalog.tags_of(OLD).is_empty());
    }
}
