//! To which gateway a command goes, and with which access key. Knows no request.

use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Url;

use super::shared_arguments::OutputFormat;
use super::shared_arguments::duration;
use super::terminal::Failure;
use crate::units::Duration;

// No argument takes the key itself: it would stand in the list of processes and in the history of
// the shell.
#[derive(Clone, Debug, Args)]
pub(super) struct ConnectionArguments {
    /// Where the gateway is reached [default: what COALMINE_URL says, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", global = true)]
    pub(super) url: Option<String>,
    /// The file that holds the access key [default: the key is what COALMINE_KEY says]
    #[arg(long, value_name = "PATH", global = true)]
    pub(super) key_file: Option<PathBuf>,
    /// How long an answer may take, and how long a lost stream of events is tried again
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, global = true)]
    pub(super) timeout: Duration,
    /// What is printed: text for people, or the gateway's answer as it is
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, global = true)]
    pub(super) format: OutputFormat,
}

/// Where a gateway is, and who asks it.
#[derive(Clone)]
pub(super) struct Connection {
    /// Without a slash at its end.
    pub(super) url: Url,
    pub(super) key: String,
    /// Where the key came from, for whoever is told that it is refused.
    pub(super) key_source: String,
    pub(super) timeout: Duration,
}

impl Connection {
    /// The connection that the command line and the environment say.
    pub(super) fn of(arguments: &ConnectionArguments) -> Result<Self, Failure> {
        let (url, url_source) = match &arguments.url {
            Some(url) => (url.clone(), "--url"),
            None => match variable(URL_VARIABLE)? {
                Some(url) => (url, URL_VARIABLE),
                None => (DEFAULT_URL.to_owned(), "the default"),
            },
        };
        let url = read_url(&url)
            .map_err(|why| Failure::usage(format!("error: {url_source} is {url:?}: {why}")))?;
        let (key, key_source) = read_key(arguments.key_file.as_deref())?;
        Ok(Self { url, key, key_source, timeout: arguments.timeout })
    }
}

/// The access key that a file holds, or else the environment, and where it came from.
pub(super) fn read_key(key_file: Option<&Path>) -> Result<(String, String), Failure> {
    let (key, source) = match key_file {
        Some(path) => {
            let source = format!("the file {}", path.display());
            let key = std::fs::read_to_string(path).map_err(|error| {
                Failure::input(format!("error: cannot read the access key from {source}: {error}"))
            })?;
            (key, source)
        }
        None => {
            let key = variable(KEY_VARIABLE)?.ok_or_else(|| {
                Failure::usage(format!(
                    "error: there is no access key: {KEY_VARIABLE} is not set\n  help: set it, or \
                     name a file that holds the key with --key-file; the first start of a gateway \
                     prints one"
                ))
            })?;
            (key, KEY_VARIABLE.to_owned())
        }
    };
    let key = key.trim();
    // It is not shown: whatever stands there may be a secret.
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let words = format!(
            "error: {source} holds no access key: allowed is one word of visible ASCII characters, \
             <id>.<secret>"
        );
        let is_of_file = key_file.is_some();
        return Err(if is_of_file { Failure::input(words) } else { Failure::usage(words) });
    }
    Ok((key.to_owned(), source))
}

/// What a variable of the environment says; `None`: it is not set, or empty.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = value.into_string();
    text.map(Some).map_err(|_| Failure::usage(format!("error: {name} is no text in UTF-8")))
}

/// The URL of a gateway, without a slash at its end; or why it is none.
pub(super) fn read_url(text: &str) -> Result<Url, String> {
    const ALLOWED: &str =
        "allowed are URLs such as http://127.0.0.1:8080 or https://gateway.internal";
    let meant = || match text.contains("://") {
        true => String::new(),
        false => format!("; did you mean http://{text}?"),
    };
    let mut url = Url::parse(text).map_err(|error| format!("{error}; {ALLOWED}{}", meant()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{ALLOWED}{}", meant()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("it has a user name or password; {ALLOWED}, and the key elsewhere"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it has a query or a fragment; {ALLOWED}"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

const URL_VARIABLE: &str = "COALMINE_URL";
pub(super) const KEY_VARIABLE: &str = "COALMINE_KEY";
/// Where a gateway listens whose configuration does not say.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_of_http_and_has_neither_user_nor_query() {
        assert_eq!(read_url("http://127.0.0.1:8080/").unwrap().as_str(), "http://127.0.0.1:8080/");
        let below = read_url("https://host/gateways/one/").unwrap();
        assert_eq!(below.path(), "/gateways/one");
        for (wrong, told) in [
            ("localhost:8080", "did you mean http://localhost:8080?"),
            ("127.0.0.1:8080", "did you mean http://127.0.0.1:8080?"),
            ("ftp://host", "allowed are URLs"),
            ("http://user:word@host", "user name"),
            ("http://host/?a=1", "query"),
            ("", "allowed are URLs"),
        ] {
            let why = read_url(wrong).unwrap_err();
            assert!(why.contains(told), "{wrong}: {why}");
        }
    }
}
