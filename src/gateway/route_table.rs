//! The one table of the administrative interface's routes: requests are dispatched by it, and its
//! description is made from it, so that the two cannot differ. Handles nothing itself.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::dashboard_handler::HTML;
use super::deploy_handler::{Deploy, DeployedView};
use super::entry_view::EntryView;
use super::evaluation_handler::{EvaluatedView, NewEvaluation};
use super::key_handlers::{
    CreateKey, CreatedView, KeyView, Regenerate, RegenerateOwn, RegeneratedView, RevokedView,
};
use super::metrics_text::MetricsText;
use super::route::{Access, Answer, Operation, Parameter, Route, SchemaOf, Verb};
use super::route_path::Names;
use super::rules_handlers::{AppliedRules, RulesBody};
use super::state_handlers::{ReadyView, WellView};
use super::status_view::StatusView;
use super::version_handlers::{NewTag, TaggedView};
use super::version_view::{NewVersion, VersionView};
use crate::engine::Scope;

/// What a request's method and path lead to.
pub(super) enum Found {
    Route(&'static Route, Names),
    /// The path has routes, but none for the method.
    OtherMethods(String),
    Nothing,
}

/// The route of a request. Of several paths that fit the one is meant that has the most segments
/// which stand for themselves: a model or a version that is called as such a segment is reached by
/// writing a letter of its name, or the slash before it, as `%..`.
pub(super) fn find(method: &str, path: &str) -> Found {
    let fitting = ROUTES.iter().filter_map(|route| Some((route, route.path.names_in(path)?)));
    let fitting: Vec<_> = fitting.collect();
    let closest = fitting.iter().max_by_key(|(route, _)| route.path.literals());
    let Some((closest, names)) = closest else { return Found::Nothing };
    let same_path = || ROUTES.iter().filter(|route| route.path == closest.path);
    // Whoever answers GET answers HEAD.
    let verb = if method == "HEAD" { "GET" } else { method };
    match same_path().find(|route| route.verb.word() == verb) {
        Some(route) => Found::Route(route, names.clone()),
        None => {
            let verbs: Vec<&str> = same_path().map(|route| route.verb.word()).collect();
            Found::OtherMethods(verbs.join(", "))
        }
    }
}

const fn ok(schema: SchemaOf, about: &'static str) -> Answer {
    Answer { status: 200, about, kinds: &[JSON], schema }
}

const fn created(schema: SchemaOf, about: &'static str) -> Answer {
    Answer { status: 201, about, kinds: &[JSON], schema }
}

const fn text(kinds: &'static [&'static str], about: &'static str) -> Answer {
    Answer { status: 200, about, kinds, schema: of::<String> }
}

fn of<T: JsonSchema + ?Sized>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn limit(_: &mut SchemaGenerator) -> Schema {
    let most = super::version_handlers::MOST_ENTRIES;
    schemars::json_schema!({"type": "integer", "minimum": 1, "maximum": most, "default": 100})
}

fn number(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "integer", "minimum": 0})
}

fn key(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "string", "minLength": 1, "maxLength": 255})
}

fn object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "object"})
}

const JSON: &str = "application/json";
const REPEAT: Parameter = Parameter {
    name: "Idempotency-Key",
    is_header: true,
    about: "A repeat under the same key within a day gets the same answer and changes nothing; a \
            refused request is not remembered.",
    schema: key,
};
const MODEL: Parameter = Parameter {
    name: "model",
    is_header: false,
    about: "The model; absent: all of them.",
    schema: of::<String>,
};
const PART: [Parameter; 2] = [
    Parameter {
        name: "after",
        is_header: false,
        about: "Entries after this number.",
        schema: number,
    },
    Parameter { name: "limit", is_header: false, about: "At most so many.", schema: limit },
];
const RESUME: Parameter = Parameter {
    name: "Last-Event-ID",
    is_header: true,
    about: "The number of the last journal entry that was seen: those after it come first.",
    schema: number,
};
const READ: Access = Access::Model(Scope::Inference);
const CHANGE: Access = Access::Model(Scope::Admin);
const VERSIONS: &str = "/v1/models/{model}/versions";
const RULES: &str = "/v1/deploy/rollback-rules";
const KEYS: &str = "/v1/auth/keys";

