//! Why a gateway cannot begin, or does not take another configuration.

use std::io;

use super::notify_plan::NotifyFault;
use super::post::PostError;
use super::settings::UpstreamFault;
use super::tls::TlsError;
use super::version_route::RouteFault;
use crate::store::{OpenError, StoreError};
use crate::units::ModelId;

/// Why a gateway cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be trusted, or not be written.
    #[error("the journal is not as it was written: {0}")]
    Store(#[from] StoreError),
    /// An upstream cannot be reached as the plan says.
    #[error(transparent)]
    Upstream(#[from] UpstreamFault),
    /// A version of the journal cannot be sent anything.
    #[error(transparent)]
    Route(#[from] RouteFault),
    /// What the configuration asks for is refused.
    #[error("model {model}: {why}")]
    Refused {
        /// Of which model.
        model: ModelId,
        /// Why.
        why: String,
    },
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Notifications cannot be sent as the plan says.
    #[error(transparent)]
    Notify(#[from] NotifyFault),
    /// Notifications cannot be sent at all.
    #[error(transparent)]
    Post(#[from] PostError),
    /// An address cannot be listened at.
    #[error("cannot listen at {0}")]
    Listen(#[source] io::Error),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] io::Error),
    /// Requests cannot be recorded.
    #[error("requests cannot be recorded in {0}")]
    Record(#[source] io::Error),
    /// The first access key could not be shown, and is not valid.
    #[error("the first access key could not be shown, and is not valid: {0}")]
    Show(#[source] io::Error),
    /// The system has no randomness.
    #[error("the system has no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// Why a new configuration is not taken. The old one stays.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Models come and go with a restart alone.
    #[error("the models are {now}; a gateway that runs has {before}: restart it to change them")]
    Models {
        /// Those of the new configuration.
        now: String,
        /// Those that are served.
        before: String,
    },
    /// An upstream cannot be reached as the plan says.
    #[error(transparent)]
    Upstream(#[from] UpstreamFault),
    /// A version can no longer be sent anything.
    #[error(transparent)]
    Route(#[from] RouteFault),
    /// Notifications cannot be sent as the plan says.
    #[error(transparent)]
    Notify(#[from] NotifyFault),
    /// Notifications cannot be sent at all.
    #[error(transparent)]
    Ways(#[from] crate::notify::StartError),
    /// The gateway could not be started with it.
    #[error("the next start would be refused with it: {0}")]
    NextStart(Box<StartError>),
}
