//! The models that a client can choose from, in OpenAI's shape.
//!
//! Knows neither which there are nor who may use them.

use serde::Serialize;

use crate::units::Timestamp;

/// One model of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModelEntry<'a> {
    /// Its name, as requests give it; may contain `/`.
    pub id: &'a str,
    /// Since when it has been offered; told in whole seconds.
    pub created: Timestamp,
    /// Who offers it.
    pub owned_by: &'a str,
}

/// The answer to `GET /v1/models`: the models in the order given.
pub fn model_list<'a>(entries: impl IntoIterator<Item = ModelEntry<'a>>) -> Vec<u8> {
    let data = entries.into_iter().map(Object::from).collect();
    json(&List { object: "list", data })
}

/// The answer to `GET /v1/models/{model}`.
pub fn model_object(entry: ModelEntry<'_>) -> Vec<u8> {
    json(&Object::from(entry))
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Object<'a>>,
}

#[derive(Serialize)]
struct Object<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'a str,
}

impl<'a> From<ModelEntry<'a>> for Object<'a> {
    fn from(entry: ModelEntry<'a>) -> Self {
        let ModelEntry { id, created, owned_by } = entry;
        Self { id, object: "model", created: created.second(), owned_by }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and integers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_told_in_openais_shape_and_in_the_order_given() {
        let created = Timestamp::from_second(1_687_882_411);
        let entry = |id| ModelEntry { id, created, owned_by: "coalmine" };
        let told = String::from_utf8(model_list(["org/b", "a"].map(entry))).unwrap();
        let object = |id| {
            format!(
                r#"{{"id":"{id}","object":"model","created":1687882411,"owned_by":"coalmine"}}"#
            )
        };
        let expected =
            format!(r#"{{"object":"list","data":[{},{}]}}"#, object("org/b"), object("a"));
        assert_eq!(told, expected);
        assert_eq!(String::from_utf8(model_object(entry("a"))).unwrap(), object("a"));
        assert_eq!(model_list([]), br#"{"object":"list","data":[]}"#);
    }
}
