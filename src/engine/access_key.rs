//! Access keys: who may do what.
//!
//! A key is an id and a secret, of which the engine knows the digest. Keys belong to the whole
//! deployment: whichever version a key was made for, it is valid for all of them, and a rollback
//! invalidates none. What a key was made for is remembered all the same, so that a rehearsal can
//! show what happens where keys are tied to versions (the safeguard `keys_survive_rollback` off).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, Target};
use crate::units::{KeyId, ModelId, Timestamp, VersionId};

/// What a key permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To send requests, and to read what is deployed.
    Inference,
    /// To change it; includes `Inference`.
    Admin,
}

/// A key that is to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct NewKey {
    /// Its name: no secret.
    pub id: KeyId,
    /// The digest of its secret.
    pub digest: Digest,
    /// What it permits.
    pub scope: Scope,
    /// For which models; `None`: for all.
    pub models: Option<Vec<ModelId>>,
    /// The version, of the command's model, that it is made for; without effect on its validity
    /// unless the safeguard `keys_survive_rollback` is off.
    pub version: Option<Target>,
}

/// The version that a key was made for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFor {
    /// Whose version.
    pub model: ModelId,
    /// Which.
    pub version: VersionId,
}

/// A key as it stands: what a list of keys shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyStatus {
    /// Its name.
    pub id: KeyId,
    /// What it permits.
    pub scope: Scope,
    /// For which models; `None`: for all.
    pub models: Option<Vec<ModelId>>,
    /// The version that it was made for.
    pub made_for: Option<MadeFor>,
    /// Until when an old secret of it is valid beside the present one; `None`: none is.
    pub replaced_until: Option<Timestamp>,
    /// Whether a rollback invalidated it: with the safeguard `keys_survive_rollback` off only.
    pub is_invalid: bool,
}

/// Who has been authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    key: KeyId,
    scope: Scope,
    models: Option<Arc<[ModelId]>>,
    is_replaced: bool,
}

impl Principal {
    pub(super) const fn new(
        key: KeyId,
        scope: Scope,
        models: Option<Arc<[ModelId]>>,
        is_replaced: bool,
    ) -> Self {
        Self { key, scope, models, is_replaced }
    }

    /// Whether the secret was replaced, and is in its grace: who has it may have no other for a
    /// reason.
    pub const fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// By which key.
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// Whether the key permits this.
    ///
    /// # Errors
    /// It does not.
    pub fn permits(&self, scope: Scope, model: &ModelId) -> Result<(), Forbidden> {
        if scope == Scope::Admin && self.scope != Scope::Admin {
            return Err(Forbidden::Scope { key: self.key.clone() });
        }
        match &self.models {
            Some(models) if !models.contains(model) => {
                Err(Forbidden::Model { key: self.key.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Whether the key permits this for what all models share: one that is limited to some never
    /// does, and be they all that there are today.
    ///
    /// # Errors
    /// It does not.
    pub fn permits_all(&self, scope: Scope) -> Result<(), Forbidden> {
        if scope == Scope::Admin && self.scope != Scope::Admin {
            return Err(Forbidden::Scope { key: self.key.clone() });
        }
        match self.models {
            Some(_) => Err(Forbidden::Limited { key: self.key.clone() }),
            None => Ok(()),
        }
    }
}

/// Why somebody is not authenticated. For the log: the client is told that its key is invalid, and
/// no more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthError {
    /// No key has this id.
    #[error("no key has the id {id:?}")]
    UnknownKey {
        /// It.
        id: String,
    },
    /// The secret is not the key's.
    #[error("the secret is not that of key {0}")]
    WrongSecret(KeyId),
    /// The secret was replaced, and its grace has ended.
    #[error("the secret of key {0} has been replaced")]
    Replaced(KeyId),
    /// The key was made for a version that was rolled back: with the safeguard off only.
    #[error("key {0} was made for a version that was rolled back")]
    RolledBack(KeyId),
}

/// What an authenticated client may not do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Forbidden {
    /// The scope is too narrow.
    #[error("key {key} has the scope inference, this needs admin")]
    Scope {
        /// By which key.
        key: KeyId,
    },
    /// The model is not among the key's.
    #[error("key {key} is not for this model")]
    Model {
        /// By which key.
        key: KeyId,
    },
    /// The key is for some models only.
    #[error("key {key} is limited to some models, this needs a key for all")]
    Limited {
        /// By which key.
        key: KeyId,
    },
}
