//! Intervals: for each row points with what they may really be, over one axis with a line at zero.
//!
//! Knows no statistics: where an interval ends, and what is said of it, is handed in.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Lettering, Point, Stroke};
use super::lettering::{fit_text, text_width};
use super::palette::{Dash, Ink, Look};
use super::panel::{LARGE, MEDIUM, Rows, SMALL, TITLE_COLUMN};
use super::reading::{Direction, LineReadings, PlotReadings, Readings};
use super::sheet::Sheet;

/// Groups of rows over one axis.
pub(crate) struct Intervals {
    /// What is drawn, each with its look: every row has a mark for each.
    pub(crate) series: Vec<(String, Look)>,
    pub(crate) axis: Axis,
    /// What is written below the axis.
    pub(crate) caption: String,
    pub(crate) groups: Vec<IntervalGroup>,
    /// What is to be known of what is drawn, or is not.
    pub(crate) note: Option<String>,
}

/// Rows with a heading.
pub(crate) struct IntervalGroup {
    pub(crate) title: String,
    pub(crate) rows: Vec<IntervalRow>,
}

/// One row: a mark for each series, one below the other.
pub(crate) struct IntervalRow {
    pub(crate) label: String,
    /// How far from zero nothing is amiss: shaded.
    pub(crate) allowed: Option<f64>,
    pub(crate) marks: Vec<IntervalMark>,
}

/// A point with its interval.
pub(crate) struct IntervalMark {
    /// Absent where there is nothing to be drawn: only words.
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<OpenInterval>,
    /// Whether the point is filled: others are hollow.
    pub(crate) filled: bool,
    /// What is written behind it.
    pub(crate) word: String,
    /// What is read off it.
    pub(crate) reading: String,
}

