//! The address of a webhook, which is a secret: whoever knows it can write to it. Sends nothing.

use std::fmt;

use reqwest::Url;

/// The address of a webhook: `http` or `https`, with a host. Shown with scheme and host only.
///
/// ```
/// use coalmine::notify::WebhookUrl;
/// let url = WebhookUrl::new("https://hooks.slack.com/services/T0/B0/secret").unwrap();
/// assert_eq!(url.to_string(), "https://hooks.slack.com");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// Why a text is no address of a webhook. The text is not shown: it may be a secret misspelt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoWebhook {
    /// It is no URL.
    #[error("the webhook's address is no URL (its text is kept secret)")]
    NoUrl,
    /// It has another scheme.
    #[error("the webhook's address must begin with http:// or https:// (its text is kept secret)")]
    Scheme,
}

impl WebhookUrl {
    /// The address that `text` is.
    ///
    /// # Errors
    /// It is no URL, or neither `http` nor `https`.
    pub fn new(text: &str) -> Result<Self, NoWebhook> {
        let url = Url::parse(text.trim()).map_err(|_| NoWebhook::NoUrl)?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(Self(url)),
            _ => Err(NoWebhook::Scheme),
        }
    }

    /// The whole address: for the client that sends to it, for nothing else.
    pub(super) const fn secret(&self) -> &Url {
        &self.0
    }
}

/// Scheme and host.
impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_scheme_and_host_are_shown() {
        let url = WebhookUrl::new("https://user:pass@hooks.example.com:8443/a/b?token=c#d");
        let url = url.unwrap();
        assert_eq!(format!("{url} {url:?}"), "https://hooks.example.com https://hooks.example.com");
        assert_eq!(url.secret().path(), "/a/b");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for (text, error) in [
            ("", NoWebhook::NoUrl),
            ("hooks.slack.com/services/secret", NoWebhook::NoUrl),
            ("http://", NoWebhook::NoUrl),
            ("https://[secret/x", NoWebhook::NoUrl),
            ("ftp://secret.example.com/x", NoWebhook::Scheme),
            ("mailto:secret@example.com", NoWebhook::Scheme),
            ("file:///secret", NoWebhook::Scheme),
        ] {
            let found = WebhookUrl::new(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("example") && !found.to_string().contains("/x"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), rest in any::<String>()) {
            drop(WebhookUrl::new(&text));
            if let Ok(url) = WebhookUrl::new(&format!("https://{rest}")) {
                drop(url.to_string());
            }
        }
    }
}
