//! All access keys: durable state beside that of the models.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::decision::resolve;
use super::{
    AuthError, Change, CommandError, CommandKind, Digest, Inapplicable, KeyStatus, MadeFor,
    ModelState, NewKey, Principal, Scope,
};
use crate::units::{Duration, KeyId, ModelId, Timestamp};

/// All keys, by id.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub(super) struct KeyRing {
    keys: Vec<AccessKey>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct AccessKey {
    id: KeyId,
    scope: Scope,
    #[serde(serialize_with = "as_list")]
    models: Option<Arc<[ModelId]>>,
    digest: Digest,
    /// Secrets that were replaced, with the end of their grace.
    replaced: Vec<(Digest, Timestamp)>,
    made_for: Option<MadeFor>,
    /// The version that it was made for was rolled back.
    invalid: bool,
}

impl KeyRing {
    /// Who presents this secret at `now`.
    pub(super) fn authenticate(
        &self,
        now: Timestamp,
        id: &str,
        secret: &Digest,
    ) -> Result<Principal, AuthError> {
        let Ok(place) = self.place(id) else {
            return Err(AuthError::UnknownKey { id: id.chars().take(ID_SHOWN).collect() });
        };
        let key = &self.keys[place];
        // All are compared, so that the time tells nothing of which one it was.
        let current = matches(&key.digest, secret);
        let mut replaced = false;
        let mut in_grace = false;
        for (old, until) in &key.replaced {
            let same = matches(old, secret);
            replaced |= same;
            in_grace |= same & (now < *until);
        }
        match (current | in_grace, replaced) {
            (true, _) if key.invalid => Err(AuthError::RolledBack(key.id.clone())),
            (true, _) => {
                Ok(Principal::new(key.id.clone(), key.scope, key.models.clone(), !current))
            }
            (false, true) => Err(AuthError::Replaced(key.id.clone())),
            (false, false) => Err(AuthError::WrongSecret(key.id.clone())),
        }
    }

    /// All of them, by id.
    pub(super) fn statuses(&self, now: Timestamp) -> Vec<KeyStatus> {
        let status = |key: &AccessKey| {
            let until = key.replaced.iter().map(|(_, until)| *until);
            KeyStatus {
                id: key.id.clone(),
                scope: key.scope,
                models: key.models.as_deref().map(<[ModelId]>::to_vec),
                made_for: key.made_for.clone(),
                replaced_until: until.filter(|until| *until > now).max(),
                is_invalid: key.invalid,
            }
        };
        self.keys.iter().map(status).collect()
    }

    /// What a command about keys changes; `state` is that of `model`, whose versions it names.
    ///
    /// # Errors
    /// It is refused.
    pub(super) fn decide(
        &self,
        now: Timestamp,
        (model, state): (&ModelId, &ModelState),
        command: &CommandKind,
    ) -> Result<Option<Change>, CommandError> {
        let made_for = |version: &Option<super::Target>| match version {
            Some(version) => {
                let slot = resolve(state, version)?;
                let version = state.catalog.id(slot).clone();
                Ok(Some(MadeFor { model: model.clone(), version }))
            }
            None => Ok::<_, CommandError>(None),
        };
        Ok(Some(match command {
            CommandKind::CreateKey(new) => {
                let NewKey { id, digest, scope, models, version } = &**new;
                if self.place(id.as_str()).is_ok() {
                    return Err(CommandError::KeyExists(id.clone()));
                }
                let (key, models) = (id.clone(), models.clone());
                let made_for = made_for(version)?;
                Change::KeyCreated { key, digest: *digest, scope: *scope, models, made_for }
            }
            CommandKind::RegenerateKey { key, digest, grace, version } => {
                let place = self.known(key)?;
                let in_grace = self.keys[place].replaced.iter().filter(|(_, until)| *until > now);
                if !grace.is_zero() && in_grace.count() >= MAX_REPLACED {
                    let (key, limit) = (key.clone(), MAX_REPLACED);
                    return Err(CommandError::TooManySecrets { key, limit });
                }
                let (key, grace) = (key.clone(), *grace);
                let made_for = made_for(version)?;
                Change::KeyRegenerated { key, digest: *digest, grace, made_for }
            }
            CommandKind::RevokeKey(key) => {
                self.known(key)?;
                Change::KeyRevoked { key: key.clone() }
            }
            _ => return Ok(None),
        }))
    }

