//! The checked plan of a rehearsal: what a scenario file says once every default is filled in and
//! every name resolved to an index.

use std::ops::Range;
use std::path::PathBuf;

use crate::arrivals::Arrivals;
use crate::assertion::Assertion;
use crate::engine::{Assignment, CommandKind, Ladder, Policies, RuleSet, Safeguards, Trigger};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::metric::Metric;
use crate::middlebox::CacheSettings;
use crate::units::{Duration, ModelId, Price, Ratio, TagName, Timestamp, VersionId};
use crate::upstream::{Behaviour, Fault, Limits};
use crate::workload::{Change, Population, Replay, Workload};

use super::command_plan::{CommandPlan, Instruction};
use super::named_version::NamedVersion;

/// A rehearsal, ready to run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: that of reports and of the folder they go to.
    pub name: String,
    /// What it shows, in a line.
    pub title: String,
    /// Engine time of the first instant.
    pub start: Timestamp,
    /// The seed, unless the command line gives another.
    pub seed: u64,
    /// What is sent.
    pub traffic: Traffic,
    /// How long clients and gateway wait.
    pub limits: Limits,
    /// The cache before the gateway, if there is one.
    pub cache: Option<CacheSettings>,
    /// The models behind the gateway, in the order of the file; a [`ModelIndex`] counts in this
    /// list, a [`VersionIndex`] in their versions one after the other. At least one.
    pub models: Vec<ModelPlan>,
    /// In order; the first sets the split.
    pub phases: Vec<PhasePlan>,
    /// The comparison table.
    pub columns: Vec<Column>,
    /// Published figures, held against the columns.
    pub references: Vec<Reference>,
    /// What must hold.
    pub gate: Vec<GateLine>,
    /// How many runs the gate judges together, at least 1: of the seed and of those that follow it.
    pub seeds: u64,
    /// How lines that are held against a baseline are judged.
    pub against_baseline: AgainstBaseline,
    /// The verdict that the author expects instead of a pass.
    pub expect: Option<Expectation>,
}

impl Scenario {
    /// Whether a line of the gate is held against a stored baseline.
    pub fn needs_baseline(&self) -> bool {
        self.gate.iter().any(|line| line.assertion.needs_baseline())
    }

    /// Who sends the requests.
    pub const fn population(&self) -> &Population {
        match &self.traffic {
            Traffic::Generated(workload) => &workload.population,
            Traffic::Replayed { replay, .. } => &replay.population,
        }
    }

    /// The versions of all models, in the order in which a [`VersionIndex`] counts them.
    pub fn versions(&self) -> impl Iterator<Item = &VersionPlan> + Clone {
        self.models.iter().flat_map(|model| &model.versions)
    }

    /// A version.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    pub fn version(&self, index: VersionIndex) -> &VersionPlan {
        self.versions().nth(usize::from(index.0)).expect("an index is of this plan")
    }

    /// The model of a version.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    pub fn model_of(&self, version: VersionIndex) -> ModelIndex {
        let of_version = (0..self.models.len() as u16)
            .map(ModelIndex)
            .find(|model| self.versions_of(*model).contains(&usize::from(version.0)));
        of_version.expect("an index is of this plan")
    }

    /// The name of what a phase names: the id of a version, or a tag.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    pub fn name_of<'a>(&'a self, named: &'a NamedVersion) -> &'a str {
        match named {
            NamedVersion::Fixed(version) => self.version(*version).id.as_str(),
            NamedVersion::Holder { tag, .. } => tag.as_str(),
        }
    }

    /// The model of what a phase names.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    pub fn model_of_named(&self, named: &NamedVersion) -> ModelIndex {
        match named {
            NamedVersion::Fixed(version) => self.model_of(*version),
            NamedVersion::Holder { model, .. } => *model,
        }
    }

    /// The first version of a model: its others follow.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    pub fn first_version(&self, model: ModelIndex) -> VersionIndex {
        VersionIndex(self.versions_of(model).start as u16)
    }

    /// The model of this id.
    pub fn model_named(&self, id: &str) -> Option<ModelIndex> {
        let place = self.models.iter().position(|model| model.id.as_str() == id)?;
        u16::try_from(place).ok().map(ModelIndex)
    }

    /// The version of this id.
    pub fn version_named(&self, id: &str) -> Option<VersionIndex> {
        let place = self.versions().position(|version| version.id.as_str() == id)?;
        u16::try_from(place).ok().map(VersionIndex)
    }

    /// The arrivals of phases that come in the place of the workload's, in their order.
    fn own_arrivals(&self) -> impl Iterator<Item = &Arrivals> {
        self.phases.iter().filter_map(|phase| phase.workload.as_ref()?.arrivals())
    }

    /// How many requests to expect, for showing progress; `None` where nothing says it.
    pub fn expected_requests(&self) -> Option<u64> {
        match &self.traffic {
            Traffic::Generated(workload) if self.own_arrivals().next().is_none() => {
                workload.expected_requests()
            }
            traffic => traffic.limit(),
        }
    }

    /// How many users wait for each answer before they send on, in the workload or in a phase.
    pub fn closed_users(&self) -> u64 {
        let usual = match &self.traffic {
            Traffic::Generated(workload) => workload.arrivals.closed_users(),
            Traffic::Replayed { replay, .. } => replay.closed_users(),
        };
        usual + self.own_arrivals().map(Arrivals::closed_users).sum::<u64>()
    }

    /// The rule sets of a model: the one that it begins with, then those of commands, each with the
    /// phase and the command (indices) that set it.
    pub fn rule_sets(
        &self,
        model: ModelIndex,
    ) -> impl Iterator<Item = (Option<(usize, usize)>, &RuleSet)> {
        let first = (None, &self.models[usize::from(model.0)].rules);
        let commands = self.phases.iter().enumerate().flat_map(|(phase, plan)| {
            plan.commands.iter().enumerate().map(move |(index, plan)| ((phase, index), plan))
        });
        let later = commands.filter_map(move |(place, plan)| match &plan.instruction {
            Instruction::Engine(CommandKind::Rules(rules)) if plan.model == Some(model) => {
                Some((Some(place), rules))
            }
            _ => None,
        });
        std::iter::once(first).chain(later)
    }

    /// The triggers of all rule sets of a model, one set after the other: a record counts in them.
    pub fn triggers(&self, model: ModelIndex) -> impl Iterator<Item = &Trigger> {
        self.rule_sets(model).flat_map(|(_, rules)| &rules.triggers)
    }

    /// The places of a model's versions in the list over all models.
    fn versions_of(&self, model: ModelIndex) -> Range<usize> {
        let (before, rest) = self.models.split_at(usize::from(model.0));
        let start = before.iter().map(|model| model.versions.len()).sum();
        start..start + rest[0].versions.len()
    }
}

