//! What requests say: their bodies and headers, from templates.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use http_body_util::Full;
use serde_json::Value;

use super::feed::Due;
use super::keys::Keys;
use super::message_error::MessageError;
use super::prompts::Prompts;
use super::target::{Http, Target};
use super::template::{Place, Template};
use crate::exchange::{ModelIndex, Request as Asked};
use crate::units::{RequestId, Timestamp, Tokens};

/// What requests are made of.
#[derive(Clone, Default)]
pub struct MessageParts {
    /// The name of each model, by its [`ModelIndex`]; at least one.
    pub models: Vec<String>,
    /// Headers as `Name: value`, whose values may have places.
    pub headers: Vec<String>,
    /// The body of every request, with places; `None`: a chat completion.
    pub body: Option<String>,
    /// Whether a chat completion says which user it is of.
    pub tells_user: bool,
    /// Bearer tokens by the number of the client, which are never shown; one alone is for all, and
    /// without any none is sent.
    pub keys: Vec<String>,
    /// The names by which clients ask for versions, by the number of the client: in the place of
    /// the name of this model.
    pub pins: BTreeMap<u16, (ModelIndex, String)>,
    /// What chooses the words of prompts.
    pub seed: u64,
}

/// Makes requests.
#[derive(Clone, Debug)]
pub struct Message {
    body: Body,
    /// Those that all requests have.
    headers: HeaderMap,
    templates: Vec<(HeaderName, Template)>,
    keys: Keys,
    models: Vec<Name>,
    pins: BTreeMap<u16, (ModelIndex, Name)>,
    prompts: Prompts,
}

/// The name of a model or version.
#[derive(Clone, Debug)]
struct Name {
    plain: Box<str>,
    /// As JSON has it between quotes.
    json: Box<str>,
}

#[derive(Clone, Debug)]
enum Body {
    Chat { plain: Template, streamed: Template },
    Own { template: Template, stream: Option<bool> },
}

impl Message {
    /// Of these parts.
    ///
    /// # Errors
    /// They make no request.
    pub fn new(parts: &MessageParts) -> Result<Self, MessageError> {
        if parts.models.is_empty() {
            return Err(MessageError::NoModel);
        }
        let pin = |(client, (model, name)): (&u16, &(ModelIndex, String))| {
            (*client, (*model, Name::new(name)))
        };
        let mut message = Self {
            body: Body::Chat {
                plain: Template::new(&chat(parts.tells_user, PLAIN))?,
                streamed: Template::new(&chat(parts.tells_user, STREAMED))?,
            },
            headers: HeaderMap::new(),
            templates: Vec::new(),
            keys: Keys::new(&parts.keys)?,
            models: parts.models.iter().map(|name| Name::new(name)).collect(),
            pins: parts.pins.iter().map(pin).collect(),
            prompts: Prompts::new(parts.seed),
        };
        message.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        message.headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for header in &parts.headers {
            message.add_header(header)?;
        }
        if let Some(text) = &parts.body {
            let template = Template::new(text)?;
            message.body = Body::Own { template, stream: None };
            let stream = message.check_body()?;
            if let Body::Own { template, stream: own } = &mut message.body {
                *own = if template.has(Place::Stream) { None } else { Some(stream) };
            }
        }
        Ok(message)
    }

    /// The keys that its requests have, to be replaced meanwhile.
    pub fn keys(&self) -> Keys {
        self.keys.clone()
    }

    /// Whether every answer is streamed, or none is, where the body says so itself.
    pub const fn fixed_stream(&self) -> Option<bool> {
        match self.body {
            Body::Chat { .. } => None,
            Body::Own { stream, .. } => stream,
        }
    }