    /// The keys that were made for a version and are still valid: what a rollback of it invalidates
    /// where the safeguard is off.
    pub(super) fn made_for(&self, made_for: &MadeFor) -> Vec<KeyId> {
        let own = |key: &&AccessKey| !key.invalid && key.made_for.as_ref() == Some(made_for);
        self.keys.iter().filter(own).map(|key| key.id.clone()).collect()
    }

    /// Carries out a change of keys at `at`.
    ///
    /// # Errors
    /// It cannot follow on this state.
    pub(super) fn apply(&mut self, at: Timestamp, change: &Change) -> Result<(), Inapplicable> {
        match change {
            Change::KeyCreated { key, digest, scope, models, made_for } => {
                let Err(place) = self.place(key.as_str()) else {
                    return Err(Inapplicable::KeyTwice(key.clone()));
                };
                let new = AccessKey {
                    id: key.clone(),
                    scope: *scope,
                    models: models.as_deref().map(Arc::from),
                    digest: *digest,
                    replaced: Vec::new(),
                    made_for: made_for.clone(),
                    invalid: false,
                };
                self.keys.insert(place, new);
            }
            Change::KeyRegenerated { key, digest, grace, made_for } => {
                let key = self.key_mut(key)?;
                replace(key, at, *digest, *grace);
                key.made_for.clone_from(made_for);
                key.invalid = false;
            }
            Change::KeyRevoked { key } => {
                self.key_mut(key)?;
                self.keys.retain(|known| known.id != *key);
            }
            Change::KeysInvalidated { keys, .. } => {
                for key in keys {
                    self.key_mut(key)?.invalid = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn place(&self, id: &str) -> Result<usize, usize> {
        self.keys.binary_search_by(|key| key.id.as_str().cmp(id))
    }

    fn key_mut(&mut self, id: &KeyId) -> Result<&mut AccessKey, Inapplicable> {
        match self.place(id.as_str()) {
            Ok(place) => Ok(&mut self.keys[place]),
            Err(_) => Err(Inapplicable::UnknownKey(id.clone())),
        }
    }

    fn known(&self, id: &KeyId) -> Result<usize, CommandError> {
        self.place(id.as_str()).map_err(|_| {
            let known: Vec<_> = self.keys.iter().map(|key| key.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            CommandError::UnknownKey { id: id.clone(), known }
        })
    }
}

fn as_list<S: Serializer>(
    models: &Option<Arc<[ModelId]>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    models.as_deref().serialize(serializer)
}

/// The old secret, and those before it that are in their grace, stay valid for `grace` at most.
fn replace(key: &mut AccessKey, at: Timestamp, digest: Digest, grace: Duration) {
    let until = at + grace;
    key.replaced.retain(|(_, until)| *until > at);
    for (_, old) in &mut key.replaced {
        *old = (*old).min(until);
    }
    key.replaced.push((key.digest, until));
    key.digest = digest;
}

/// Whether two digests are the same, in a time that does not depend on how much of them is.
#[inline]
fn matches(known: &Digest, presented: &Digest) -> bool {
    let pairs = known.as_bytes().iter().zip(presented.as_bytes());
    let difference = pairs.fold(0, |difference, (known, other)| difference | (known ^ other));
    // Opaque to the optimizer, which could otherwise return at the first difference.
    std::hint::black_box(difference) == 0
}

/// How many replaced secrets of a key can be in their grace. Chosen: whoever regenerates more often
/// than that within one grace does not mean to wait for anybody.
const MAX_REPLACED: usize = 8;
/// How much of an unknown id is repeated.
const ID_SHOWN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_in_all_bytes_or_not_at_all() {
        let digest = Digest::of(b"secret");
        assert!(matches(&digest, &Digest::of(b"secret")));
        let text = digest.to_string();
        for place in 0..64 {
            let mut other: Vec<char> = text.chars().collect();
            other[place] = if other[place] == '0' { '1' } else { '0' };
            let other = Digest::try_from(other.iter().collect::<String>()).unwrap();
            assert!(!matches(&digest, &other), "digit {place}");
        }
    }
}
