//! Models and their versions: the list, one of them, a new one, a tag.

use std::num::NonZeroU16;
use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin_request::{AdminRequest, answered, json_response, text_response};
use super::chat::AUTO;
use super::denied::version_not_found;
use super::entry_view::entry_json;
use super::journal_page::read_page_of;
use super::version_view::{NewVersion, VersionView};
use crate::engine::{Change, CommandKind, Scope, Sealed, Target, Version};
use crate::exchange::ModelIndex;
use crate::units::{ModelId, TagName, Timestamp};
use crate::wire::{ApiError, ModelEntry, model_list, model_object};

/// A tag that is to be set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTag {
    /// The version, by its id or by a tag.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    version_id: Target,
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    tag: TagName,
    /// Whether the earlier holder stays in the tag's history.
    #[serde(default = "yes")]
    preserve_previous: bool,
}

/// A tag that was set.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tagged")]
pub(super) struct TaggedView {
    /// `tagged`
    status: &'static str,
    model: String,
    tag: String,
    /// The version that it names now.
    version_id: String,
    /// The version that it named before; null: none.
    previous_version_id: Option<String>,
}

/// Which part of a history.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(default)]
    after: u64,
    #[serde(default = "usual_limit")]
    limit: u16,
}

/// `GET /v1/models`
pub(super) fn list_models(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let models = request.models(Scope::Inference)?;
    let created = models.iter().map(|(_, index)| created(request, *index));
    let created: Vec<Timestamp> = created.collect();
    let entries = models.iter().zip(&created).map(|((id, _), created)| entry(id, *created));
    Ok(text_response(StatusCode::OK, JSON, model_list(entries)))
}

/// `GET /v1/models/{model}`
pub(super) fn show_model(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let body = model_object(entry(id, created(request, index)));
    Ok(text_response(StatusCode::OK, JSON, body))
}

/// `GET /v1/models/{model}/versions`
pub(super) fn list_versions(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let all: Vec<VersionView> = request.desk().with(|inner, _| {
        let versions = inner.engine.versions(index);
        versions.iter().map(|version| VersionView::of(id, version)).collect()
    });
    Ok(json_response(StatusCode::OK, &all))
}

/// `GET /v1/models/{model}/versions/{version}`
pub(super) fn show_version(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let name = request.names.get("version");
    let found = find(request, id, index, name);
    let found = found.ok_or_else(|| version_not_found(request.desk(), id.as_str(), name))?;
    Ok(json_response(StatusCode::OK, &found))
}

/// `POST /v1/models/{model}/versions`
pub(super) async fn register(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let repeat = request.repeat()?;
    let version = request.json::<NewVersion>()?.into_version(request.desk().now())?;
    refuse_unfit(&version)?;
    // A version never changes: if it is there when the command comes, this is what it is.
    let present = find(request, id, index, version.id.as_str());
    let new = VersionView::new(id, &version);
    let kind = CommandKind::Register(Box::new(version));
    let answer = move |_: &_, entry: Option<&Sealed>| match entry {
        Some(_) => answered(StatusCode::CREATED, &new),
        None => answered(StatusCode::OK, &present.unwrap_or(new)),
    };
    request.command((id, index), kind, repeat, answer).await
}

/// Whoever asks for `auto` asks for the split.
fn refuse_auto(field: &str, name: &str) -> Result<(), ApiError> {
    if name.eq_ignore_ascii_case(AUTO) {
        let words = format!("no version and no tag can be {AUTO:?}: X-Canary-Version has its use");
        return Err(ApiError::invalid(field, words));
    }
    Ok(())
}

/// The journal keeps a version for ever, and every list shows it.
fn refuse_unfit(version: &Version) -> Result<(), ApiError> {
    refuse_auto("id", version.id.as_str())?;
    let parameters = serde_json::to_string(&version.parameters).unwrap_or_default().len();
    for (field, bytes, most) in
        [("parameters", parameters, MOST_PARAMETERS), ("notes", version.notes.len(), MOST_NOTES)]
    {
        if bytes > most {
            let words = format!("{field} is {bytes} bytes long; allowed are {most}");
            return Err(ApiError::invalid(field, words));
        }
    }
    Ok(())
}

