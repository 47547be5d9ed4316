//! YAML files of CI systems as values: plain scalars are text, whatever they look like.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::machine::project;

/// A file of the project.
pub(crate) fn file(path: &str) -> Value {
    let text = std::fs::read_to_string(project(path)).unwrap();
    parse(&text)
}

/// The one document of a text.
pub(crate) fn parse(text: &str) -> Value {
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let closed = match event.unwrap().0 {
            Event::MappingStart(..) => {
                open.push((Value::Object(Map::new()), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::MappingEnd | Event::SequenceEnd => open.pop().unwrap().0,
            Event::Alias(_) => panic!("aliases are not read here"),
            _ => continue,
        };
        match open.last_mut() {
            None => return closed,
            Some((Value::Array(items), _)) => items.push(closed),
            Some((Value::Object(entries), key)) => match key.take() {
                None => *key = Some(closed.as_str().unwrap().to_owned()),
                Some(key) => {
                    assert!(entries.insert(key.clone(), closed).is_none(), "{key} stands twice");
                }
            },
            Some(_) => unreachable!(),
        }
    }
    panic!("no document");
}

#[test]
fn maps_lists_and_blocks_are_read() {
    let value = parse("a: [1, {b: 'c'}]\nd: |\n  e\n  f\n");
    assert_eq!(value, serde_json::json!({"a": ["1", {"b": "c"}], "d": "e\nf\n"}));
}
