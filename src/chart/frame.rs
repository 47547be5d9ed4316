//! A frame: what the panels of one chart share.
//!
//! That is the horizontal axis, spans of it that are shaded and named, such as phases, and lanes of
//! marks whose lines run through all panels.

use std::collections::BTreeSet;

use super::axis::Axis;
use super::canvas::{Align, Canvas, Lettering, Point, Stroke};
use super::lettering::{fit_text, text_width};
use super::palette::{Dash, Ink, Symbol};
use super::panel::{Across, MEDIUM, PANEL_TITLE, Panel, Rows, SMALL};
use super::reading::{Direction, Readings};

/// What stacked panels share.
pub(crate) struct Frame {
    /// The first and the last pixel column of all panels.
    pub(crate) columns: (f64, f64),
    pub(crate) axis: Axis,
    /// What is written below the axis.
    pub(crate) caption: String,
    pub(crate) phases: Vec<Phase>,
    pub(crate) lanes: Vec<Lane>,
}

/// A named span of the axis.
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// One row of marks above the panels.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    pub(crate) marks: Vec<Mark>,
}

/// Something that lies at one value of the axis or between two.
pub(crate) struct Mark {
    pub(crate) from: f64,
    /// Where it lasts: its end, with the symbol that stands there.
    pub(crate) to: Option<(f64, Option<Symbol>)>,
    /// What stands at its beginning, if anything does.
    pub(crate) symbol: Option<Symbol>,
    pub(crate) label: String,
    /// The dash of the line through the panels at its beginning; `None` for no line.
    pub(crate) dash: Option<Dash>,
    pub(crate) ink: Ink,
}

impl Frame {
    /// How many pixels high the names of the phases and the lanes are.
    pub(crate) fn head_height(&self) -> f64 {
        let names = self.phase_rows() as f64 * PHASE_ROW;
        names + self.lanes.len() as f64 * LANE_ROW + HEAD_GAP
    }

