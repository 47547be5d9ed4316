//! What a client of the administrative interface is told when its command is refused or fails.

use super::denied::version_not_found;
use super::desk::Desk;
use super::job::CommandFailure;
use super::version_route::RouteFault;
use crate::engine::CommandError;
use crate::exchange::RetryAfter;
use crate::store::StoreError;
use crate::units::Duration;
use crate::wire::ApiError;

/// What is told of a command for `model` that was not carried out.
pub(super) fn command_failed(desk: &Desk, model: &str, failure: &CommandFailure) -> ApiError {
    match failure {
        CommandFailure::Refused(error) => refused(desk, model, error),
        CommandFailure::Route(
            fault @ (RouteFault::UnknownUpstream { .. } | RouteFault::Needed { .. }),
        ) => ApiError::refused(fault.to_string()).with_param("upstream"),
        CommandFailure::Route(fault @ RouteFault::Parameters { .. }) => {
            ApiError::invalid("parameters", fault.to_string())
        }
        CommandFailure::LastAdmin(_) => {
            ApiError::conflict(format!("{failure}: make another one of scope admin first"))
        }
        CommandFailure::Unreadable(_) => ApiError::refused(
            "what is to be kept lies too deep: put fewer lists and maps in each other",
        ),
        CommandFailure::Store(error) => journal_failed(error),
        CommandFailure::OtherRequest(_) => ApiError::refused(
            "this Idempotency-Key was used for another request: send each request under a key of \
             its own",
        )
        .with_code("idempotency_key_reused")
        .with_param("Idempotency-Key"),
        CommandFailure::Stopping => stopping(),
    }
}

/// What is told where the journal can be neither read nor written.
pub(super) fn journal_failed(error: &StoreError) -> ApiError {
    // Where it lies and what the disk says is for the log.
    tracing::error!(target: "coalmine::access", %error, "the journal failed a request");
    let words = "the journal cannot be used at present; nothing has changed";
    ApiError::overloaded(words, RetryAfter::of(Duration::from_secs(5)))
        .with_code("journal_unavailable")
}

/// What is told when the gateway goes down.
pub(super) fn stopping() -> ApiError {
    ApiError::overloaded("the gateway is stopping", RetryAfter::of(Duration::from_secs(5)))
}

fn refused(desk: &Desk, model: &str, error: &CommandError) -> ApiError {
    let words = error.to_string();
    match error {
        CommandError::UnknownModel(_) => ApiError::model_not_found(model),
        CommandError::UnknownVersion { name, .. } => version_not_found(desk, model, name),
        CommandError::UnknownKey { .. } => ApiError::not_found(words).with_param("key"),
        CommandError::NoUpstream(_) => ApiError::invalid("upstream", words),
        CommandError::Price { .. } => ApiError::invalid("price", words),
        CommandError::MetricNotFinite { .. } => ApiError::invalid("metrics", words),
        CommandError::Split(_) | CommandError::NamedTwice(_) => ApiError::invalid("split", words),
        CommandError::TooManyVersions { .. } | CommandError::Unreachable { .. } => {
            ApiError::refused(words)
        }
        CommandError::BlindJudge { .. } => ApiError::refused(words).with_param("conditions"),
        CommandError::KeyOfUnknownModel(_) => ApiError::refused(words).with_param("models"),
        CommandError::RolledBack(_) => ApiError::conflict(words).with_param("redeploy"),
        CommandError::VersionExists(_)
        | CommandError::VersionIsTag(_)
        | CommandError::TagIsVersion(_)
        | CommandError::KeyExists(_)
        | CommandError::TooManySecrets { .. }
        | CommandError::NoStable
        | CommandError::StableInRollout
        | CommandError::AlreadyStable(_)
        | CommandError::OtherRollout { .. }
        | CommandError::Rollout(_) => ApiError::conflict(words),
    }
}
