//! What one value of a document may be, and why one is not.
//!
//! Knows one value at a time: what depends on several is checked when the plan is made.

use std::net::{IpAddr, SocketAddr};

use http::HeaderName;

use crate::metric::Metric;
use crate::units::{
    Duration, KeyId, ModelId, Money, Quota, Rate, Ratio, TagName, Timestamp, Tokens, VersionId,
    parse_requests,
};

use super::endpoint_url::{EndpointUrl, UrlError, is_name};
use super::quote::quote;
use super::secret_url::SecretUrl;
use super::suggest::{listing, nearest};
use super::tree::Scalar;

/// What one value may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Literal {
    /// `250ms`
    Duration,
    /// `5%` or `0.05`
    Ratio,
    /// `25/s`
    Rate,
    /// `0.008 USD`
    Money,
    /// `512 tokens` or `512`
    Tokens,
    /// `500 requests` or `500`
    Requests,
    /// `2024-03-15T11:00:00Z`
    Timestamp,
    /// `500/m`
    Quota,
    /// A figure in the unit of its metric: any of the above.
    Figure,
    /// A whole number in this range.
    Integer(u64, u64),
    /// A number in this range.
    Number(f64, f64),
    /// `true` or `false`
    Bool,
    /// Any text but an empty one.
    Text,
    /// A name that can be that of a folder.
    Slug,
    /// The id of a model.
    Model,
    /// The id of a version.
    Version,
    /// The name of a tag.
    Tag,
    /// The name of an access key.
    Key,
    /// The name of a metric.
    Metric,
    /// An HTTP status of a failure.
    Status,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The path of a file, relative to the one that it stands in.
    Path,
    /// The name of a var.
    Variable,
    /// The name of an environment variable.
    Environment,
    /// `127.0.0.1:8080`
    Address,
    /// `https://api.openai.com/v1`
    Url,
    /// A URL that is a secret.
    SecretUrl,
    /// The name of a host, or its address.
    Host,
    /// The name of a header of HTTP.
    Header,
    /// The name of an upstream of a gateway.
    Upstream,
    /// Any single value.
    Any,
}

/// Why a value is not of a literal's kind.
pub(crate) struct Refusal {
    /// What was found and what is allowed.
    pub(crate) message: String,
    /// What was probably meant.
    pub(crate) suggestion: Option<String>,
}

impl Literal {
    /// Whether `scalar` is one.
    ///
    /// # Errors
    /// It is not: with what is allowed instead.
    pub(crate) fn check(self, scalar: &Scalar) -> Result<(), Refusal> {
        let text = scalar.text.as_str();
        match self {
            Self::Duration => literal(Duration::parse(text)),
            Self::Ratio => literal(Ratio::parse(text)),
            Self::Rate => literal(Rate::parse(text)),
            Self::Quota => literal(Quota::parse(text)),
            Self::Money => literal(Money::parse(text)),
            Self::Tokens => literal(Tokens::parse(text)),
            Self::Requests => literal(parse_requests(text)),
            Self::Timestamp => literal(text.parse::<Timestamp>()),
            Self::Integer(least, most) => integer(scalar, least, most),
            Self::Number(least, most) => number(scalar, least, most),
            Self::Bool => boolean(scalar),
            Self::Text | Self::Path | Self::Figure => plain_text(scalar),
            Self::Slug => slug(text),
            Self::Model => name(ModelId::new(text)),
            Self::Version => name(VersionId::new(text)),
            Self::Tag => name(TagName::new(text)),
            Self::Key => name(KeyId::new(text)),
            Self::Metric => metric(text),
            Self::Status => match text.parse::<u16>() {
                Ok(400..=599) if text.len() == 3 => Ok(()),
                _ => refuse(format!(
                    "{} is no HTTP status of a failure: write 400 to 599",
                    quote(text)
                )),
            },
            Self::Word(words) => word(text, words),
            Self::Variable => variable(text),
            Self::Environment => environment(text),
            Self::Address => address(text),
            Self::Url => url(EndpointUrl::new(text)),
            Self::SecretUrl => url(SecretUrl::new(text)),
            Self::Host => host(text),
            Self::Header => header(text),
            Self::Upstream => upstream(text),
            Self::Any => Ok(()),
        }
    }