/// `POST /v1/models/{model}/versions/tag`
pub(super) async fn tag(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let repeat = request.repeat()?;
    let NewTag { version_id, tag, preserve_previous } = request.json()?;
    refuse_auto("tag", tag.as_str())?;
    // Where the command changes nothing the tag is on this version already.
    let holder = request.desk().with(|inner, _| {
        let catalog = inner.engine.catalog(index)?;
        Some(catalog.id(catalog.resolve(version_id.as_str())?).to_string())
    });
    let (model, name) = (id.to_string(), tag.to_string());
    let kind = CommandKind::Tag { tag, version: version_id, preserve_previous };
    let answer = move |_: &_, entry: Option<&Sealed>| {
        let (version, previous) = match entry.map(|sealed| &sealed.entry().change) {
            Some(Change::Tagged { version, previous, .. }) => {
                (version.to_string(), previous.as_ref().map(ToString::to_string))
            }
            _ => (holder.clone().unwrap_or_default(), holder),
        };
        let view = TaggedView {
            status: "tagged",
            model,
            tag: name,
            version_id: version,
            previous_version_id: previous,
        };
        answered(StatusCode::OK, &view)
    };
    let answered = request.command((id, index), kind, repeat, answer).await;
    // A name that is unknown stands where this form has it.
    answered.map_err(|error| match error.status {
        404 => error.with_param("version_id"),
        _ => error,
    })
}

/// `GET /v1/models/{model}/history`
pub(super) async fn history(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, _) = request.model()?;
    let Part { mut after, limit } = request.query()?;
    if !(1..=MOST_ENTRIES).contains(&limit) {
        let words = format!("limit is {limit}; allowed are 1 to {MOST_ENTRIES}");
        return Err(ApiError::invalid("limit", words));
    }
    let front = Arc::clone(&request.office.front);
    let mut entries = Vec::new();
    // Pages are short where entries are large.
    while let Some(left) = limit.checked_sub(entries.len() as u16).and_then(NonZeroU16::new) {
        let page = read_page_of(&front, id, after, left).await?;
        let Some(last) = page.last() else { break };
        after = last.entry().number;
        entries.extend(page.iter().map(entry_json));
    }
    Ok(json_response(StatusCode::OK, &entries))
}

fn find(
    request: &AdminRequest,
    id: &ModelId,
    index: ModelIndex,
    name: &str,
) -> Option<VersionView> {
    request.desk().with(|inner, _| {
        let slot = inner.engine.catalog(index)?.resolve(name)?;
        let versions = inner.engine.versions(index);
        let found = versions.iter().find(|version| version.slot == slot)?;
        Some(VersionView::of(id, found))
    })
}

/// Since when a model has been offered: that of its first version.
fn created(request: &AdminRequest, index: ModelIndex) -> Timestamp {
    let first = request.desk().with(|inner, _| {
        let catalog = inner.engine.catalog(index)?;
        Some(catalog.versions().next()?.created_at)
    });
    first.unwrap_or(Timestamp::EPOCH)
}

fn entry(id: &ModelId, created: Timestamp) -> ModelEntry<'_> {
    ModelEntry { id: id.as_str(), created, owned_by: "coalmine" }
}

const fn yes() -> bool {
    true
}

const fn usual_limit() -> u16 {
    100
}

const JSON: &str = "application/json";
/// Chosen: some hundred kilobytes.
pub(super) const MOST_ENTRIES: u16 = 1_000;