/// From where to where; an absent end is open.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct OpenInterval {
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl Intervals {
    /// The chart.
    pub(crate) fn chart(&self, title: &str, alternative: String) -> Canvas {
        let series = self.series.iter().cloned();
        let series = series.map(|(name, look)| (name, look, Dash::Solid)).collect();
        let height = self.groups.iter().map(|group| self.height(group)).sum::<f64>() + CAPTION_ROW;
        let sheet = Sheet { title, alternative, series, note: self.note.clone() };
        let (mut canvas, rows) = sheet.begin(height);
        let columns = self.columns();
        let mut places = Vec::new();
        let mut top = rows.top;
        for group in &self.groups {
            places.extend(self.draw_group(&mut canvas, group, columns, top));
            top += self.height(group);
        }
        let middle = f64::midpoint(columns.0, columns.1);
        let lettering = text(Ink::GREY, MEDIUM, Align::Middle);
        canvas.text((middle, top + CAPTION_ROW * 0.3), self.caption.as_str(), lettering);
        canvas.set_readings(self.readings(rows, places));
        canvas
    }

    fn height(&self, group: &IntervalGroup) -> f64 {
        TITLE_ROW + group.rows.len() as f64 * self.row_height() + AXIS_ROW
    }

    fn row_height(&self) -> f64 {
        self.series.len() as f64 * MARK_ROW + ROW_GAP
    }

    /// The first and the last pixel column of the axis: between the labels and the words.
    fn columns(&self) -> (f64, f64) {
        let rows = || self.groups.iter().flat_map(|group| &group.rows);
        let longest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let labels = longest(&mut rows().map(|row| text_width(&row.label, SMALL, false)));
        let mut words = rows().flat_map(|row| &row.marks);
        let words = longest(&mut words.by_ref().map(|mark| text_width(&mark.word, SMALL, false)));
        let left = TITLE_COLUMN + labels.min(MOST_TEXT) + TEXT_GAP;
        (left, Sheet::COLUMNS.1 - words.min(MOST_TEXT) - TEXT_GAP)
    }

    /// Draws a group below `top`; returns the pixel row of each of its rows.
    fn draw_group(
        &self,
        canvas: &mut Canvas,
        group: &IntervalGroup,
        columns: (f64, f64),
        top: f64,
    ) -> Vec<f64> {
        let heading = Lettering { bold: true, ..text(Ink::BLACK, LARGE, Align::Start) };
        let room = Sheet::COLUMNS.1 - TITLE_COLUMN;
        let title = fit_text(&group.title, LARGE, true, room).unwrap_or_default();
        canvas.text((TITLE_COLUMN, top + TITLE_ROW * 0.5), title, heading);
        let top = top + TITLE_ROW;
        let rows = Rows { top, bottom: top + group.rows.len() as f64 * self.row_height() };
        self.draw_grid(canvas, columns, rows);
        let mut middles = Vec::new();
        for (index, row) in group.rows.iter().enumerate() {
            let top = rows.top + index as f64 * self.row_height();
            let middle = top + self.row_height() / 2.0;
            if let Some(allowed) = row.allowed {
                self.shade(canvas, allowed, columns, (top, top + self.row_height()));
            }
            let room = columns.0 - TITLE_COLUMN - TEXT_GAP;
            let label = fit_text(&row.label, SMALL, false, room).unwrap_or_default();
            let lettering = text(Ink::BLACK, SMALL, Align::End);
            canvas.text((columns.0 - TEXT_GAP, middle), label, lettering);
            for (place, (mark, (name, look))) in row.marks.iter().zip(&self.series).enumerate() {
                let middle = top + ROW_GAP / 2.0 + (place as f64 + 0.5) * MARK_ROW;
                canvas.of_series(name, |canvas| {
                    self.draw_mark(canvas, mark, *look, (columns, middle));
                });
            }
            middles.push(middle);
        }
        middles
    }

    fn draw_grid(&self, canvas: &mut Canvas, columns: (f64, f64), rows: Rows) {
        let labelled = self.labelled(columns);
        for (tick, labelled) in self.axis.ticks.iter().zip(labelled) {
            let column = self.column(tick.value, columns);
            let stroke = if tick.value == 0.0 {
                Stroke { ink: Ink::GREY, width: 2, dash: Dash::Solid }
            } else {
                Stroke { ink: Ink::PALE, width: 1, dash: Dash::Solid }
            };
            canvas.line(&[(column, rows.top), (column, rows.bottom)], stroke);
            if labelled {
                let label = text(Ink::GREY, MEDIUM, Align::Middle);
                canvas.text((column, rows.bottom + AXIS_ROW * 0.35), tick.label.as_str(), label);
            }
        }
    }

    /// Shades what lies no further than `allowed` from zero, as far as the axis reaches.
    fn shade(&self, canvas: &mut Canvas, allowed: f64, columns: (f64, f64), rows: (f64, f64)) {
        let edge = |value: f64, edge| match self.axis.shows(value) {
            true => self.column(value, columns),
            false => edge,
        };
        let (left, right) = (edge(-allowed, columns.0), edge(allowed, columns.1));
        let ink = Ink::BLACK.with_opacity(SHADE);
        canvas.rectangle((left, rows.0), (right, rows.1), ink);
    }

    /// Which ticks have room for their labels, those nearest to zero before the others.
    fn labelled(&self, columns: (f64, f64)) -> Vec<bool> {
        let ticks = &self.axis.ticks;
        let zero = self.axis.place(0.0);
        let distance = |index: &usize| (self.axis.place(ticks[*index].value) - zero).abs();
        let mut order: Vec<usize> = (0..ticks.len()).collect();
        order.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let mut labelled = vec![false; ticks.len()];
        for index in order {
            let column = self.column(ticks[index].value, columns);
            let half = (text_width(&ticks[index].label, MEDIUM, false) + LABEL_GAP) / 2.0;
            let (left, right) = (column - half, column + half);
            labelled[index] = taken.iter().all(|own| right <= own.0 || own.1 <= left);
            if labelled[index] {
                taken.push((left, right));
            }
        }
        labelled
    }

    fn draw_mark(
        &self,
        canvas: &mut Canvas,
        mark: &IntervalMark,
        look: Look,
        (columns, row): ((f64, f64), f64),
    ) {
        let lettering = text(Ink::BLACK, SMALL, Align::Start);
        let word = fit_text(&mark.word, SMALL, false, MOST_TEXT).unwrap_or_default();
        canvas.text((columns.1 + TEXT_GAP, row), word, lettering);
        if let Some(OpenInterval { low, high }) = mark.interval {
            let ends = [(low, columns.0, -1.0), (high, columns.1, 1.0)];
            let [left, right] = ends.map(|(end, edge, direction)| {
                let seen = end.filter(|end| self.axis.shows(*end));
                let column = seen.map_or(edge, |end| self.column(end, columns));
                match seen {
                    Some(_) => draw_cap(canvas, (column, row), look.ink),
                    None => draw_arrow(canvas, (column, row), direction, look.ink),
                }
                column
            });
            let stroke = Stroke { ink: look.ink, width: LINE_WIDTH, dash: Dash::Solid };
            canvas.line(&[(left, row), (right, row)], stroke);
        }
        let Some(value) = mark.value else { return };
        let at = (self.column(value, columns), row);
        if !self.axis.shows(value) {
            let direction = if value > 0.0 { 1.0 } else { -1.0 };
            draw_arrow(canvas, (at.0 + direction * SYMBOL_RADIUS, row), direction, look.ink);
        }
        canvas.symbol(at, look.symbol, SYMBOL_RADIUS, look.ink);
        if !mark.filled {
            canvas.symbol(at, look.symbol, SYMBOL_RADIUS * 0.35, Ink::WHITE);
        }
    }

    fn column(&self, value: f64, (left, right): (f64, f64)) -> f64 {
        left + self.axis.place(value) * (right - left)
    }

    fn readings(&self, rows: Rows, places: Vec<f64>) -> Readings {
        let all = || self.groups.iter().flat_map(|group| &group.rows);
        let labels = self.groups.iter().flat_map(|group| {
            group.rows.iter().map(|row| format!("{}: {}", group.title, row.label))
        });
        let reading = |mark: &IntervalMark| mark.reading.clone();
        let lines = self.series.iter().enumerate().map(|(index, (name, _))| LineReadings {
            series: name.clone(),
            part: None,
            values: all().map(|row| row.marks.get(index).map(reading)).collect(),
        });
        Readings {
            direction: Direction::Rows,
            span: (rows.top.round() as i32, rows.bottom.round() as i32),
            places: places.into_iter().map(|row| row.round() as i32).collect(),
            labels: labels.collect(),
            plots: vec![PlotReadings { title: self.caption.clone(), lines: lines.collect() }],
        }
    }
}

