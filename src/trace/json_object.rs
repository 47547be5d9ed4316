//! A line that is one JSON object, with its members as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::TraceErrorKind;

/// A JSON object as it is written: `serde_json::Map` would hide a key that is there twice.
pub(super) struct Object(Vec<(String, Value)>);

impl Object {
    /// The object on `line`.
    pub(super) fn parse(line: &str) -> Result<Self, TraceErrorKind> {
        serde_json::from_str(line).map_err(TraceErrorKind::Json)
    }

    /// Its keys and values, in their order.
    pub(super) fn members(&self) -> &[(String, Value)] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object such as {\"input_tokens\":9}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}
