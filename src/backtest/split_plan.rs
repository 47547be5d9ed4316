//! The splits that were in force over a recording: those that the user says, or else the shares
//! that were observed between the first and last requests of the versions.

use super::error::BacktestError;
use super::recorded_end::RecordedEnd;
use super::survey::{Mark, Surveyed};
use super::terms::SaidSplit;
use crate::engine::Slot;
use crate::units::{Duration, Ratio};

/// A split and from when on it was in force.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedSplit {
    /// Since the trace began.
    pub from: Duration,
    /// The weights, by version; those that got nothing are left out.
    pub shares: Vec<(Slot, Ratio)>,
    /// The requests that they were observed in; `None`: they are said.
    pub observed: Option<u64>,
}

/// The splits that were observed. They change where a version has its first request, and after one
/// of `ends`, by version, `slack` after its last request at the earliest: so long its rules are
/// checked on what had come.
pub(super) fn observed_splits(
    found: &Surveyed,
    ends: &[Option<RecordedEnd>],
    slack: Duration,
) -> Vec<PlannedSplit> {
    let mut cuts: Vec<Mark> = Vec::new();
    for (version, end) in found.versions.iter().zip(ends) {
        cuts.push(version.first.clone());
        if let Some(end) = end {
            let at = end.latest.max(end.earliest.saturating_add(slack));
            cuts.push(Mark { at, counts: version.last.counts.clone() });
        }
    }
    cuts.sort_by_key(Mark::index);
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

/// The splits that the user says. Before the first of them all traffic is the stable's, and it is
/// again after all canaries have ended.
pub(super) fn said_splits(
    found: &Surveyed,
    said: &[SaidSplit],
    stable: Slot,
    (ends, slack): (&[Option<RecordedEnd>], Duration),
) -> Result<Vec<PlannedSplit>, BacktestError> {
    let alone = |from| PlannedSplit { from, shares: vec![(stable, Ratio::ONE)], observed: None };
    let mut splits = Vec::new();
    if said.first().is_some_and(|split| split.from > Duration::ZERO) {
        splits.push(alone(Duration::ZERO));
    }
    for (index, split) in said.iter().enumerate() {
        if let Some(before) = said[..index].last().filter(|before| before.from >= split.from) {
            let (from, before) = (split.from, before.from);
            return Err(BacktestError::SplitOrder { from, before });
        }
        splits.push(said_split(found, split)?);
    }
    let gets = |slot: &Slot| {
        let last = splits.last().map_or(&[][..], |split| &split.shares);
        last.iter().any(|(version, weight)| version == slot && weight.get() > 0.0)
    };
    let canaries = (0..found.versions.len()).map(|index| Slot(index as u16));
    let canaries: Vec<Slot> = canaries.filter(|slot| *slot != stable).filter(gets).collect();
    let ended = canaries.iter().map(|slot| ends[usize::from(slot.0)].as_ref());
    let ended: Option<Vec<&RecordedEnd>> = ended.collect();
    let last = ended.into_iter().flatten();
    let last = last.map(|end| end.latest.max(end.earliest.saturating_add(slack))).max();
    let begun = splits.last().map(|split| split.from);
    splits.extend(last.filter(|last| begun < Some(*last)).map(alone));
    Ok(splits)
}

fn said_split(found: &Surveyed, split: &SaidSplit) -> Result<PlannedSplit, BacktestError> {
    let from = split.from;
    let mut shares: Vec<(Slot, Ratio)> = Vec::new();
    for (id, weight) in &split.shares {
        let Some(place) = found.place(id) else {
            return Err(BacktestError::UnknownVersion { asked: id.clone(), known: found.ids() });
        };
        let slot = Slot(place as u16);
        if shares.iter().any(|(known, _)| *known == slot) {
            return Err(BacktestError::NamedTwice { from, version: id.clone() });
        }
        shares.push((slot, *weight));
    }
    let sum: f64 = shares.iter().map(|(_, weight)| weight.get()).sum();
    if (sum - 1.0).abs() > TOLERANCE {
        return Err(BacktestError::SplitSum { from, sum });
    }
    shares.retain(|(_, weight)| weight.get() > 0.0);
    Ok(PlannedSplit { from, shares, observed: None })
}

/// How far from 1 the engine lets the sum of weights be.
const TOLERANCE: f64 = 1e-9;
