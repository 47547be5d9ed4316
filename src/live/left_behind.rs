//! What a run leaves at a gateway elsewhere.

use crate::units::KeyId;

/// What a run has left at a gateway elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LeftBehind {
    /// How each of its models stands, in sentences; none: nothing of the gateway was changed.
    pub models: Vec<String>,
    /// The access keys made for the run that it may still have, as it did not say that they are
    /// revoked.
    pub keys: Vec<KeyId>,
}

impl LeftBehind {
    /// Whether there is nothing to be told.
    pub const fn is_nothing(&self) -> bool {
        self.models.is_empty() && self.keys.is_empty()
    }

    /// In sentences, with what is to be done.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let keys = self.keys.iter().map(|key| {
            format!(
                "the gateway may still have the access key {key}, which was made for the run: \
                 `coalmine keys revoke {key}`"
            )
        });
        self.models.iter().cloned().chain(keys)
    }
}
