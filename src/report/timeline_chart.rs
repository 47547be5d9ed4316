//! The timeline chart: what each version did over a run, and what was done about it.

use std::ops::Range;

use super::narrative::{since_onset, version_name};
use crate::chart::{
    Axis, Band, Canvas, Course, Dash, Frame, Ink, Lane, Line, Look, Mark, Panel, Phase, Sheet,
    Slot, Symbol, version_look,
};
use crate::engine::RolloutState;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{Happening, ModelInfo, Record, SeriesPoint, VersionInfo};
use crate::stats::{Confidence, Interval};
use crate::units::{Timestamp, format_duration};

/// Traffic share, error rate, latency and request rate of each version over time, one above the
/// other, with phases, faults, breaches and what was done about them. `title` heads it.
pub(super) fn timeline_chart(record: &Record, title: &str) -> Canvas {
    let story = Story::of(record);
    let frame = story.frame();
    let solid = |version: &Version<'_>| (version.name.clone(), version.look, Dash::Solid);
    let series = story.versions().map(solid).collect();
    let sheet =
        Sheet { title, alternative: alternative(record, title), series, note: story.note() };
    sheet.panels(&frame, &story.panels(), PANEL_HEIGHT)
}

/// A record, read for drawing.
struct Story<'a> {
    record: &'a Record,
    groups: Vec<Group<'a>>,
}

/// Versions that share their panels.
struct Group<'a> {
    /// Their model, where it must be told.
    model: Option<&'a str>,
    /// All versions whose traffic the shares are taken of.
    all: Range<usize>,
    /// Those of them that had traffic.
    versions: Vec<Version<'a>>,
}

/// A version that had traffic.
struct Version<'a> {
    name: String,
    look: Look,
    points: &'a [SeriesPoint],
}

