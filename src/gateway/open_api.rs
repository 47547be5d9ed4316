//! The description of the interface, in OpenAPI 3.1: made from the table of routes and from the
//! types of bodies and answers.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::route::{Access, Answer, Operation, Parameter, Route};
use super::route_table::ROUTES;
use crate::engine::Scope;

/// The form of every error.
#[derive(JsonSchema)]
#[schemars(rename = "ErrorAnswer")]
#[expect(dead_code, reason = "its fields are the schema of what ApiError writes")]
struct ErrorView {
    error: ErrorTold,
}

#[derive(JsonSchema)]
#[schemars(rename = "Error")]
#[expect(dead_code, reason = "its fields are the schema of what ApiError writes")]
struct ErrorTold {
    /// For people: names the field, its value and what is allowed.
    message: String,
    #[schemars(rename = "type")]
    kind: String,
    /// The field of the request that is at fault.
    param: Option<String>,
    /// What a program tells errors of one kind apart by.
    code: Option<String>,
}

/// The description.
pub(super) fn document() -> Value {
    let mut forms = Forms::new();
    let mut paths = Map::new();
    for route in &ROUTES {
        let operation = forms.operation(route);
        let path = paths.entry(route.path.0).or_insert_with(|| json!({}));
        path[route.verb.word().to_lowercase()] = operation;
    }
    paths.insert(CHAT.to_owned(), json!({"post": forms.chat()}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "coalmine",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {
            "schemas": forms.definitions(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    })
}

/// The forms of what is read and of what is written, as they are named in the description.
struct Forms {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Forms {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        let read = settings().for_deserialize().into_generator();
        Self { read, written: settings().for_serialize().into_generator() }
    }

    fn operation(&mut self, route: &Route) -> Value {
        let mut parameters: Vec<Value> = route.path.places().map(path_parameter).collect();
        parameters.extend(route.parameters.iter().map(|parameter| self.parameter(parameter)));
        let answers = route.answers.iter();
        let mut answers: Map<String, Value> =
            answers.map(|answer| (answer.status.to_string(), self.answer(answer))).collect();
        for status in route.error_statuses() {
            answers.insert(status.to_string(), self.error(status));
        }
        let mut operation = json!({
            "operationId": operation_id(route.operation),
            "summary": route.summary,
            "description": scope_text(route.access),
            "parameters": parameters,
            "responses": answers,
        });
        if route.access != Access::Open {
            operation["security"] = json!([{"key": []}]);
        }
        if let Some(body) = route.body {
            let schema = body(&mut self.read);
            let required = !route.body_is_optional;
            operation["requestBody"] = json!({
                "required": required, "content": {"application/json": {"schema": schema}},
            });
        }
        operation
    }

    fn parameter(&mut self, parameter: &Parameter) -> Value {
        json!({
            "name": parameter.name,
            "in": if parameter.is_header { "header" } else { "query" },
            "description": parameter.about,
            "required": false,
            "schema": (parameter.schema)(&mut self.read),
        })
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let schema = (answer.schema)(&mut self.written);
        let kinds = answer.kinds.iter();
        let content: Map<String, Value> =
            kinds.map(|kind| ((*kind).to_owned(), json!({"schema": schema}))).collect();
        json!({"description": answer.about, "content": content})
    }

    fn error(&mut self, status: u16) -> Value {
        let schema = self.written.subschema_for::<ErrorView>();
        let reason = http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
        let content = json!({"application/json": {"schema": schema}});
        json!({"description": reason.unwrap_or("Error"), "content": content})
    }

    /// Chat completions are answered elsewhere: by a version, with whatever status that answers.
    fn chat(&mut self) -> Value {
        let statuses = [400, 401, 403, 404, 408, 413, 415, 502, 503, 504];
        let mut answers: Map<String, Value> =
            statuses.map(|status| (status.to_string(), self.error(status))).into_iter().collect();
        let success = json!({
            "description": "The answer of the version that X-Served-Version names.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                // A schema would be one of its events, and those are the version's.
                "text/event-stream": {},
            },
        });
        answers.insert("200".to_owned(), success);
        answers.insert("default".to_owned(), json!({"description": "What the version answers."}));
        let body = json!({
            "type": "object",
            "required": ["model", "messages"],
            "properties": {
                "model": {"type": "string"},
                "messages": {"type": "array", "items": {"type": "object"}},
                "stream": {"type": "boolean"},
            },
        });
        json!({
            "operationId": "chat",
            "summary": "A chat completion, plain or streamed; fields that are not named here pass \
                        through.",
            "description": scope_text(READ),
            "security": [{"key": []}],
            "parameters": [{
                "name": "X-Canary-Version", "in": "header", "required": false,
                "description": "auto, a version or a tag.", "schema": {"type": "string"},
            }],
            "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
            "responses": answers,
        })
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        all.append(&mut self.written.take_definitions(true));
        all
    }
}

fn path_parameter(place: &'static str) -> Value {
    let about = match place {
        "model" => "The model; slashes in its name may be written as they are, or as %2F.",
        "version" => "The version's id, or a tag; one that is called `tag` is written %74ag.",
        _ => "The access key's id.",
    };
    json!({
        "name": place, "in": "path", "required": true, "description": about,
        "schema": {"type": "string", "minLength": 1},
    })
}

fn scope_text(access: Access) -> &'static str {
    match access {
        Access::Open => "Needs no access key.",
        Access::Key => "Needs an access key, of any scope.",
        Access::Model(Scope::Inference) => "Needs an access key for the model.",
        Access::Model(Scope::Admin) => "Needs an access key of scope admin for the model.",
        Access::Asked => "Needs an access key of scope admin for all models that are concerned.",
    }
}

/// `ListModels` becomes `listModels`.
fn operation_id(operation: Operation) -> String {
    let name = format!("{operation:?}");
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_lowercase())
}

const CHAT: &str = "/v1/chat/completions";
const READ: Access = Access::Model(Scope::Inference);
const ABOUT: &str = "A gateway for AI models that releases versions as canaries and rolls back \
    those that break its rules. Errors have OpenAI's form. Every response has x-request-id.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut references = text.split("\"$ref\":\"").skip(1);
        assert!(references.clone().count() > 50);
        let whole = references.all(|rest| {
            let reference = rest.split('"').next().unwrap();
            document.pointer(reference.strip_prefix('#').unwrap()).is_some()
        });
        assert!(whole, "{text}");
    }

    #[test]
    fn bodies_allow_no_fields_that_the_handlers_refuse() {
        let document = document();
        for name in ["NewVersion", "NewTag", "CreateKey", "Regenerate", "Rules"] {
            let schema = &document["components"]["schemas"][name];
            assert_eq!(schema["additionalProperties"], json!(false), "{name}");
        }
        let actions = document["components"]["schemas"]["Deploy"]["oneOf"].as_array().unwrap();
        assert_eq!(actions.len(), 7);
        assert!(actions.iter().all(|action| action["additionalProperties"] == json!(false)));
    }
}
