//! The canonical form of journal entries and of durable state: one value, one sequence of bytes.
//!
//! JSON without white space, the keys of every object sorted by their bytes, and no number but
//! integers. A number with a fraction is written as `{"$":[digits,places]}`, which means digits
//! times 10^-places with the fewest digits that give the same double back: exact, the same on every
//! platform, and legible (0.05 is `{"$":[5,2]}`). So that no other object can be taken for it, a
//! key that begins with `$` is written with one `$` more.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// Why bytes are not the canonical form of what they should be.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// They are no JSON, or JSON of something else.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// They say what they say in another form: other white space, order or digits.
    #[error("the bytes are not in canonical form: byte {at} should be another")]
    Form {
        /// The first byte that differs from the canonical form.
        at: usize,
    },
}

/// The canonical bytes of `value`.
///
/// # Panics
/// The value has no JSON: a map whose keys are no strings. None of the engine's types is one.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("the engine's types have string keys only");
    let mut bytes = Vec::new();
    write(&value, &mut bytes);
    bytes
}

/// What `bytes` are the canonical form of.
///
/// # Errors
/// They are no JSON of a `T`, or not in canonical form.
pub(super) fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_value(read(serde_json::from_slice(bytes)?))?;
    let again = encode(&value);
    if again == bytes {
        return Ok(value);
    }
    let same = again.iter().zip(bytes).take_while(|(left, right)| left == right).count();
    Err(CanonicalError::Form { at: same })
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.extend(b"null"),
        Value::Bool(true) => bytes.extend(b"true"),
        Value::Bool(false) => bytes.extend(b"false"),
        Value::Number(number) => write_number(number, bytes),
        Value::String(text) => write_text(text, bytes),
        Value::Array(values) => {
            write_list(b'[', b']', values, bytes, write);
        }
        Value::Object(members) => {
            // Whether a map keeps its keys sorted depends on how serde_json was built.
            let members = members.iter().map(|(key, value)| (escape(key), value));
            let mut members: Vec<_> = members.collect();
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            write_list(b'{', b'}', &members, bytes, |(key, value), bytes| {
                write_text(key, bytes);
                bytes.push(b':');
                write(value, bytes);
            });
        }
    }
}

fn write_list<T>(
    open: u8,
    close: u8,
    items: &[T],
    bytes: &mut Vec<u8>,
    mut each: impl FnMut(&T, &mut Vec<u8>),
) {
    bytes.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        each(item, bytes);
    }
    bytes.push(close);
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    let quoted = serde_json::to_string(text).expect("text has a JSON form");
    bytes.extend(quoted.as_bytes());
}

fn write_number(number: &Number, bytes: &mut Vec<u8>) {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(double) => {
            let (digits, places) = decimal(double);
            bytes.extend(format!("{{\"$\":[{digits},{places}]}}").as_bytes());
        }
        None => bytes.extend(number.to_string().as_bytes()),
    }
}

/// The shortest decimal that is read back as this double: (digits, places), for digits times
/// 10^-places. Zero has neither sign nor places.
fn decimal(double: f64) -> (i64, i64) {
    // `{:e}` prints the shortest digits that are read back as the same double.
    let text = format!("{double:e}");
    let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    let digits = digits.replace('.', "").parse().expect("a double has at most 17 digits");
    let exponent: i64 = exponent.parse().expect("an exponent is an integer");
    (digits, if digits == 0 { 0 } else { fraction - exponent })
}

/// The value that was written: doubles are numbers again, and keys have lost their mark.
fn read(value: Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.into_iter().map(read).collect()),
        Value::Object(members) => match double(&members) {
            Some(double) => Value::Number(double),
            None => {
                let members = members.into_iter();
                Value::Object(members.map(|(key, value)| (unescape(&key), read(value))).collect())
            }
        },
        other => other,
    }
}

fn double(members: &Map<String, Value>) -> Option<Number> {
    let parts = members.get(MARK)?.as_array().filter(|_| members.len() == 1)?;
    let [digits, places] = parts.as_slice() else { return None };
    let exponent = places.as_i64()?.checked_neg()?;
    Number::from_f64(format!("{}e{exponent}", digits.as_i64()?).parse().ok()?)
}

fn escape(key: &str) -> String {
    if key.starts_with(MARK) { format!("{MARK}{key}") } else { key.to_owned() }
}

fn unescape(key: &str) -> String {
    key.strip_prefix(MARK).unwrap_or(key).to_owned()
}

const MARK: &str = "$";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(encode(value)).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_fractions_are_exact_integers() {
        let value =
            json!({"b": 1, "a": [0.05, 0.1, 1.0, -2.5e-3, 1e300], "ä": null, "$": {"$x": -0.0}});
        assert_eq!(
            text(&value),
            r#"{"$$":{"$$x":{"$":[0,0]}},"a":[{"$":[5,2]},{"$":[1,1]},{"$":[1,0]},{"$":[-25,4]},{"$":[1,-300]}],"b":1,"ä":null}"#
        );
    }

    #[test]
    fn an_object_that_looks_like_a_fraction_stays_an_object() {
        let value = json!({"$": [5, 2], "x": {"$": [1, 1]}, "$$": 0.5});
        assert_eq!(decode::<Value>(&encode(&value)).unwrap(), value);
    }

    #[test]
    fn another_form_of_the_same_is_refused() {
        for bytes in ["{\"a\": 1}", "{\"b\":1,\"a\":2}", "0.05", "{\"$\":[50,3]}", "[1,]"] {
            assert!(decode::<Value>(bytes.as_bytes()).is_err(), "{bytes}");
        }
        assert!(matches!(decode::<Value>(b"{\"a\": 1}"), Err(CanonicalError::Form { at: 5 })));
    }

    fn arb_value() -> impl Strategy<Value = Value> {
        let key = "[$ab]{0,3}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            proptest::num::f64::SUBNORMAL.prop_map(Value::from),
            "[a-z$\"ä]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(key, inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back_exactly(value in arb_value()) {
            let bytes = encode(&value);
            prop_assert_eq!(decode::<Value>(&bytes).unwrap(), value);
            prop_assert!(!bytes.contains(&b'.'), "no decimal point outside text");
        }
    }
}
