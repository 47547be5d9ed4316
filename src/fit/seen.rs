//! A request as it is fitted, whether it was recorded or is one of a twin.

use crate::exchange::Ending;
use crate::trace::TraceRecord;
use crate::units::{Duration, ModelId, Money, Tokens, VersionId};

/// What is known of a request.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Seen {
    /// Since the recording began.
    pub(super) at: Duration,
    pub(super) model: Option<ModelId>,
    pub(super) version: Option<VersionId>,
    pub(super) user: Option<u64>,
    pub(super) session: Option<u64>,
    pub(super) follows: bool,
    pub(super) shares_prefix: bool,
    pub(super) input: Option<Tokens>,
    pub(super) output: Option<Tokens>,
    pub(super) stream: Option<bool>,
    pub(super) ending: Option<Ending>,
    pub(super) first_token: Option<Duration>,
    pub(super) duration: Option<Duration>,
    pub(super) cost: Option<Money>,
}

impl From<&TraceRecord> for Seen {
    fn from(record: &TraceRecord) -> Self {
        Self {
            at: record.at,
            model: record.model.clone(),
            version: record.version.clone(),
            user: record.user,
            session: record.session,
            follows: record.parent.is_some(),
            shares_prefix: record.prefix.is_some(),
            input: record.input,
            output: record.output,
            stream: record.stream,
            ending: record.ending(),
            first_token: record.first_token,
            duration: record.duration,
            cost: record.cost,
        }
    }
}
