//! A URL that is a secret: whoever knows it can use it. Shows its host alone.

use std::fmt;

use http::Uri;

use super::endpoint_url::{UrlError, origin, uri};

/// An `http` or `https` URL with a host, without user and fragment, whose path and query are a
/// secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Uri);

impl SecretUrl {
    /// `text`, checked.
    ///
    /// # Errors
    /// It is no URL, of another scheme than http and https, or has a user or a fragment.
    pub fn new(text: &str) -> Result<Self, UrlError> {
        uri(text).map(Self)
    }

    /// The whole URL, to be used and not to be shown.
    pub const fn expose(&self) -> &Uri {
        &self.0
    }

    /// Scheme, host and port, which are no secret.
    pub fn origin(&self) -> String {
        origin(&self.0)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/...", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_url_is_kept_and_not_shown() {
        let url = SecretUrl::new("https://hooks.example/services/T0/s3cret?token=s3cret").unwrap();
        assert_eq!(
            url.expose().to_string(),
            "https://hooks.example/services/T0/s3cret?token=s3cret"
        );
        assert_eq!(format!("{url:?} {}", url.origin()).matches("s3cret").count(), 0);
        assert_eq!(url.origin(), "https://hooks.example");
    }

    #[test]
    fn what_is_wrong_with_a_secret_url_does_not_tell_it() {
        for text in [
            "https://a b/s3cret",
            "s3://s3cret",
            "hooks.example/s3cret",
            "https://hooks.example:x/s3cret",
        ] {
            let error = SecretUrl::new(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