    /// The request for `due`, and how many bytes its body has.
    pub(super) fn request(&self, target: &Target, due: &Due) -> (Request<Full<Bytes>>, usize) {
        let body = self.body(due);
        let length = body.len();
        let mut headers = self.headers.clone();
        for (name, template) in &self.templates {
            let mut value = Vec::new();
            self.fill(template, due, false, &mut value);
            // Which characters names can have was tried when the templates were read.
            if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
                headers.append(name, value);
            }
        }
        if let Some(authorization) = self.keys.of(due.request.client) {
            headers.insert(AUTHORIZATION, authorization);
        }
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.request_uri();
        match target.http {
            Http::One => {
                *request.version_mut() = Version::HTTP_11;
                if let Ok(host) = HeaderValue::from_str(target.host()) {
                    headers.insert(HOST, host);
                }
            }
            Http::Two => *request.version_mut() = Version::HTTP_2,
        }
        *request.headers_mut() = headers;
        (request, length)
    }

    fn body(&self, due: &Due) -> Vec<u8> {
        let template = match &self.body {
            Body::Chat { streamed, .. } if due.request.stream => streamed,
            Body::Chat { plain, .. } => plain,
            Body::Own { template, .. } => template,
        };
        let mut body = Vec::with_capacity(256 + due.request.input.get() as usize * 6);
        self.fill(template, due, true, &mut body);
        body
    }

    fn fill(&self, template: &Template, due: &Due, is_json: bool, into: &mut Vec<u8>) {
        let request = &due.request;
        template.write(into, |place, into| {
            let number = |into: &mut Vec<u8>, number: u64| {
                into.extend_from_slice(number.to_string().as_bytes());
            };
            match place {
                Place::Prompt => self.prompts.write(request, into),
                Place::Model => {
                    let name = self.asked_for(request);
                    let name = if is_json { &name.json } else { &name.plain };
                    into.extend_from_slice(name.as_bytes());
                }
                Place::InputTokens => number(into, request.input.get().into()),
                // No server gives an answer of none.
                Place::MaxTokens => number(into, request.output.get().max(1).into()),
                Place::Stream => {
                    into.extend_from_slice(if request.stream { b"true" } else { b"false" });
                }
                Place::User => number(into, request.user.into()),
                Place::Session => number(into, request.session.into()),
                Place::Client => number(into, request.client.into()),
                Place::Number => number(into, due.number),
                Place::Request => number(into, request.id.0),
            }
        });
    }

    /// What a request asks for by name.
    fn asked_for(&self, request: &Asked) -> &Name {
        let pinned = self.pins.get(&request.client).filter(|(model, _)| *model == request.model);
        let model = || self.models.get(usize::from(request.model.0));
        pinned.map(|(_, name)| name).or_else(model).unwrap_or(&self.models[0])
    }

    fn add_header(&mut self, header: &str) -> Result<(), MessageError> {
        let (name, value) = header.split_once(':').ok_or(MessageError::Header)?;
        let (name, value) = (name.trim(), value.trim());
        let found = || MessageError::HeaderName { found: name.to_owned() };
        let parsed = HeaderName::try_from(name).map_err(|_| found())?;
        if OWN_HEADERS.contains(&parsed) {
            return Err(MessageError::OwnHeader { name: name.to_owned() });
        }
        let template = Template::new(value)?;
        let bad = || MessageError::HeaderValue { name: name.to_owned() };
        let try_value =
            |value: Vec<u8>| HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| bad());
        // Only names can have what headers cannot.
        let names = (0..self.models.len() as u16).map(|model| (ModelIndex(model), u16::MAX));
        let pinned = self.pins.iter().map(|(client, (model, _))| (*model, *client));
        for (model, client) in names.chain(pinned) {
            let (mut due, mut value) = (sample_of(model), Vec::new());
            due.request.client = client;
            self.fill(&template, &due, false, &mut value);
            try_value(value)?;
        }
        if GIVEN.contains(&parsed) {
            self.headers.remove(&parsed);
        }
        if template.has_places() {
            self.templates.push((parsed, template));
        } else {
            self.headers.append(parsed, try_value(value.as_bytes().to_vec())?);
        }
        Ok(())
    }

    /// Whether the body is a JSON object, and says that it is to be streamed.
    fn check_body(&self) -> Result<bool, MessageError> {
        let body = self.body(&sample_of(ModelIndex(0)));
        let read = serde_json::from_slice::<Value>(&body);
        let value = read.map_err(|error| MessageError::Body { reason: error.to_string() })?;
        let Value::Object(members) = value else {
            return Err(MessageError::Body { reason: "it is another value".to_owned() });
        };
        Ok(members.get("stream") == Some(&Value::Bool(true)))
    }
}