impl<'a> Story<'a> {
    /// A group for each model that had several versions with traffic, at most [`MOST_GROUPS`];
    /// where there is none, one of all versions, side by side.
    fn of(record: &'a Record) -> Self {
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
            let versions = versions(&model.versions, points, |is_stable| match is_stable {
                true => version_look(None),
                false => other_look(&mut others),
            });
            let model = (record.models.len() > 1).then_some(model.id.as_str());
            groups.push(Group { model, all, versions });
        }
        if groups.is_empty() {
            let all = 0..record.series.versions.len();
            let infos: Vec<VersionInfo> = record.versions().cloned().collect();
            let mut first = true;
            let versions = versions(&infos, &record.series.versions, |_| {
                if std::mem::take(&mut first) {
                    version_look(None)
                } else {
                    other_look(&mut others)
                }
            });
            groups.push(Group { model: None, all, versions });
        }
        Self { record, groups }
    }

    fn versions(&self) -> impl Iterator<Item = &Version<'a>> {
        self.groups.iter().flat_map(|group| &group.versions)
    }

    /// Which models are not drawn.
    fn note(&self) -> Option<String> {
        let drawn = |model: &&ModelInfo| {
            let named =
                |group: &Group<'_>| group.model.is_none_or(|name| name == model.id.as_str());
            self.groups.iter().any(named)
        };
        let others = self.record.models.iter().filter(|model| !drawn(model));
        let others: Vec<_> = others.map(|model| model.id.as_str()).collect();
        (!others.is_empty()).then(|| format!("not drawn, without a canary: {}", others.join(", ")))
    }

    fn frame(&self) -> Frame {
        let record = self.record;
        let (axis, unit) = Axis::times(record.end.since(record.start), MOST_TIME_TICKS);
        let caption = format!("{} since the start, {}", unit.name(), record.start);
        let phases = record.phases.iter().map(|span| Phase {
            name: span.name.clone(),
            from: self.seconds(span.start),
            to: self.seconds(span.end),
        });
        let phases = phases.collect();
        Frame { columns: Sheet::COLUMNS, axis, caption, phases, lanes: self.lanes() }
    }

    fn lanes(&self) -> Vec<Lane> {
        let lanes = [
            Lane { name: "Faults", marks: self.faults() },
            Lane { name: "Breaches", marks: self.breaches() },
            Lane { name: "Actions", marks: self.actions() },
        ];
        lanes.into_iter().filter(|lane| !lane.marks.is_empty()).collect()
    }

    fn faults(&self) -> Vec<Mark> {
        let mut marks: Vec<(VersionIndex, &str, Mark)> = Vec::new();
        for event in &self.record.timeline.events {
            let at = self.seconds(event.at);
            match &event.happening {
                Happening::FaultBegan { version, what } => {
                    let mark = mark(at, Symbol::TriangleDown, Dash::Dashed);
                    marks.push((*version, what, Mark { ink: Ink::FAULT, ..mark }));
                }
                Happening::FaultEnded { version, what } => {
                    let open = marks.iter_mut().rev().find(|(on, begun, mark)| {
                        on == version && begun == what && mark.to.is_none()
                    });
                    if let Some((_, _, mark)) = open {
                        mark.to = Some((at, Some(Symbol::TriangleUp)));
                    }
                }
                _ => {}
            }
        }
        let end = self.seconds(self.record.end);
        let several = self.several_versions_fail();
        // Versions that fail alike at the same time have one mark with all their names.
        let mut told: Vec<(Vec<&str>, &str, Mark)> = Vec::new();
        for (version, what, mark) in marks {
            let mark = Mark { to: mark.to.or(Some((end, None))), ..mark };
            let name = version_name(self.record, version);
            let alike = |(_, other, at): &&mut (_, &str, Mark)| {
                *other == what && at.from == mark.from && at.to == mark.to
            };
            match told.iter_mut().find(alike) {
                Some((names, ..)) => names.push(name),
                None => told.push((vec![name], what, mark)),
            }
        }
        let labelled = |(names, what, mark): (Vec<&str>, &str, Mark)| {
            let of = if several { format!("{}: ", names.join(", ")) } else { String::new() };
            Mark { label: format!("{of}{what}"), ..mark }
        };
        told.into_iter().map(labelled).collect()
    }

    fn several_versions_fail(&self) -> bool {
        let mut versions =
            self.record.timeline.events.iter().filter_map(|event| match &event.happening {
                Happening::FaultBegan { version, .. } => Some(*version),
                _ => None,
            });
        let first = versions.next();
        versions.any(|version| Some(version) != first)
    }

    fn breaches(&self) -> Vec<Mark> {
        let mut marks: Vec<(VersionIndex, usize, Mark)> = Vec::new();
        for event in &self.record.timeline.events {
            let at = self.seconds(event.at);
            match &event.happening {
                Happening::BreachBegan { trigger, version } => {
                    let label = self.record.trigger(*version, *trigger).to_owned();
                    let mark = Mark { label, ..mark(at, Symbol::Diamond, Dash::Dotted) };
                    marks.push((*version, *trigger, mark));
                }
                Happening::BreachEnded { trigger, version }
                | Happening::Fired { trigger, version, .. } => {
                    let open = marks
                        .iter_mut()
                        .rev()
                        .find(|(on, of, mark)| on == version && of == trigger && mark.to.is_none());
                    if let Some((_, _, mark)) = open {
                        mark.to = Some((at, None));
                    }
                }
                _ => {}
            }
        }
        marks.into_iter().map(|(_, _, mark)| mark).collect()
    }

    fn actions(&self) -> Vec<Mark> {
        let events = &self.record.timeline.events;
        let mut marks = Vec::new();
        for event in events {
            let at = self.seconds(event.at);
            let (symbol, label) = match &event.happening {
                Happening::RolledBack { target, .. } => {
                    let since = since_onset(self.record, event.at, *target);
                    (
                        Symbol::Square,
                        format!("rolled back to {}{since}", version_name(self.record, *target)),
                    )
                }
                Happening::RolloutMoved { version, to: RolloutState::Promoted, .. } => {
                    let version = version_name(self.record, *version);
                    (Symbol::TriangleUp, format!("{version} promoted"))
                }
                Happening::RollbackRefused { .. } => (Symbol::Cross, "rollback refused".to_owned()),
                // A firing that led to a rollback is told by the rollback.
                Happening::Fired { evidence, .. } => {
                    let told = |other: &Happening| {
                        matches!(
                            other,
                            Happening::RolledBack { .. } | Happening::RollbackRefused { .. }
                        )
                    };
                    if events.iter().any(|other| other.at == event.at && told(&other.happening)) {
                        continue;
                    }
                    (Symbol::Disc, format!("{} fired", evidence.trigger))
                }
                _ => continue,
            };
            marks.push(Mark { label, ..mark(at, symbol, Dash::Solid) });
        }
        marks
    }

    fn panels(&self) -> Vec<Panel> {
        let panels_of = |group: &Group<'_>| {
            let panels = [Self::shares, Self::error_rates, Self::latencies, Self::request_rates];
            panels.map(|panel| {
                let panel = panel(self, group);
                match group.model {
                    Some(model) => Panel { title: format!("{model}: {}", panel.title), ..panel },
                    None => panel,
                }
            })
        };
        self.groups.iter().flat_map(panels_of).collect()
    }

    fn shares(&self, group: &Group<'_>) -> Panel {
        let all = &self.record.series.versions[group.all.clone()];
        let total = |slot: usize| all.iter().map(|points| u64::from(points[slot].assigned)).sum();
        let lines = self.lines(group, |version, slot, _| {
            version.has_traffic_about(slot).then_some(())?;
            ratio(u64::from(version.points[slot].assigned), total(slot))
        });
        let course = |(index, line): (usize, Line)| {
            let course = if index == 0 { Course::Stepped } else { Course::Filled };
            Line { course, ..line }
        };
        let lines = lines.into_iter().enumerate().map(course).collect();
        Panel {
            title: "Share of the traffic".to_owned(),
            axis: Axis::shares(1.0),
            bands: Vec::new(),
            lines,
        }
    }

    fn error_rates(&self, group: &Group<'_>) -> Panel {
        let lines = self.lines(group, |version, slot, _| {
            let point = &version.points[slot];
            ratio(u64::from(point.failed), u64::from(point.completed))
        });
        let axis = Axis::shares(greatest(&lines).max(LEAST_ERROR_AXIS));
        let bands = group.versions.iter().map(|version| {
            let limit = |limit: fn(Interval) -> f64| {
                self.slots(|slot, _| {
                    let point = &version.points[slot];
                    let (failed, of) = (u64::from(point.failed), u64::from(point.completed));
                    (of > 0).then(|| limit(Interval::wilson(failed, of, Confidence::PERCENT_95)))
                })
            };
            Band {
                series: version.name.clone(),
                lows: limit(|interval| interval.low),
                highs: limit(|interval| interval.high),
                ink: version.look.ink,
            }
        });
        let bands = bands.collect();
        Panel { title: "Error rate, with its 95 % interval".to_owned(), axis, bands, lines }
    }

    fn latencies(&self, group: &Group<'_>) -> Panel {
        let p50 = self.lines(group, |version, slot, _| {
            version.points[slot].p50.map(|latency| latency.as_secs_f64())
        });
        let p99 = self.lines(group, |version, slot, _| {
            version.points[slot].p99.map(|latency| latency.as_secs_f64())
        });
        let least = values(&p50).fold(f64::INFINITY, f64::min);
        let axis = Axis::latencies(least, greatest(&p99));
        let solid = p50.into_iter().map(|line| Line { part: Some("p50"), ..line });
        let dashed = p99.into_iter();
        let dashed = dashed.map(|line| Line { part: Some("p99"), dash: Dash::Dashed, ..line });
        let lines = solid.chain(dashed).collect();
        let width = format_duration(self.record.series.width);
        let title = format!("Latency of successes, per {width}: p50 solid, p99 dashed");
        Panel { title, axis, bands: Vec::new(), lines }
    }

    fn request_rates(&self, group: &Group<'_>) -> Panel {
        let lines = self.lines(group, |version, slot, length| {
            let assigned = f64::from(version.points[slot].assigned);
            version.has_traffic_about(slot).then_some(assigned / length)
        });
        let axis = Axis::rates(greatest(&lines));
        Panel { title: "Requests sent".to_owned(), axis, bands: Vec::new(), lines }
    }

    /// One line per version of `value`, which is told the version, the slot and how many seconds of
    /// the slot lie within the run.
    fn lines(
        &self,
        group: &Group<'_>,
        value: impl Fn(&Version<'_>, usize, f64) -> Option<f64>,
    ) -> Vec<Line> {
        let of_version = |(rank, version): (usize, &Version<'_>)| Line {
            series: version.name.clone(),
            part: None,
            slots: self.slots(|slot, length| value(version, slot, length)),
            look: version.look,
            dash: Dash::Solid,
            course: Course::Joined,
            rank: Some(rank),
        };
        group.versions.iter().enumerate().map(of_version).collect()
    }

    /// `value` of each slot, told how many seconds of it lie within the run.
    fn slots(&self, value: impl Fn(usize, f64) -> Option<f64>) -> Vec<Slot> {
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

    fn seconds(&self, at: Timestamp) -> f64 {
        at.since(self.record.start).as_secs_f64()
    }
}

/// Those of a group that had traffic, with the look that `look` gives them, told whether they are
/// the stable.
fn versions<'a>(
    infos: &[VersionInfo],
    points: &'a [Vec<SeriesPoint>],
    mut look: impl FnMut(bool) -> Look,
) -> Vec<Version<'a>> {
    let mut versions = Vec::new();
    for (info, points) in infos.iter().zip(points) {
        let is_stable = info.tags.iter().any(|tag| tag.as_str() == "stable");
        let tag = info.tags.first().map(|tag| tag.as_str());
        let look = look(is_stable);
        if has_traffic(points) {
            let name = match if is_stable { Some("stable") } else { tag } {
                Some(tag) => format!("{} ({tag})", info.id),
                None => info.id.to_string(),
            };
            versions.push(Version { name, look, points });
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
    /// Whether it had traffic in this slot or in one next to it: where it has none for long, its
    /// line would only hide the ground.
    fn has_traffic_about(&self, slot: usize) -> bool {
        let about = slot.saturating_sub(1)..(slot + 2).min(self.points.len());
        self.points[about].iter().any(|point| point.assigned > 0)
    }
}

/// The chart in words.
fn alternative(record: &Record, title: &str) -> String {
    let story = Story { record, groups: Vec::new() };
    let names: Vec<&str> = record.versions().map(|info| info.id.as_str()).collect();
    let span = format_duration(record.end.since(record.start));
    let mut text = format!(
        "{title}: traffic share, error rate, latency and requests of {} over {span}.",
        names.join(" and ")
    );
    let lanes =
        [("Fault", story.faults()), ("Breach", story.breaches()), ("Action", story.actions())];
    for (word, marks) in lanes {
        for mark in marks.iter().take(MOST_TOLD) {
            let after = format_duration(crate::units::Duration::from_secs_f64(mark.from));
            text.push_str(&format!(" {word} after {after}: {}.", mark.label));
        }
        if marks.len() > MOST_TOLD {
            text.push_str(&format!(" {} more of these.", marks.len() - MOST_TOLD));
        }
    }
    text
}

fn mark(at: f64, symbol: Symbol, dash: Dash) -> Mark {
    Mark { from: at, to: None, symbol, label: String::new(), dash: Some(dash), ink: Ink::BLACK }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.slots.iter().filter_map(|slot| slot.value))
}