fn draw_cap(canvas: &mut Canvas, (column, row): Point, ink: Ink) {
    let stroke = Stroke { ink, width: LINE_WIDTH, dash: Dash::Solid };
    canvas.line(&[(column, row - CAP_RADIUS), (column, row + CAP_RADIUS)], stroke);
}

/// An end that lies further off, to the left (-1) or to the right (1).
fn draw_arrow(canvas: &mut Canvas, (column, row): Point, direction: f64, ink: Ink) {
    let tip = (column + direction * ARROW_LENGTH, row);
    canvas.polygon(vec![tip, (column, row - CAP_RADIUS), (column, row + CAP_RADIUS)], ink);
}

const fn text(ink: Ink, size: u32, align: Align) -> Lettering {
    Lettering { ink, size, bold: false, align }
}

/// Chosen: as pale as the phases of a timeline, on which everything is seen.
const SHADE: f64 = 0.06;
const TITLE_ROW: f64 = 52.0;
const MARK_ROW: f64 = 30.0;
/// Between the marks of one row and those of the next.
const ROW_GAP: f64 = 12.0;
const AXIS_ROW: f64 = 50.0;
const CAPTION_ROW: f64 = 40.0;
const TEXT_GAP: f64 = 30.0;
/// Chosen: longer labels and words would leave too little for the axis.
const MOST_TEXT: f64 = 330.0;
/// Between the labels of two ticks.
const LABEL_GAP: f64 = 12.0;
const LINE_WIDTH: u32 = 3;
const CAP_RADIUS: f64 = 6.0;
const ARROW_LENGTH: f64 = 12.0;
const SYMBOL_RADIUS: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::super::palette::version_look;
    use super::*;

    fn chart(marks: Vec<IntervalMark>) -> Canvas {
        let series = vec![("run b".to_owned(), version_look(Some(0)))];
        let rows = marks
            .into_iter()
            .map(|mark| IntervalRow {
                label: "P99 latency".to_owned(),
                allowed: None,
                marks: vec![mark],
            })
            .collect();
        let groups = vec![IntervalGroup { title: "canary".to_owned(), rows }];
        let axis = Axis::changes(-0.5, 0.5);
        let caption = "change against run a".to_owned();
        Intervals { series, axis, caption, groups, note: None }.chart("Changes", String::new())
    }

    fn mark(value: f64, low: Option<f64>, high: Option<f64>) -> IntervalMark {
        let interval = Some(OpenInterval { low, high });
        let (word, reading) = ("worse".to_owned(), "+25 % [0 %, +50 %]".to_owned());
        IntervalMark { value: Some(value), interval, filled: true, word, reading }
    }

    /// The corners of each line of this ink in an SVG.
    fn lines(svg: &str, ink: &str) -> Vec<Vec<f64>> {
        let stroke = format!("stroke=\"{ink}\"");
        let mut all = Vec::new();
        for line in svg.lines().filter(|line| line.contains(&stroke)) {
            let (_, corners) =
                line.split_once(" points=\"").or_else(|| line.split_once(" d=\"M")).unwrap();
            let corners = corners.trim_end_matches("\"/>");
            all.extend(corners.split('M').map(|line| {
                line.split([',', ' ']).filter_map(|number| number.parse().ok()).collect()
            }));
        }
        all
    }

    #[test]
    fn an_interval_spans_its_share_of_the_axis_and_ends_in_caps() {
        let svg = chart(vec![mark(0.25, Some(0.0), Some(0.5))]).svg();
        let own = lines(&svg, "#D55E00");
        // A sample in the legend, two caps, the interval.
        assert_eq!(own.len(), 4);
        let (left, right) = (own[3][0], own[3][2]);
        let zero = lines(&svg, "#555555")[0][0];
        let pale = lines(&svg, "#D9D9D9");
        let last = pale.iter().map(|line| line[0]).fold(0.0, f64::max);
        // From the line at zero to +50 %; the last tick is +60 %.
        assert_eq!(left, zero);
        assert!((right - zero - (last - zero) * 5.0 / 6.0).abs() <= 1.0, "{zero} {right} {last}");
    }

    #[test]
    fn an_open_end_and_one_beyond_the_axis_are_arrows() {
        let closed = chart(vec![mark(0.1, Some(0.0), Some(0.2))]).svg();
        for open in [mark(0.1, Some(0.0), None), mark(0.1, Some(0.0), Some(7.0))] {
            let svg = chart(vec![open]).svg();
            let caps = |svg: &str| lines(svg, "#D55E00").len();
            assert_eq!(caps(&svg), caps(&closed) - 1);
            assert_eq!(svg.matches("<polygon").count(), closed.matches("<polygon").count() + 1);
        }
    }

    #[test]
    fn a_point_beyond_the_axis_stands_at_its_edge() {
        let filled = |mark| chart(vec![mark]).svg().matches("fill=\"#D55E00\"").count();
        let inside = filled(mark(0.1, Some(0.0), Some(0.2)));
        // With an arrow for itself, and one for its interval.
        assert_eq!(filled(mark(7.0, Some(0.0), Some(9.0))), inside + 2);
        assert_eq!(filled(mark(-1.0, Some(-1.0), Some(0.2))), inside + 2);
        let only = IntervalMark { value: None, ..mark(0.1, Some(0.0), Some(0.2)) };
        assert_eq!(filled(only), inside - 1);
    }

    #[test]
    fn labels_of_ticks_keep_apart() {
        let series = vec![("run b".to_owned(), version_look(Some(0)))];
        let axis = Axis::changes(-1.0, 999.0);
        let chart = Intervals { series, axis, caption: String::new(), groups: vec![], note: None };
        let columns = (200.0, 700.0);
        let mut end = f64::NEG_INFINITY;
        let labelled = chart.labelled(columns);
        for (tick, labelled) in chart.axis.ticks.iter().zip(&labelled) {
            let column = chart.column(tick.value, columns);
            let half = text_width(&tick.label, MEDIUM, false) / 2.0;
            if *labelled {
                assert!(column - half > end, "{}", tick.label);
                end = column + half;
            }
            assert!(*labelled || tick.value != 0.0);
        }
        assert!(labelled.contains(&false));
    }

    #[test]
    fn each_row_can_be_read_off() {
        let nothing = IntervalMark {
            value: None,
            interval: None,
            filled: false,
            word: "no data".to_owned(),
            reading: "no data".to_owned(),
        };
        let chart = chart(vec![mark(0.25, Some(0.0), Some(0.5)), nothing]);
        let readings = chart.readings().unwrap();
        assert_eq!(readings.direction, Direction::Rows);
        assert_eq!(readings.labels, ["canary: P99 latency", "canary: P99 latency"]);
        assert!(readings.places.is_sorted() && readings.places.len() == 2);
        let told: Vec<_> = readings.plots[0].lines[0].values.iter().flatten().collect();
        assert_eq!(told, ["+25 % [0 %, +50 %]", "no data"]);
    }
}