/// All of them, in the order of the description.
pub(super) static ROUTES: [Route; 25] = [
    Route::new(
        (Verb::Get, "/v1/models"),
        Operation::ListModels,
        Access::Key,
        "The models that the key may use, in OpenAI's form.",
        &[ok(object, "The models.")],
    ),
    Route::new(
        (Verb::Get, "/v1/models/{model}"),
        Operation::ShowModel,
        READ,
        "A model, in OpenAI's form.",
        &[ok(object, "The model.")],
    ),
    Route::new(
        (Verb::Get, VERSIONS),
        Operation::ListVersions,
        READ,
        "The versions of a model, the newest first.",
        &[ok(of::<Vec<VersionView>>, "The versions.")],
    ),
    Route::new(
        (Verb::Post, VERSIONS),
        Operation::RegisterVersion,
        CHANGE,
        "Registers a version. A version never changes: to register it again with the same content \
         changes nothing, and with another content is a conflict.",
        &[
            created(of::<VersionView>, "The version that was registered."),
            ok(of::<VersionView>, "The version, which was there already."),
        ],
    )
    .takes(of::<NewVersion>)
    .with(&[REPEAT]),
    Route::new(
        (Verb::Get, "/v1/models/{model}/versions/{version}"),
        Operation::ShowVersion,
        READ,
        "A version, by its id or by a tag.",
        &[ok(of::<VersionView>, "The version.")],
    ),
    Route::new(
        (Verb::Post, "/v1/models/{model}/versions/tag"),
        Operation::TagVersion,
        CHANGE,
        "Lets a tag name a version. Every other tag stays where it is.",
        &[ok(of::<TaggedView>, "What the tag names now, and what it named before.")],
    )
    .takes(of::<NewTag>)
    .with(&[REPEAT]),
    Route::new(
        (Verb::Post, "/v1/models/{model}/versions/{version}/evaluations"),
        Operation::Evaluate,
        CHANGE,
        "Attaches to a version what a rehearsal said of it.",
        &[created(of::<EvaluatedView>, "What was attached.")],
    )
    .takes(of::<NewEvaluation>)
    .with(&[REPEAT]),
    Route::new(
        (Verb::Post, "/v1/models/{model}/deploy"),
        Operation::Deploy,
        CHANGE,
        "Moves traffic: a split, a rollback, a rollout, a promotion.",
        &[ok(of::<DeployedView>, "How traffic is split now, and how it was.")],
    )
    .takes(of::<Deploy>)
    .with(&[REPEAT]),
    Route::new(
        (Verb::Get, "/v1/models/{model}/history"),
        Operation::History,
        CHANGE,
        "The model's journal entries, the oldest first. Fewer than asked for: there are no more.",
        &[ok(of::<Vec<EntryView>>, "The entries.")],
    )
    .with(&PART)
    .also(&[503]),
    Route::new(
        (Verb::Get, RULES),
        Operation::ShowRules,
        Access::Asked,
        "The rollback rules, with every default. Without a model: those of all models that have \
         none of their own, and which have their own.",
        &[ok(of::<RulesBody>, "The rules, as PUT takes them.")],
    )
    .with(&[MODEL])
    .also(&[404]),
    Route::new(
        (Verb::Post, RULES),
        Operation::ApplyRules,
        Access::Asked,
        RULES_SUMMARY,
        &[ok(of::<AppliedRules>, "The rules, with every default.")],
    )
    .takes(of::<RulesBody>)
    .with(&[MODEL, REPEAT]),
    Route::new(
        (Verb::Put, RULES),
        Operation::ReplaceRules,
        Access::Asked,
        RULES_SUMMARY,
        &[ok(of::<AppliedRules>, "The rules, with every default.")],
    )
    .takes(of::<RulesBody>)
    .with(&[MODEL, REPEAT]),
    Route::new(
        (Verb::Delete, RULES),
        Operation::FollowRules,
        Access::Asked,
        "Takes a model its own rules away: it has those of all models from then on.",
        &[ok(of::<AppliedRules>, "The rules that it has by that.")],
    )
    .with(&[MODEL, REPEAT]),
    Route::new(
        (Verb::Post, "/v1/auth/regenerate-key"),
        Operation::RegenerateOwnKey,
        Access::Key,
        "A new secret for the calling key, shown once; the old one stays valid for a while. Takes \
         no Idempotency-Key: the secret is kept nowhere.",
        &[ok(of::<RegeneratedView>, "The new secret.")],
    )
    .takes(of::<RegenerateOwn>)
    .or_nothing(),
    Route::new(
        (Verb::Get, KEYS),
        Operation::ListKeys,
        Access::Asked,
        "The access keys, without their secrets.",
        &[ok(of::<Vec<KeyView>>, "The keys.")],
    ),
    Route::new(
        (Verb::Post, KEYS),
        Operation::CreateKey,
        Access::Asked,
        "Makes an access key. Its secret is shown once and kept nowhere, so that the request takes \
         no Idempotency-Key: a repeat is a conflict.",
        &[created(of::<CreatedView>, "The key with its secret.")],
    )
    .takes(of::<CreateKey>),
    Route::new(
        (Verb::Delete, "/v1/auth/keys/{key}"),
        Operation::RevokeKey,
        Access::Asked,
        "Revokes an access key, at once. No key revokes itself.",
        &[ok(of::<RevokedView>, "The key that was revoked.")],
    )
    .with(&[REPEAT]),
    Route::new(
        (Verb::Post, "/v1/auth/keys/{key}/regenerate"),
        Operation::RegenerateKey,
        Access::Asked,
        "A new secret for a key, shown once. Takes no Idempotency-Key: the secret is kept nowhere.",
        &[ok(of::<RegeneratedView>, "The new secret.")],
    )
    .takes(of::<Regenerate>)
    .or_nothing(),
    Route::new(
        (Verb::Get, "/v1/deploy/status"),
        Operation::Status,
        Access::Key,
        "How all stands: splits, rollouts, the last minute of each version, timers of rules.",
        &[ok(of::<StatusView>, "How it stands.")],
    ),
    Route::new(
        (Verb::Get, "/v1/deploy/events"),
        Operation::Events,
        Access::Asked,
        "What happens, as server-sent events: `journal` entries with their number as id, what the \
         engine tells, and each second `metrics`, in the form of the status.",
        &[text(&["text/event-stream"], "The events.")],
    )
    .with(&[RESUME])
    .also(&[503]),
    Route::new(
        (Verb::Get, "/healthz"),
        Operation::Healthz,
        Access::Open,
        "Whether the process lives.",
        &[ok(of::<WellView>, "It does.")],
    ),
    Route::new(
        (Verb::Get, "/readyz"),
        Operation::Readyz,
        Access::Open,
        "Whether the gateway should get traffic: not while it is about to stop. A journal that \
         cannot be written keeps no requests away, and is told: commands get 503.",
        &[ok(of::<ReadyView>, "It should.")],
    )
    .also(&[503]),
    Route::new(
        (Verb::Get, "/metrics"),
        Operation::Metrics,
        Access::Open,
        "What Prometheus reads.",
        &[text(MetricsText::TYPES, "The metrics, in OpenMetrics' text where `accept` names it.")],
    )
    .also(&[500]),
    Route::new(
        (Verb::Get, "/openapi.json"),
        Operation::OpenApi,
        Access::Open,
        "This description.",
        &[ok(object, "It.")],
    ),
    Route::new(
        (Verb::Get, "/"),
        Operation::Dashboard,
        Access::Open,
        "A page that shows how all stands as it happens, and rolls back. It asks for a key itself.",
        &[text(&[HTML], "The page.")],
    ),
];