/// Chosen: a long system prompt with room to spare.
const MOST_PARAMETERS: usize = 64 << 10;
/// Chosen: a page of text.
const MOST_NOTES: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::test_house::TestHouse;

    #[tokio::test]
    async fn models_are_told_as_openai_tells_them() {
        let house = TestHouse::new().await;
        let list = house.call("GET", "/v1/models", None).await;
        let one = json!({"id": "org/name", "object": "model", "created": 1_700_000_000,
                         "owned_by": "coalmine"});
        assert_eq!((&list.body["object"], &list.body["data"][1]), (&json!("list"), &one));
        for path in ["/v1/models/org/name", "/v1/models/org%2Fname"] {
            assert_eq!(house.call("GET", path, None).await.body, one, "{path}");
        }
    }

    #[tokio::test]
    async fn a_version_is_registered_once_and_never_changes() {
        let house = TestHouse::new().await;
        let path = "/v1/models/org/name/versions";
        let body = r#"{"id": "name-3", "upstream": "mock", "parameters": {"temperature": 0.5},
                       "price": {"per_1k": 0.008}, "notes": "tuned"}"#;
        let made = house.call("POST", path, Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let members: Vec<&str> =
            made.body.as_object().unwrap().keys().map(String::as_str).collect();
        for name in [
            "id",
            "model",
            "tag",
            "tags",
            "created_at",
            "status",
            "weight",
            "parameters",
            "price",
            "upstream",
            "evaluations",
        ] {
            assert!(members.contains(&name), "{name}");
        }
        let price = json!({"input_per_1k": 0.008, "output_per_1k": 0.008});
        assert_eq!((&made.body["status"], &made.body["price"]), (&json!("idle"), &price));
        let again = house.call("POST", path, Some(body)).await;
        assert_eq!((again.status, &again.body), (200, &made.body));
        let other = body.replace("0.5", "0.6");
        assert_eq!(house.call("POST", path, Some(&other)).await.error().0, 409);
        let shown = house.call("GET", "/v1/models/org%2Fname/versions/name-3", None).await;
        assert_eq!(shown.body, made.body);
        let nowhere = r#"{"id": "name-4", "upstream": "nowhere"}"#;
        let reply = house.call("POST", path, Some(nowhere)).await;
        assert_eq!(reply.error(), (422, "refused", "upstream"));
        assert!(reply.message().contains("the configuration has mock"), "{}", reply.message());
        let reply = house.call("POST", path, Some(r#"{"id": "a b", "upstream": "mock"}"#)).await;
        assert_eq!(reply.error(), (400, "invalid_value", "id"));
    }

    #[tokio::test]
    async fn a_tag_moves_and_says_from_where() {
        let house = TestHouse::new().await;
        let path = "/v1/models/org/name/versions/tag";
        let body = r#"{"version_id": "name-2", "tag": "beta"}"#;
        let tagged = json!({"status": "tagged", "model": "org/name", "tag": "beta",
                            "version_id": "name-2", "previous_version_id": null});
        assert_eq!(house.call("POST", path, Some(body)).await.body, tagged);
        // By the name of another tag, with a slash that is written as %2F.
        let path = "/v1/models/org%2Fname/versions/tag";
        let body = r#"{"version_id": "first", "tag": "beta"}"#;
        let moved = house.call("POST", path, Some(body)).await.body;
        assert_eq!(moved["version_id"], "name-1");
        assert_eq!(moved["previous_version_id"], "name-2");
        let again = house.call("POST", path, Some(body)).await.body;
        assert_eq!(again["version_id"], "name-1");
        let shown = house.call("GET", "/v1/models/org/name/versions/beta", None).await.body;
        assert_eq!((&shown["id"], &shown["tag"]), (&json!("name-1"), &json!("beta")));
        assert_eq!(shown["tags"], json!(["stable", "first", "beta"]));
        let unknown = r#"{"version_id": "name-9", "tag": "beta"}"#;
        let reply = house.call("POST", path, Some(unknown)).await;
        assert_eq!(reply.error(), (404, "version_not_found", "version_id"));
        assert!(reply.message().contains("name-1") && reply.message().contains("stable"));
        let clash = r#"{"version_id": "name-1", "tag": "name-2"}"#;
        assert_eq!(house.call("POST", path, Some(clash)).await.error().0, 409);
    }

    #[tokio::test]
    async fn a_history_is_paged_and_is_that_of_its_model() {
        let house = TestHouse::new().await;
        let path = "/v1/models/org/name/history";
        let all = house.call("GET", path, None).await.body;
        let all = all.as_array().unwrap().clone();
        // Two versions, two tags and a split.
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|entry| entry["model"] == "org/name"));
        let mut paged: Vec<Value> = Vec::new();
        loop {
            let after = paged.last().map_or(0, |entry| entry["number"].as_u64().unwrap());
            let page = house.call("GET", &format!("{path}?after={after}&limit=2"), None).await.body;
            let page = page.as_array().unwrap().clone();
            assert!(page.len() <= 2);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all);
        assert_eq!(all[1]["previous"], all[0]["hash"]);
        for query in ["limit=0", "limit=1001", "limit=x", "until=3"] {
            let reply = house.call("GET", &format!("{path}?{query}"), None).await;
            assert_eq!(reply.error().0, 400, "{query}");
            let name = query.split('=').next().unwrap();
            assert!(reply.message().contains(name), "{query}: {}", reply.message());
        }
    }

    #[tokio::test]
    async fn tags_versions_and_history_survive_a_restart_and_a_rollback() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let house = TestHouse::in_file(&path).await;
        let body = r#"{"version_id": "name-2", "tag": "beta"}"#;
        house.call("POST", "/v1/models/org/name/versions/tag", Some(body)).await;
        let body = r#"{"action": "rollback"}"#;
        house.call("POST", "/v1/models/org/name/deploy", Some(body)).await;
        let key = house.key.clone();
        let versions = house.call("GET", "/v1/models/org/name/versions", None).await.text;
        let history = house.call("GET", "/v1/models/org/name/history", None).await.body;
        assert!(versions.contains("\"beta\"") && versions.contains("\"rolled_back\""));
        drop(house);
        let house = TestHouse::again(&path, &key);
        let again = house.call("GET", "/v1/models/org/name/versions", None).await;
        assert_eq!((again.status, again.text), (200, versions));
        let longer = house.call("GET", "/v1/models/org/name/history", None).await.body;
        let length = history.as_array().unwrap().len();
        assert_eq!(longer.as_array().unwrap()[..length], history.as_array().unwrap()[..]);
        let status = house.call("GET", "/v1/deploy/status", None).await.body;
        let of_model = &status["models"][1];
        assert_eq!(of_model["last_rollback"]["target"], "name-1");
        assert_eq!(of_model["split"], json!({"name-1": 1.0}));
    }
}
