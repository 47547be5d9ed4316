//! The catalog of one model: its versions, which never change, and the tags that name them.

use std::collections::BTreeMap;

use super::Version;
use crate::units::{TagName, VersionId};

/// The place of a version in its model's catalog, in the order of registration. A driver that
/// serves several models has its own numbers for their versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Slot(pub u16);

/// The versions and tags of one model.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Catalog {
    versions: Vec<Version>,
    /// For each tag its holders, the present one last.
    tags: BTreeMap<TagName, Vec<Slot>>,
}

impl Catalog {
    /// The versions, in the order of their registration; a [`Slot`] counts in this list.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// A version.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn version(&self, slot: Slot) -> &Version {
        &self.versions[usize::from(slot.0)]
    }

    /// A version's name.
    ///
    /// # Panics
    /// The slot is not of this catalog: a bug of the caller.
    pub fn id(&self, slot: Slot) -> &VersionId {
        &self.version(slot).id
    }

    /// The version that `name` names: an exact id first, then a tag.
    pub fn resolve(&self, name: &str) -> Option<Slot> {
        self.slot(name).or_else(|| self.holder(name))
    }

    /// The version with this id.
    pub fn slot(&self, id: &str) -> Option<Slot> {
        let position = self.versions.iter().position(|version| version.id.as_str() == id);
        position.map(|position| Slot(position as u16))
    }

    /// The version that holds a tag.
    pub fn holder(&self, tag: &str) -> Option<Slot> {
        self.history(tag).last().copied()
    }

    /// The version that held a tag before its present holder.
    pub fn previous_holder(&self, tag: &str) -> Option<Slot> {
        self.history(tag).iter().rev().nth(1).copied()
    }

    /// Every tag with its holder, in the order of the names.
    pub fn tags(&self) -> impl Iterator<Item = (&TagName, Slot)> {
        self.tags.iter().filter_map(|(tag, holders)| Some((tag, *holders.last()?)))
    }

    fn history(&self, tag: &str) -> &[Slot] {
        let found = self.tags.iter().find(|(name, _)| name.as_str() == tag);
        found.map_or(&[], |(_, holders)| holders)
    }

    /// Adds a version that is not there yet.
    pub(super) fn register(&mut self, version: Version) -> Slot {
        debug_assert!(self.slot(version.id.as_str()).is_none(), "{} is there already", version.id);
        self.versions.push(version);
        Slot((self.versions.len() - 1) as u16)
    }

    /// Moves a tag; without `preserve_previous` its earlier holders are forgotten.
    pub(super) fn tag(&mut self, tag: TagName, version: Slot, preserve_previous: bool) {
        let holders = self.tags.entry(tag).or_default();
        if !preserve_previous {
            holders.clear();
        }
        if holders.last() != Some(&version) {
            holders.push(version);
        }
    }
}

/// The tag whose holder is the stable version.
pub(super) const STABLE: &str = "stable";

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> Version {
        Version::new(VersionId::new(name).unwrap(), name, crate::units::Timestamp::EPOCH)
    }

    fn tag(name: &str) -> TagName {
        TagName::new(name).unwrap()
    }

    #[test]
    fn an_exact_id_wins_over_a_tag_and_a_tag_remembers_its_holders() {
        let mut catalog = Catalog::default();
        let old = catalog.register(version("v1"));
        let new = catalog.register(version("v2"));
        catalog.tag(tag("stable"), old, true);
        catalog.tag(tag("stable"), new, true);
        assert_eq!(catalog.resolve("v1"), Some(old));
        assert_eq!(catalog.resolve("stable"), Some(new));
        assert_eq!(catalog.previous_holder("stable"), Some(old));
        assert_eq!(catalog.resolve("v3"), None);
        catalog.tag(tag("stable"), new, true);
        assert_eq!(catalog.previous_holder("stable"), Some(old), "setting it again moves nothing");
        catalog.tag(tag("stable"), old, false);
        assert_eq!(catalog.previous_holder("stable"), None);
    }
}
