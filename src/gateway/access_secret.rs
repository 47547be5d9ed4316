//! Access keys as clients hold them: `<id>.<secret>`. Made here, where there is a generator; the
//! engine knows digests alone.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::engine::Digest;
use crate::units::KeyId;

/// An access key with its secret, to be shown once.
pub(super) struct AccessSecret {
    id: KeyId,
    secret: String,
}

/// What a client presents.
#[derive(Debug)]
pub(super) struct Presented<'a> {
    pub(super) id: &'a str,
    pub(super) secret: Digest,
}

impl AccessSecret {
    /// A new secret of 256 random bits for the key `id`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(super) fn new(id: KeyId) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let secret = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, secret })
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.secret.as_bytes())
    }

    /// What the client is to present.
    pub(super) fn to_text(&self) -> String {
        format!("{}.{}", self.id, self.secret)
    }
}

/// Without the secret.
impl fmt::Debug for AccessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> Presented<'a> {
    /// The key of a request's `Authorization: Bearer`; `None`: it has none, one of another form, or
    /// several, of which each who reads it could take another.
    pub(super) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
        let (scheme, key) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        // Ids can have dots.
        let (id, secret) = key.trim().rsplit_once('.')?;
        Some(Self { id, secret: Digest::of(secret.as_bytes()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn what_is_made_is_read_back() {
        let made = AccessSecret::new(KeyId::new("team.a-1").unwrap()).unwrap();
        let headers = headers(&format!("bearer  {}", made.to_text()));
        let presented = Presented::of(&headers).unwrap();
        assert_eq!((presented.id, presented.secret), ("team.a-1", made.digest()));
        assert!(!format!("{made:?}").contains(&made.secret));
        let other = AccessSecret::new(KeyId::new("team.a-1").unwrap()).unwrap();
        assert_ne!(other.digest(), made.digest());
    }

    #[test]
    fn what_is_no_key_is_none() {
        for value in ["", "Bearer", "Bearer ", "Bearer key", "Basic a.b", "a.b"] {
            assert!(Presented::of(&headers(value)).is_none(), "{value}");
        }
        assert!(Presented::of(&HeaderMap::new()).is_none());
    }
}
