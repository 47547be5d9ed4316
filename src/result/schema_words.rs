//! The words that JSON Schemas of what the program writes are written in.

use serde_json::{Map, Value, json};

/// The name of a field or definition, with its schema.
pub(crate) type Part = (&'static str, Value);

pub(crate) fn object(about: &str, required: &[Part], optional: &[Part]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let all = required.iter().chain(optional);
    let properties: Map<_, _> =
        all.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({
        "type": "object", "description": about, "required": names, "properties": properties,
        "additionalProperties": false,
    })
}

pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

pub(super) fn one_of(schemas: &[Value]) -> Value {
    json!({"oneOf": schemas})
}

pub(crate) fn list(items: Value) -> Value {
    let mut schema = json!({"type": "array"});
    schema["items"] = items;
    schema
}

pub(crate) fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

pub(crate) fn number(about: &str) -> Value {
    json!({"type": "number", "description": about})
}

pub(crate) fn whole(about: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": about})
}

pub(crate) fn flag(about: &str) -> Value {
    json!({"type": "boolean", "description": about})
}

pub(super) fn span(about: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": format!("{about}, in nanoseconds")})
}

pub(super) fn instant() -> Value {
    json!({"type": "integer", "description": "nanoseconds since 1970-01-01T00:00:00Z"})
}

pub(super) fn version_index() -> Value {
    whole("the version, from 0, in the lists of the record's models one after the other")
}

pub(super) fn digest() -> Value {
    let about = "a SHA-256 in hexadecimal digits";
    json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": about})
}

pub(super) fn verdict(about: &str) -> Value {
    json!({"enum": ["pass", "inconclusive", "fail", "invalid"], "description": about})
}