/// Where requests come from.
#[derive(Clone, PartialEq, Debug)]
pub enum Traffic {
    /// They are generated.
    Generated(Workload),
    /// At least a part of them is read from a trace.
    Replayed {
        /// The files of the traces, in the order of the parts that replay them; relative to the
        /// working directory if the scenario's own path is.
        files: Vec<PathBuf>,
        /// What is done with them, and what is sent beside them.
        replay: Replay,
    },
}

impl Traffic {
    /// How many requests it sends at most, where that is said.
    pub const fn limit(&self) -> Option<u64> {
        match self {
            Self::Generated(workload) => workload.requests,
            Self::Replayed { replay, .. } => replay.requests,
        }
    }

    /// The files of the traces that are replayed, in their order.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Self::Generated(_) => &[],
            Self::Replayed { files, .. } => files,
        }
    }

    /// Whether requests go on for ever, those of `instead` where it comes in the place of what is
    /// said.
    pub(crate) fn is_endless(&self, instead: Option<&Arrivals>) -> bool {
        let is_endless = match (instead, self) {
            (Some(arrivals), _) => arrivals.expected_count().is_none(),
            (None, Self::Generated(workload)) => workload.arrivals.expected_count().is_none(),
            (None, Self::Replayed { replay, .. }) => replay.is_endless(),
        };
        is_endless && self.limit().is_none()
    }
}

/// A model with its versions and rules.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    /// What clients ask for.
    pub id: ModelId,
    /// In the order of the file. At least one.
    pub versions: Vec<VersionPlan>,
    /// How the split chooses.
    pub assignment: Assignment,
    /// What requests stick by, where they do.
    pub sticky_by: StickyBy,
    /// What becomes of requests whose attempts fail.
    pub policies: Policies,
    /// What rolls back.
    pub rules: RuleSet,
    /// What engine and gateway guard against.
    pub safeguards: Safeguards,
}

/// What the requests of one owner have in common, where they stick to their version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StickyBy {
    /// Their user.
    #[default]
    User,
    /// Their session.
    Session,
    /// The access key of their client.
    Client,
}

/// A version and the upstream behind it.
#[derive(Clone, Debug)]
pub struct VersionPlan {
    /// Its name.
    pub id: VersionId,
    /// The tags that name it at the start.
    pub tags: Vec<TagName>,
    /// What it charges, where stated.
    pub price: Option<Price>,
    /// What answers its requests.
    pub upstream: UpstreamPlan,
    /// When it counts as bad.
    pub truth: Truth,
}

/// What answers a version's requests.
#[derive(Clone, PartialEq, Debug)]
pub enum UpstreamPlan {
    /// An upstream of this behaviour.
    Behaves(Behaviour),
    /// What the trace that is replayed has recorded of the version.
    Recorded,
}