impl Name {
    fn new(name: &str) -> Self {
        let quoted = Value::from(name).to_string();
        let json = quoted.get(1..quoted.len() - 1).unwrap_or_default().into();
        Self { plain: name.into(), json }
    }
}

/// The template of a chat completion.
fn chat(tells_user: bool, end: &str) -> String {
    [CHAT, if tells_user { USER } else { "" }, end].concat()
}

/// A request to try templates with.
const fn sample_of(model: ModelIndex) -> Due {
    let request = Asked {
        id: RequestId(0),
        model,
        user: 0,
        session: 0,
        client: 0,
        prompt: None,
        input: Tokens::new(8),
        output: Tokens::new(1),
        stream: false,
    };
    Due { number: 0, request, intended: Timestamp::EPOCH }
}

impl std::fmt::Debug for MessageParts {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageParts").field("models", &self.models).finish_non_exhaustive()
    }
}

/// Headers whose values the HTTP library or the target decides.
const OWN_HEADERS: [HeaderName; 3] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING];
/// Headers that a given one of the same name replaces.
const GIVEN: [HeaderName; 2] = [CONTENT_TYPE, USER_AGENT];
const AGENT: &str = concat!("coalmine/", env!("CARGO_PKG_VERSION"));

/// The beginning of a chat completion.
const CHAT: &str = concat!(
    r#"{"model":"{model}","messages":[{"role":"user","content":"{prompt}"}],"#,
    r#""max_tokens":{max_tokens}"#,
);
const USER: &str = r#","user":"{user}""#;
/// Its end, where the answer is to come in one piece.
const PLAIN: &str = "}";
/// Its end, where it is to be streamed.
const STREAMED: &str = r#","stream":true,"stream_options":{"include_usage":true}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> MessageParts {
        MessageParts { models: vec!["gpt-4".to_owned()], ..MessageParts::default() }
    }

    fn due(stream: bool) -> Due {
        let sample = sample_of(ModelIndex(0));
        let request = Asked {
            user: 17,
            client: 1,
            input: Tokens::new(12),
            output: Tokens::new(34),
            stream,
            ..sample.request
        };
        Due { number: 5, request, ..sample }
    }

    fn sent(parts: &MessageParts, due: &Due) -> (HeaderMap, Value) {
        let message = Message::new(parts).unwrap();
        let target = Target::new("http://a:80/v1").unwrap();
        let (request, length) = message.request(&target, due);
        let body = message.body(due);
        assert_eq!(length, body.len());
        (request.headers().clone(), serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn without_a_template_a_chat_completion_is_asked_for() {
        let (headers, body) = sent(&parts(), &due(false));
        assert_eq!((&body["model"], &body["max_tokens"]), (&"gpt-4".into(), &34.into()));
        let prompt = body["messages"][0]["content"].as_str().unwrap();
        assert_eq!(prompt.split(' ').count(), 12);
        assert_eq!(body.get("stream"), None);
        assert_eq!(headers[HOST], "a:80");
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert_eq!(headers.get(AUTHORIZATION), None);
        let (_, body) = sent(&parts(), &due(true));
        assert_eq!(body["stream"], true);
        assert_eq!(body["stream_options"]["include_usage"], true, "or nobody counts its tokens");
    }

    #[test]
    fn the_user_is_told_where_that_is_asked_for() {
        let parts = MessageParts { tells_user: true, ..parts() };
        for stream in [false, true] {
            let (_, body) = sent(&parts, &due(stream));
            assert_eq!(body["user"], "17");
            assert_eq!(body.get("stream").is_some(), stream);
        }
        assert_eq!(sent(&self::parts(), &due(false)).1.get("user"), None);
    }

    #[test]
    fn a_name_with_quotes_is_escaped_in_a_body() {
        let models = vec!["a\"b\\c".to_owned()];
        let (_, body) = sent(&MessageParts { models, ..parts() }, &due(false));
        assert_eq!(body["model"], "a\"b\\c");
    }

    #[test]
    fn a_client_can_ask_for_a_version_of_one_model() {
        let pins = |model| [(1, (ModelIndex(model), "gpt-4@beta".to_owned()))].into();
        let asked = |model| sent(&MessageParts { pins: pins(model), ..parts() }, &due(false)).1;
        assert_eq!(asked(0)["model"], "gpt-4@beta");
        assert_eq!(asked(1)["model"], "gpt-4", "its requests for others ask for no version");
    }

    #[test]
    fn headers_have_places_and_replace_what_is_given() {
        let headers = [
            "X-User: user-{user}",
            "user-agent: mine",
            "X-Number:{number}/{client}",
            "X-Request: {request}",
        ];
        let parts = MessageParts { headers: headers.map(str::to_owned).to_vec(), ..parts() };
        let (headers, _) = sent(&parts, &due(false));
        assert_eq!(headers["x-user"], "user-17");
        assert_eq!(headers["x-number"], "5/1");
        assert_eq!(headers["x-request"], "0", "its own number, not its place among all");
        assert_eq!(headers.get_all(USER_AGENT).iter().collect::<Vec<_>>(), ["mine"]);
    }

    #[test]
    fn each_client_has_its_key_or_all_have_the_one_there_is_and_it_is_never_shown() {
        let keys = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            MessageParts { keys, ..parts() }
        };
        let (headers, _) = sent(&keys(&["one", "two"]), &due(false));
        assert_eq!(headers[AUTHORIZATION], "Bearer two");
        let (headers, _) = sent(&keys(&["one"]), &due(false));
        assert_eq!(headers[AUTHORIZATION], "Bearer one");
        let message = Message::new(&keys(&["one", "two"])).unwrap();
        message.keys().replace(1, "three").unwrap();
        let target = Target::new("http://a:80/v1").unwrap();
        let (request, _) = message.request(&target, &due(false));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer three");
        assert!(message.keys().replace(1, "a\nb").is_err());
        let parts = keys(&["one"]);
        let shown = format!("{parts:?} {:?} {headers:?}", Message::new(&parts).unwrap());
        assert!(!shown.contains("one\"") && !shown.contains("Bearer"), "{shown}");
        let error = Message::new(&keys(&["a\nb"])).unwrap_err();
        assert_eq!(error, MessageError::HeaderValue { name: "authorization".to_owned() });
    }

    #[test]
    fn a_body_of_ones_own_says_whether_it_is_streamed() {
        let own =
            |body: &str| Message::new(&MessageParts { body: Some(body.to_owned()), ..parts() });
        let fixed = |body: &str| own(body).unwrap().fixed_stream();
        assert_eq!(fixed(r#"{"model":"{model}","stream":{stream}}"#), None);
        assert_eq!(fixed(r#"{"stream":true,"prompt":"{prompt}"}"#), Some(true));
        assert_eq!(fixed(r#"{"prompt":"{prompt}"}"#), Some(false));
        assert_eq!(Message::new(&parts()).unwrap().fixed_stream(), None);
        assert!(matches!(own("{prompt}"), Err(MessageError::Body { .. })));
        assert!(matches!(own("[1]"), Err(MessageError::Body { .. })));
        assert!(matches!(own(r#"{"a":"{text}"}"#), Err(MessageError::Place { .. })));
    }

    #[test]
    fn what_makes_no_request_is_refused() {
        let header = |header: &str| {
            let headers = vec![header.to_owned()];
            Message::new(&MessageParts { headers, ..parts() }).unwrap_err()
        };
        assert_eq!(header("no colon"), MessageError::Header);
        assert!(matches!(header("a b: c"), MessageError::HeaderName { .. }));
        assert!(matches!(header("Host: c"), MessageError::OwnHeader { .. }));
        assert!(matches!(header("x: \u{1}"), MessageError::HeaderValue { .. }));
        assert!(matches!(header("x: {y}"), MessageError::Place { .. }));
        let none = Message::new(&MessageParts::default()).unwrap_err();
        assert_eq!(none, MessageError::NoModel);
        let models = vec!["a\u{1}b".to_owned()];
        let headers = vec!["x: {model}".to_owned()];
        let named = Message::new(&MessageParts { models, headers, ..parts() });
        assert!(matches!(named, Err(MessageError::HeaderValue { .. })));
    }
}
