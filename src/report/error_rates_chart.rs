//! Error rates over time: of each version a panel with a line for each run.

use super::run_looks::{MOST_RUNS, legend, nth_look, runs_left_out};
use super::story::{MOST_TIME_TICKS, Story, Version};
use super::timeline_chart::error_axis;
use crate::chart::{Axis, Canvas, Course, Frame, Line, Panel, Sheet};
use crate::result::ResultFile;
use crate::units::{Duration, format_duration, format_percent};

/// The error rate of each version of the first run that had traffic, at most four, in every run;
/// `None` where none had.
pub(super) fn error_rates_chart(labels: &[&str], results: &[&ResultFile]) -> Option<Canvas> {
    let stories: Vec<Story<'_>> =
        results.iter().take(MOST_RUNS).map(|result| Story::of(&result.record)).collect();
    let labels = &labels[..stories.len()];
    let versions: Vec<&Version<'_>> = stories.first()?.versions().take(MOST_PANELS).collect();
    let panels: Vec<Panel> =
        versions.iter().map(|version| panel(version, labels, &stories)).collect();
    if panels.is_empty() {
        return None;
    }
    let span = |story: &Story<'_>| story.record.end.since(story.record.start);
    let longest = stories.iter().map(span).max().unwrap_or(Duration::ZERO);
    let (axis, unit) = Axis::times(longest, MOST_TIME_TICKS);
    let caption = format!("{} since the start of each run", unit.name());
    let frame = Frame { axis, caption, ..stories[0].frame() };
    let sheet = Sheet {
        title: "Error rates over time",
        alternative: alternative(&versions, labels, &stories),
        series: legend(labels),
        note: runs_left_out(results.len()),
    };
    Some(sheet.panels(&frame, &panels, PANEL_HEIGHT))
}

fn panel(version: &Version<'_>, labels: &[&str], stories: &[Story<'_>]) -> Panel {
    let lines = stories.iter().zip(labels).enumerate().filter_map(|(index, (story, label))| {
        let own = story.versions().find(|own| own.id == version.id)?;
        let (look, dash) = nth_look(index);
        Some(Line {
            series: (*label).to_owned(),
            part: None,
            slots: story.slots(|slot, _| own.error_rate(slot)),
            look,
            dash,
            course: Course::Joined,
            rank: Some(index),
        })
    });
    let lines: Vec<Line> = lines.collect();
    Panel {
        title: format!("{}: error rate", version.name),
        axis: error_axis(&lines),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines,
    }
}

/// The chart in words: the highest error rate of each version in each run, and when.
fn alternative(versions: &[&Version<'_>], labels: &[&str], stories: &[Story<'_>]) -> String {
    let mut text = "Error rates over time.".to_owned();
    for version in versions {
        for (story, label) in stories.iter().zip(labels) {
            let Some(own) = story.versions().find(|own| own.id == version.id) else { continue };
            let rates = story.slots(|slot, _| own.error_rate(slot)).into_iter();
            let rates = rates.filter_map(|slot| Some((slot.value?, slot.from)));
            let Some((rate, at)) =
                rates.reduce(|one, other| if other.0 > one.0 { other } else { one })
            else {
                continue;
            };
            text.push_str(&format!(
                " {} in {label}: at most {}, after {}.",
                version.name,
                format_percent(rate),
                format_duration(Duration::from_secs_f64(at))
            ));
        }
    }
    text
}

const PANEL_HEIGHT: f64 = 230.0;
/// Chosen: more panels no longer fit a page.
const MOST_PANELS: usize = 4;