const RULES_SUMMARY: &str = "Replaces the rollback rules. Without a model: those of all models \
    that have none of their own, also of those to come; none is changed unless all can take them. \
    With a model: it has its own from then on.";

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str) -> Option<Operation> {
        match find(method, path) {
            Found::Route(route, _) => Some(route.operation),
            _ => None,
        }
    }

    #[test]
    fn every_route_has_an_operation_of_its_own() {
        for (place, route) in ROUTES.iter().enumerate() {
            let same = |other: &Route| {
                other.operation == route.operation
                    || (other.verb, other.path) == (route.verb, route.path)
            };
            assert_eq!(ROUTES.iter().position(same), Some(place), "{route:?}");
        }
    }

    #[test]
    fn a_name_that_is_also_a_part_of_a_path_is_reached_when_it_is_encoded() {
        let path = "/v1/models/org/name/versions/tag";
        assert_eq!(operation("POST", path), Some(Operation::TagVersion));
        assert_eq!(operation("GET", path), None);
        let path = "/v1/models/org/name/versions/%74ag";
        assert_eq!(operation("GET", path), Some(Operation::ShowVersion));
        assert_eq!(operation("HEAD", path), Some(Operation::ShowVersion));
        assert_eq!(operation("GET", "/v1/models/org/name"), Some(Operation::ShowModel));
        assert_eq!(operation("GET", "/v1/models/a/b/history"), Some(Operation::History));
        assert_eq!(operation("GET", "/v1/models/a/b%2Fhistory"), Some(Operation::ShowModel));
        assert_eq!(operation("GET", "/v1/models/a/deploy"), None);
    }

    #[test]
    fn the_methods_of_a_path_are_told() {
        let Found::OtherMethods(verbs) = find("PATCH", RULES) else { panic!("a known path") };
        assert_eq!(verbs, "GET, POST, PUT, DELETE");
        assert!(matches!(find("GET", "/v2"), Found::Nothing));
    }
}
