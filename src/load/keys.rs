//! The access keys that requests are sent with. They can be replaced while a load is generated, as
//! those of clients are that are given new ones.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use http::header::AUTHORIZATION;

use super::message_error::MessageError;

/// The access keys of clients, by their numbers; one alone is for all. Clones are the same keys,
/// and nothing shows them.
#[derive(Clone, Default)]
pub struct Keys(Arc<RwLock<Vec<HeaderValue>>>);

impl Keys {
    /// These.
    ///
    /// # Errors
    /// One has a character that no header may have.
    pub(super) fn new(keys: &[String]) -> Result<Self, MessageError> {
        let keys = keys.iter().map(|key| authorization(key)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(RwLock::new(keys))))
    }

    /// From now on the requests of a client have this key. A client without any goes on without.
    ///
    /// # Errors
    /// It has a character that no header may have.
    pub fn replace(&self, client: u16, key: &str) -> Result<(), MessageError> {
        let new = authorization(key)?;
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get_mut(usize::from(client)) {
            *key = new;
        }
        Ok(())
    }

    /// What the requests of a client have.
    pub(super) fn of(&self, client: u16) -> Option<HeaderValue> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(usize::from(client)).or_else(|| keys.first()).cloned()
    }
}

impl fmt::Debug for Keys {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn authorization(key: &str) -> Result<HeaderValue, MessageError> {
    let mut value = HeaderValue::try_from(format!("Bearer {key}"))
        .map_err(|_| MessageError::HeaderValue { name: AUTHORIZATION.to_string() })?;
    value.set_sensitive(true);
    Ok(value)
}
