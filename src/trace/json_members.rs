//! The members of a JSON object whose keys are not known beforehand, or differ from one program to
//! the next: each thing has a list of keys that it may stand behind.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::TraceErrorKind;
use super::json_scalar::Scalar;

/// Keys and values, as they are written.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Scalar<'a>)>);

impl<'a> Members<'a> {
    /// What stands behind `key`.
    pub(super) fn get(&self, key: &'static str) -> Result<Scalar<'a>, TraceErrorKind> {
        let mut found = self.0.iter().filter(|(name, _)| name == key);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(TraceErrorKind::DuplicateColumn { name: key }),
            (first, None) => Ok(first.map_or(Scalar::Absent, |(_, value)| *value)),
        }
    }

    /// What stands behind the first of `keys` that says something, and this key; the first key
    /// where none does.
    pub(super) fn first(
        &self,
        keys: &[&'static str],
    ) -> Result<(&'static str, Scalar<'a>), TraceErrorKind> {
        for key in keys {
            let value = self.get(key)?;
            let is_something = matches!(value, Scalar::Flag(_) | Scalar::Nested(_));
            if is_something || value.text().is_some() {
                return Ok((key, value));
            }
        }
        Ok((keys[0], Scalar::Absent))
    }

    /// What `read` makes of what stands behind the first of `keys` of which it makes something: an
    /// object or a list is passed over where a name is wanted.
    pub(super) fn first_text(
        &self,
        keys: &[&'static str],
        read: impl Fn(Scalar<'a>) -> Option<Cow<'a, str>>,
    ) -> Result<Option<Cow<'a, str>>, TraceErrorKind> {
        for key in keys {
            if let Some(text) = read(self.get(key)?) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Whether one of `keys` is there.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        self.0.iter().any(|(name, _)| keys.contains(&name.as_ref()))
    }
}

/// An object, or a list of objects with a key and a value each.
impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MembersVisitor).map(Self)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Member<'a> {
    #[serde(borrow, alias = "Key")]
    key: Cow<'a, str>,
    #[serde(borrow, alias = "Value", default)]
    value: Scalar<'a>,
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object, or a list of keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(USUAL);
        while let Some((Key(key), value)) = map.next_entry()? {
            members.push((key, value));
        }
        Ok(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(USUAL);
        while let Some(Member { key, value }) = list.next_element()? {
            members.push((key, value));
        }
        Ok(members)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

/// Chosen: most rows have no more, so that their members are allocated once.
const USUAL: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_that_says_something_decides() {
        let text = r#"{"a":null,"b":"-","c":"","d":"x\"y","e":7,"e":8}"#;
        let members: Members<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(members.first(&["a", "b", "c"]).unwrap(), ("a", Scalar::Absent));
        let (key, value) = members.first(&["c", "d", "e"]).unwrap();
        assert_eq!((key, value.text().unwrap().as_ref()), ("d", "x\"y"));
        let error = members.first(&["e", "d"]).unwrap_err();
        assert!(matches!(error, TraceErrorKind::DuplicateColumn { name: "e" }));
    }

    #[test]
    fn what_is_no_name_is_passed_over_where_a_name_is_wanted() {
        let text = r#"{"a":{"id":3},"b":true,"c":["d"],"d":"u","e":7}"#;
        let members: Members<'_> = serde_json::from_str(text).unwrap();
        let text = |keys: &[&'static str]| members.first_text(keys, Scalar::text).unwrap();
        assert_eq!(text(&["a", "b", "c", "d", "e"]).as_deref(), Some("u"));
        assert_eq!(text(&["a", "b", "c", "f"]), None);
    }

    #[test]
    fn objects_and_lists_of_keys_and_values_are_read_alike() {
        for text in [r#"{"k":5}"#, r#"[{"key":"k","value":5}]"#, r#"[{"Key":"k","Value":5}]"#] {
            let members: Members<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(members.get("k").unwrap(), Scalar::Number("5"), "{text}");
        }
    }
}