    /// Draws phases, lanes, panels and the horizontal axis between `rows`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, panels: &[Panel], rows: Rows) {
        let body = Rows { top: rows.top + self.head_height(), bottom: rows.bottom - FOOT };
        canvas.stretched(|canvas| self.draw_phases(canvas, rows.top, body));
        let height = (body.bottom - body.top) / panels.len() as f64;
        let places: Vec<(&Panel, Rows)> = panels
            .iter()
            .enumerate()
            .map(|(index, panel)| {
                let top = body.top + index as f64 * height;
                (panel, Rows { top: top + PANEL_TITLE, bottom: top + height - PANEL_GAP })
            })
            .collect();
        for (panel, rows) in &places {
            panel.draw_grid(canvas, self.columns, *rows);
        }
        let lanes_top = rows.top + self.phase_rows() as f64 * PHASE_ROW;
        let titles: Vec<_> = places.iter().map(|(panel, rows)| panel.title_place(*rows)).collect();
        let lanes_bottom = lanes_top + self.lanes.len() as f64 * LANE_ROW;
        canvas.stretched(|canvas| {
            self.draw_mark_lines(canvas, lanes_bottom, &titles, body.bottom - PANEL_GAP);
        });
        for (panel, rows) in &places {
            panel.draw_lines(canvas, self.across(), *rows);
        }
        self.draw_lanes(canvas, lanes_top);
        self.draw_axis(canvas, body.bottom - PANEL_GAP);
        canvas.set_readings(self.readings(&places));
    }

    /// What can be read off, at the slots of the line that has the most: the others may have wider
    /// ones.
    fn readings(&self, places: &[(&Panel, Rows)]) -> Readings {
        let lines = places.iter().flat_map(|(panel, _)| &panel.lines);
        let slots = lines.map(|line| &line.slots[..]).max_by_key(|slots| slots.len());
        let slots = slots.unwrap_or_default();
        let column = |value: f64| self.across().column(value).round() as i32;
        Readings {
            direction: Direction::Columns,
            span: (self.columns.0.round() as i32, self.columns.1.round() as i32),
            places: slots.iter().map(|slot| column(slot.middle())).collect(),
            labels: slots.iter().map(|slot| self.axis.text(slot.middle())).collect(),
            plots: places.iter().map(|(panel, _)| panel.readings(slots)).collect(),
        }
    }

    const fn across(&self) -> Across<'_> {
        Across { axis: &self.axis, columns: self.columns }
    }

    fn column(&self, value: f64) -> f64 {
        self.across().column(value)
    }

    /// Each phase's name with the row and the column at which it fits: in the middle of its own
    /// span, or else from the span's beginning in whichever of two rows is free there.
    fn phase_names(&self) -> Vec<(usize, Point, String, Align)> {
        let mut free_from = [self.columns.0; 2];
        let mut names = Vec::new();
        for phase in &self.phases {
            let (left, right) = (self.column(phase.from), self.column(phase.to));
            let width = text_width(&phase.name, SMALL, true);
            if width + 8.0 <= right - left {
                let row = usize::from(free_from[0] > left);
                let start = f64::midpoint(left, right) - width / 2.0;
                if free_from[row] <= start {
                    free_from[row] = start + width + 12.0;
                    let middle = (f64::midpoint(left, right), 0.0);
                    names.push((row, middle, phase.name.clone(), Align::Middle));
                    continue;
                }
            }
            let start = left + 3.0;
            let Some(row) = (0..2).rev().find(|row| free_from[*row] <= start) else { continue };
            let room = self.columns.1 + RIGHT_OVERHANG - start;
            let Some(name) = fit_text(&phase.name, SMALL, true, room) else { continue };
            free_from[row] = start + text_width(&name, SMALL, true) + 12.0;
            names.push((row, (start, 0.0), name, Align::Start));
        }
        names
    }

    fn phase_rows(&self) -> usize {
        self.phase_names().iter().map(|(row, ..)| row + 1).max().unwrap_or(0)
    }

    /// Shades and names the phases. What would be narrower than can be told apart is left out, so
    /// that thousands of phases cost no more than there are columns.
    fn draw_phases(&self, canvas: &mut Canvas, top: f64, body: Rows) {
        let bottom = body.bottom - PANEL_GAP;
        let mut last = f64::NEG_INFINITY;
        for (index, phase) in self.phases.iter().enumerate() {
            let (left, right) = (self.column(phase.from), self.column(phase.to));
            if index % 2 == 1 && right - left >= LEAST_SHADE {
                canvas.rectangle((left, top), (right, bottom), Ink::BLACK.with_opacity(0.06));
            }
            if index > 0 && left - last >= LEAST_LINE_DISTANCE {
                let stroke = Stroke { ink: Ink::PALE, width: 1, dash: Dash::Solid };
                canvas.line(&[(left, top), (left, bottom)], stroke);
                last = left;
            }
        }
        for (row, (column, _), name, align) in self.phase_names() {
            let lettering = Lettering { ink: Ink::BLACK, size: SMALL, bold: true, align };
            let at = (column, top + (row as f64 + 0.5) * PHASE_ROW);
            canvas.text(at, name, lettering);
        }
    }

    fn draw_axis(&self, canvas: &mut Canvas, row: f64) {
        let label = Lettering { ink: Ink::GREY, size: MEDIUM, bold: false, align: Align::Middle };
        canvas.stretched(|canvas| {
            for tick in &self.axis.ticks {
                let column = self.column(tick.value);
                let stroke = Stroke { ink: Ink::GREY, width: 1, dash: Dash::Solid };
                canvas.line(&[(column, row), (column, row + 6.0)], stroke);
                canvas.text((column, row + 22.0), tick.label.as_str(), label);
            }
        });
        let (left, right) = self.columns;
        canvas.text((f64::midpoint(left, right), row + 52.0), self.caption.as_str(), label);
    }

    /// Draws the marks' lines, from below the lanes, where they would cross labels, interrupted
    /// where a title stands: each of `titles` has the column at which it ends and its rows.
    fn draw_mark_lines(&self, canvas: &mut Canvas, top: f64, titles: &[(f64, Rows)], bottom: f64) {
        for lane in &self.lanes {
            let opacity = if lane.marks.len() > MANY_MARKS { 0.3 } else { 1.0 };
            let mut last = f64::NEG_INFINITY;
            for mark in &lane.marks {
                let Some(dash) = mark.dash else { continue };
                let column = self.column(mark.from);
                if column - last < LEAST_LINE_DISTANCE {
                    continue;
                }
                last = column;
                let ink = mark.ink.with_opacity(opacity);
                let stroke = Stroke { ink, width: 2, dash };
                let mut from = top;
                for (_, rows) in titles.iter().filter(|(right, _)| column < *right) {
                    canvas.line(&[(column, from), (column, rows.top)], stroke);
                    from = rows.bottom;
                }
                canvas.line(&[(column, from), (column, bottom)], stroke);
            }
        }
    }

    fn draw_lanes(&self, canvas: &mut Canvas, top: f64) {
        for (index, lane) in self.lanes.iter().enumerate() {
            let row = top + (index as f64 + 0.5) * LANE_ROW;
            let name = Lettering { ink: Ink::GREY, size: SMALL, bold: false, align: Align::End };
            canvas.text((self.columns.0 - 10.0, row), lane.name, name);
            canvas.stretched(|canvas| self.draw_marks(canvas, lane, row));
        }
    }

    fn draw_marks(&self, canvas: &mut Canvas, lane: &Lane, row: f64) {
        let mut taken = self.columns.0;
        let mut told = "";
        let mut last = f64::NEG_INFINITY;
        // Where ends are drawn already, in steps of the least distance of symbols.
        let mut ends = BTreeSet::new();
        for (index, mark) in lane.marks.iter().enumerate() {
            let next = lane.marks.get(index + 1).map(|mark| self.column(mark.from));
            let edge = self.columns.1 + RIGHT_OVERHANG;
            let limit = next.map_or(edge, |next| next - MARK_RADIUS * 2.0);
            let label = if mark.label == told { "" } else { &mark.label };
            told = &mark.label;
            taken = self.draw_mark(canvas, mark, label, (row, taken, limit)).max(taken);
            let column = self.column(mark.from);
            if let Some(symbol) = mark.symbol.filter(|_| column - last >= MARK_RADIUS) {
                canvas.symbol((column, row), symbol, MARK_RADIUS, mark.ink);
                last = column;
            }
            if let Some((to, Some(symbol))) = mark.to {
                let end = self.column(to);
                if ends.insert((end / MARK_RADIUS) as i32) {
                    canvas.symbol((end, row), symbol, MARK_RADIUS, mark.ink);
                }
            }
        }
    }

    /// Draws a mark, without its symbols, into a row in which its label may stand
    /// between two columns; returns the first free column after it.
    fn draw_mark(
        &self,
        canvas: &mut Canvas,
        mark: &Mark,
        label: &str,
        (row, free_from, free_to): (f64, f64, f64),
    ) -> f64 {
        let from = self.column(mark.from);
        let mut end = from;
        if let Some((to, _)) = mark.to {
            end = self.column(to);
            // Without a symbol at its end the bar alone must be seen.
            let opacity = if mark.symbol.is_some() { 0.2 } else { 0.6 };
            let bar = mark.ink.with_opacity(opacity);
            if end - from >= LEAST_SHADE {
                canvas.rectangle((from, row - BAR_RADIUS), (end, row + BAR_RADIUS), bar);
            }
        }
        let Some(placed) = place_label(label, (from, end), (free_from, free_to)) else {
            return end;
        };
        let lettering =
            Lettering { ink: Ink::BLACK, size: SMALL, bold: false, align: placed.align };
        canvas.text((placed.column, row), placed.text, lettering);
        placed.taken.max(end)
    }
}

