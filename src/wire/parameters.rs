//! A version's parameters and how they enter a request's body.
//!
//! Knows neither versions nor what any parameter means.

use serde_json::{Map, Value};

use super::api_error::shortened;
use super::{ChatAsk, ParametersError};

/// A version's parameters, prepared once and spliced into the body of each request it serves.
///
/// ```
/// use coalmine::wire::{ChatAsk, Parameters};
/// let given = serde_json::json!({"temperature": 0.2, "seed": 7});
/// let parameters = Parameters::new("gpt-4-0613", given.as_object().unwrap())?;
/// let body = br#"{"model": "gpt-4", "seed": 1, "x": [ ]}"#;
/// let spliced = parameters.splice(body, &ChatAsk::read(body).unwrap());
/// assert_eq!(spliced, br#"{"model": "gpt-4-0613","temperature":0.2, "seed": 1, "x": [ ]}"#);
/// # Ok::<(), coalmine::wire::ParametersError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    model: String,
    /// The model as JSON.
    model_json: Vec<u8>,
    parameters: Vec<Parameter>,
    /// Whether they replace what a client sent.
    is_override: bool,
}

/// A parameter, as it is added to a body.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Parameter {
    name: String,
    /// `,"name":value`.
    member: Vec<u8>,
    /// Where the value begins in the member.
    value_at: usize,
}

impl Parameters {
    /// Prepares `parameters`. Two of them are instructions and not sent as such: `model` (a string)
    /// is the model that is named to the upstream in place of `model`; `override` (true or false)
    /// says whether the others replace what a client sent, or are defaults for what it did not
    /// send, as without it. A member that a client sent as `null` was sent.
    ///
    /// # Errors
    /// `model` is no string or empty, `override` neither true nor false, or there is one of
    /// `messages`, `stream` and `stream_options`, which are the client's.
    pub fn new(model: &str, parameters: &Map<String, Value>) -> Result<Self, ParametersError> {
        let own = CLIENTS_OWN.into_iter().find(|name| parameters.contains_key(*name));
        if let Some(name) = own {
            return Err(ParametersError::ClientsOwn { name });
        }
        let model = match parameters.get(MODEL) {
            None => model,
            Some(Value::String(model)) if !model.is_empty() => model,
            Some(other) => return Err(not_allowed(MODEL, other, "a string that is not empty")),
        };
        let is_override = match parameters.get(OVERRIDE) {
            None => false,
            Some(Value::Bool(is_override)) => *is_override,
            Some(other) => return Err(not_allowed(OVERRIDE, other, "true or false")),
        };
        let sent = parameters.iter().filter(|(name, _)| *name != MODEL && *name != OVERRIDE);
        let parameters = sent.map(|(name, value)| Parameter::new(name, value)).collect();
        let model_json = json(&Value::from(model));
        Ok(Self { model: model.to_owned(), model_json, parameters, is_override })
    }

    /// The model that is named to the upstream.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The body that goes to the upstream: `body`, from which `ask` was read, with the version's
    /// model and parameters. Parameters that the body lacks follow its `model`; every byte that is
    /// not replaced stays as it is. Allocates once, exactly what is needed.
    ///
    /// # Panics
    /// `ask` was read from a body of another length.
    pub fn splice(&self, body: &[u8], ask: &ChatAsk<'_>) -> Vec<u8> {
        assert_eq!(body.len(), ask.length(), "the ask was read from another body");
        let mut spliced = Vec::with_capacity(self.spliced_length(ask));
        let mut copied = 0;
        for member in ask.members() {
            let Some(value) = self.replacement(&member.name) else { continue };
            spliced.extend_from_slice(&body[copied..member.value.start]);
            spliced.extend_from_slice(value);
            copied = member.value.end;
            if member.name == MODEL {
                for parameter in self.added(ask) {
                    spliced.extend_from_slice(&parameter.member);
                }
            }
        }
        spliced.extend_from_slice(&body[copied..]);
        spliced
    }

    fn spliced_length(&self, ask: &ChatAsk<'_>) -> usize {
        let added: usize = self.added(ask).map(|parameter| parameter.member.len()).sum();
        let replaced = ask.members().iter().filter_map(|member| {
            self.replacement(&member.name).map(|value| (member.value.len(), value.len()))
        });
        replaced.fold(ask.length() + added, |length, (old, new)| length - old + new)
    }

    /// What replaces the value of a body's member; `None`: it stays.
    fn replacement(&self, name: &str) -> Option<&[u8]> {
        if name == MODEL {
            return Some(&self.model_json);
        }
        if !self.is_override {
            return None;
        }
        let parameter = self.parameters.iter().find(|parameter| parameter.name == name)?;
        parameter.member.get(parameter.value_at..)
    }

    /// The parameters that the body lacks.
    fn added(&self, ask: &ChatAsk<'_>) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| !ask.has(&parameter.name))
    }
}

