//! What a backtest found: the file that machines read, and that every other output is made from.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::identity::Identity;
use super::observation::Unusable;
use super::recorded_end::{RecordedEnd, incident_end};
use crate::gate::{Judgement, Verdict};
use crate::json::outline;
use crate::units::{Duration, ModelId, Timestamp, VersionId};

/// What a backtest found. The same trace, rules, options and build give the same. Times are since
/// the trace began.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BacktestReport {
    /// The number of the format: [`BacktestReport::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine.
    pub coalmine: String,
    /// What was recorded.
    pub trace: TraceInfo,
    /// The versions, in the order of their first requests.
    pub versions: Vec<UsedVersion>,
    /// The stable.
    pub stable: VersionId,
    /// Whether the user says so; else it is the one that was there before any other.
    pub stable_said: bool,
    /// The splits that the requests were played back under.
    pub splits: Vec<UsedSplit>,
    /// Requests that went to a version to which the split in force gave nothing: they are played
    /// back as if they had asked for it, and are no evidence.
    pub pinned: u64,
    /// When versions lost their traffic.
    pub ends: Vec<RecordedEnd>,
    /// Since when the canary was bad, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_from: Option<Duration>,
    /// Until when; absent where that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_to: Option<Duration>,
    /// Whether the rules of the day come to what the recording shows.
    pub identity: Identity,
    /// What came of each rule set; the first is that of the day.
    pub candidates: Vec<Candidate>,
    /// What is odd about the recording, in sentences.
    pub notes: Vec<String>,
}

/// What was recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TraceInfo {
    /// The file.
    pub file: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The date of its beginning, where it has dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// The model whose requests were looked at, where they name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// Requests that were used.
    pub requests: u64,
    /// Requests that could not be, by what they lack.
    pub unusable: Unusable,
    /// Requests of other models.
    pub others: u64,
    /// The last request that was used.
    pub end: Duration,
}

/// A version in the recording.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsedVersion {
    /// Its name.
    pub id: VersionId,
    /// Requests.
    pub requests: u64,
    /// Those of them that failed, as the rules of the day count it.
    pub failed: u64,
    /// Its first request.
    pub first: Duration,
    /// Its last.
    pub last: Duration,
}

/// A split that requests were played back under.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UsedSplit {
    /// From when on.
    pub from: Duration,
    /// In how many requests it was observed; absent where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<u64>,
    /// The versions with their weights, in (0, 1].
    pub shares: Vec<(VersionId, f64)>,
}

impl BacktestReport {
    /// The number of the format.
    pub const SCHEMA: u64 = 1;

    /// As the file that is written.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The gravest of all judgements: invalid where the identity does not hold, a pass where
    /// nothing was required.
    pub fn verdict(&self) -> Verdict {
        let judged = self.candidates.iter().filter_map(|candidate| match &candidate.judgement {
            Some(Judgement::Judged(judged)) => Some(judged.verdict),
            _ => None,
        });
        let identity = if self.identity.holds { Verdict::Pass } else { Verdict::Invalid };
        judged.chain([identity]).max().unwrap_or(identity)
    }

    /// When the incident was over: as is said, or when the canary lost its traffic; `None` where
    /// there was none, and where it lasted.
    pub fn incident_end(&self) -> Option<Duration> {
        incident_end((self.incident_from?, self.incident_to), self.ends.iter())
    }

    /// What is known of the rules of the day.
    ///
    /// # Panics
    /// There is none: no backtest made this.
    pub fn day(&self) -> &Candidate {
        &self.candidates[0]
    }
}
