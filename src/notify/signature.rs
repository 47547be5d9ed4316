//! The signature of a webhook's messages: who receives one can tell that it comes from a gateway
//! that has the secret, that nothing in it was changed, and when it was sent. Sends nothing.
//!
//! HMAC-SHA256 (RFC 2104, FIPS 198-1) over the instant, a full stop and the body, so that a message
//! that was overheard cannot be sent again much later: the scheme of Stripe's webhooks.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::units::Timestamp;

/// The secret by which messages are signed. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

/// Where the present instant comes from: a signature says when it was made.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl SigningSecret {
    /// The secret that `text` is, to the byte.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value of the header for a `body` that is sent at `at`: `t=<Unix time in seconds>,
    /// v1=<64 hexadecimal digits>`, without a blank.
    ///
    /// ```
    /// use coalmine::notify::SigningSecret;
    /// use coalmine::units::Timestamp;
    /// let header = SigningSecret::new("secret").sign(Timestamp::from_second(7), b"{}");
    /// assert!(header.starts_with("t=7,v1="));
    /// ```
    pub fn sign(&self, at: Timestamp, body: &[u8]) -> String {
        let second = at.second();
        let digits = self.mac(&[second.to_string().as_bytes(), b".", body]);
        format!("t={second},v1={digits}")
    }

    fn mac(&self, parts: &[&[u8]]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

impl Now {
    /// What `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(super) fn get(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now(..)")
    }
}

/// The header that carries it.
pub(super) const SIGNATURE: &str = "x-coalmine-signature";

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, sections 4.3 and 4.4: those of its keys that are text, and the block of one byte.
    #[test]
    fn the_mac_is_that_of_the_rfcs_test_vectors() {
        let jefe = SigningSecret::new("Jefe").mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(jefe, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let key = SigningSecret::new(&"\u{b}".repeat(20)).mac(&[b"Hi There"]);
        assert_eq!(key, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    /// Computed with Python: `hmac.new(b"s3cret", b'1700000000.{"id":"1"}', "sha256").hexdigest()`.
    #[test]
    fn a_signature_covers_the_second_and_the_body() {
        let secret = SigningSecret::new("s3cret");
        let at = Timestamp::from_second(1_700_000_000);
        let signed = secret.sign(at, br#"{"id":"1"}"#);
        assert_eq!(
            signed,
            "t=1700000000,v1=2b9dee6c893e4bf012ad34ee7b89d492b9567b4f47740ccbf0f161ba3717dc08"
        );
        assert_ne!(secret.sign(at, br#"{"id":"2"}"#).split_once(','), signed.split_once(','));
        assert_eq!(format!("{secret:?}"), "SigningSecret(..)");
    }
}
