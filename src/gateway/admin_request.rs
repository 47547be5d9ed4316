//! A request to the administrative interface, once its path and its access key are known: what its
//! body, its query and its headers say. Knows no route.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::admin_error::command_failed;
use super::denied::{forbidden_error, wrong_key};
use super::desk::Desk;
use super::job::{Answered, Before};
use super::office::Office;
use super::route_path::Names;
use super::worker::std_duration;
use crate::engine::{Command, CommandKind, Digest, Principal, Scope, Sealed};
use crate::exchange::ModelIndex;
use crate::scenario::Limits;
use crate::units::ModelId;
use crate::wire::ApiError;

/// A request whose client may make it.
#[derive(Debug)]
pub(super) struct AdminRequest {
    pub(super) office: Arc<Office>,
    pub(super) head: Parts,
    pub(super) body: Bytes,
    /// What stands in the places of its path.
    pub(super) names: Names,
    /// Whose it is; `None`: anybody's.
    pub(super) caller: Option<Principal>,
    /// The model that its path names.
    pub(super) model: Option<(ModelId, ModelIndex)>,
}

impl AdminRequest {
    pub(super) fn desk(&self) -> &Desk {
        &self.office.front.house.desk
    }

    /// The caller of a route that needs an access key.
    pub(super) fn caller(&self) -> Result<&Principal, ApiError> {
        self.caller.as_ref().ok_or_else(wrong_key)
    }

    /// The model of a route whose path names one.
    pub(super) fn model(&self) -> Result<(&ModelId, ModelIndex), ApiError> {
        let model = self.model.as_ref().map(|(id, index)| (id, *index));
        model.ok_or_else(|| ApiError::model_not_found(self.names.get("model")))
    }

    /// A model that is named elsewhere than in the path, if the caller may do this with it.
    pub(super) fn model_named(
        &self,
        name: &str,
        scope: Scope,
    ) -> Result<(ModelId, ModelIndex), ApiError> {
        let index = self.desk().model(name).ok_or_else(|| ApiError::model_not_found(name))?;
        let id = self.desk().model_id(index).ok_or_else(|| ApiError::model_not_found(name))?;
        let permitted = self.caller()?.permits(scope, id);
        permitted.map_err(|forbidden| forbidden_error(&forbidden))?;
        Ok((id.clone(), index))
    }

    /// All models, if the caller may do this with each of them.
    pub(super) fn all_models(&self, scope: Scope) -> Result<Vec<(ModelId, ModelIndex)>, ApiError> {
        let caller = self.caller()?;
        caller.permits_all(scope).map_err(|forbidden| forbidden_error(&forbidden))?;
        Ok(self.desk().models().map(|(id, index)| (id.clone(), index)).collect())
    }

    /// The models with which the caller may do this.
    pub(super) fn models(&self, scope: Scope) -> Result<Vec<(ModelId, ModelIndex)>, ApiError> {
        let caller = self.caller()?;
        let all = self.desk().models();
        let permitted = all.filter(|(id, _)| caller.permits(scope, id).is_ok());
        Ok(permitted.map(|(id, index)| (id.clone(), index)).collect())
    }

