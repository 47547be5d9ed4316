//! An object of JSON without one of its members: for what is written beside a form and is no part
//! of it. What stays is read as it comes, so that errors keep their place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` that is read from an object without its member `name`.
pub(super) fn without<'de, D, T>(name: &'static str, deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_map(Whole { name, of: PhantomData })
}

struct Whole<T> {
    name: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(Rest { name: self.name, members }))
    }
}

struct Rest<A> {
    name: &'static str,
    members: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.members.next_key::<String>()? {
            if key != self.name {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            self.members.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(PartialEq, Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        list: Vec<u8>,
    }

    #[derive(PartialEq, Debug)]
    struct Beside(Form);

    impl<'de> Deserialize<'de> for Beside {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            without("beside", deserializer).map(Self)
        }
    }

    fn read(text: &str) -> Result<Beside, (String, String)> {
        let mut reader = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| (error.path().to_string(), error.inner().to_string()))
    }

    #[test]
    fn a_member_is_left_out_wherever_it_stands_and_errors_keep_their_place() {
        for text in [
            r#"{"list": [1, 2]}"#,
            r#"{"beside": {"a": [1]}, "list": [1, 2]}"#,
            r#"{"list": [1, 2], "beside": "x"}"#,
        ] {
            assert_eq!(read(text), Ok(Beside(Form { list: vec![1, 2] })), "{text}");
        }
        let (path, words) = read(r#"{"beside": 1, "list": [1, 300]}"#).unwrap_err();
        assert!(path == "list[1]" && words.contains("300"), "{path}: {words}");
        let (_, words) = read(r#"{"list": [], "besides": 1}"#).unwrap_err();
        assert!(words.contains("unknown field `besides`, expected `list`"), "{words}");
    }
}
