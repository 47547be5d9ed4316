//! A record, read for drawing: who is drawn with which look, over which time.

use std::ops::Range;

use crate::chart::{Axis, Frame, Look, Phase, Sheet, Slot, version_look};
use crate::exchange::ModelIndex;
use crate::record::{ModelInfo, Record, SeriesPoint, VersionInfo};
use crate::units::{Timestamp, format_counted};

/// A record, read for drawing.
pub(super) struct Story<'a> {
    pub(super) record: &'a Record,
    pub(super) groups: Vec<Group<'a>>,
    /// How many versions with traffic are not drawn, as there is no room for them.
    pub(super) left_out: usize,
}

/// Versions that share their panels.
pub(super) struct Group<'a> {
    /// Their model, where it must be told.
    pub(super) model: Option<&'a str>,
    /// All versions whose traffic the shares are taken of.
    pub(super) all: Range<usize>,
    /// Those of them that had traffic.
    pub(super) versions: Vec<Version<'a>>,
}

/// A version that had traffic.
pub(super) struct Version<'a> {
    pub(super) id: &'a str,
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) points: &'a [SeriesPoint],
}

impl<'a> Story<'a> {
    /// A group for each model that had several versions with traffic, at most [`MOST_GROUPS`];
    /// where there is none, one of all versions, side by side. Of more than [`MOST_VERSIONS`] those
    /// with the most requests are drawn.
    pub(super) fn of(record: &'a Record) -> Self {
        let models = (0..).map(ModelIndex).zip(&record.models);
        let mut others = 0;
        let mut groups = Vec::new();
        for (index, model) in models {
            let places = record.versions_of(index);
            let all = usize::from(places.start)..usize::from(places.end);
            let points = record.series.versions.get(all.clone()).unwrap_or_default();
            let busy = points.iter().filter(|points| has_traffic(points)).count();
            if busy < 2 && record.models.len() > 1 || groups.len() == MOST_GROUPS {
                continue;
            }
            let versions = versions(model.versions.iter(), points, |is_stable| match is_stable {
                true => version_look(None),
                false => other_look(&mut others),
            });
            let model = (record.models.len() > 1).then_some(model.id.as_str());
            groups.push(Group { model, all, versions });
        }
        if groups.is_empty() {
            let all = 0..record.series.versions.len();
            let mut first = true;
            let versions = versions(record.versions(), &record.series.versions, |_| {
                if std::mem::take(&mut first) {
                    version_look(None)
                } else {
                    other_look(&mut others)
                }
            });
            groups.push(Group { model: None, all, versions });
        }
        let most = MOST_VERSIONS / groups.len();
        let left_out = groups.iter_mut().map(|group| group.keep(most)).sum();
        Self { record, groups, left_out }
    }

    pub(super) fn versions(&self) -> impl Iterator<Item = &Version<'a>> {
        self.groups.iter().flat_map(|group| &group.versions)
    }

    /// Which versions and models are not drawn, and what is not marked.
    pub(super) fn note(&self) -> Option<String> {
        let drawn = |model: &&ModelInfo| {
            let named =
                |group: &Group<'_>| group.model.is_none_or(|name| name == model.id.as_str());
            self.groups.iter().any(named)
        };
        let others = self.record.models.iter().filter(|model| !drawn(model));
        let others: Vec<_> = others.map(|model| model.id.as_str()).collect();
        let others = (!others.is_empty())
            .then(|| format!("not drawn, without a canary: {}", others.join(", ")));
        let versions = (self.left_out > 0).then(|| {
            let count = format_counted(self.left_out as u64, "more version", "more versions");
            format!("not drawn: {count}, with fewer requests")
        });
        let omitted = self.record.timeline.omitted;
        let events = (omitted > 0).then(|| {
            format!("not marked: {}", format_counted(omitted, "more event", "more events"))
        });
        let parts: Vec<String> = [versions, events, others].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The time axis and the phases, with no lanes.
    pub(super) fn frame(&self) -> Frame {
        let record = self.record;
        let (axis, unit) = self.axis();
        let caption = format!("{unit}, {}", record.start);
        let phases = record.phases.iter().map(|span| Phase {
            name: span.name.clone(),
            from: self.seconds(span.start),
            to: self.seconds(span.end),
        });
        let phases = phases.collect();
        Frame { columns: Sheet::COLUMNS, axis, caption, phases, lanes: Vec::new() }
    }

    /// The time axis, and what its figures are.
    pub(super) fn axis(&self) -> (Axis, String) {
        let length = self.record.end.since(self.record.start);
        let (axis, unit) = Axis::times(length, MOST_TIME_TICKS);
        (axis, format!("{} since the start", unit.name()))
    }

    /// `value` of each slot, told how many seconds of it lie within the run.
    pub(super) fn slots(&self, value: impl Fn(usize, f64) -> Option<f64>) -> Vec<Slot> {
        let series = &self.record.series;
        let width = series.width.as_secs_f64();
        let start = self.seconds(series.start);
        let end = self.seconds(self.record.end);
        let count = series.versions.first().map_or(0, Vec::len);
        let slots = (0..count).filter_map(|index| {
            let from = start + index as f64 * width;
            let to = (from + width).min(end);
            // What little of a slot is left at the end of a run says nothing.
            let whole = to - from >= width / 2.0 || index == 0;
            whole.then(|| Slot { from, to, value: value(index, to - from) })
        });
        slots.collect()
    }

    /// From the start of the run, in seconds.
    pub(super) fn seconds(&self, at: Timestamp) -> f64 {
        at.since(self.record.start).as_secs_f64()
    }
}

