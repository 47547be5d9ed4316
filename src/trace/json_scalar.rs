//! Single values of a JSON object, as they are written: numbers keep their digits, and what has
//! quotes in one program's logs and none in another's is read alike.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::date_time::iso;
use super::decimal::scaled;
use super::description::Line;
use super::error::TraceErrorKind;
use super::number::{TOKENS_ALLOWED, whole};
use super::options::TimeUnit;
use super::record::TraceRecord;
use crate::units::{Duration, Money, Timestamp, Tokens};

/// What stands behind a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Scalar<'a> {
    /// Nothing: the key is not there, or `null`.
    #[default]
    Absent,
    /// `true` or `false`.
    Flag(bool),
    /// A number's digits.
    Number(&'a str),
    /// What stands between quotes.
    Text(&'a str),
    /// With its quotes, since something in it is escaped.
    Escaped(&'a str),
    /// An object or a list.
    Nested(&'a str),
}

impl<'a> Scalar<'a> {
    /// A name or a number, as text; `None` where there is nothing, also where an access log says
    /// `-` for it.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Number(text) | Self::Text(text) => Some(text.into()),
            // What cannot be unescaped, half a surrogate pair, names nothing.
            Self::Escaped(text) => serde_json::from_str::<String>(text).ok().map(Cow::from),
            _ => None,
        }
        .filter(|text| !matches!(text.as_ref(), "" | "-"))
    }

    /// Whether it is `text`.
    pub(super) fn is(self, text: &str) -> bool {
        self.text().is_some_and(|found| found == text)
    }

    /// `true` or `false`, with quotes or without.
    pub(super) fn flag(self, column: &'static str) -> Result<Option<bool>, TraceErrorKind> {
        match self {
            Self::Flag(flag) => Ok(Some(flag)),
            _ => self.read(column, FLAG_ALLOWED, |text| match text {
                "true" | "True" | "1" => Some(true),
                "false" | "False" | "0" => Some(false),
                _ => None,
            }),
        }
    }

    /// A name or a number, as text; an error where it is neither: then it is not `allowed`.
    pub(super) fn word(
        self,
        column: &'static str,
        allowed: &'static str,
    ) -> Result<Option<String>, TraceErrorKind> {
        self.read(column, allowed, |text| Some(text.to_owned()))
    }

    /// The text of an object, with quotes around it or without.
    pub(super) fn object(self) -> Option<Cow<'a, str>> {
        let text = if let Self::Nested(text) = self { Some(text.into()) } else { self.text() };
        text.filter(|text| text.trim_start().starts_with('{'))
    }

    /// What is read from the text, if there is one; an error where that is not `allowed`.
    pub(super) fn read<T>(
        self,
        column: &'static str,
        allowed: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, TraceErrorKind> {
        let shown = match self {
            Self::Absent => return Ok(None),
            Self::Flag(flag) => flag.to_string().into(),
            Self::Nested(text) => text.into(),
            Self::Number(_) | Self::Text(_) | Self::Escaped(_) => {
                let Some(text) = self.text() else { return Ok(None) };
                match read(&text) {
                    Some(value) => return Ok(Some(value)),
                    None => text,
                }
            }
        };
        Err(TraceErrorKind::value(column, &shown, allowed))
    }

    /// A number of tokens.
    pub(super) fn tokens(self, column: &'static str) -> Result<Option<Tokens>, TraceErrorKind> {
        self.read(column, TOKENS_ALLOWED, tokens)
    }

    /// A duration of so many seconds.
    pub(super) fn seconds(self, column: &'static str) -> Result<Option<Duration>, TraceErrorKind> {
        self.read(column, SECONDS_ALLOWED, |text| duration(text, 9))
    }

    /// A duration of so many milliseconds.
    pub(super) fn millis(self, column: &'static str) -> Result<Option<Duration>, TraceErrorKind> {
        self.read(column, MILLIS_ALLOWED, |text| duration(text, 6))
    }

    /// An amount in USD.
    pub(super) fn usd(self, column: &'static str) -> Result<Option<Money>, TraceErrorKind> {
        let money = |text: &str| scaled(text, 12).map(|pico| Money::from_pico_usd(pico.into()));
        self.read(column, USD_ALLOWED, money)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Absent,
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'{' | b'[') => Self::Nested(text),
            Some(b'"') if !text.contains('\\') => Self::Text(&text[1..text.len() - 1]),
            Some(b'"') => Self::Escaped(text),
            _ => Self::Number(text),
        })
    }
}

/// The object on `line`.
pub(super) fn object<'a, T: Deserialize<'a>>(line: Line<'a>) -> Result<T, TraceErrorKind> {
    // An object is whole with its brace, line end or not.
    serde_json::from_str(line.text).map_err(|error| {
        if line.is_terminated || !error.is_eof() {
            TraceErrorKind::Json(error)
        } else {
            TraceErrorKind::CutOff
        }
    })
}

/// A number of tokens, which some write as `42.0`.
pub(super) fn tokens(text: &str) -> Option<Tokens> {
    whole(text.strip_suffix(".0").unwrap_or(text)).map(Tokens::new)
}

/// A duration in a unit of 10^-9 seconds times 10^`digits`, below 2^63 ns.
pub(super) fn duration(text: &str, digits: i32) -> Option<Duration> {
    let nanos = scaled(text, digits).filter(|nanos| i64::try_from(*nanos).is_ok());
    nanos.map(Duration::from_nanos)
}

/// An instant: a number of `unit`s since 1970, where these are known, or a date and time.
pub(super) fn instant(text: &str, unit: Option<TimeUnit>) -> Option<Timestamp> {
    let since = unit.and_then(|unit| duration(text, unit.digits()));
    since.map(|since| Timestamp::EPOCH + since).or_else(|| iso(text))
}

/// Sets the time of the first token: logs round it and the end each by itself, so that it can come
/// after the end by a little, where it counts as the end.
pub(super) fn set_first_token(record: &mut TraceRecord, first: Option<Duration>) {
    record.first_token = first.map(|first| first.min(record.duration.unwrap_or(Duration::MAX)));
}

/// What a number of seconds may be.
pub(super) const SECONDS_ALLOWED: &str = "seconds from 0 to 9223372036";
const MILLIS_ALLOWED: &str = "milliseconds from 0 to 9223372036854";
const FLAG_ALLOWED: &str = "true or false";
const USD_ALLOWED: &str = "US dollars from 0 to 18446744";
