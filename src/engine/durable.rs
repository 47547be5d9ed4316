//! Durable state: what a fold of the journal gives, and what an engine is restored from.

use std::collections::BTreeMap;

use serde::Serialize;

use super::canonical;
use super::keys::KeyRing;
use super::model_state::Occasion;
use super::{
    Cause, Change, CommandError, Digest, Entry, Inapplicable, KeyStatus, ModelState, NewKey,
    RuleSet, SealError, Sealed,
};
use crate::units::{ModelId, Timestamp};

/// All that a journal's entries leave behind: catalogs, weights, rules, rollouts, keys.
///
/// Windows, timers and counts of what is in flight are no part of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct DurableState {
    /// Those that an entry has changed.
    pub(super) models: BTreeMap<ModelId, ModelState>,
    pub(super) keys: KeyRing,
    /// Those of all models that have none of their own.
    pub(super) default_rules: RuleSet,
    /// How many entries there were.
    pub(super) entries: u64,
    /// The hash of the last of them; zeros before the first.
    pub(super) head: Digest,
    /// When the last of them took effect.
    pub(super) at: Option<Timestamp>,
}

/// A journal that cannot be trusted, and from where on.
#[derive(Debug, thiserror::Error)]
#[error("journal entry {place}: {fault}")]
pub struct BrokenJournal {
    /// The entry at fault, counted from 1. Those before it are sound.
    pub place: u64,
    /// What is wrong with it.
    pub fault: JournalFault,
}

/// What can be wrong with a journal entry.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    /// It was changed or cut off.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Entries are missing, or in another order.
    #[error("it has number {found}, not {expected}: entries are missing or out of order")]
    Number {
        /// Its number.
        found: u64,
        /// The number that follows the entry before it.
        expected: u64,
    },
    /// It does not follow on the entry before it.
    #[error("it follows on an entry with hash {found}; the one before it has {expected}")]
    Previous {
        /// The hash that it states.
        found: Digest,
        /// The hash of the entry before it.
        expected: Digest,
    },
    /// It took effect before the entry before it.
    #[error("it took effect at {found}, before the entry before it, at {before}")]
    Time {
        /// Its time.
        found: Timestamp,
        /// That of the entry before it.
        before: Timestamp,
    },
    /// It changes a model and names none.
    #[error("it names no model")]
    NoModel,
    /// Its change cannot follow on the state before it.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
}

impl DurableState {
    /// The state that these entries lead to, each as a store keeps it: its canonical bytes and its
    /// hash. The whole chain is verified.
    ///
    /// # Errors
    /// An entry was changed, cut off, left out, put in or moved, or does not follow on the ones
    /// before it. Nothing is skipped.
    pub fn fold<B: AsRef<[u8]>>(
        stored: impl IntoIterator<Item = (B, Digest)>,
    ) -> Result<Self, BrokenJournal> {
        let mut state = Self::default();
        for (bytes, hash) in stored {
            let place = state.entries + 1;
            let sealed = Sealed::read(bytes.as_ref(), hash).map_err(JournalFault::from);
            let followed = sealed.and_then(|sealed| state.follow(&sealed));
            followed.map_err(|fault| BrokenJournal { place, fault })?;
        }
        Ok(state)
    }

    /// The state in canonical form: equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(self)
    }

    /// How many entries led to it.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The hash of the last of them; zeros before the first.
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// The access keys as they stand at `now`, by id.
    pub fn keys(&self, now: Timestamp) -> Vec<KeyStatus> {
        self.keys.statuses(now)
    }

    /// The entry by which a key for all versions is made at `now`, or at the time of the last entry
    /// if that is later: for who has the journal and no engine.
    ///
    /// # Errors
    /// There is a key of this name.
    pub fn with_key(&self, now: Timestamp, by: &str, new: &NewKey) -> Result<Sealed, CommandError> {
        let NewKey { id, digest, scope, models, .. } = new;
        if self.keys.statuses(now).iter().any(|key| key.id == *id) {
            return Err(CommandError::KeyExists(id.clone()));
        }
        let (key, models) = (id.clone(), models.clone());
        let (digest, scope) = (*digest, *scope);
        Ok(Sealed::new(Entry {
            number: self.entries + 1,
            at: self.at.map_or(now, |at| at.max(now)),
            model: None,
            cause: Cause::Command { by: by.to_owned() },
            change: Change::KeyCreated { key, digest, scope, models, made_for: None },
            previous: self.head,
        }))
    }

    /// The state after one entry more: folds a journal as it comes.
    ///
    /// # Errors
    /// The entry does not follow on the ones before it. The state is of no use then.
    pub fn follow(&mut self, sealed: &Sealed) -> Result<(), JournalFault> {
        let entry = sealed.entry();
        let (found, expected) = (entry.number, self.entries + 1);
        if found != expected {
            return Err(JournalFault::Number { found, expected });
        }
        let (found, expected) = (entry.previous, self.head);
        if found != expected {
            return Err(JournalFault::Previous { found, expected });
        }
        if let Some(before) = self.at.filter(|before| entry.at < *before) {
            return Err(JournalFault::Time { found: entry.at, before });
        }
        let occasion = Occasion { entry: entry.number, at: entry.at, cause: &entry.cause };
        if entry.change.is_of_keys() {
            self.keys.apply(entry.at, &entry.change)?;
        } else if let Change::DefaultRules { rules } = &entry.change {
            self.default_rules.clone_from(rules);
            for model in self.models.values_mut() {
                model.apply(occasion, &entry.change)?;
            }
        } else {
            let model = entry.model.clone().ok_or(JournalFault::NoModel)?;
            let state = self.models.entry(model);
            let state = state.or_insert_with(|| ModelState::following(&self.default_rules));
            state.apply(occasion, &entry.change)?;
        }
        self.entries = entry.number;
        self.head = sealed.hash();
        self.at = Some(entry.at);
        Ok(())
    }
}
