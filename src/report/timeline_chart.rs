//! The timeline chart: what each version did over a run, and what was done about it.

use super::story::{Group, Story, Version};
use crate::chart::{Axis, Band, Canvas, Course, Dash, Frame, Line, Panel, Sheet};
use crate::record::Record;
use crate::stats::{Confidence, Interval};
use crate::units::{format_counted, format_duration};

/// Traffic share, error rate, latency and request rate of each version over time, one above the
/// other, with phases, faults, breaches and what was done about them. `title` heads it.
pub(super) fn timeline_chart(record: &Record, title: &str) -> Canvas {
    let story = Story::of(record);
    let frame = Frame { lanes: story.lanes(), ..story.frame() };
    let solid = |version: &Version<'_>| (version.name.clone(), version.look, Dash::Solid);
    let series = story.versions().map(solid).collect();
    let sheet =
        Sheet { title, alternative: alternative(&story, title), series, note: story.note() };
    sheet.panels(&frame, &story.panels(), PANEL_HEIGHT)
}

impl Story<'_> {
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

    pub(super) fn shares(&self, group: &Group<'_>) -> Panel {
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
            tiles: Vec::new(),
            bands: Vec::new(),
            lines,
        }
    }

    pub(super) fn error_rates(&self, group: &Group<'_>) -> Panel {
        let lines = self.lines(group, |version, slot, _| version.error_rate(slot));
        let axis = error_axis(&lines);
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
        Panel {
            title: "Error rate, with its 95 % interval".to_owned(),
            axis,
            tiles: Vec::new(),
            bands,
            lines,
        }
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
        Panel { title, axis, tiles: Vec::new(), bands: Vec::new(), lines }
    }

    fn request_rates(&self, group: &Group<'_>) -> Panel {
        let lines = self.lines(group, |version, slot, length| {
            let assigned = f64::from(version.points[slot].assigned);
            version.has_traffic_about(slot).then_some(assigned / length)
        });
        let axis = Axis::rates(greatest(&lines));
        Panel {
            title: "Requests sent".to_owned(),
            axis,
            tiles: Vec::new(),
            bands: Vec::new(),
            lines,
        }
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
}

/// The chart in words.
fn alternative(story: &Story<'_>, title: &str) -> String {
    let record = story.record;
    let mut names: Vec<String> =
        record.versions().take(MOST_NAMED).map(|info| info.id.to_string()).collect();
    let others = record.versions().count() - names.len();
    names.extend((others > 0).then(|| format_counted(others as u64, "other", "others")));
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

/// The axis of these error rates.
pub(super) fn error_axis(lines: &[Line]) -> Axis {
    Axis::shares(greatest(lines).max(LEAST_ERROR_AXIS))
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
/// Chosen: without errors the axis still says how small an error rate it would show.
const LEAST_ERROR_AXIS: f64 = 0.01;
/// Chosen: more sentences of one kind nobody listens to.
const MOST_TOLD: usize = 5;
const MOST_NAMED: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::VersionIndex;
    use crate::record::{Happening, TimelineEvent};
    use crate::result::example::{crowded, eventful, rolled_back};

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
    fn clients_that_were_locked_out_have_a_mark() {
        let mut record = eventful();
        let lane = |record: &Record| -> Vec<(f64, Option<f64>, String)> {
            let marks = Story::of(record).actions().into_iter();
            let marks = marks.filter(|mark| mark.label.ends_with("locked out"));
            marks.map(|mark| (mark.from, mark.to.map(|(to, _)| to), mark.label)).collect()
        };
        let since = |at: crate::units::Timestamp| at.since(record.start).as_secs_f64();
        let events = record.timeline.events.clone();
        let found: Vec<_> = events
            .iter()
            .filter_map(|event| match event.happening {
                Happening::LockedOut { until, .. } => {
                    Some((since(event.at), Some(since(until.unwrap_or(record.end)))))
                }
                _ => None,
            })
            .collect();
        let names = ["web locked out", "batch locked out"];
        let expected = found.iter().zip(names).map(|((from, to), name)| (*from, *to, name.into()));
        assert_eq!(lane(&record), expected.collect::<Vec<_>>());
        // The same stretch of another client.
        let first = events
            .iter()
            .find(|event| matches!(event.happening, Happening::LockedOut { client: 0, .. }));
        let mut same = first.unwrap().clone();
        let Happening::LockedOut { client, .. } = &mut same.happening else { unreachable!() };
        *client = 1;
        record.timeline.events.push(same);
        assert_eq!(lane(&record)[0].2, "web, batch locked out");
        assert_eq!(lane(&record).len(), 2);
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
