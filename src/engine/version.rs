//! A version of a model: what is deployed, and never changes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::units::{Price, Timestamp, VersionId};

/// A version of a model. Once registered it never changes: another content is another version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its name.
    pub id: VersionId,
    /// The name of the upstream that answers for it.
    pub upstream: String,
    /// What is sent to the upstream with each request: free JSON.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// What it charges, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// When it was registered first.
    pub created_at: Timestamp,
    /// What its author says of it.
    #[serde(default)]
    pub notes: String,
}

impl Version {
    /// A version that says no more than its name, its upstream and when it was made.
    pub fn new(id: VersionId, upstream: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            upstream: upstream.to_owned(),
            parameters: Map::new(),
            price: None,
            created_at,
            notes: String::new(),
        }
    }

    /// Whether `other` deploys the same: all but the time of its registration.
    pub(super) fn is_same_content(&self, other: &Self) -> bool {
        let Self { id, upstream, parameters, price, created_at: _, notes } = self;
        (id, upstream, parameters, price, notes)
            == (&other.id, &other.upstream, &other.parameters, &other.price, &other.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_registration_is_no_content() {
        let id = VersionId::new("v1").unwrap();
        let first = Version::new(id.clone(), "openai", Timestamp::EPOCH);
        let again = Version::new(id.clone(), "openai", Timestamp::from_second(60));
        assert!(first.is_same_content(&again));
        let noted = Version { notes: "tuned".to_owned(), ..again };
        assert!(!first.is_same_content(&noted));
        let elsewhere = Version::new(id, "azure", Timestamp::EPOCH);
        assert!(!first.is_same_content(&elsewhere));
    }
}
