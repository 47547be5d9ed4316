//! What describes a trace, on a terminal: the main things in one screen, then by model and version.

use super::layout::{ascii, wrapped};
use super::over_time::bar;
use super::terminal::{Style, section};
use super::text_table::text_table;
use super::trace_stats_grids::{endings_grid, groups_grid, sizes_grid, windows_grid};
use super::trace_stats_parts::parts;
use super::trace_stats_words::{facts, headline, reading};
use crate::profile::{Course, CourseSlot, Profile, TraceStats};
use crate::units::{Duration, Rate, format_duration};

/// What describes a trace, with a newline at the end.
pub fn trace_stats_text(stats: &TraceStats, style: Style) -> String {
    let profile = &stats.profile;
    let mut text = wrapped("", &headline(stats), style.width);
    text.push_str(&wrapped("  ", &reading(stats), style.width));
    if let Some(bars) = rate_bars(profile, style.width.saturating_sub(2)) {
        section(&mut text, &bars.title, style);
        text.push_str(&format!("  {}\n", bars.bars));
    }
    if let Some(grid) = windows_grid(profile) {
        section(&mut text, "Requests by windows", style);
        text.push_str(&text_table(&grid, style.width));
    }
    if let Some(grid) = sizes_grid(profile) {
        section(&mut text, "Times and sizes", style);
        text.push_str(&text_table(&grid, style.width));
    }
    for part in parts(profile, MOST_ROWS) {
        if let Some(grid) = groups_grid(part.heading, &part.groups, profile.requests) {
            section(&mut text, part.title, style);
            text.push_str(&text_table(&grid, style.width));
        }
        if let Some(grid) = endings_grid(&part.groups) {
            section(&mut text, part.endings, style);
            text.push_str(&text_table(&grid, style.width));
        }
        if let Some(left_out) = &part.left_out {
            text.push_str(&wrapped("  ", left_out, style.width));
        }
    }
    text.push('\n');
    for fact in facts(profile) {
        text.push_str(&wrapped("", &fact, style.width));
    }
    if style.unicode { text } else { ascii(&text) }
}

/// The rate over time in a line of bars.
pub(super) struct Bars {
    pub(super) title: String,
    pub(super) bars: String,
}

/// As many bars as fit a width, and no more than are readable; `None` for less than two.
pub(super) fn rate_bars(profile: &Profile, width: usize) -> Option<Bars> {
    let course = &profile.total.course;
    let factor = course.slots.len().div_ceil(width.clamp(1, MOST_BARS)).max(1);
    let Course { width, slots } = course.coarser(factor);
    let rates: Vec<f64> = rates(width, &slots, profile.span).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let greatest = Rate::per(highest, Duration::from_secs(1))?;
    let title = format!(
        "Requests over time: a bar for each {}, at most {greatest}",
        format_duration(width)
    );
    let bars = rates.iter().map(|rate| bar(Some(*rate), highest)).collect();
    (rates.len() > 1).then_some(Bars { title, bars })
}

/// The requests a second of each slot. The last slot ends with the trace; where that is before its
/// half, it is left out: it would tell of chance.
pub(super) fn rates(
    width: Duration,
    slots: &[CourseSlot],
    span: Duration,
) -> impl Iterator<Item = f64> {
    let half = Duration::from_nanos(width.as_nanos() / 2);
    let lengths = (0..).map(move |index| span.saturating_sub(width * index).min(width));
    let slots = slots.iter().zip(lengths).filter(move |(_, length)| *length >= half);
    slots.map(|(slot, length)| slot.requests as f64 / length.as_secs_f64())
}

/// Chosen: more rows no longer fit a screen; the JSON has all.
pub(super) const MOST_ROWS: usize = 12;

/// Chosen: what a line of a terminal shows without being broken where others are.
const MOST_BARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::example::{bare_stats, observed_stats, plain_stats};
    use crate::result::example::assert_snapshot;

    fn report(stats: &TraceStats, width: usize) -> String {
        let style = Style { width, colour: false, unicode: true, intervals: false };
        trace_stats_text(stats, style)
    }

    #[test]
    fn a_trace_with_outcomes_is_told_by_version() {
        assert_snapshot("trace_stats_100", &report(&observed_stats(), 100));
        assert_snapshot("trace_stats_60", &report(&observed_stats(), 60));
    }

    #[test]
    fn a_trace_without_outcomes_has_no_sections_for_them() {
        assert_snapshot("trace_stats_plain", &report(&plain_stats(), 100));
    }

    #[test]
    fn one_request_and_requests_at_one_instant_are_told() {
        for (requests, width) in [(1, 100), (5, 40)] {
            let text = report(&bare_stats(requests), width);
            assert!(text.starts_with("bare.csv: "), "{text}");
            assert!(
                text.contains("in 0 s") && !text.contains("NaN") && !text.contains("inf"),
                "{text}"
            );
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for stats in [observed_stats(), plain_stats()] {
            for width in [50, 60, 80, 100, 132, 200] {
                for line in report(&stats, width).lines() {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                }
            }
        }
    }
}
