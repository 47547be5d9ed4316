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

pub(crate) fn one_of(schemas: &[Value]) -> Value {
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

pub(crate) fn span(about: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": format!("{about}, in nanoseconds")})
}

pub(crate) fn instant() -> Value {
    json!({"type": "integer", "description": "nanoseconds since 1970-01-01T00:00:00Z"})
}

pub(crate) fn version_index() -> Value {
    whole("the version, from 0, in the lists of the record's models one after the other")
}

pub(crate) fn digest() -> Value {
    let about = "a SHA-256 in hexadecimal digits";
    json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": about})
}

pub(crate) fn verdict(about: &str) -> Value {
    json!({"enum": ["pass", "inconclusive", "fail", "invalid"], "description": about})
}

/// What of `value` is not as `schema` says: each with its place.
#[cfg(test)]
pub(crate) fn invalid_places(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let told =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(value).map(told).collect()
}

/// The fields of a schema, at whatever depth, of which nothing says what they mean.
#[cfg(test)]
pub(crate) fn undescribed_fields(schema: &Value) -> Vec<String> {
    let defs = &schema["$defs"];
    let mut found = undescribed(defs, schema, "");
    for (name, part) in defs.as_object().into_iter().flatten() {
        found.extend(undescribed(defs, part, name));
    }
    found
}

/// The fields below `schema` of which nothing says what they mean.
#[cfg(test)]
fn undescribed(defs: &Value, schema: &Value, place: &str) -> Vec<String> {
    let is_told = |schema: &Value| {
        let named = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        let told = named.map_or(schema, |name| &defs[name]);
        ["description", "oneOf", "prefixItems"].iter().any(|key| !told[key].is_null())
    };
    let mut found = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        let mut told = field;
        while told["description"].is_null() && told["items"].is_object() {
            told = &told["items"];
        }
        found.extend((!is_told(told)).then(|| place.clone()));
        found.extend(undescribed(defs, field, &place));
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            found.extend(undescribed(defs, &schema[key], place));
        }
    }
    for (index, one) in schema["oneOf"].as_array().into_iter().flatten().enumerate() {
        found.extend(undescribed(defs, one, &format!("{place}/{index}")));
    }
    found
}