    /// What it is, in a few words.
    pub(crate) const fn wanted(self) -> &'static str {
        match self {
            Self::Duration => "a duration such as 250ms",
            Self::Ratio => "a ratio such as 5%",
            Self::Rate => "a rate such as 25/s",
            Self::Quota => "a quota such as 500/m",
            Self::Money => "an amount of money such as 0.008 USD",
            Self::Tokens => "a number of tokens such as 512",
            Self::Requests => "a number of requests such as 500",
            Self::Timestamp => "a point in time such as 2024-03-15T11:00:00Z",
            Self::Figure => "a figure with its unit",
            Self::Integer(..) => "a whole number",
            Self::Number(..) => "a number",
            Self::Bool => "true or false",
            Self::Text => "a text",
            Self::Slug => "a short name",
            Self::Model => "the name of a model",
            Self::Version => "the name of a version",
            Self::Tag => "a tag",
            Self::Key => "the name of an access key",
            Self::Metric => "the name of a metric",
            Self::Status => "an HTTP status",
            Self::Word(_) => "a word",
            Self::Path => "the path of a file",
            Self::Variable => "the name of a var",
            Self::Environment => "the name of an environment variable",
            Self::Address => "an address such as 127.0.0.1:8080",
            Self::Url | Self::SecretUrl => "a URL such as https://example.com/v1",
            Self::Host => "the name of a host",
            Self::Header => "the name of a header",
            Self::Upstream => "the name of an upstream",
            Self::Any => "a single value",
        }
    }
}

fn literal<T>(parsed: Result<T, crate::units::LiteralError>) -> Result<(), Refusal> {
    parsed.map(drop).map_err(|error| Refusal {
        message: error.to_string(),
        suggestion: error.suggestion().map(str::to_owned),
    })
}

fn name<T>(checked: Result<T, crate::units::NameError>) -> Result<(), Refusal> {
    checked.map(drop).or_else(|error| refuse(error.to_string()))
}

fn refuse(message: String) -> Result<(), Refusal> {
    Err(Refusal { message, suggestion: None })
}

fn integer(scalar: &Scalar, least: u64, most: u64) -> Result<(), Refusal> {
    let text = scalar.text.as_str();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = text.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number));
    if digits && fits && scalar.quoted {
        let message = format!("{text:?} is a text: write the number without quotes");
        return Err(Refusal { message, suggestion: Some(text.to_owned()) });
    }
    // A leading zero means octal to some readers of YAML and decimal to others.
    let plain = digits && (text == "0" || !text.starts_with('0'));
    if plain && fits {
        return Ok(());
    }
    let bare: String = text.chars().filter(|c| !matches!(c, '_' | ',' | '\'' | ' ')).collect();
    let meant = bare.trim_start_matches('0');
    let whole = meant.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
    let message = if least == most {
        format!("{} is not {least}, the only number allowed here", quote(text))
    } else {
        format!("{} is not a whole number from {least} to {most}", quote(text))
    };
    Err(Refusal { message, suggestion: whole.map(|number| number.to_string()) })
}

fn number(scalar: &Scalar, least: f64, most: f64) -> Result<(), Refusal> {
    let text = scalar.text.as_str();
    match as_number(text) {
        Some(number) if (least..=most).contains(&number) && !scalar.quoted => Ok(()),
        Some(number) if (least..=most).contains(&number) => Err(Refusal {
            message: format!("{text:?} is a text: write the number without quotes"),
            suggestion: Some(text.to_owned()),
        }),
        _ if least.is_finite() => {
            refuse(format!("{} is not a number from {least} to {most}", quote(text)))
        }
        _ => refuse(format!("{} is not a number", quote(text))),
    }
}

/// A decimal number as JSON and YAML write it; no `nan`, `inf` or hexadecimal.
pub(crate) fn as_number(text: &str) -> Option<f64> {
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.filter(|_| text.chars().all(decimal))
}

fn boolean(scalar: &Scalar) -> Result<(), Refusal> {
    if scalar.as_bool().is_some() {
        return Ok(());
    }
    let meant = match scalar.text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some("true".to_owned()),
        "false" | "no" | "off" => Some("false".to_owned()),
        _ => None,
    };
    let message = format!("{} is not a boolean: write true or false", quote(&scalar.text));
    Err(Refusal { message, suggestion: meant })
}

