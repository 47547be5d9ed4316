//! Access keys as the journal's entries tell them, kept without the engine's state.

use std::collections::BTreeMap;

use super::account::Account;
use super::order::{SECRETS, digest, key_id};
use crate::engine::{Change, Digest, Entry, MadeFor, Scope};
use crate::units::{KeyId, ModelId, Timestamp, VersionId};

/// All keys.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyAccount {
    keys: BTreeMap<KeyId, Key>,
}

/// What a secret is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    Current,
    InGrace,
    Refused,
}

#[derive(Clone, Debug)]
struct Key {
    secret: Digest,
    /// Those before, and until when each is valid.
    replaced: Vec<(Digest, Timestamp)>,
    scope: Scope,
    models: Option<Vec<ModelId>>,
    made_for: Option<MadeFor>,
    /// The version that it was made for was rolled back, with the safeguard off.
    invalid: bool,
}

impl KeyAccount {
    /// What a secret is worth at `now`.
    pub(super) fn standing(&self, key: u8, secret: u8, now: Timestamp) -> Standing {
        let (id, secret) = (key_id(key), digest(secret));
        let Some(key) = self.keys.get(&id).filter(|key| !key.invalid) else {
            return Standing::Refused;
        };
        let in_grace = key.replaced.iter().any(|(old, until)| *old == secret && now < *until);
        match (key.secret == secret, in_grace) {
            (true, _) => Standing::Current,
            (false, true) => Standing::InGrace,
            (false, false) => Standing::Refused,
        }
    }

    /// Whether a key permits this.
    pub(super) fn permits(&self, key: u8, scope: Scope, model: &ModelId) -> bool {
        self.keys.get(&key_id(key)).is_some_and(|key| {
            let wide = scope == Scope::Inference || key.scope == Scope::Admin;
            wide && key.models.as_ref().is_none_or(|models| models.contains(model))
        })
    }

    /// Every secret that there can be.
    pub(super) fn secrets() -> std::ops::Range<u8> {
        0..SECRETS
    }

    /// Takes an entry in; `account` is that of its model.
    pub(super) fn follow(&mut self, entry: &Entry, account: &Account) {
        match &entry.change {
            Change::KeyCreated { key, digest, scope, models, made_for } => {
                let new = Key {
                    secret: *digest,
                    replaced: Vec::new(),
                    scope: *scope,
                    models: models.clone(),
                    made_for: made_for.clone(),
                    invalid: false,
                };
                self.keys.insert(key.clone(), new);
            }
            Change::KeyRegenerated { key, digest, grace, made_for } => {
                let Some(key) = self.keys.get_mut(key) else { return };
                let until = entry.at + *grace;
                key.replaced.iter_mut().for_each(|(_, old)| *old = until.min(*old));
                key.replaced.push((std::mem::replace(&mut key.secret, *digest), until));
                key.made_for.clone_from(made_for);
                key.invalid = false;
            }
            Change::KeyRevoked { key } => {
                self.keys.remove(key);
            }
            Change::RolledBack { marked, .. } if !account.safeguards.keys_survive_rollback => {
                self.invalidate(entry.model.as_ref(), marked);
            }
            _ => {}
        }
    }

    fn invalidate(&mut self, model: Option<&ModelId>, versions: &[VersionId]) {
        for key in self.keys.values_mut() {
            key.invalid |= key.made_for.as_ref().is_some_and(|made_for| {
                Some(&made_for.model) == model && versions.contains(&made_for.version)
            });
        }
    }
}
