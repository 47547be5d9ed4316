//! What the keeper is asked to do.

use std::num::NonZeroU16;

use tokio::sync::oneshot;

use crate::engine::{Command, CommandError, Digest, SealError, Sealed, Split};
use crate::notify::Delivery;
use crate::store::StoreError;
use crate::units::{Duration, KeyId, ModelId, VersionId, format_counted};

use super::version_route::RouteFault;

/// What the keeper is asked to do.
pub(super) enum Job {
    /// The engine has told something.
    Wake,
    /// Carry out a command.
    Command(Box<Errand>),
    /// Read entries after a number, of a model or all.
    Read {
        model: Option<ModelId>,
        after: u64,
        limit: NonZeroU16,
        reply: oneshot::Sender<Result<Vec<Sealed>, StoreError>>,
    },
    /// A message has arrived, or will not.
    Delivered(Box<Delivery>),
    /// Write what there is to write, wait so long for notifications under way, and end.
    Stop { patience: Duration, done: oneshot::Sender<Result<(), Unwritten>> },
}

/// What the engine has done and the journal does not have, at the end.
#[derive(Debug, thiserror::Error)]
#[error(
    "the journal could not be written: it lacks the last {}, which the log has, and the next start \
     knows nothing of them{}",
    format_counted(*.entries as u64, "entry", "entries"),
    .fault.as_ref().map_or_else(String::new, |fault| format!(": {fault}"))
)]
pub(super) struct Unwritten {
    pub(super) entries: usize,
    /// Why.
    pub(super) fault: Option<StoreError>,
}

/// A command on its way to the journal.
pub(super) struct Errand {
    pub(super) command: Command,
    /// Makes the answer, before the command takes effect: it is kept with the entry.
    pub(super) answer: MakeAnswer,
    /// Under which key a repeat gets the same answer, and the digest of the request.
    pub(super) repeat: Option<(String, Digest)>,
    pub(super) reply: oneshot::Sender<Result<Answered, CommandFailure>>,
}

/// Makes the answer of a command: from what was deployed before it, and its journal entry.
pub(super) type MakeAnswer = Box<dyn FnOnce(&Before, Option<&Sealed>) -> Answered + Send>;

/// What was deployed before a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// The weights, by version; empty: nothing was deployed.
    pub(super) split: Vec<(VersionId, crate::units::Ratio)>,
}

/// The answer to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// JSON.
    pub(super) body: String,
}

/// Why a command was not carried out. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandFailure {
    /// The engine refuses it.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// Nothing could be sent to the version.
    #[error(transparent)]
    Route(#[from] RouteFault),
    /// It could not be written down.
    #[error("the journal cannot be written: {0}")]
    Store(#[from] StoreError),
    /// It would take away the only key that can manage keys.
    #[error("the access key {0} is the last that manages keys of all models")]
    LastAdmin(KeyId),
    /// Its entry could not be read again.
    #[error("its journal entry could not be read again: {0}")]
    Unreadable(SealError),
    /// Another request was sent under the same idempotency key.
    #[error("the idempotency key {0:?} was used for another request")]
    OtherRequest(String),
    /// The gateway is going down.
    #[error("the gateway is stopping")]
    Stopping,
}

impl Before {
    /// The weights of `split` by the versions' names.
    pub(super) fn new<'a>(
        split: Option<&Split>,
        versions: impl Iterator<Item = &'a VersionId>,
    ) -> Self {
        let weights = split.map(Split::weights).unwrap_or_default();
        let split = versions.cloned().zip(weights.iter().copied());
        Self { split: split.filter(|(_, weight)| weight.get() > 0.0).collect() }
    }
}
