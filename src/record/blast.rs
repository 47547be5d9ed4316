//! The harm that one bad version did, from the onset to its last drained request.

use serde::{Deserialize, Serialize};

use crate::exchange::VersionIndex;
use crate::units::Timestamp;

/// The blast radius of one version that was bad.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Blast {
    /// The version.
    pub version: VersionIndex,
    /// When the harm began: the first fault on the version, or its activation, if later.
    pub onset: Timestamp,
    /// When the last request drained after the rollback; absent where the harm went on to the end
    /// of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drained: Option<Timestamp>,
    /// Requests that the version was assigned from the onset on.
    pub requests: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those of them that the stable would have failed too.
    pub failed_anyway: u64,
    /// Those of them answered more than 20 % slower than the stable would have.
    pub slowed: u64,
}