fn greatest(lines: &[Line]) -> f64 {
    values(lines).fold(0.0, f64::max)
}

const PANEL_HEIGHT: f64 = 198.0;
/// Chosen: more panels no longer fit a page.
const MOST_GROUPS: usize = 4;
const MOST_TIME_TICKS: usize = 10;
/// Chosen: without errors the axis still says how small an error rate it would show.
const LEAST_ERROR_AXIS: f64 = 0.01;
/// Chosen: more sentences of one kind nobody listens to.
const MOST_TOLD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TimelineEvent;
    use crate::result::example::{crowded, rolled_back};

    #[test]
    fn what_happened_is_written_in_the_chart() {
        let svg = timeline_chart(&rolled_back(40.0), "A title").svg();
        for text in [
            "A title",
            "gpt-4-v1 (stable)",
            "gpt-4-turbo-v2 (beta)",
            "canary at 10 %",
            "8 % of requests answered 503",
            "error_rate &gt; 5 % for 60 s",
            "rolled back to gpt-4-v1, 75 s after the onset",
            "Latency of successes, per 15 s: p50 solid, p99 dashed",
            "minutes since the start, 2024-03-15T11:00:00Z",
        ] {
            assert!(svg.contains(text), "{text} is missing");
        }
        for colour in ["#0072B2", "#D55E00"] {
            assert!(svg.contains(colour), "{colour} is missing");
        }
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        let draw = || timeline_chart(&rolled_back(0.5), "A title");
        assert_eq!(draw().svg(), draw().svg());
        assert_eq!(draw().png(), draw().png());
    }

    #[test]
    fn the_alternative_tells_what_happened_and_when() {
        let chart = timeline_chart(&rolled_back(40.0), "A title");
        assert_eq!(
            chart.alternative(),
            "A title: traffic share, error rate, latency and requests of gpt-4-v1 and \
             gpt-4-turbo-v2 over 1h. Fault after 20m: 8 % of requests answered 503. Breach after \
             20m 15s: error_rate > 5 % for 60 s. Action after 21m 15s: rolled back to gpt-4-v1, \
             75 s after the onset."
        );
    }

    #[test]
    fn versions_that_fail_alike_at_the_same_time_share_a_mark() {
        let mut record = rolled_back(40.0);
        let of_the_other = |event: &TimelineEvent| {
            let version = VersionIndex(0);
            let happening = match event.happening.clone() {
                Happening::FaultBegan { what, .. } => Happening::FaultBegan { version, what },
                Happening::FaultEnded { what, .. } => Happening::FaultEnded { version, what },
                _ => return None,
            };
            Some(TimelineEvent { happening, ..event.clone() })
        };
        let others: Vec<_> = record.timeline.events.iter().filter_map(of_the_other).collect();
        record.timeline.events.extend(others);
        let svg = timeline_chart(&record, "A title").svg();
        let both = "gpt-4-turbo-v2, gpt-4-v1: 8 % of requests answered 503";
        assert!(svg.contains(both), "{both} is missing");
        assert_eq!(svg.matches(both).count(), svg.matches("requests answered 503").count());
    }

    #[test]
    fn a_run_without_traffic_is_drawn_too() {
        let mut record = rolled_back(1.0);
        record.series.versions = vec![Vec::new(), Vec::new()];
        record.timeline = crate::record::Timeline::default();
        record.phases.clear();
        record.end = record.start;
        assert!(!timeline_chart(&record, "").png().is_empty());
    }

    #[test]
    fn nothing_is_drawn_outside_a_crowded_chart() {
        let svg = timeline_chart(&crowded(), &"A long title ".repeat(20)).svg();
        let columns = svg.split(" x=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for column in columns {
            let column: f64 = column.parse().unwrap();
            assert!((0.0..=Sheet::WIDTH).contains(&column), "{column}");
        }
    }
}
