//! An instance of a JSON schema, with words and numbers without a meaning.
//!
//! For what models are asked for: the types, objects and their properties, arrays, `enum`, `const`,
//! bounds of numbers and lengths, alternatives, and references within the schema. What it does not
//! know (`pattern`, `format`, `not`, conditions) it does not heed. Of a schema that contains itself
//! the instance is finite, and so is that of one which asks for a million items.

use serde_json::{Map, Number, Value};

use super::answer_text::AnswerText;

/// Makes one instance.
pub(super) struct Instance<'a> {
    schema: &'a Value,
    words: &'a mut AnswerText,
    /// Values that may still be made.
    left: u32,
}

impl<'a> Instance<'a> {
    /// An instance of `schema`, its texts made of `words`.
    pub(super) fn of(schema: &'a Value, words: &'a mut AnswerText) -> Value {
        let mut instance = Self { schema, words, left: MOST_VALUES };
        instance.value(schema, 0)
    }

    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        self.left = self.left.saturating_sub(1);
        if depth > DEEPEST || self.left == 0 {
            return Value::Null;
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array)
            && let Some(first) = choices.first()
        {
            let place = self.number(0, choices.len() as u64 - 1);
            return choices.get(place as usize).unwrap_or(first).clone();
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let root = self.schema;
            let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        let alternatives = ["anyOf", "oneOf", "allOf"];
        if let Some(first) = alternatives.iter().find_map(|name| schema.get(name)?.get(0)) {
            return self.value(first, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => self.integer(schema),
            "number" => self.real(schema),
            "boolean" => Value::Bool(self.number(0, 1) == 1),
            "null" => Value::Null,
            _ => self.text(schema),
        }
    }

    /// All properties: whoever names one expects to see it. Deep down only those that must be.
    fn object(&mut self, schema: &Value, depth: u32) -> Value {
        let mut object = Map::new();
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|it| it == name));
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if depth < SHALLOW || is_required(name) {
                    object.insert(name.clone(), self.value(property, depth + 1));
                }
            }
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &Value, depth: u32) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or_else(|| u64::from(depth < SHALLOW));
        let count = least.min(bound("maxItems").unwrap_or(u64::MAX));
        let any = Value::Bool(true);
        let items = schema.get("items").unwrap_or(&any);
        let mut array = Vec::new();
        for _ in 0..count {
            if self.left == 0 {
                break;
            }
            array.push(self.value(items, depth + 1));
        }
        Value::Array(array)
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let low = bound("minimum").or_else(|| Some(bound("exclusiveMinimum")?.saturating_add(1)));
        let high = bound("maximum").or_else(|| Some(bound("exclusiveMaximum")?.saturating_sub(1)));
        let low = low.unwrap_or_else(|| high.unwrap_or(0).min(0));
        let span = high.unwrap_or_else(|| low.saturating_add(99)).abs_diff(low).min(99);
        let span = if high.is_some_and(|high| high < low) { 0 } else { span };
        low.saturating_add_unsigned(self.number(0, span)).into()
    }

    fn real(&mut self, schema: &Value) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum"));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum"));
        let low = low.unwrap_or_else(|| high.unwrap_or(0.0).min(0.0));
        let high = high.unwrap_or(low + 100.0).max(low);
        // Never a bound itself, which may be excluded.
        let share = self.number(1, 99) as f64 / 100.0;
        Number::from_f64(low + (high - low) * share).map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, schema: &Value) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let most = bound("maxLength").unwrap_or(u64::MAX);
        let least = bound("minLength").unwrap_or(0).min(LONGEST_TEXT).min(most);
        let mut text = String::new();
        let wanted = 1 + self.number(0, 2);
        for word in 0.. {
            if word >= wanted && text.trim_end().len() as u64 >= least {
                break;
            }
            text.push_str(self.words.next().unwrap_or("word "));
        }
        text.truncate(text.trim_end().len());
        // Letters and spaces only, so that a length in bytes is one in characters.
        text.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Value::String(text)
    }

    /// A number of this range, both ends included.
    fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.words.bits() % (high - low).saturating_add(1).max(1)
    }
}

