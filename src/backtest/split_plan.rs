//! The splits that were in force over a recording: those that the user says, or else the shares
//! that were observed between the first and last requests of the versions.

use super::error::BacktestError;
use super::recorded_end::RecordedEnd;
use super::survey::{Mark, Surveyed};
use super::terms::SaidSplit;
use crate::engine::{Slot, Split, SplitError};
use crate::units::{Duration, Ratio, VersionId};

/// A split and from when on it was in force.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct PlannedSplit {
    /// Since the trace began.
    pub(super) from: Duration,
    /// The weights, by version; those that got nothing are left out.
    pub(super) shares: Vec<(Slot, Ratio)>,
    /// The requests that they were observed in; `None`: they are said.
    pub(super) observed: Option<u64>,
}

/// The splits that were observed. They change where a version has its first request, and after one
/// of `ends`, by version, `slack` after the latest instant at which it can have been: so long its
/// rules are checked on what had come.
pub(super) fn observed_splits(
    found: &Surveyed,
    ends: &[Option<RecordedEnd>],
    slack: Duration,
) -> Vec<PlannedSplit> {
    let mut cuts: Vec<Mark> = Vec::new();
    for (version, end) in found.versions.iter().zip(ends) {
        cuts.push(version.first.clone());
        if let Some(end) = end {
            let at = end.latest.saturating_add(slack);
            cuts.push(Mark { at, counts: version.last.counts.clone() });
        }
    }
    // Of a version that ends where another begins the beginning counts.
    cuts.sort_by_key(|cut| (cut.index(), cut.at));
    cuts.dedup_by(|second, first| second.counts == first.counts);
    let all = found.versions.iter().map(|version| version.requests).collect();
    let whole = Mark { at: found.end, counts: all };
    let mut splits: Vec<PlannedSplit> = Vec::new();
    for (index, cut) in cuts.iter().enumerate() {
        let next = cuts.get(index + 1).unwrap_or(&whole);
        let count = |mark: &Mark, version: usize| mark.counts.get(version).copied().unwrap_or(0);
        let had = |version: usize| count(next, version) - count(cut, version);
        let total: u64 = (0..found.versions.len()).map(had).sum();
        let shares = (0..found.versions.len()).filter(|version| had(*version) > 0);
        let share = |version: usize| Some((Slot(version as u16), Ratio::of(had(version), total)?));
        let shares: Vec<_> = shares.filter_map(share).collect();
        if shares.is_empty() {
            continue;
        }
        // What begins earlier than the slack of an end allows ends that.
        let from = cuts[index..].iter().map(|cut| cut.at).min().unwrap_or(cut.at);
        splits.push(PlannedSplit { from, shares, observed: Some(total) });
    }
    splits
}

/// What the user says of the splits, checked. Before the first of them all traffic is the stable's.
pub(super) fn checked_splits(
    found: &Surveyed,
    said: &[SaidSplit],
    stable: Slot,
) -> Result<Vec<PlannedSplit>, BacktestError> {
    let mut splits = Vec::new();
    if said.first().is_some_and(|split| split.from > Duration::ZERO) {
        splits.push(alone(stable, Duration::ZERO));
    }
    for (index, split) in said.iter().enumerate() {
        if let Some(before) = said[..index].last().filter(|before| before.from >= split.from) {
            let (from, before) = (split.from, before.from);
            return Err(BacktestError::SplitOrder { from, before });
        }
        splits.push(checked_split(found, split)?);
    }
    Ok(splits)
}

/// The splits that the user says. All traffic is the stable's again after all canaries have ended.
/// So long as the rules of a canary are checked after its end it keeps the weight that it had.
pub(super) fn said_splits(
    found: &Surveyed,
    said: &[PlannedSplit],
    stable: Slot,
    (ends, slack): (&[Option<RecordedEnd>], Duration),
) -> Vec<PlannedSplit> {
    let mut splits = said.to_vec();
    if let [.., before, last] = splits.as_mut_slice() {
        let is_return = before.gives_to(stable) && last.shares.len() == 1 && last.gives_to(stable);
        let from = last.from;
        let mut dropped = before.shares.iter().filter(|(slot, _)| *slot != stable).peekable();
        let had_any = dropped.peek().is_some();
        let is_over = |slot: Slot| found.versions[usize::from(slot.0)].last.at <= from;
        if is_return && had_any && dropped.all(|(slot, _)| is_over(*slot)) {
            last.from = from.saturating_add(slack);
        }
    }
    let gets = |slot: &Slot| splits.last().is_some_and(|last| last.gives_to(*slot));
    let canaries = (0..found.versions.len()).map(|index| Slot(index as u16));
    let canaries: Vec<Slot> = canaries.filter(|slot| *slot != stable).filter(gets).collect();
    let ended = canaries.iter().map(|slot| ends[usize::from(slot.0)].as_ref());
    let ended: Option<Vec<&RecordedEnd>> = ended.collect();
    let last = ended.into_iter().flatten();
    let last = last.map(|end| end.latest.saturating_add(slack)).max();
    let begun = splits.last().map(|split| split.from);
    splits.extend(last.filter(|last| begun < Some(*last)).map(|from| alone(stable, from)));
    splits
}

fn alone(stable: Slot, from: Duration) -> PlannedSplit {
    PlannedSplit { from, shares: vec![(stable, Ratio::ONE)], observed: None }
}

fn checked_split(found: &Surveyed, split: &SaidSplit) -> Result<PlannedSplit, BacktestError> {
    let from = split.from;
    let share = |(id, weight): &(VersionId, Ratio)| match found.place(id) {
        Some(place) => Ok((Slot(place as u16), *weight)),
        None => Err(BacktestError::UnknownVersion { asked: id.clone(), known: found.ids() }),
    };
    let mut shares: Vec<(Slot, Ratio)> =
        split.shares.iter().map(share).collect::<Result<_, _>>()?;
    Split::new(found.versions.len(), &shares).map_err(|error| match error {
        SplitError::Sum { sum } => BacktestError::SplitSum { from, sum },
        SplitError::Repeated(slot) => {
            let version = found.versions[usize::from(slot.0)].id.clone();
            BacktestError::NamedTwice { from, version }
        }
    })?;
    shares.retain(|(_, weight)| weight.get() > 0.0);
    Ok(PlannedSplit { from, shares, observed: None })
}

impl PlannedSplit {
    fn gives_to(&self, slot: Slot) -> bool {
        self.shares.iter().any(|(version, weight)| *version == slot && weight.get() > 0.0)
    }
}
