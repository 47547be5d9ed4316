//! Where requests go. Opens no connection and resolves no name.

use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// The version of HTTP that is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Http {
    /// HTTP/1.1: each request that is under way has a connection to itself.
    #[default]
    One,
    /// HTTP/2, agreed on by TLS or else without asking ("prior knowledge"): the requests of a
    /// thread share a connection.
    Two,
}

impl Http {
    /// Its number.
    pub const fn number(self) -> &'static str {
        match self {
            Self::One => "1.1",
            Self::Two => "2",
        }
    }
}

/// Where requests go, and how.
///
/// ```
/// use coalmine::load::Target;
/// let target = Target::new("http://127.0.0.1:8080").unwrap();
/// assert_eq!(target.to_string(), "http://127.0.0.1:8080/v1/chat/completions");
/// assert!(Target::new("127.0.0.1:8080").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    scheme: Scheme,
    authority: Authority,
    path: PathAndQuery,
    pub(super) http: Http,
    pub(super) tls: Option<rustls::ClientConfig>,
}

/// Why a text is no target. None shows a user or a query, which may be secrets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// It does not begin with a scheme that is spoken.
    #[error(
        "the URL must begin with http:// or https://, such as http://127.0.0.1:8080/v1{}",
        meant.as_deref().map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
    )]
    Scheme {
        /// What was meant, perhaps.
        meant: Option<String>,
    },
    /// It has a user or a password.
    #[error("the URL has a user or a password in it, which are not sent: give the key elsewhere")]
    User,
    /// It has a fragment.
    #[error("the URL has a fragment (#...), which no server sees: leave it out")]
    Fragment,
    /// It is no URL.
    #[error("the URL cannot be read: {reason}")]
    Form {
        /// What is wrong with it.
        reason: String,
    },
}

impl Target {
    /// The server at a URL of http or https, asked over HTTP/1.1. Where the URL has no path, or
    /// one that ends in `/v1`, that of chat completions is added; any other is taken as it is.
    ///
    /// # Errors
    /// It is no such URL.
    pub fn new(text: &str) -> Result<Self, TargetError> {
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            let meant = (!text.is_empty() && !text.contains("://") && !text.contains('@'))
                .then(|| format!("http://{}", text.split('?').next().unwrap_or_default()));
            return Err(TargetError::Scheme { meant });
        }
        if text.contains('#') {
            return Err(TargetError::Fragment);
        }
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        if rest.split(['/', '?']).next().is_some_and(|authority| authority.contains('@')) {
            return Err(TargetError::User);
        }
        let form = |reason: String| TargetError::Form { reason };
        let uri: Uri =
            text.parse().map_err(|error: http::uri::InvalidUri| form(error.to_string()))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(form("it has no host".to_owned()));
        };
        if authority.host().is_empty() {
            return Err(form("it has no host".to_owned()));
        }
        let port = &authority.as_str()[authority.host().len()..];
        if !port.is_empty() && !matches!(authority.port_u16(), Some(1..)) {
            return Err(form("its port is not a number from 1 to 65535".to_owned()));
        }
        let path = parts.path_and_query.as_ref().map_or("/", |path| path.as_str());
        let path = chat_path(path).parse().map_err(|_| form("its path".to_owned()))?;
        Ok(Self { scheme, authority, path, http: Http::One, tls: None })
    }

    /// Asked over this version of HTTP.
    #[must_use]
    pub fn over(self, http: Http) -> Self {
        Self { http, ..self }
    }

    /// With these settings of TLS: whom is trusted above all. Without any nobody is.
    #[must_use]
    pub fn with_tls(self, tls: rustls::ClientConfig) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The version of HTTP that is spoken.
    pub const fn http(&self) -> Http {
        self.http
    }

    /// Whom connections are made to.
    pub(super) fn origin(&self) -> Uri {
        self.uri(PathAndQuery::from_static("/"))
    }

    /// What requests of this version of HTTP ask for.
    pub(super) fn request_uri(&self) -> Uri {
        match self.http {
            Http::One => Uri::from(self.path.clone()),
            Http::Two => self.uri(self.path.clone()),
        }
    }

    /// What the header `Host` says.
    pub(super) fn host(&self) -> &str {
        self.authority.as_str()
    }

    fn uri(&self, path: PathAndQuery) -> Uri {
        let builder = Uri::builder().scheme(self.scheme.clone());
        let built = builder.authority(self.authority.clone()).path_and_query(path).build();
        built.expect("scheme, authority and path make a URI")
    }
}

impl fmt::Display for Target {
    /// Without the query, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path.path())
    }
}

/// The path of chat completions below `path`, or `path` where it is another than that of an API.
fn chat_path(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(a, b)| (a, Some(b)));
    let bare = path.trim_end_matches('/');
    let path = if bare.is_empty() {
        "/v1/chat/completions".to_owned()
    } else if bare.ends_with("/v1") {
        format!("{bare}/chat/completions")
    } else {
        path.to_owned()
    };
    query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_gets_the_path_of_chat_completions_and_others_keep_theirs() {
        for (text, path) in [
            ("http://a", "/v1/chat/completions"),
            ("http://a/", "/v1/chat/completions"),
            ("HTTPS://a:9/v1", "/v1/chat/completions"),
            ("http://a/team/v1/", "/team/v1/chat/completions"),
            ("http://a/v1/chat/completions", "/v1/chat/completions"),
            ("http://a/openai/deployments/x?api-version=1", "/openai/deployments/x?api-version=1"),
        ] {
            let target = Target::new(text).unwrap();
            assert_eq!(target.request_uri().to_string(), path, "{text}");
            assert!(target.over(Http::Two).request_uri().to_string().ends_with(path));
        }
    }

    #[test]
    fn what_is_no_target_says_why_and_shows_no_secret() {
        for (text, told) in [
            ("localhost:8080", "did you mean http://localhost:8080?"),
            ("ftp://a", "http:// or https://"),
            ("", "http:// or https://"),
            ("http://", "cannot be read"),
            ("http://me:secret@a/", "a user or a password"),
            ("http://a/#secret", "fragment"),
            ("http://a:0/", "port"),
            ("http://a:/", "port"),
            ("http://a:99999/", "cannot be read"),
            ("http://a b/", "cannot be read"),
            ("me:secret@a", "http:// or https://"),
        ] {
            let error = Target::new(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains("secret"), "{text}: {error}");
        }
        let shown = Target::new("https://a/x?key=secret").unwrap().to_string();
        assert_eq!(shown, "https://a/x");
    }
}
