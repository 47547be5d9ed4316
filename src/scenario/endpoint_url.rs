//! The URL of a server: scheme, host, port and path, and nothing that could hold a secret or a
//! request. Opens no connection and resolves no name.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use super::quote::quote;

/// An `http` or `https` URL with a host, without user, query and fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointUrl(Uri);

/// Why a text is no URL of a server.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlError {
    /// It is of no scheme that is spoken.
    #[error("{found} is of no known scheme: a URL begins with http:// or https://")]
    Scheme {
        /// What was found, in quotes.
        found: String,
    },
    /// It is none.
    #[error("{found} is no URL: {reason}")]
    Form {
        /// What was found, in quotes.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It has a user or a password in it.
    #[error("a URL with a user or a password in it: neither is sent")]
    UserInfo,
    /// It says more than where the server is.
    #[error("the URL has a {part}: allowed are scheme, host, port and path")]
    Beyond {
        /// What it has.
        part: &'static str,
    },
}

impl EndpointUrl {
    /// `text`, checked.
    ///
    /// # Errors
    /// It is no URL, of another scheme than http and https, or has a user, a query or a fragment.
    pub fn new(text: &str) -> Result<Self, UrlError> {
        if text.contains('?') {
            return Err(UrlError::Beyond { part: "query" });
        }
        uri(text).map(Self)
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == Some(&Scheme::HTTPS)
    }

    /// Its host: a name or an address, the latter of IPv6 in brackets.
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    /// Whether its host is this machine, by its name or address.
    pub fn is_local(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Its port, that of its scheme where it says none.
    pub fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or_else(|| if self.is_secure() { 443 } else { 80 })
    }

    /// Host and port as the header `Host` has them: the port only where it is written.
    pub fn authority(&self) -> &str {
        self.0.authority().map_or("", |authority| authority.as_str())
    }

    /// Its path, without a slash at its end; empty where it has none.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Scheme, host and port: what of a URL may be shown where its path is a secret.
    pub fn origin(&self) -> String {
        origin(&self.0)
    }
}

impl fmt::Display for EndpointUrl {
    /// Without a slash at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path())
    }
}

/// `text` as an absolute URI of http or https with a host and without a user and a fragment.
pub(crate) fn uri(text: &str) -> Result<Uri, UrlError> {
    let authority = match text.split_once("://") {
        Some((scheme, rest))
            if ["http", "https"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) =>
        {
            rest.split(['/', '?', '#']).next().unwrap_or_default()
        }
        // The rest may be a secret all the same.
        Some((scheme, _)) => {
            let found = quote(&format!("{scheme}://"));
            return Err(UrlError::Scheme { found });
        }
        None => {
            let host = text.split(['/', '?', '#']).next().unwrap_or_default();
            return Err(UrlError::Scheme { found: quote(host) });
        }
    };
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    if text.contains('#') {
        return Err(UrlError::Beyond { part: "fragment" });
    }
    let of = |reason| UrlError::Form { found: quote(authority), reason };
    if authority.is_empty() || authority.starts_with(':') {
        return Err(of("it has no host"));
    }
    if let Some((_, port)) = authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        match port.parse::<u16>() {
            Ok(1..) => {}
            _ => return Err(of("its port is not a number from 1 to 65535")),
        }
    }
    let parsed: Uri = text.parse().map_err(|_| of("it has a character that no URL has"))?;
    let host = parsed.host().unwrap_or_default();
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<IpAddr>().is_ok());
    if !is_address && !is_name(host) {
        return Err(of("its host is no name and no address"));
    }
    Ok(parsed)
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
}

/// Whether `host` can be the name of a host, or an address of IPv4: RFC 1123, 2.1, and underscores,
/// which the names of containers have.
pub(crate) fn is_name(host: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = EndpointUrl::new("https://api.openai.com/v1/").unwrap();
        assert_eq!((url.is_secure(), url.host(), url.port()), (true, "api.openai.com", 443));
        assert_eq!((url.authority(), url.path()), ("api.openai.com", "/v1"));
        assert_eq!(url.to_string(), "https://api.openai.com/v1");
        let url = EndpointUrl::new("HTTP://[::1]:8000").unwrap();
        assert_eq!((url.is_secure(), url.host(), url.port()), (false, "[::1]", 8000));
        assert_eq!((url.authority(), url.path(), url.is_local()), ("[::1]:8000", "", true));
        assert_eq!(url.to_string(), "http://[::1]:8000");
    }

    #[test]
    fn this_machine_is_known_by_name_and_address() {
        for (url, local) in [
            ("http://localhost", true),
            ("http://127.0.0.2:1", true),
            ("http://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(EndpointUrl::new(url).unwrap().is_local(), local, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_with_the_reason() {
        for (text, message) in [
            ("api.openai.com", "\"api.openai.com\" is of no known scheme"),
            ("ftp://secret.example", "\"ftp://\" is of no known scheme"),
            ("https://", "it has no host"),
            ("https://:80/", "it has no host"),
            ("https://a:0/", "its port is not a number from 1 to 65535"),
            ("https://a:65536", "its port is not a number from 1 to 65535"),
            ("https://a:", "its port is not a number from 1 to 65535"),
            ("https://a b/", "it has a character that no URL has"),
            ("https://a..b/", "its host is no name and no address"),
            ("https://[::g]/", "no URL"),
            ("https://me:secret@a/", "a URL with a user or a password in it"),
            ("https://a/?key=secret", "the URL has a query"),
            ("https://a/#x", "the URL has a fragment"),
        ] {
            let error = EndpointUrl::new(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
