//! How a recording is played back: which version was the stable, which splits were in force, when
//! canaries lost their traffic, and when they were bad.

use super::error::BacktestError;
use super::recorded_end::{LEAST_CHANCE, RecordedEnd, chance_of_none};
use super::split_plan::{PlannedSplit, observed_splits, said_splits};
use super::survey::{Surveyed, Tenure};
use super::terms::{RolledBackBy, SaidEnd, Terms};
use crate::engine::{RuleSet, Slot};
use crate::scenario::RuleNames;
use crate::units::{
    Duration, ModelId, TagName, Timestamp, VersionId, format_count, format_elapsed,
};

/// How a recording is played back.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) found: Surveyed,
    pub(super) stable: Slot,
    /// Whether the user says which version was the stable.
    pub(super) stable_said: bool,
    /// Those that the user gives, beside `stable`.
    tags: Vec<(TagName, Slot)>,
    pub(super) splits: Vec<PlannedSplit>,
    /// When each version lost its traffic, in the order of their slots.
    pub(super) ends: Vec<Option<RecordedEnd>>,
    pub(super) rolled_back_by: Option<RolledBackBy>,
    pub(super) incident: Option<Incident>,
    /// The date of time zero, where it is known.
    pub(super) began: Option<Timestamp>,
}

/// When the canary was bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Incident {
    pub(super) from: Duration,
    /// `None`: to the end of the canary's traffic.
    pub(super) to: Option<Duration>,
}

impl Plan {
    /// The plan for what was `found`, which began at `began` where that is known, under what the
    /// user says. `slack` is how long after the end of its traffic the rules of a canary are
    /// checked: see [`Plan::slack`].
    ///
    /// # Errors
    /// There is no canary, nobody can tell which version was the stable, or what the user says
    /// does not fit the recording.
    pub fn new(
        found: Surveyed,
        terms: &Terms,
        began: Option<Timestamp>,
        slack: Duration,
    ) -> Result<Self, BacktestError> {
        let stable = stable(&found, terms)?;
        if let [only] = found.versions.as_slice() {
            return Err(BacktestError::NoCanary(only.id.clone()));
        }
        let tags = terms.tags.iter();
        let tags = tags.map(|(tag, id)| Ok((tag.clone(), known(&found, id)?)));
        let tags = tags.collect::<Result<_, BacktestError>>()?;
        let mut ends = Vec::new();
        for (index, tenure) in found.versions.iter().enumerate() {
            let said = terms.rolled_back.filter(|_| index != usize::from(stable.0));
            if let Some(SaidEnd::At(said)) = said
                && tenure.last.at > said.saturating_add(slack)
            {
                let (version, last) = (tenure.id.clone(), tenure.last.at);
                return Err(BacktestError::GoesOn { version, said, last });
            }
            ends.push(RecordedEnd::of(tenure, said, found.end));
        }
        let splits = match terms.splits.as_slice() {
            [] => observed_splits(&found, &ends, slack),
            said => said_splits(&found, said, stable, (&ends, slack))?,
        };
        let incident = terms.incident.map(|(from, to)| Incident { from, to });
        Ok(Self {
            found,
            stable,
            stable_said: terms.stable.is_some(),
            tags,
            splits,
            ends,
            rolled_back_by: terms.rolled_back_by,
            incident,
            began,
        })
    }

