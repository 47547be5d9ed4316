//! Panels: one value axis with lines over a horizontal axis that several panels share.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Lettering, Point, Stroke};
use super::lettering::{fit_text, text_width};
use super::palette::{Dash, Ink, Look};
use super::reading::{LineReadings, PlotReadings};

/// One value axis with its lines.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    /// Drawn below the lines.
    pub(crate) tiles: Vec<Tile>,
    /// Drawn above the tiles.
    pub(crate) bands: Vec<Band>,
    pub(crate) lines: Vec<Line>,
}

/// Values over the horizontal axis, slot by slot.
pub(crate) struct Line {
    /// The name of the series that it shows.
    pub(crate) series: String,
    /// What it shows of the series, where that has several lines.
    pub(crate) part: Option<&'static str>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) look: Look,
    pub(crate) dash: Dash,
    pub(crate) course: Course,
    /// Which of the panel's lines this is: symbols of different lines stand at different columns.
    /// `None` for a line without symbols.
    pub(crate) rank: Option<usize>,
}

/// A tile of a heat map.
pub(crate) struct Tile {
    /// The name of the series that it belongs to.
    pub(crate) series: String,
    /// From where to where it lies on the horizontal axis.
    pub(crate) across: (f64, f64),
    /// From where to where it lies on the value axis.
    pub(crate) up: (f64, f64),
    pub(crate) ink: Ink,
    /// What is written into it, where there is room.
    pub(crate) label: String,
}

/// What lies between two values, slot by slot: the interval of an estimate.
pub(crate) struct Band {
    /// The name of the series that it belongs to.
    pub(crate) series: String,
    pub(crate) lows: Vec<Slot>,
    pub(crate) highs: Vec<Slot>,
    pub(crate) ink: Ink,
}

/// The value of a span of the horizontal axis; absent where there was nothing to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) value: Option<f64>,
}

/// How values become a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Course {
    /// From the middle of one slot to the middle of the next.
    Joined,
    /// Level through each slot.
    Stepped,
    /// Stepped, with the area below filled.
    Filled,
}

/// Rows of pixels, from the upper to the lower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// The horizontal axis with the first and the last pixel column that it spans.
#[derive(Clone, Copy)]
pub(super) struct Across<'a> {
    pub(super) axis: &'a Axis,
    pub(super) columns: (f64, f64),
}

impl Slot {
    /// A value at one place.
    pub(crate) const fn at(place: f64, value: f64) -> Self {
        Self { from: place, to: place, value: Some(value) }
    }

    pub(super) const fn middle(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }
}

impl Across<'_> {
    pub(super) fn column(self, value: f64) -> f64 {
        let (left, right) = self.columns;
        left + self.axis.place(value) * (right - left)
    }
}

impl Panel {
    /// The first column after the title, and the rows that the title takes above `rows`.
    pub(super) fn title_place(&self, rows: Rows) -> (f64, Rows) {
        let right = TITLE_COLUMN + text_width(&self.title, LARGE, true) + 6.0;
        let top = rows.top - PANEL_TITLE;
        (right, Rows { top, bottom: rows.top - PANEL_TITLE * 0.3 })
    }

    /// Title, grid and value axis.
    pub(super) fn draw_grid(&self, canvas: &mut Canvas, (left, right): (f64, f64), rows: Rows) {
        let thin = |ink| Stroke { ink, width: 1, dash: Dash::Solid };
        let title = Lettering { ink: Ink::BLACK, size: LARGE, bold: true, align: Align::Start };
        canvas.text((TITLE_COLUMN, rows.top - PANEL_TITLE * 0.62), self.title.as_str(), title);
        for tick in &self.axis.ticks {
            let row = row_of(&self.axis, tick.value, rows);
            canvas.line(&[(left, row), (right, row)], thin(Ink::PALE));
            let label = Lettering { ink: Ink::GREY, size: MEDIUM, bold: false, align: Align::End };
            canvas.text((left - 10.0, row), tick.label.as_str(), label);
        }
        canvas.line(&[(left, rows.bottom), (right, rows.bottom)], thin(Ink::GREY));
    }

    /// Bands and lines.
    pub(super) fn draw_lines(&self, canvas: &mut Canvas, across: Across<'_>, rows: Rows) {
        canvas.stretched(|canvas| {
            for tile in &self.tiles {
                canvas.of_series(&tile.series, |canvas| self.draw_tile(canvas, tile, across, rows));
            }
            for band in &self.bands {
                canvas.of_series(&band.series, |canvas| self.draw_band(canvas, band, across, rows));
            }
            for line in &self.lines {
                canvas.of_series(&line.series, |canvas| self.draw_line(canvas, line, across, rows));
            }
        });
    }

    /// What can be read off it in the middle of each of these slots.
    pub(super) fn readings(&self, places: &[Slot]) -> PlotReadings {
        let value = |value: f64| self.axis.text(value);
        let lines = self.lines.iter().map(|line| LineReadings {
            series: line.series.clone(),
            part: line.part,
            values: places
                .iter()
                .map(|place| slot_at(&line.slots, place.middle())?.value.map(value))
                .collect(),
        });
        PlotReadings { title: self.title.clone(), lines: lines.collect() }
    }