/// A label and where it stands.
#[derive(Clone, PartialEq, Debug)]
struct Placed {
    text: String,
    column: f64,
    align: Align,
    /// The first free column after it.
    taken: f64,
}

/// Where the label of a mark between two columns stands in a row that is free between two others:
/// in the mark's bar, after it, or before it; cut on the side that has more room where it fits
/// nowhere. `None` where too little of it would be left.
fn place_label(
    label: &str,
    (from, end): (f64, f64),
    (free_from, free_to): (f64, f64),
) -> Option<Placed> {
    let gap = MARK_RADIUS + 8.0;
    let width = |text: &str| text_width(text, SMALL, false);
    let within = |text: String| Placed {
        column: from + gap,
        align: Align::Start,
        taken: from + gap + width(&text),
        text,
    };
    let after = |text: String| Placed {
        column: end + gap,
        align: Align::Start,
        taken: end + gap + width(&text),
        text,
    };
    // What stands before its mark points to it: else it could be of the mark before.
    let before = |text: String| {
        let text = format!("{text}{POINTER}");
        Placed { column: from - gap, align: Align::End, taken: from, text }
    };
    // Within its bar a label ends before the next mark begins.
    let room_within = end.min(free_to) - from - gap * 2.0;
    let room_after = free_to - end - gap;
    // The mark before has a symbol there.
    let room_before = from - gap - free_from - gap - width(POINTER);
    let whole = width(label);
    if label.is_empty() {
        return None;
    }
    if whole <= room_within {
        return Some(within(label.to_owned()));
    }
    if whole <= room_after {
        return Some(after(label.to_owned()));
    }
    if whole <= room_before {
        return Some(before(label.to_owned()));
    }
    let cut = |room: f64| fit_text(label, SMALL, false, room).filter(|_| room >= LEAST_LABEL);
    if room_before > room_after.max(room_within) {
        return cut(room_before).map(before);
    }
    let placed = cut(room_after).map(after);
    placed.or_else(|| cut(room_within).map(within))
}