    /// How long after the end of its traffic the rules of a canary are checked: the longest check
    /// interval of `rules`, whose grid may have begun earlier than the first request of the canary
    /// tells, and the second that an activation is rounded up to.
    pub fn slack<'a>(rules: impl Iterator<Item = &'a RuleSet>) -> Duration {
        let intervals = rules.flat_map(|rules| &rules.triggers);
        let longest = intervals.map(|trigger| trigger.check_interval).max();
        longest.unwrap_or_default().saturating_add(ROUNDING)
    }

    /// The model, where the trace names one.
    pub(super) const fn model(&self) -> Option<&ModelId> {
        self.found.model.as_ref()
    }

    /// The tags that rules may name, each with the version that holds it.
    pub(super) fn tags(&self) -> impl Iterator<Item = (TagName, Slot)> {
        let stable = TagName::new(STABLE).expect("a name of a tag");
        let others = self.tags.iter().map(|(tag, slot)| (tag.clone(), *slot));
        [(stable, self.stable)].into_iter().chain(others)
    }

    /// When canaries lost their traffic.
    pub(super) fn canary_ends(&self) -> impl Iterator<Item = &RecordedEnd> {
        let ends = self.ends.iter().enumerate();
        let canaries = ends.filter(|(index, _)| *index != usize::from(self.stable.0));
        canaries.filter_map(|(_, end)| end.as_ref())
    }

    /// An instant of the recording, in the engine's time.
    pub(super) fn instant(&self, at: Duration) -> Timestamp {
        self.zero().saturating_add(at)
    }

    /// An instant of the engine's time, since the trace began.
    pub(super) fn elapsed(&self, at: Timestamp) -> Duration {
        at.since(self.zero())
    }

    fn zero(&self) -> Timestamp {
        self.began.unwrap_or(Timestamp::EPOCH)
    }

    pub(super) fn id(&self, slot: Slot) -> &VersionId {
        &self.found.versions[usize::from(slot.0)].id
    }

    /// What is odd about the recording, in sentences.
    pub(super) fn oddities(&self) -> Vec<String> {
        let stretches = self.found.versions.iter().filter_map(|tenure| {
            let odd = chance_of_none(tenure.share(), tenure.gap.requests)
                * (tenure.requests as f64)
                < LEAST_CHANCE;
            odd.then(|| {
                format!(
                    "{} had none of {} requests in a row from {} to {}, which is no chance: if its \
                     weight was another then, say so with --split",
                    tenure.id,
                    format_count(tenure.gap.requests),
                    format_elapsed(tenure.gap.from),
                    format_elapsed(tenure.gap.to),
                )
            })
        });
        let canaries =
            stretches.filter(|_| self.splits.iter().all(|split| split.observed.is_some()));
        canaries.collect()
    }
}

/// What rules can name in a recording of which the user says `terms`.
///
/// # Errors
/// Nobody can tell which version was the stable, or what the user says does not fit the recording.
pub fn rule_names<'a>(
    found: &'a Surveyed,
    terms: &'a Terms,
) -> Result<RuleNames<'a>, BacktestError> {
    let mut tags = vec![(STABLE, usize::from(stable(found, terms)?.0))];
    for (tag, version) in &terms.tags {
        if found.versions.iter().any(|tenure| tenure.id.as_str() == tag.as_str()) {
            return Err(BacktestError::TagIsVersion(tag.to_string()));
        }
        tags.push((tag.as_str(), usize::from(known(found, version)?.0)));
    }
    let versions = found.versions.iter().map(|tenure| tenure.id.as_str()).collect();
    Ok(RuleNames { versions, tags })
}

fn stable(found: &Surveyed, terms: &Terms) -> Result<Slot, BacktestError> {
    match &terms.stable {
        Some(id) => known(found, id),
        None => first_alone(&found.versions),
    }
}

fn known(found: &Surveyed, id: &VersionId) -> Result<Slot, BacktestError> {
    let unknown = || BacktestError::UnknownVersion { asked: id.clone(), known: found.ids() };
    found.place(id).map(|place| Slot(place as u16)).ok_or_else(unknown)
}

/// The version that had requests before any other did, so many that it is no chance.
fn first_alone(versions: &[Tenure]) -> Result<Slot, BacktestError> {
    let ids = || versions.iter().map(|version| version.id.clone()).collect();
    let alone = match versions {
        [_] => true,
        [_, second, ..] => chance_of_none(second.share(), second.first.index()) < LEAST_CHANCE,
        [] => false,
    };
    if alone { Ok(Slot(0)) } else { Err(BacktestError::WhichStable(ids())) }
}

/// The tag whose holder is the stable.
pub(super) const STABLE: &str = "stable";

/// An activation is rounded up to a whole second.
pub(super) const ROUNDING: Duration = Duration::from_secs(1);
