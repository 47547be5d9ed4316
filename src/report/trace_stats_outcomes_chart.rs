//! Errors and latency of each version of a trace over time.

use super::run_looks::nth_look;
use super::timeline_chart::error_axis;
use super::trace_stats_lines::{legend, line, panel, time_frame};
use super::trace_stats_parts::parts;
use crate::chart::{Axis, Canvas, Course as Way, Line, Panel, Sheet, Slot};
use crate::profile::{Course, CourseSlot, Group, Profile};
use crate::units::{Duration, format_duration, format_percent};

/// A figure of a slot; `None` where it has none.
type OfSlot = fn(&CourseSlot) -> Option<f64>;

/// The error rate and the average latency of each version, or model where there are none; `None`
/// where neither was observed.
pub(super) fn outcomes_chart(profile: &Profile, from: Option<Duration>) -> Option<Canvas> {
    let part = parts(profile, MOST_LINES).pop()?;
    let groups = &part.groups;
    let factor = factor(groups.iter().map(|(_, group)| *group));
    let rows: [(&str, OfSlot); 2] =
        [("Error rate", error_rate), ("Average latency of successes", latency)];
    let width = profile.total.course.width * factor as u64;
    let panels = rows.into_iter().filter_map(|(title, of)| {
        let lines = groups.iter().enumerate().map(|(index, (name, group))| {
            let (look, dash) = nth_look(index);
            let slots = slots(&group.course.coarser(factor), profile.span, of);
            Line { rank: Some(index), ..line(name, slots, look, (dash, Way::Joined)) }
        });
        let lines: Vec<Line> = lines.collect();
        let values =
            || lines.iter().flat_map(|line| line.slots.iter().filter_map(|slot| slot.value));
        values().next()?;
        let axis = match title {
            "Error rate" => error_axis(&lines),
            _ => Axis::latencies(
                values().fold(f64::INFINITY, f64::min),
                values().fold(0.0, f64::max),
            ),
        };
        Some(panel(title, axis, lines))
    });
    let panels: Vec<Panel> = panels.collect();
    let first = panels.first()?;
    let sheet = Sheet {
        title: "Errors and latency over time",
        alternative: in_words(groups),
        series: legend(&first.lines.iter().collect::<Vec<_>>()),
        note: Some(match &part.left_out {
            Some(left_out) => format!("each point: {}; {left_out}", format_duration(width)),
            None => format!("each point: {}", format_duration(width)),
        }),
    };
    Some(sheet.panels(&time_frame(profile.span, from), &panels, PANEL_HEIGHT))
}

/// By how much the slots are made coarser, so that the group with the fewest requests has enough
/// in each, as far as so many points are left.
fn factor<'a>(groups: impl Iterator<Item = &'a Group> + Clone) -> usize {
    let slots = groups.clone().map(|group| group.course.slots.len()).max().unwrap_or(1);
    let fewest = groups.map(|group| group.requests).min().unwrap_or(0);
    let mut factor = 1;
    while slots / factor > FEWEST_POINTS
        && (slots / factor > MOST_POINTS || fewest * (factor as u64) < slots as u64 * ENOUGH)
    {
        factor *= 2;
    }
    factor
}

/// The last slot ends with the trace; where that is before its half, it is left out, as for rates.
fn slots(course: &Course, span: Duration, of: OfSlot) -> Vec<Slot> {
    let (width, span) = (course.width.as_secs_f64(), span.as_secs_f64());
    let slots = course.slots.iter().enumerate().map(|(index, slot)| Slot {
        from: index as f64 * width,
        to: ((index + 1) as f64 * width).min(span),
        value: of(slot),
    });
    slots.filter(|slot| slot.to - slot.from >= width / 2.0).collect()
}

fn error_rate(slot: &CourseSlot) -> Option<f64> {
    (slot.judged > 0).then(|| slot.failed as f64 / slot.judged as f64)
}

fn latency(slot: &CourseSlot) -> Option<f64> {
    (slot.timed > 0).then(|| slot.duration.as_secs_f64() / slot.timed as f64)
}

fn in_words(groups: &[(String, &Group)]) -> String {
    let mut text = "Errors and latency over time.".to_owned();
    for (name, group) in groups {
        let rate = group.outcomes.as_ref().and_then(|outcomes| outcomes.error_rate);
        let rate = rate.map(|rate| format!("error rate {}", format_percent(rate.value)));
        let latency = group.latency.as_ref();
        let latency = latency.map(|latency| format!("average latency {}", latency.mean));
        let told: Vec<String> = rate.into_iter().chain(latency).collect();
        if !told.is_empty() {
            text.push_str(&format!(" {name}: {}.", told.join(", ")));
        }
    }
    text
}

const PANEL_HEIGHT: f64 = 260.0;
/// Chosen: more lines in one panel cannot be told apart.
const MOST_LINES: usize = 6;
const MOST_POINTS: usize = 128;
const FEWEST_POINTS: usize = 24;
/// Chosen: with fewer requests a point of an error rate of 5 % is most often 0.
const ENOUGH: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slot_goes_beyond_the_trace() {
        let seen = CourseSlot { requests: 2, judged: 2, failed: 1, ..CourseSlot::default() };
        let course = Course { width: Duration::from_secs(10), slots: vec![seen; 3] };
        let drawn = |millis: u64| {
            let slots = slots(&course, Duration::from_millis(millis), error_rate);
            slots.iter().map(|slot| (slot.from, slot.to)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(26_000), [(0.0, 10.0), (10.0, 20.0), (20.0, 26.0)]);
        assert_eq!(drawn(24_000), [(0.0, 10.0), (10.0, 20.0)]);
        assert_eq!(drawn(30_000).last(), Some(&(20.0, 30.0)));
    }
}