const PHASE_ROW: f64 = 30.0;
const LANE_ROW: f64 = 30.0;
const HEAD_GAP: f64 = 6.0;
const PANEL_GAP: f64 = 12.0;
const FOOT: f64 = 64.0;
const MARK_RADIUS: f64 = 8.0;
/// Half the height of the bar of a mark that lasts: a label fits into it.
const BAR_RADIUS: f64 = 12.0;
/// Phases and marks narrower than this are not shaded: nobody sees them.
const LEAST_SHADE: f64 = 2.0;
/// Lines of marks nearer than this would run together.
const LEAST_LINE_DISTANCE: f64 = 5.0;
/// Chosen: the lines of more marks than this would hide what they mark.
const MANY_MARKS: usize = 12;
/// A label cut shorter than this says nothing.
const LEAST_LABEL: f64 = 120.0;
/// What a label ends with that stands before its mark.
const POINTER: &str = " »";
/// How far labels may reach beyond the last column.
const RIGHT_OVERHANG: f64 = 24.0;

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "error_rate > 0.05 for 1m";

    /// Where the label of a mark stands in a row of 1,000 pixels that is free from a column on.
    fn placed(from: f64, end: f64, free_from: f64, free_to: f64) -> Placed {
        place_label(LABEL, (from, end), (free_from, free_to)).unwrap()
    }

    #[test]
    fn a_label_stands_in_its_bar_or_after_it_or_points_to_it_from_before() {
        let width = text_width(LABEL, SMALL, false);
        let inside = placed(100.0, 900.0, 0.0, 1_000.0);
        assert_eq!((inside.text.as_str(), inside.align), (LABEL, Align::Start));
        assert!(inside.column > 100.0 && inside.taken < 900.0);
        let after = placed(100.0, 120.0, 0.0, 1_000.0);
        assert!(after.column > 120.0 && (after.taken - after.column - width).abs() < 1e-9);
        let before = placed(900.0, 980.0, 0.0, 1_000.0);
        assert_eq!(before.text, format!("{LABEL} »"));
        assert!(before.align == Align::End && before.column < 900.0);
    }

    #[test]
    fn a_label_that_fits_nowhere_is_cut_where_it_has_more_room() {
        let right = placed(60.0, 60.0, 0.0, 260.0);
        assert!(right.align == Align::Start && right.text.ends_with('…'), "{right:?}");
        let left = placed(240.0, 250.0, 20.0, 300.0);
        assert!(left.align == Align::End && left.text.ends_with("… »"), "{left:?}");
        assert_eq!(place_label(LABEL, (100.0, 110.0), (90.0, 130.0)), None);
        assert_eq!(place_label("", (100.0, 110.0), (0.0, 1_000.0)), None);
    }
}