impl Group<'_> {
    /// Keeps the versions with the most requests, `most` of them, in their order; returns how many
    /// are left out.
    fn keep(&mut self, most: usize) -> usize {
        let left_out = self.versions.len().saturating_sub(most);
        for _ in 0..left_out {
            // Of equals the last goes.
            let places = self.versions.iter().enumerate().rev();
            let least = places.min_by_key(|(_, version)| version.requests());
            least.map(|(place, _)| place).map(|place| self.versions.remove(place));
        }
        left_out
    }
}

/// Those of a group that had traffic, with the look that `look` gives them, told whether they are
/// the stable.
fn versions<'a>(
    infos: impl Iterator<Item = &'a VersionInfo>,
    points: &'a [Vec<SeriesPoint>],
    mut look: impl FnMut(bool) -> Look,
) -> Vec<Version<'a>> {
    let mut versions = Vec::new();
    for (info, points) in infos.zip(points) {
        let is_stable = info.tags.iter().any(|tag| tag.as_str() == "stable");
        let tag = info.tags.first().map(|tag| tag.as_str());
        let look = look(is_stable);
        if has_traffic(points) {
            let name = match if is_stable { Some("stable") } else { tag } {
                Some(tag) => format!("{} ({tag})", info.id),
                None => info.id.to_string(),
            };
            versions.push(Version { id: info.id.as_str(), name, look, points });
        }
    }
    versions
}

/// The look of the next version that is not the stable.
fn other_look(others: &mut usize) -> Look {
    *others += 1;
    version_look(Some(*others - 1))
}

fn has_traffic(points: &[SeriesPoint]) -> bool {
    points.iter().any(|point| point.assigned > 0)
}

impl Version<'_> {
    /// The share of the slot's requests that failed.
    pub(super) fn error_rate(&self, slot: usize) -> Option<f64> {
        let point = self.points.get(slot).filter(|point| point.completed > 0)?;
        Some(f64::from(point.failed) / f64::from(point.completed))
    }

    fn requests(&self) -> u64 {
        self.points.iter().map(|point| u64::from(point.assigned)).sum()
    }

    /// Whether it had traffic in this slot or in one next to it: where it has none for long, its
    /// line would only hide the ground.
    pub(super) fn has_traffic_about(&self, slot: usize) -> bool {
        let about = slot.saturating_sub(1)..(slot + 2).min(self.points.len());
        self.points[about].iter().any(|point| point.assigned > 0)
    }
}

/// Chosen: more lines in a panel cannot be told apart, and each version's take some 25 kB of a page
/// that has a megabyte.
const MOST_VERSIONS: usize = 8;
/// Chosen: more panels no longer fit a page.
const MOST_GROUPS: usize = 4;
pub(super) const MOST_TIME_TICKS: usize = 10;
