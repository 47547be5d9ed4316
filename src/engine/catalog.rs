//! The catalog of one model: its versions, which never change, and the tags that name them.

use std::collections::BTreeMap;

use crate::units::{TagName, VersionId};

/// The place of a version in its model's catalog, in the order of registration. A driver that
/// serves several models has its own numbers for their versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Slot(pub u16);

/// The versions and tags of one model.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Catalog {
    versions: Vec<VersionId>,
    /// For each tag its holders, the present one last.
    tags: BTreeMap<TagName, Vec<Slot>>,
}

impl Catalog {
    /// The versions, in the order of their registration; a [`Slot`] counts in this list.
    pub fn versions(&self) -> &[VersionId] {
        &self.versions
    }

    /// A version's name.
    ///
    /// # Panics
    /// The index is not of this catalog: a bug of the caller.
    pub fn version(&self, index: Slot) -> &VersionId {
        &self.versions[usize::from(index.0)]
    }

    /// The version that `name` names: an exact id first, then a tag.
    pub fn resolve(&self, name: &str) -> Option<Slot> {
        let position = self.versions.iter().position(|id| id.as_str() == name);
        let by_id = position.map(|position| Slot(position as u16));
        by_id.or_else(|| self.holder(name))
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
    pub(super) fn register(&mut self, id: VersionId) -> Slot {
        debug_assert!(!self.versions.contains(&id), "{id} is registered already");
        self.versions.push(id);
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

    fn tag(name: &str) -> TagName {
        TagName::new(name).unwrap()
    }

    #[test]
    fn an_exact_id_wins_over_a_tag_and_a_tag_remembers_its_holders() {
        let mut catalog = Catalog::default();
        let old = catalog.register(VersionId::new("v1").unwrap());
        let new = catalog.register(VersionId::new("v2").unwrap());
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
