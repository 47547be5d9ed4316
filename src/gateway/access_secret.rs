//! Access keys as clients hold them: `<id>.<secret>`. Made here, where there is a generator; the
//! engine knows digests alone.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::engine::Digest;
use crate::units::KeyId;
use crate::wire::ApiError;

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
    /// The key of a request's `Authorization: Bearer`.
    ///
    /// # Errors
    /// It has none or one of another form (401); or several headers of that name, of which each who
    /// reads it could take another (400).
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, ApiError> {
        let count = headers.get_all(AUTHORIZATION).iter().count();
        if count > 1 {
            let words = format!("the header Authorization stands {count} times; allowed is once");
            return Err(ApiError::invalid("Authorization", words));
        }
        let Some(value) = headers.get(AUTHORIZATION) else { return Err(no_key()) };
        Self::of_value(value).ok_or_else(strange_key)
    }

    fn of_value(value: &'a HeaderValue) -> Option<Self> {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        // Ids can have dots.
        let (id, secret) = key.trim().rsplit_once('.')?;
        Some(Self { id, secret: Digest::of(secret.as_bytes()) })
    }
}

/// What is said where there is no access key.
fn no_key() -> ApiError {
    ApiError::invalid_api_key(
        "no access key: send the header `Authorization: Bearer <key>` with a key of this gateway",
    )
}

/// What is said of what never was a key of any gateway: most often it is a provider's.
fn strange_key() -> ApiError {
    ApiError::invalid_api_key(
        "what was sent is no access key of this gateway: those read `<id>.<secret>`, are sent as \
         `Authorization: Bearer <key>`, and are made by `coalmine keys create`; the key of a \
         provider belongs into the gateway's configuration",
    )
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
            assert_eq!(Presented::of(&headers(value)).unwrap_err().status, 401, "{value}");
        }
        let message = |headers: &HeaderMap| Presented::of(headers).unwrap_err().message;
        assert!(message(&headers("Bearer sk-provider")).contains("`coalmine keys create`"));
        assert_eq!(Presented::of(&HeaderMap::new()).unwrap_err().status, 401);
        assert!(message(&HeaderMap::new()).starts_with("no access key"));
        let twice = ["Bearer a.b", "Bearer a.b"];
        let twice = twice.map(|value| (AUTHORIZATION, value.parse().unwrap()));
        let refused = Presented::of(&HeaderMap::from_iter(twice)).unwrap_err();
        assert_eq!((refused.status, refused.param.as_deref()), (400, Some("Authorization")));
    }
}
