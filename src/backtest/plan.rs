//! How a recording is played back: which version was the stable, which splits were in force, when
//! canaries lost their traffic, and when they were bad.

use super::error::BacktestError;
use super::recorded_end::{LEAST_CHANCE, RecordedEnd, chance_of_none, incident_end};
use super::split_plan::{PlannedSplit, checked_splits, observed_splits, said_splits};
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
    /// Those that the user says; empty: those that were observed.
    said: Vec<PlannedSplit>,
    /// How long the rules of the day are checked after an end.
    slack: Duration,
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
    /// As is said, or else when the canary lost its traffic; `None`: it did not.
    pub(super) to: Option<Duration>,
    /// As is said.
    pub(super) said_to: Option<Duration>,
}

impl Plan {
    /// The plan for what was `found`, which began at `began` where that is known, under what the
    /// user says. `day` are the rules of the day.
    ///
    /// # Errors
    /// There is no canary, nobody can tell which version was the stable, or what the user says
    /// does not fit the recording.
    pub fn new(
        found: Surveyed,
        terms: &Terms,
        began: Option<Timestamp>,
        day: &RuleSet,
    ) -> Result<Self, BacktestError> {
        let stable = stable(&found, terms)?;
        if let [only] = found.versions.as_slice() {
            return Err(BacktestError::NoCanary(only.id.clone()));
        }
        let tags = terms.tags.iter();
        let tags = tags.map(|(tag, id)| Ok((tag.clone(), known(&found, id)?)));
        let tags = tags.collect::<Result<_, BacktestError>>()?;
        let slack = slack(day);
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
        if let Some((from, _)) = terms.incident.filter(|(from, _)| *from > found.end) {
            return Err(BacktestError::IncidentOutside { from, end: found.end });
        }
        let said = checked_splits(&found, &terms.splits, stable)?;
        let incident = terms.incident.map(|(from, said_to)| {
            let ends = ends.iter().enumerate().filter(|(at, _)| *at != usize::from(stable.0));
            let to = incident_end((from, said_to), ends.filter_map(|(_, end)| end.as_ref()));
            Incident { from, to, said_to }
        });
        Ok(Self {
            found,
            stable,
            stable_said: terms.stable.is_some(),
            tags,
            said,
            slack,
            ends,
            rolled_back_by: terms.rolled_back_by,
            incident,
            began,
        })
    }

    /// The splits that `rules` are tried under. They last so long that the checks of these rules
    /// which can belong to an end are made, whatever other rules are tried beside them.
    pub(super) fn splits(&self, rules: &RuleSet) -> Vec<PlannedSplit> {
        self.splits_for(slack(rules))
    }

    /// Those of the rules of the day.
    pub(super) fn splits_of_day(&self) -> Vec<PlannedSplit> {
        self.splits_for(self.slack)
    }

    fn splits_for(&self, slack: Duration) -> Vec<PlannedSplit> {
        match self.said.as_slice() {
            [] => observed_splits(&self.found, &self.ends, slack),
            said => said_splits(&self.found, said, self.stable, (&self.ends, slack)),
        }
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

    /// What the engine knows a version as: its id, but for one that is called as the tag of the
    /// stable, which no version may be.
    pub(super) fn registered(&self, slot: Slot) -> VersionId {
        let id = self.id(slot);
        if id.as_str() != STABLE {
            return id.clone();
        }
        let free = |name: &VersionId| {
            let is_tag = self.tags.iter().any(|(tag, _)| tag.as_str() == name.as_str());
            self.found.place(name).is_none() && !is_tag
        };
        let name = |number: u32| VersionId::new(&format!("{STABLE}:{number}"));
        let mut names = (0..).map(|number| name(number).expect("a name of a version"));
        names.find(free).expect("there are more numbers than names")
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
        stretches.filter(|_| self.said.is_empty()).chain(self.incident_alone()).collect()
    }

    /// That the incident was over before any canary had a request, if it was.
    fn incident_alone(&self) -> Option<String> {
        let Incident { from, said_to, .. } = self.incident?;
        let versions = self.found.versions.iter().enumerate();
        let canaries = versions.filter(|(index, _)| *index != usize::from(self.stable.0));
        let first = canaries.map(|(_, tenure)| tenure.first.at).min()?;
        let to = said_to.filter(|to| *to <= first)?;
        Some(format!(
            "the incident from {} to {} is over before a canary has its first request at {}: no \
             rule can catch it, and every firing is a false alarm",
            format_elapsed(from),
            format_elapsed(to),
            format_elapsed(first),
        ))
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
    let stable = usize::from(stable(found, terms)?.0);
    // Rules that name it mean the version, and the engine takes it for the tag: both must be one.
    if let Some(other) = found.versions.iter().position(|tenure| tenure.id.as_str() == STABLE)
        && other != stable
    {
        return Err(BacktestError::StableIsCanary(found.versions[stable].id.clone()));
    }
    let mut tags = vec![(STABLE, stable)];
    for (tag, version) in &terms.tags {
        if found.versions.iter().any(|tenure| tenure.id.as_str() == tag.as_str()) {
            return Err(BacktestError::TagIsVersion(tag.to_string()));
        }
        tags.push((tag.as_str(), usize::from(known(found, version)?.0)));
    }
    let versions = found.versions.iter().map(|tenure| tenure.id.as_str()).collect();
    Ok(RuleNames { versions, tags })
}

/// How long after the end of its traffic the rules of a canary are checked: the longest check
/// interval of `rules`, whose grid may have begun earlier than the first request of the canary
/// tells, and the second that an activation is rounded up to.
fn slack(rules: &RuleSet) -> Duration {
    let longest = rules.triggers.iter().map(|trigger| trigger.check_interval).max();
    longest.unwrap_or_default().saturating_add(ROUNDING)
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
