//! Parts of a document that may be whatever JSON can say, such as the parameters of a version.
//!
//! A text means what it means in YAML 1.2 and in JSON alike; what the two read differently is
//! refused rather than guessed.

use serde_json::{Number, Value};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::quote::quote;
use super::shape::as_number;
use super::tree::{Node, Scalar, Value as Part};

/// What `node` says; reported where a text in it can be read in two ways.
pub(crate) fn json(node: &Node, diagnostics: &mut Diagnostics) -> Option<Value> {
    match &node.value {
        Part::Scalar(scalar) => single(scalar).map_err(|refused| {
            let diagnostic = Diagnostic::new(node.place, refused.message);
            diagnostics.report(match refused.meant {
                Some(meant) => diagnostic.suggest(Some(&meant)),
                None => diagnostic.help("put it in quotes if it is a text"),
            });
        }),
        // All problems come at once: the collection is not cut short.
        Part::List(items) => {
            let items: Vec<_> = items.iter().map(|item| json(item, diagnostics)).collect();
            return items.into_iter().collect::<Option<Vec<_>>>().map(Value::Array);
        }
        Part::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| json(&entry.node, diagnostics).map(|value| (entry.key.clone(), value)))
                .collect();
            return entries.into_iter().collect::<Option<_>>().map(Value::Object);
        }
    }
    .ok()
}

struct Refused {
    message: String,
    meant: Option<String>,
}

fn single(scalar: &Scalar) -> Result<Value, Refused> {
    let text = scalar.text.as_str();
    if scalar.quoted {
        return Ok(Value::from(text));
    }
    if scalar.is_null() {
        return Ok(Value::Null);
    }
    if let Some(boolean) = scalar.as_bool() {
        return Ok(Value::Bool(boolean));
    }
    if let Ok(number) = serde_json::from_str::<Number>(text) {
        // What is kept as a double must not have been a whole number beyond its reach.
        let whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        if whole && number.is_f64() && text != "-0" {
            let message = format!("{} is a whole number of more than 64 bits", quote(text));
            return Err(Refused { message, meant: None });
        }
        return Ok(Value::Number(number));
    }
    match other_than_text(text) {
        Some(what) => {
            let message = format!("{} is {what} to some readers and a text to others", quote(text));
            Err(Refused { message, meant: plainly(text) })
        }
        None => Ok(Value::from(text)),
    }
}

/// What some readers of YAML take a plain text for that is none in JSON.
fn other_than_text(text: &str) -> Option<&'static str> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let prefixed = |prefix: &str, radix| {
        let digits = unsigned.strip_prefix(prefix);
        digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c: char| c.is_digit(radix)))
    };
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some("a boolean");
    }
    let special = [".inf", ".nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
    let number = as_number(text).is_some() || text.parse::<f64>().is_ok_and(f64::is_infinite);
    let digits = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let number = number || (digits && text.parse::<f64>().is_ok());
    (special || number || prefixed("0x", 16) || prefixed("0o", 8)).then_some("a number")
}

/// The value as JSON writes it, where that is plain.
fn plainly(text: &str) -> Option<String> {
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some(text.to_ascii_lowercase());
    }
    // A leading zero means octal to some.
    let leads = text.trim_start_matches(['+', '-']);
    let octal = leads.len() > 1 && leads.starts_with('0') && !leads.starts_with("0.");
    as_number(text).filter(|_| !octal).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::error::conclude;
    use crate::scenario::parse::parse_file;
    use crate::scenario::place::Sources;

    fn read(text: &str) -> Result<Value, String> {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let root = parse_file("a.yaml", text.as_bytes(), &mut sources, &mut diagnostics).unwrap();
        let value = json(&root, &mut diagnostics);
        match conclude(diagnostics, sources) {
            Ok(_) => Ok(value.unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_json_can_say_is_what_it_says() {
        let text = "a: 1\nb: -0.5\nc: 1e3\nd: true\ne: ~\nf: no\ng: \"7\"\nh: [x, {y: 18446744073709551615}]\ni: {}\nj: 2024-03-15\n";
        let expected = serde_json::json!({
            "a": 1, "b": -0.5, "c": 1000.0, "d": true, "e": null, "f": "no", "g": "7",
            "h": ["x", {"y": u64::MAX}], "i": {}, "j": "2024-03-15",
        });
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn json_itself_is_read_as_json_reads_it() {
        let text = r#"{"a": [1, -2.5e-3, "x\n", null, false, {"": -0}], "b": 1.0}"#;
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_readers_take_differently_is_refused_with_what_was_meant() {
        for (text, found, help) in [
            ("a: .5", "1:4: \".5\" is a number to some", "did you mean `0.5`?"),
            ("a: +1", "\"+1\" is a number", "did you mean `1`?"),
            ("a: 5.", "\"5.\" is a number", "did you mean `5`?"),
            ("a: 010", "\"010\" is a number", "put it in quotes if it is a text"),
            ("a: 0x1F", "\"0x1F\" is a number", "put it in quotes"),
            ("a: .inf", "\".inf\" is a number", "put it in quotes"),
            ("a: 1e400", "\"1e400\" is a number", "put it in quotes"),
            ("a: True", "\"True\" is a boolean", "did you mean `true`?"),
            ("a: 18446744073709551616", "more than 64 bits", "put it in quotes"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(found) && error.contains(help), "{text}: {error}");
        }
    }

    #[test]
    fn all_that_is_refused_comes_at_once() {
        let error = read("a: [.5, {b: True}]\nc: +1").unwrap_err();
        assert_eq!(error.matches("error: ").count(), 3, "{error}");
    }
}