    fn draw_tile(&self, canvas: &mut Canvas, tile: &Tile, across: Across<'_>, rows: Rows) {
        let place =
            |column: f64, value: f64| (across.column(column), row_of(&self.axis, value, rows));
        let corner = place(tile.across.0, tile.up.1);
        let other = place(tile.across.1, tile.up.0);
        let named = !tile.label.is_empty();
        if named {
            // The grid would run through the letters.
            canvas.rectangle(corner, other, Ink::WHITE);
        }
        canvas.rectangle(corner, other, tile.ink);
        let label = named.then(|| fit_text(&tile.label, SMALL, false, other.0 - corner.0));
        if let Some(label) = label.flatten() {
            let ink = if tile.ink.opacity > DARK { Ink::WHITE } else { Ink::BLACK };
            let lettering = Lettering { ink, size: SMALL, bold: false, align: Align::Middle };
            let middle = (f64::midpoint(corner.0, other.0), f64::midpoint(corner.1, other.1));
            canvas.text(middle, label, lettering);
        }
    }

    fn draw_band(&self, canvas: &mut Canvas, band: &Band, across: Across<'_>, rows: Rows) {
        let edges: Vec<_> = band.lows.iter().zip(&band.highs).collect();
        for run in edges.split(|(low, high)| low.value.is_none() || high.value.is_none()) {
            let edge = |slot: &Slot| {
                let row = row_of(&self.axis, slot.value.unwrap_or(0.0), rows);
                (across.column(slot.middle()), row)
            };
            if run.len() > 1 {
                let highs = run.iter().map(|(_, high)| edge(high));
                let lows = run.iter().rev().map(|(low, _)| edge(low));
                canvas.polygon(highs.chain(lows).collect(), band.ink.with_opacity(BAND_OPACITY));
            }
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, line: &Line, across: Across<'_>, rows: Rows) {
        let axis = &self.axis;
        let stroke = Stroke { ink: line.look.ink, width: LINE_WIDTH, dash: line.dash };
        let runs = line.slots.split(|slot| slot.value.is_none());
        let runs = runs.map(|run| (run, points_of(axis, run, line.course, (across, rows))));
        let runs: Vec<_> = runs.filter(|(_, points)| !points.is_empty()).collect();
        if line.course == Course::Filled {
            for (_, points) in &runs {
                let (first, last) = (points[0], points[points.len() - 1]);
                let ground = [(last.0, rows.bottom), (first.0, rows.bottom)];
                let area = points.iter().copied().chain(ground).collect();
                canvas.polygon(area, line.look.ink.with_opacity(0.18));
            }
        }
        let alone = runs.iter().filter(|(_, points)| points.len() == 1).count();
        for (run, points) in &runs {
            if points.len() == 1 && alone > MOST_ALONE {
                let level = points_of(axis, run, Course::Stepped, (across, rows));
                canvas.line(&level, stroke);
            }
            canvas.line(points, stroke);
        }
        if alone <= MOST_ALONE {
            for (_, points) in runs.iter().filter(|(_, points)| points.len() == 1) {
                canvas.symbol(points[0], line.look.symbol, SYMBOL_RADIUS * 0.7, line.look.ink);
            }
        }
        let Some(rank) = line.rank else { return };
        let mut next = across.columns.0 + SYMBOL_DISTANCE * (0.3 + 0.27 * rank as f64);
        for slot in &line.slots {
            let Some(value) = slot.value else { continue };
            let column = across.column(slot.middle());
            if column >= next {
                let at = (column, row_of(axis, value, rows));
                canvas.symbol(at, line.look.symbol, SYMBOL_RADIUS, line.look.ink);
                next = column + SYMBOL_DISTANCE;
            }
        }
    }
}

fn points_of(
    axis: &Axis,
    run: &[Slot],
    course: Course,
    (across, rows): (Across<'_>, Rows),
) -> Vec<Point> {
    let mut points = Vec::new();
    for slot in run {
        let Some(value) = slot.value else { continue };
        let row = row_of(axis, value, rows);
        if course == Course::Joined {
            points.push((across.column(slot.middle()), row));
        } else {
            points.extend([(across.column(slot.from), row), (across.column(slot.to), row)]);
        }
    }
    points
}

/// The slot in which a place lies.
fn slot_at(slots: &[Slot], place: f64) -> Option<&Slot> {
    let index = slots.partition_point(|slot| slot.to < place);
    slots.get(index).filter(|slot| slot.from <= place)
}

fn row_of(axis: &Axis, value: f64, rows: Rows) -> f64 {
    rows.bottom - axis.place(value) * (rows.bottom - rows.top)
}

/// Sizes of letters in pixels of a canvas 1,280 wide: at half that width none is below 10.
pub(crate) const LARGE: u32 = 24;
pub(crate) const MEDIUM: u32 = 22;
pub(crate) const SMALL: u32 = 21;

/// Where the titles of the panels begin.
pub(crate) const TITLE_COLUMN: f64 = 18.0;

/// The room of a panel's title above it.
pub(super) const PANEL_TITLE: f64 = 48.0;
const LINE_WIDTH: u32 = 3;
const SYMBOL_RADIUS: f64 = 7.0;
/// Chosen: seven symbols on a line: enough to follow it, few enough to leave its shape visible.
const SYMBOL_DISTANCE: f64 = 165.0;
/// Chosen: more points of one line without neighbours are drawn as short lines, not as symbols.
const MOST_ALONE: usize = 40;
const BAND_OPACITY: f64 = 0.14;
/// Chosen: on darker tiles black letters are no longer read.
const DARK: f64 = 0.7;