    /// The body, which must be JSON of this form.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let value = self.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
        if !essence.is_some_and(|found| found.eq_ignore_ascii_case(JSON)) {
            return Err(ApiError::unsupported_media_type(essence, JSON));
        }
        // Else a list of a form's fields in their order would count as the form.
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first.is_some_and(|byte| *byte == b'[') {
            return Err(ApiError::malformed("the body is a list; allowed is an object"));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            body_error(&path, error.inner())
        })?;
        reader.end().map_err(|error| body_error(".", &error))?;
        Ok(read)
    }

    /// The body as [`Self::json`] reads it; one that is not there counts as an empty object.
    pub(super) fn json_or_nothing<T: DeserializeOwned + Default>(&self) -> Result<T, ApiError> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The query.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let read = axum::extract::Query::<T>::try_from_uri(&self.head.uri);
        let read = read.map_err(|rejection| {
            let words = rejection.body_text();
            let words = words.strip_prefix("Failed to deserialize query string: ");
            let words = words.map_or_else(|| rejection.body_text(), str::to_owned);
            let name = words.split(':').next().filter(|name| !name.contains(' '));
            let name = name.or_else(|| quoted(&words)).unwrap_or("query").to_owned();
            ApiError::invalid(name, format!("the query: {words}"))
        })?;
        Ok(read.0)
    }

    /// Under what a repeat of this request is known, where its client wants to be able to repeat
    /// it: access keys and paths have idempotency keys of their own.
    pub(super) fn repeat(&self) -> Result<Option<(String, Digest)>, ApiError> {
        let Some(value) = self.head.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = value.to_str().ok().map(str::trim);
        let key = key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).ok_or_else(|| {
            let words = format!(
                "the Idempotency-Key is empty, too long or no text; allowed are 1 to \
                 {LONGEST_KEY} visible ASCII characters"
            );
            ApiError::invalid("Idempotency-Key", words)
        })?;
        let (method, uri) = (&self.head.method, &self.head.uri);
        let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
        let mut request = format!("{method} {path}\n").into_bytes();
        request.extend_from_slice(&self.body);
        let by = self.caller()?.key();
        Ok(Some((format!("{by} {} {key}", uri.path()), Digest::of(&request))))
    }

    /// That the request is none that can be repeated: its answer holds a secret, which is kept
    /// nowhere.
    pub(super) fn refuse_repeat(&self) -> Result<(), ApiError> {
        if self.head.headers.contains_key(IDEMPOTENCY_KEY) {
            let words = "the answer holds a secret, which is kept nowhere: this request takes no \
                         Idempotency-Key";
            return Err(ApiError::invalid("Idempotency-Key", words));
        }
        Ok(())
    }

    /// Has a command carried out; the answer is made by `answer` from what was before and from the
    /// journal entry, if there is one.
    pub(super) async fn command(
        &self,
        model: (&ModelId, ModelIndex),
        kind: CommandKind,
        repeat: Option<(String, Digest)>,
        answer: impl FnOnce(&Before, Option<&Sealed>) -> Answered + Send + 'static,
    ) -> Result<Response<Body>, ApiError> {
        let by = self.caller()?.key().to_string();
        let command = Command { model: model.1, by, kind };
        let answered = self.office.front.command(command, repeat, answer).await;
        let answered =
            answered.map_err(|failure| command_failed(self.desk(), model.0.as_str(), &failure))?;
        Ok(answer_response(&answered))
    }
}

/// The body of a request, as far as it may be read.
pub(super) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, ApiError> {
    let most = usize::try_from(limits.body_bytes).unwrap_or(usize::MAX);
    let told = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if told.and_then(|told| told.parse::<u64>().ok()).is_some_and(|told| told > limits.body_bytes) {
        return Err(ApiError::too_large(most));
    }
    let reading = timeout(std_duration(limits.read_timeout), Limited::new(body, most).collect());
    match reading.await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(most)),
        Ok(Err(_)) => Err(ApiError::malformed("the body broke off")),
        Err(_) => {
            let words = format!("the body did not come within {}", limits.read_timeout);
            Err(ApiError { status: 408, ..ApiError::malformed(words) })
        }
    }
}

/// `body` as the answer to a command.
pub(super) fn answered(status: StatusCode, body: &impl Serialize) -> Answered {
    let body = serde_json::to_string(body);
    Answered {
        status: status.as_u16(),
        body: body.expect("answers are made of strings, finite numbers, lists and maps"),
    }
}

/// `body` as a response.
pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    answer_response(&answered(status, body))
}

/// `body`, which is of `kind`, as a response.
pub(super) fn text_response(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn answer_response(answered: &Answered) -> Response<Body> {
    let status = StatusCode::from_u16(answered.status);
    text_response(status.unwrap_or(StatusCode::OK), JSON, answered.body.clone())
}

fn body_error(path: &str, error: &serde_json::Error) -> ApiError {
    let words = error.to_string();
    if error.is_syntax() || error.is_eof() {
        return ApiError::malformed(format!("the body is no JSON: {words}"));
    }
    // A field that is unknown or missing is no part of the path to it.
    let field = ["unknown field `", "missing field `", "duplicate field `"];
    let field = field.iter().find_map(|start| words.strip_prefix(start)?.split('`').next());
    let above = if path == "." { "" } else { path };
    let param = match field {
        Some(field) if above.is_empty() || above.ends_with(field) => {
            if above.is_empty() {
                field.to_owned()
            } else {
                above.to_owned()
            }
        }
        Some(field) => format!("{above}.{field}"),
        None if above.is_empty() => return ApiError::malformed(format!("the body: {words}")),
        None => above.to_owned(),
    };
    ApiError::invalid(param.clone(), format!("{param}: {words}"))
}

fn quoted(words: &str) -> Option<&str> {
    words.split('`').nth(1)
}

const JSON: &str = "application/json";
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Chosen: as others that take such keys have it.
const LONGEST_KEY: usize = 255;
