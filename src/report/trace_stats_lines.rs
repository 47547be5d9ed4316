//! What the charts of a trace are made of: lines, panels with them, and their horizontal axes.

use super::story::MOST_TIME_TICKS;
use crate::chart::{Axis, Course, Dash, Frame, Ink, Line, Look, Panel, Sheet, Slot, Symbol};
use crate::units::{Duration, format_duration};

/// A line of its own series, with symbols where it joins points.
pub(super) fn line(
    series: &str,
    slots: Vec<Slot>,
    look: Look,
    (dash, course): (Dash, Course),
) -> Line {
    let rank = (course == Course::Joined).then_some(0);
    Line { series: series.to_owned(), part: None, slots, look, dash, course, rank }
}

/// What is compared with, in grey and without symbols.
pub(super) fn reference(series: &str, slots: Vec<Slot>) -> Line {
    let look = Look { ink: Ink::GREY, symbol: Symbol::Square };
    Line { rank: None, ..line(series, slots, look, (Dash::Dashed, Course::Joined)) }
}

pub(super) fn panel(title: &str, axis: Axis, lines: Vec<Line>) -> Panel {
    Panel { title: title.to_owned(), axis, tiles: Vec::new(), bands: Vec::new(), lines }
}

pub(super) fn legend(lines: &[&Line]) -> Vec<(String, Look, Dash)> {
    lines.iter().map(|line| (line.series.clone(), line.look, line.dash)).collect()
}

pub(super) fn frame(axis: Axis, caption: &str) -> Frame {
    let caption = caption.to_owned();
    Frame { columns: Sheet::COLUMNS, axis, caption, phases: Vec::new(), lanes: Vec::new() }
}

/// Over the time of the trace, or of the stretch of it that begins at `from`.
pub(super) fn time_frame(span: Duration, from: Option<Duration>) -> Frame {
    let (axis, unit) = Axis::times(span, MOST_TIME_TICKS);
    let since = match from {
        Some(from) => format!("{} into the trace", format_duration(from)),
        None => "the beginning of the trace".to_owned(),
    };
    frame(axis, &format!("{} since {since}", unit.name()))
}