impl Parameter {
    fn new(name: &str, value: &Value) -> Self {
        let mut member = b",".to_vec();
        member.extend_from_slice(&json(&Value::from(name)));
        member.push(b':');
        let value_at = member.len();
        member.extend_from_slice(&json(value));
        Self { name: name.to_owned(), member, value_at }
    }
}

fn json(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a JSON value can be written and a Vec takes every byte")
}

fn not_allowed(name: &'static str, found: &Value, allowed: &'static str) -> ParametersError {
    let found = shortened(&found.to_string()).into_owned();
    ParametersError::NotAllowed { name, found, allowed }
}

const MODEL: &str = "model";

const OVERRIDE: &str = "override";

/// What a request says and how its answer travels.
const CLIENTS_OWN: [&str; 3] = ["messages", "stream", "stream_options"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parameters(value: &Value) -> Result<Parameters, ParametersError> {
        Parameters::new("up", value.as_object().unwrap())
    }

    fn spliced(given: &Value, body: &str) -> String {
        let ask = ChatAsk::read(body.as_bytes()).unwrap();
        let spliced = parameters(given).unwrap().splice(body.as_bytes(), &ask);
        String::from_utf8(spliced).unwrap()
    }

    #[test]
    fn a_default_is_added_only_where_the_client_sent_nothing() {
        let given = json!({"seed": 7, "top_p": 0.5});
        let body = r#"{ "seed":null, "model" : "m" , "x":1}"#;
        assert_eq!(spliced(&given, body), r#"{ "seed":null, "model" : "up","top_p":0.5 , "x":1}"#);
    }

    #[test]
    fn an_override_replaces_what_the_client_sent() {
        let given = json!({"seed": 7, "top_p": 0.5, "override": true});
        let body = r#"{"s\u0065ed" : [1],"model":"m","x":1}"#;
        let expected = r#"{"s\u0065ed" : 7,"model":"up","top_p":0.5,"x":1}"#;
        assert_eq!(spliced(&given, body), expected);
    }

    #[test]
    fn the_parameters_model_goes_before_the_versions_name() {
        let given = json!({"model": "real\"name", "override": false});
        assert_eq!(spliced(&given, r#"{"model":"m"}"#), r#"{"model":"real\"name"}"#);
        assert_eq!(parameters(&given).unwrap().model(), "real\"name");
    }

    #[test]
    fn the_clients_own_members_cannot_be_parameters() {
        for name in ["messages", "stream", "stream_options"] {
            let refused = parameters(&json!({name: null}));
            assert_eq!(refused, Err(ParametersError::ClientsOwn { name }));
        }
    }

    #[test]
    fn a_parameter_of_a_wrong_type_is_named_with_its_value() {
        let refused = parameters(&json!({"override": "yes"})).unwrap_err().to_string();
        assert_eq!(refused, "the parameter `override` is \"yes\", must be true or false");
        let refused = parameters(&json!({"model": ""})).unwrap_err().to_string();
        assert_eq!(refused, "the parameter `model` is \"\", must be a string that is not empty");
    }

    #[test]
    #[should_panic(expected = "the ask was read from another body")]
    fn an_ask_of_another_body_is_noticed() {
        let ask = ChatAsk::read(br#"{"model":"m"}"#).unwrap();
        parameters(&json!({})).unwrap().splice(b"{}", &ask);
    }

    /// Members as a client might write them, with names that meet those of the parameters.
    fn arb_members() -> impl Strategy<Value = Map<String, Value>> {
        let name = prop_oneof!["[a-e]", any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 12, 3, |inner| {
            let members = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..3);
            prop_oneof![
                proptest::collection::vec(inner, 0..3).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map(name, value, 0..8).prop_map(|mut members| {
            for reserved in ["model", "override", "stream", "stream_options", "messages", "user"] {
                members.remove(reserved);
            }
            members.into_iter().collect()
        })
    }

    proptest! {
        #[test]
        fn a_spliced_body_is_the_body_with_its_changes(
            mut sent in arb_members(),
            mut given in arb_members(),
            is_override: bool,
            is_pretty: bool,
        ) {
            sent.insert("model".to_owned(), Value::from("m@v"));
            given.insert("override".to_owned(), Value::from(is_override));
            let body = if is_pretty {
                serde_json::to_vec_pretty(&sent).unwrap()
            } else {
                serde_json::to_vec(&sent).unwrap()
            };
            let prepared = Parameters::new("up", &given).unwrap();
            let spliced = prepared.splice(&body, &ChatAsk::read(&body).unwrap());
            prop_assert_eq!(spliced.capacity(), spliced.len());

            let mut expected = sent.clone();
            expected.insert("model".to_owned(), Value::from("up"));
            for (name, value) in given.into_iter().filter(|(name, _)| name != "override") {
                if is_override || !sent.contains_key(&name) {
                    expected.insert(name, value);
                }
            }
            let found: Map<String, Value> = serde_json::from_slice(&spliced).unwrap();
            prop_assert_eq!(found, expected);
            let again = ChatAsk::read(&spliced).unwrap();
            prop_assert_eq!(again.model(), "up");
        }
    }
}