impl VersionPlan {
    /// How its upstream behaves; `None` where it answers as recorded.
    pub const fn behaviour(&self) -> Option<&Behaviour> {
        match &self.upstream {
            UpstreamPlan::Behaves(behaviour) => Some(behaviour),
            UpstreamPlan::Recorded => None,
        }
    }
}

/// When a version counts as bad: the truth that its rollbacks are held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Truth {
    /// Never, whatever faults are on it.
    Healthy,
    /// Always.
    Bad,
    /// While a fault is on it that does not hit every version of its model.
    #[default]
    DuringFaults,
}

/// A named part of the rehearsal.
#[derive(Clone, Debug)]
pub struct PhasePlan {
    /// Its name.
    pub name: String,
    /// When it ends.
    pub end: PhaseEnd,
    /// The weights that it begins with, for every version with a weight of the models that it
    /// names; `None`, and of other models: as they were. The first phase names every model.
    pub split: Option<Vec<(NamedVersion, Ratio)>>,
    /// The rollout that begins with it.
    pub rollout: Option<RolloutPlan>,
    /// Whether its split or rollout brings a version back that was rolled back.
    pub redeploy: bool,
    /// What is different about the workload while it lasts.
    pub workload: Option<Change>,
    /// The faults that it schedules, by version.
    pub faults: Vec<(NamedVersion, Fault)>,
    /// What an operator does in it, in the order of time.
    pub commands: Vec<CommandPlan>,
}

/// When a phase ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PhaseEnd {
    /// After this time.
    After(Duration),
    /// When this many of its requests have been assigned.
    Requests(u64),
    /// At this event within it; after this time at the latest.
    Event {
        /// What it waits for.
        event: Awaited,
        /// The latest end, from the phase's beginning.
        within: Duration,
    },
    /// With the workload.
    Rest,
}

impl PhaseEnd {
    /// The least time that a phase with this end takes.
    pub(crate) const fn shortest(self) -> Duration {
        match self {
            Self::After(length) => length,
            Self::Requests(_) | Self::Event { .. } | Self::Rest => Duration::ZERO,
        }
    }

    /// The most time that a phase with this end takes, where it is known.
    pub const fn longest(self) -> Option<Duration> {
        match self {
            Self::After(length) | Self::Event { within: length, .. } => Some(length),
            Self::Requests(_) | Self::Rest => None,
        }
    }
}

/// An event that ends a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// A rollback.
    Rollback,
    /// A canary becomes the stable.
    Promotion,
    /// The last request in flight of a version that was rolled back ends.
    Drained,
}

impl Awaited {
    /// The event by its name in the format.
    pub fn by_name(name: &str) -> Option<Self> {
        let all = [Self::Rollback, Self::Promotion, Self::Drained];
        all.into_iter().find(|event| event.name() == name)
    }

    /// Its name in the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Promotion => "promotion",
            Self::Drained => "drained",
        }
    }

    /// What did not come, where it does not: a noun.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Promotion => "promotion",
            Self::Drained => "version that was rolled back and drained",
        }
    }
}

/// A rollout that begins with a phase.
#[derive(Clone, PartialEq, Debug)]
pub struct RolloutPlan {
    /// The canary.
    pub version: NamedVersion,
    /// Its steps.
    pub ladder: Ladder,
    /// How long the rules cover it after its promotion.
    pub bake: Duration,
}

/// A column of the comparison table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// The phase whose requests it shows (an index into the phases); `None`: all.
    pub phase: Option<usize>,
    /// The model whose requests it shows; `None`: all.
    pub model: Option<ModelIndex>,
    /// The version whose requests it shows; `None`: all.
    pub version: Option<VersionIndex>,
}

/// A published figure for a column.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// The column (an index).
    pub column: usize,
    /// The metric.
    pub metric: Metric,
    /// The figure in the metric's base unit: seconds, a ratio, dollars, a count.
    pub value: f64,
}

/// A line of the gate and where it stands.
#[derive(Clone, Debug)]
pub struct GateLine {
    /// As written.
    pub text: String,
    /// As understood.
    pub assertion: Assertion,
    /// The file it stands in, as named on the command line.
    pub file: String,
    /// Its line there, from 1.
    pub line: u32,
}

/// How lines that are held against a baseline are judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AgainstBaseline {
    /// The smallest effect that matters, as a share of the baseline's value.
    pub smallest_effect: Ratio,
    /// The probability, for all such lines together, that any fails of which none should; more than
    /// 0, at most a half.
    pub alpha: Ratio,
}

/// A verdict that turns round: what a scenario expects that shows a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// The gate must fail.
    Fail,
    /// The gate must be inconclusive.
    Inconclusive,
}
