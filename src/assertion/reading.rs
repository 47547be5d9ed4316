//! A metric as an assertion names it: of which results, over which requests, over which runs.

use super::kind::Kind;
use crate::metric::{Interval, Metric, Quantile, Unit};
use crate::units::Duration;

/// A metric to be read from results.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// Of which results.
    pub source: Source,
    /// What of it over several runs.
    pub over_runs: OverRuns,
    /// Which metric.
    pub metric: Metric,
    /// Over which requests.
    pub selector: Selector,
}

/// Of which results a metric is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Those that are judged.
    Judged,
    /// `baseline(...)`: those that were stored before.
    Baseline,
}

/// What of a metric is read over several runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OverRuns {
    /// The metric itself.
    Itself,
    /// `p(...)`: the probability that a run has any of what the metric counts.
    Probability,
    /// `median(...)`, `p95(...)`: a quantile over runs.
    Quantile(Quantile),
}

/// Which requests a metric is taken over: those that all its parts select. Empty: all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selector {
    pub(super) phase: Option<String>,
    pub(super) version: Option<String>,
    pub(super) model: Option<String>,
    pub(super) column: Option<String>,
    pub(super) arm: Option<Arm>,
    pub(super) within: Option<Duration>,
}

/// A side of the split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    /// The version that the tag `stable` named when the request was assigned.
    Stable,
    /// Any other.
    Canary,
    /// Neither: the request asked for its version itself.
    Pinned,
}

impl Reading {
    /// Whether it is known within an interval only, not exactly for the runs that were made.
    pub fn is_estimate(&self) -> bool {
        self.over_runs != OverRuns::Itself || self.metric.interval() != Interval::Exact
    }

    /// Whether it is the same of other results, or of the same.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = self.metric == other.metric && self.over_runs == other.over_runs;
        same && self.selector == other.selector
    }

    /// The unit of its value.
    pub fn unit(&self) -> Unit {
        match self.over_runs {
            OverRuns::Probability => Unit::Ratio,
            OverRuns::Itself | OverRuns::Quantile(_) => self.metric.unit(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::Of(self.unit())
    }
}

impl OverRuns {
    /// The functions over runs: as they are written, and what they mean.
    pub(super) const FUNCTIONS: [(&str, Self); 5] = [
        ("p", Self::Probability),
        ("median", Self::Quantile(Quantile::P50)),
        ("p90", Self::Quantile(Quantile::P90)),
        ("p95", Self::Quantile(Quantile::P95)),
        ("p99", Self::Quantile(Quantile::P99)),
    ];

    /// The name of its function; `None` for the metric itself.
    pub fn function(self) -> Option<&'static str> {
        let found = Self::FUNCTIONS.into_iter().find(|(_, known)| *known == self);
        found.map(|(name, _)| name)
    }
}

/// What `p(...)` can ask for: as it is written, and the metric that counts it.
pub(super) const EVENTS: [(&str, Metric); 5] = [
    ("rollback", Metric::Rollbacks),
    ("false_rollback", Metric::FalseRollbacks),
    ("promotion", Metric::Promotions),
    ("lost_tag", Metric::TagsLost),
    ("rejected_key", Metric::KeysRejected),
];

impl Selector {
    /// The name of a phase.
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// The name of a version, or of a tag that names one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The name of a model.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The title of a column of the comparison table; never together with a phase or version,
    /// which the column states itself.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// How long an answer may take to count: of goodput only.
    pub fn within(&self) -> Option<Duration> {
        self.within
    }

    /// A side of the split.
    pub fn arm(&self) -> Option<Arm> {
        self.arm
    }
}

impl Arm {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
            Self::Pinned => "pinned",
        }
    }
}
