//! What a client is told whose request goes to no version.

use super::desk::{Denied, Desk};
use crate::engine::{CommandError, Forbidden, RouteError};
use crate::exchange::RetryAfter;
use crate::units::Duration;
use crate::wire::ApiError;

/// What the client is told who asked for `model`.
pub(super) fn denied(desk: &Desk, model: &str, why: &Denied) -> ApiError {
    match why {
        // The client is told no more than that: the log has the reason.
        Denied::Key(error) => {
            tracing::info!(target: "coalmine::access", %error, "access refused");
            wrong_key()
        }
        Denied::Forbidden(forbidden) => forbidden_error(forbidden),
        Denied::Model => ApiError::model_not_found(model),
        Denied::Route(RouteError::NothingDeployed) => ApiError::overloaded(
            format!("nothing is deployed for the model {model:?} yet"),
            RetryAfter::of(Duration::from_secs(5)),
        ),
        Denied::Route(RouteError::Unknown(CommandError::UnknownVersion { name, .. })) => {
            version_not_found(desk, model, name)
        }
        Denied::Route(RouteError::Unknown(error @ CommandError::Unreachable { .. })) => {
            ApiError::refused(error.to_string())
        }
        Denied::Route(RouteError::Unknown(error)) => ApiError::not_found(error.to_string()),
    }
}

/// What is told of a version or tag that is not there, with those that are.
pub(super) fn version_not_found(desk: &Desk, model: &str, name: &str) -> ApiError {
    let known: Vec<String> = desk.model(model).map_or_else(Vec::new, |place| {
        desk.with(|inner, _| {
            let catalog = inner.engine.catalog(place);
            catalog.map_or_else(Vec::new, |catalog| {
                let versions = catalog.versions().map(|version| version.id.to_string());
                let tags = catalog.tags().map(|(tag, _)| tag.to_string());
                versions.chain(tags).collect()
            })
        })
    });
    ApiError::version_not_found(model, name, known.iter().map(String::as_str))
}

/// What is told of a key that is not valid.
pub(super) fn wrong_key() -> ApiError {
    ApiError::invalid_api_key("the access key is not valid, or no longer")
}

/// What is told where a key may not do this.
pub(super) fn forbidden_error(forbidden: &Forbidden) -> ApiError {
    ApiError::forbidden(forbidden.to_string())
}
