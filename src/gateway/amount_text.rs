//! Amounts as commands state them: numbers in base units, or literals as scenarios have them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::engine::Target;
use crate::units::{Duration, Ratio};

/// A share of the traffic: `0.05` or `"5%"`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Share(pub(super) Ratio);

/// A time: a number of seconds, or a literal such as `"10m"`. At most 366 days.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Span(pub(super) Duration);

/// Versions or tags with their shares. A name that stands there twice is kept twice.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shares(pub(super) Vec<(Target, Ratio)>);

impl Share {
    fn from_number(number: f64) -> Result<Self, String> {
        Ratio::new(number).map(Self).map_err(|error| error.to_string())
    }

    fn from_text(text: &str) -> Result<Self, String> {
        Ratio::parse(text).map(Self).map_err(|error| error.to_string())
    }
}

impl Span {
    /// Chosen: longer than any rollout, and far from where sums of times end.
    pub(super) const MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    fn from_number(seconds: f64) -> Result<Self, String> {
        let most = Self::MAX.as_secs_f64();
        if !(0.0..=most).contains(&seconds) {
            return Err(format!("{seconds} s is out of range; allowed are 0 to {most} s"));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let span = Duration::parse(text).map_err(|error| error.to_string())?;
        Self::from_number(span.as_secs_f64()).map(|_| Self(span))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (number, text, expected) = (Self::from_number, Self::from_text, SHARE);
        deserializer.deserialize_any(NumberOrText { number, text, expected })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (number, text, expected) = (Self::from_number, Self::from_text, SPAN);
        deserializer.deserialize_any(NumberOrText { number, text, expected })
    }
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SharesVisitor)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": SHARE,
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^ *[0-9]+(\.[0-9]+)? *%?$"}
            ]
        })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": SPAN,
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": Self::MAX.as_secs()},
                {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us))+$"}
            ]
        })
    }
}

impl JsonSchema for Shares {
    fn schema_name() -> Cow<'static, str> {
        "Shares".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "versions or tags with their shares, which sum to 1",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": generator.subschema_for::<Share>()
        })
    }
}

struct NumberOrText<T> {
    number: fn(f64) -> Result<T, String>,
    text: fn(&str) -> Result<T, String>,
    expected: &'static str,
}

impl<T> Visitor<'_> for NumberOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        (self.number)(number).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.text)(text).map_err(E::custom)
    }
}

struct SharesVisitor;

impl<'de> Visitor<'de> for SharesVisitor {
    type Value = Shares;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of versions or tags with their shares")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shares, A::Error> {
        let mut shares = Vec::new();
        while let Some((name, Share(share))) = map.next_entry::<Target, Share>()? {
            shares.push((name, share));
        }
        Ok(Shares(shares))
    }
}

const SHARE: &str = "a share from 0 to 1, or a literal such as \"5%\"";
const SPAN: &str = "a number of seconds, or a literal such as \"10m\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_and_literals_mean_the_same() {
        assert_eq!(read::<Share>("0.05"), read::<Share>("\"5%\""));
        assert_eq!(read::<Share>("1").unwrap(), Share(Ratio::ONE));
        assert_eq!(read::<Span>("600"), read::<Span>("\"10m\""));
        assert_eq!(read::<Span>("0.5").unwrap(), Span(Duration::from_millis(500)));
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        for text in ["1.5", "-0.1", "\"150%\"", "\"half\""] {
            let error = read::<Share>(text).unwrap_err();
            assert!(error.contains("0 to 1"), "{text}: {error}");
        }
        for text in ["-1", "1e12", "\"400d\""] {
            assert!(read::<Span>(text).is_err(), "{text}");
        }
        assert!(read::<Span>("true").unwrap_err().contains("a number of seconds, or a literal"));
    }

    #[test]
    fn a_name_that_stands_there_twice_is_kept_twice() {
        let Shares(shares) = read(r#"{"v1": 0.5, "v1": "50%"}"#).unwrap();
        assert_eq!(shares.len(), 2);
        assert!(read::<Shares>(r#"{"not a name": 1}"#).is_err());
    }
}
