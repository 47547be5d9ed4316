//! What an answer is to be: text, JSON, or the call of a tool.

use serde::Deserialize;
use serde_json::Value;

use crate::wire::ApiError;

/// What an answer is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Words.
    Text,
    /// A JSON text: an instance of the schema, or some object where there is none.
    Json(Option<Value>),
    /// The call of this function, whose arguments are an instance of the schema.
    Call { name: String, parameters: Value },
}

/// The members of a request that decide it.
#[derive(Default, Deserialize)]
pub(super) struct FormRequest {
    pub(super) tools: Option<Vec<Tool>>,
    pub(super) tool_choice: Option<Value>,
    pub(super) response_format: Option<ResponseFormat>,
}

#[derive(Deserialize)]
pub(super) struct Tool {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    parameters: Value,
}

#[derive(Deserialize)]
pub(super) struct ResponseFormat {
    r#type: String,
    json_schema: Option<JsonSchema>,
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Option<Value>,
}

impl FormRequest {
    /// The form that is asked for. A tool is called where `tool_choice` leaves no other way:
    /// whether a model would call one that it may call, nobody can say.
    ///
    /// # Errors
    /// A tool that there is not, or a form that there is not, as 400.
    pub(super) fn form(self) -> Result<Form, ApiError> {
        let Self { tools, tool_choice, response_format } = self;
        let mut functions: Vec<Function> =
            tools.unwrap_or_default().into_iter().filter_map(|tool| tool.function).collect();
        match wanted(tool_choice.as_ref())? {
            Wanted::Nothing => format(response_format),
            Wanted::Any if functions.is_empty() => {
                let message = "tool_choice is \"required\" and there is no tool of type \
                               function: allowed with at least one in tools";
                Err(ApiError::invalid("tool_choice", message))
            }
            Wanted::Any => Ok(functions.swap_remove(0).call()),
            Wanted::Named(name) => {
                let place = functions.iter().position(|function| function.name == name);
                match place {
                    Some(place) => Ok(functions.swap_remove(place).call()),
                    None => {
                        let names: Vec<_> = functions.iter().map(|it| it.name.as_str()).collect();
                        let names = names.join(", ");
                        let message =
                            format!("tool_choice names {name:?}: allowed are the tools [{names}]");
                        Err(ApiError::invalid("tool_choice", message))
                    }
                }
            }
        }
    }
}

impl Function {
    fn call(self) -> Form {
        Form::Call { name: self.name, parameters: self.parameters }
    }
}

/// Which tool is to be called.
enum Wanted<'a> {
    Nothing,
    Any,
    Named(&'a str),
}

fn wanted(choice: Option<&Value>) -> Result<Wanted<'_>, ApiError> {
    let named = |choice: &'_ Value| choice.pointer("/function/name").is_some_and(Value::is_string);
    match choice {
        None | Some(Value::Null) => Ok(Wanted::Nothing),
        Some(Value::String(word)) if word == "none" || word == "auto" => Ok(Wanted::Nothing),
        Some(Value::String(word)) if word == "required" => Ok(Wanted::Any),
        Some(choice) if named(choice) => {
            let name = choice.pointer("/function/name").and_then(Value::as_str);
            Ok(name.map_or(Wanted::Nothing, Wanted::Named))
        }
        Some(other) => {
            let found: String = other.to_string().chars().take(LONGEST_TOLD).collect();
            let message = format!(
                "tool_choice is {found}: allowed are \"none\", \"auto\", \"required\" and \
                 {{\"type\": \"function\", \"function\": {{\"name\": <name>}}}}"
            );
            Err(ApiError::invalid("tool_choice", message))
        }
    }
}

fn format(format: Option<ResponseFormat>) -> Result<Form, ApiError> {
    let Some(ResponseFormat { r#type, json_schema }) = format else { return Ok(Form::Text) };
    match r#type.as_str() {
        "text" => Ok(Form::Text),
        "json_object" => Ok(Form::Json(None)),
        "json_schema" => match json_schema.and_then(|schema| schema.schema) {
            Some(schema) => Ok(Form::Json(Some(schema))),
            None => {
                let message = "response_format is of type json_schema and has no \
                               json_schema.schema: it is needed";
                Err(ApiError::invalid("response_format", message))
            }
        },
        other => {
            let found: String = other.chars().take(LONGEST_TOLD).collect();
            let message = format!(
                "response_format.type is {found:?}: allowed are text, json_object and json_schema"
            );
            Err(ApiError::invalid("response_format", message))
        }
    }
}

/// Chosen: of what a client sends no more than this is repeated.
const LONGEST_TOLD: usize = 80;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(request: Value) -> Result<Form, String> {
        let request: FormRequest = serde_json::from_value(request).unwrap();
        request.form().map_err(|error| {
            assert_eq!(error.status, 400);
            error.message
        })
    }

    fn tools() -> Value {
        json!([
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "g"}},
            {"type": "custom", "custom": {"name": "c"}},
        ])
    }

    #[test]
    fn a_tool_is_called_where_there_is_no_other_way() {
        let f = Form::Call { name: "f".to_owned(), parameters: json!({"type": "object"}) };
        let g = Form::Call { name: "g".to_owned(), parameters: Value::Null };
        let named = json!({"type": "function", "function": {"name": "g"}});
        for (choice, expected) in [
            (json!(null), Form::Text),
            (json!("auto"), Form::Text),
            (json!("none"), Form::Text),
            (json!("required"), f),
            (named, g),
        ] {
            assert_eq!(form(json!({"tools": tools(), "tool_choice": choice})), Ok(expected));
        }
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let told = form(json!({"tool_choice": "required"})).unwrap_err();
        assert!(told.contains("at least one in tools"), "{told}");
        let named = json!({"type": "function", "function": {"name": "h"}});
        let told = form(json!({"tools": tools(), "tool_choice": named})).unwrap_err();
        assert!(told.contains("\"h\"") && told.contains("[f, g]"), "{told}");
        for wrong in [json!("sometimes"), json!(1), json!({"type": "function"})] {
            assert!(form(json!({"tool_choice": wrong})).unwrap_err().contains("\"auto\""));
        }
        let told = form(json!({"response_format": {"type": "yaml"}})).unwrap_err();
        assert!(told.contains("\"yaml\"") && told.contains("json_object"), "{told}");
        let told = form(json!({"response_format": {"type": "json_schema"}})).unwrap_err();
        assert!(told.contains("json_schema.schema"), "{told}");
    }

    #[test]
    fn json_is_of_a_schema_or_of_none() {
        let of = |format: Value| form(json!({"response_format": format}));
        assert_eq!(of(json!({"type": "text"})), Ok(Form::Text));
        assert_eq!(of(json!({"type": "json_object"})), Ok(Form::Json(None)));
        let schema = json!({"type": "object"});
        let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
        assert_eq!(of(format), Ok(Form::Json(Some(schema))));
    }
}
