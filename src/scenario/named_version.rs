//! A version as a phase names it: by its id, or by a tag that may have moved until then.
//!
//! Whom a tag means is the engine's to say once the phase begins. A plan knows who may have it.

use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::TagName;

/// The version that a phase names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NamedVersion {
    /// This one, by its id or by a tag that nothing can have moved.
    Fixed(VersionIndex),
    /// Whoever has a tag when the phase begins.
    Holder {
        /// Of which model.
        model: ModelIndex,
        /// The tag.
        tag: TagName,
        /// The versions that can have it then by the plan, in no order; at least one. It may be
        /// that none has.
        may_be: Vec<VersionIndex>,
    },
}

impl NamedVersion {
    /// The versions that it can mean; at least one.
    pub fn possible(&self) -> &[VersionIndex] {
        match self {
            Self::Fixed(version) => std::slice::from_ref(version),
            Self::Holder { may_be, .. } => may_be,
        }
    }

    /// Whether it can mean `version`.
    pub fn may_be(&self, version: VersionIndex) -> bool {
        self.possible().contains(&version)
    }

    /// The version that it means, where the plan says which.
    pub const fn fixed(&self) -> Option<VersionIndex> {
        match self {
            Self::Fixed(version) => Some(*version),
            Self::Holder { .. } => None,
        }
    }

    /// Whether the plan says which version it means.
    pub const fn is_fixed(&self) -> bool {
        self.fixed().is_some()
    }
}