/// The type that a schema asks for: the first that it allows but null; what its members suggest
/// where it does not say.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

/// Chosen: more than any schema nests on purpose.
const DEEPEST: u32 = 32;
/// Down to here all properties are filled in, and arrays have an item. Chosen: what contains itself
/// shows that, and ends.
const SHALLOW: u32 = 6;
/// Chosen: some 100 KB.
const MOST_VALUES: u32 = 10_000;
/// Chosen: a schema cannot ask for more.
const LONGEST_TEXT: u64 = 10_000;

#[cfg(test)]
mod tests {
    use jsonschema::is_valid;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::chance::Chance;
    use crate::units::RequestId;

    fn instance(schema: &Value, request: u64) -> Value {
        let mut words = AnswerText::new(Chance::new(7, 0).request(RequestId(request), 0), 0);
        Instance::of(schema, &mut words)
    }

    #[test]
    fn an_instance_is_valid() {
        for schema in [
            json!({}),
            json!({"type": "object"}),
            json!({"type": "object", "additionalProperties": false, "required": ["city", "unit"],
            "properties": {
                "city": {"type": "string", "minLength": 40, "maxLength": 60},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "days": {"type": ["integer", "null"], "minimum": -3, "maximum": 7},
                "limit": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                "on": {"type": "boolean"}, "none": {"type": "null"}, "kind": {"const": 5},
                "tags": {"type": "array", "minItems": 2, "items": {"type": "string"}},
            }}),
            json!({"type": "integer", "maximum": -5}),
            json!({"type": "integer", "exclusiveMinimum": 9_007_199_254_740_993_i64}),
            json!({"type": "number", "exclusiveMaximum": 0, "exclusiveMinimum": -0.001}),
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "array", "maxItems": 0}),
            json!({"items": {"oneOf": [{"type": "boolean"}]}, "minItems": 300}),
            json!({"$ref": "#/$defs/leaf", "$defs": {"leaf": {"type": "array", "minItems": 1}}}),
        ] {
            for request in 0..20 {
                let instance = instance(&schema, request);
                assert!(is_valid(&schema, &instance), "{schema}: {instance}");
            }
        }
    }

    #[test]
    fn a_request_has_its_own_instance_and_always_the_same() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        assert_eq!(instance(&schema, 1), instance(&schema, 1));
        assert_ne!(instance(&schema, 1), instance(&schema, 2));
    }

    #[test]
    fn what_contains_itself_or_asks_for_too_much_comes_to_an_end() {
        let list = json!({"$ref": "#/$defs/list", "$defs": {"list": {"type": "object",
            "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/list"}}}}}});
        let text = instance(&list, 1).to_string();
        assert!(text.starts_with("{\"items\":[{\"items\":[") && text.len() < 1_000, "{text}");
        for endless in [
            json!({"$ref": "#"}),
            json!({"anyOf": [{"$ref": "#"}]}),
            json!({"type": "array", "minItems": u64::MAX, "items": {"$ref": "#"}}),
            json!({"type": "object", "required": ["a", "b"],
                "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}),
            json!({"type": "string", "minLength": u64::MAX}),
        ] {
            assert!(instance(&endless, 1).to_string().len() < 1_000_000, "{endless}");
        }
    }

    fn arb_schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i64>().prop_map(|number| json!(number)),
            any::<f64>().prop_map(|number| json!(number)),
            "object|array|integer|number|string|#|#/items|x".prop_map(|word| json!(word)),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            let name = "type|properties|items|enum|const|anyOf|\\$ref|minItems|maxItems|minimum|\
                        maximum|exclusiveMinimum|exclusiveMaximum|minLength|maxLength|required|a";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
                proptest::collection::btree_map(name, inner, 0..5).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_schema_makes_it_panic_or_go_on_for_ever(schema in arb_schema()) {
            let _ = instance(&schema, 1);
        }
    }
}