fn plain_text(scalar: &Scalar) -> Result<(), Refusal> {
    let text = &scalar.text;
    if text.trim().is_empty() {
        return refuse("the text is empty".to_owned());
    }
    if let Some(boolean) = scalar.as_bool() {
        let message = format!("{boolean} is a boolean: put the text in quotes");
        return Err(Refusal { message, suggestion: Some(format!("\"{boolean}\"")) });
    }
    // A terminal or a log that shows the text must not be steered by it.
    if text.chars().any(char::is_control) {
        return refuse(format!("{} is not one line of plain characters", quote(text)));
    }
    if text.chars().count() > LONGEST_TEXT {
        return refuse(format!("the text is longer than {LONGEST_TEXT} characters"));
    }
    Ok(())
}

fn slug(text: &str) -> Result<(), Refusal> {
    if text.len() <= 64 && VersionId::new(text).is_ok() && !text.contains(':') {
        return Ok(());
    }
    let swap = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
    let meant: String = text.to_lowercase().chars().map(swap).take(64).collect();
    let meant = meant.trim_matches(['-', '.', '_']).to_owned();
    Err(Refusal {
        message: format!(
            "{} cannot name a report folder: allowed are 1 to 64 characters of A-Z a-z 0-9 . _ -, \
             the first a letter or digit",
            quote(text)
        ),
        suggestion: (!meant.is_empty()).then_some(meant),
    })
}

fn variable(text: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(legal) {
        return Ok(());
    }
    refuse(format!(
        "{} is no name of a var: allowed are A-Z a-z 0-9 _ -, the first a letter",
        quote(text)
    ))
}

/// What is no name is not cited: it may be the secret itself.
fn environment(text: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.len() <= 128 && text.chars().all(legal) {
        return Ok(());
    }
    refuse(
        "no name of an environment variable: allowed are 1 to 128 characters of A-Z a-z 0-9 _, \
         the first no digit"
            .to_owned(),
    )
}

fn address(text: &str) -> Result<(), Refusal> {
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    let completed = match text.rsplit_once(':') {
        None if text.contains('.') => format!("{text}:8080"),
        None => format!("127.0.0.1:{text}"),
        Some(("" | "*", port)) => format!("0.0.0.0:{port}"),
        Some((host, port)) if host.eq_ignore_ascii_case("localhost") => format!("127.0.0.1:{port}"),
        Some(_) => format!("[{text}]:8080"),
    };
    let suggestion = Some(completed).filter(|text| text.parse::<SocketAddr>().is_ok());
    let message = format!("{} is no IP address with a port", quote(text));
    Err(Refusal { message, suggestion })
}

fn url<T>(checked: Result<T, UrlError>) -> Result<(), Refusal> {
    checked.map(drop).or_else(|error| refuse(error.to_string()))
}

fn host(text: &str) -> Result<(), Refusal> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() || is_name(text) {
        return Ok(());
    }
    let name = text.split_once("://").map_or(text, |(_, rest)| rest);
    let name = name.split([':', '/']).next().unwrap_or_default();
    let suggestion = Some(name.to_owned()).filter(|name| is_name(name));
    Err(Refusal {
        message: format!("{} is no name and no address of a host", quote(text)),
        suggestion,
    })
}

fn header(text: &str) -> Result<(), Refusal> {
    if text.len() <= 256 && text.parse::<HeaderName>().is_ok() {
        return Ok(());
    }
    refuse(format!(
        "{} is no name of a header: allowed are 1 to 256 letters, digits and the characters \
         !#$%&'*+-.^_`|~",
        quote(text)
    ))
}

fn upstream(text: &str) -> Result<(), Refusal> {
    if VersionId::new(text).is_ok() {
        return Ok(());
    }
    refuse(format!(
        "{} is no name of an upstream: allowed are 1 to 128 characters of A-Z a-z 0-9 . _ : -, the \
         first a letter or digit",
        quote(text)
    ))
}

fn metric(text: &str) -> Result<(), Refusal> {
    if Metric::by_name(text).is_some() {
        return Ok(());
    }
    let names = || Metric::all().map(Metric::name);
    match nearest(text, names()) {
        Some(meant) => Err(Refusal {
            message: format!("{} is no metric", quote(text)),
            suggestion: Some(meant.to_owned()),
        }),
        None => refuse(format!("{} is no metric: allowed are {}", quote(text), listing(names()))),
    }
}

fn word(text: &str, words: &'static [&'static str]) -> Result<(), Refusal> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(Refusal {
        message: format!("{} is unknown here: write {}", quote(text), words.join(" or ")),
        suggestion: nearest(text, words.iter().copied()).map(str::to_owned),
    })
}

/// Chosen: a paragraph; titles and gate lines are shown in one line.
const LONGEST_TEXT: usize = 2_000;
