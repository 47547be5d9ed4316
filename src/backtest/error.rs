//! Why a recording cannot be held against rules.

use crate::engine::CommandError;
use crate::units::{Duration, ModelId, VersionId, format_elapsed};

/// Why a recording cannot be held against rules.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum BacktestError {
    /// Several models, and none was chosen.
    #[error("the trace has requests of several models: {}; choose one", list(.0))]
    SeveralModels(Vec<ModelId>),
    /// No request of the model that was chosen.
    #[error("the trace has no request of the model {asked}; it has {}", list(.known))]
    UnknownModel {
        /// What was asked for.
        asked: ModelId,
        /// The models that it has.
        known: Vec<ModelId>,
    },
    /// No request can be used.
    #[error(
        "none of the {rows} requests can be used: {without_version} lack the version that \
         answered, {without_duration} how long it took, {without_ending} how it ended"
    )]
    NothingUsable {
        /// How many requests there are.
        rows: u64,
        /// Those without a version.
        without_version: u64,
        /// Those with one, without a duration.
        without_duration: u64,
        /// Those with both, without an ending.
        without_ending: u64,
    },
    /// Too many versions to be versions.
    #[error(
        "the trace has more than {MOST_VERSIONS} versions, such as {0}: what is read as the \
         version is something else"
    )]
    TooManyVersions(VersionId),
    /// One version only: no canary.
    #[error("all requests that can be used are of {0}: there is no canary for rules to watch")]
    NoCanary(VersionId),
    /// Several versions from the start: any can be the stable.
    #[error("the requests of {} begin together: say which was the stable", list(.0))]
    WhichStable(Vec<VersionId>),
    /// A version that has no request.
    #[error("{asked} has no request in the trace; {} have", list(.known))]
    UnknownVersion {
        /// What was asked for.
        asked: VersionId,
        /// Those that have.
        known: Vec<VersionId>,
    },
    /// Weights that are none.
    #[error(
        "the weights from {} on sum to {sum}; they must sum to 1 (100%)",
        format_elapsed(*from)
    )]
    SplitSum {
        /// From when they are said to have been in force.
        from: Duration,
        /// What they sum to.
        sum: f64,
    },
    /// A version that is named twice in a split.
    #[error("{version} is named twice in the weights from {} on", format_elapsed(*from))]
    NamedTwice {
        /// From when they are said to have been in force.
        from: Duration,
        /// Which.
        version: VersionId,
    },
    /// Splits that go back in time.
    #[error(
        "the weights from {} on come after those from {} on: give them in the order of time",
        format_elapsed(*from), format_elapsed(*before)
    )]
    SplitOrder {
        /// From when they are said to have been in force.
        from: Duration,
        /// Those before them.
        before: Duration,
    },
    /// A version gets requests long after it is said to have lost its traffic.
    #[error(
        "{version} is said to have lost its traffic at {}, but still gets requests at {}",
        format_elapsed(*said), format_elapsed(*last)
    )]
    GoesOn {
        /// Which.
        version: VersionId,
        /// When it is said to have lost it.
        said: Duration,
        /// Its last request.
        last: Duration,
    },
    /// An incident after the recording.
    #[error(
        "the incident is said to begin at {}, and the last request that can be used was sent at \
         {}",
        format_elapsed(*from), format_elapsed(*end)
    )]
    IncidentOutside {
        /// When it is said to begin.
        from: Duration,
        /// The last request.
        end: Duration,
    },
    /// A tag that is the name of a version.
    #[error("the tag {0} is the name of a version")]
    TagIsVersion(String),
    /// A canary has the name of the stable's tag.
    #[error("a canary is called stable, but the stable is {0}: rules cannot tell them apart")]
    StableIsCanary(VersionId),
    /// The second reading of the trace was not like the first.
    #[error("the trace has changed while it was read")]
    Changed,
    /// The engine refuses what the recording is made of.
    #[error(transparent)]
    Refused(#[from] CommandError),
}

fn list<T: ToString>(names: &[T]) -> String {
    let told: Vec<String> = names.iter().take(MOST_NAMES).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", told.join(", "))
}

/// Chosen: more nobody reads.
const MOST_NAMES: usize = 12;

/// Chosen: a model has few versions at a time; with more, each request would cost as much.
pub(super) const MOST_VERSIONS: usize = 64;
