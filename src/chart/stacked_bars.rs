//! Stacked bars: for each row a bar of parts, from left to right.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Lettering, Stroke};
use super::lettering::{fit_text, text_width};
use super::palette::{Dash, Ink, Look, Symbol};
use super::panel::{LARGE, MEDIUM, Rows, SMALL, TITLE_COLUMN};
use super::sheet::Sheet;

/// Groups of bars that share their kinds of parts.
pub(crate) struct StackedBars {
    /// The kinds of parts, in the order in which they are stacked.
    pub(crate) kinds: Vec<(String, Ink)>,
    pub(crate) groups: Vec<BarGroup>,
}

/// Bars over one axis.
pub(crate) struct BarGroup {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) bars: Vec<Bar>,
}

/// One bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    /// One part for each kind.
    pub(crate) parts: Vec<f64>,
    /// What is written behind the bar.
    pub(crate) total: String,
}

impl StackedBars {
    /// The chart.
    pub(crate) fn chart(&self, title: &str, alternative: String) -> Canvas {
        let square = |(name, ink): &(String, Ink)| {
            (name.clone(), Look { ink: *ink, symbol: Symbol::Square }, Dash::Solid)
        };
        let series = self.kinds.iter().map(square).collect();
        let height = self.groups.iter().map(BarGroup::height).sum();
        let sheet = Sheet { title, alternative, series, note: None };
        let (mut canvas, rows) = sheet.begin(height);
        let mut top = rows.top;
        for group in &self.groups {
            group.draw(&mut canvas, &self.kinds, top);
            top += group.height();
        }
        canvas
    }
}

impl BarGroup {
    fn height(&self) -> f64 {
        TITLE_ROW + self.bars.len() as f64 * BAR_ROW + AXIS_ROW
    }

    fn draw(&self, canvas: &mut Canvas, kinds: &[(String, Ink)], top: f64) {
        let text = |ink, size, bold, align| Lettering { ink, size, bold, align };
        let title = text(Ink::BLACK, LARGE, true, Align::Start);
        canvas.text((TITLE_COLUMN, top + TITLE_ROW * 0.5), self.title.as_str(), title);
        let longest = self.bars.iter().map(|bar| text_width(&bar.label, SMALL, false));
        let left = TITLE_COLUMN + longest.fold(0.0, f64::max).min(MOST_LABEL) + 14.0;
        let totals = self.bars.iter().map(|bar| text_width(&bar.total, SMALL, false));
        let right = Sheet::COLUMNS.1 - totals.fold(0.0, f64::max) - 14.0;
        let column = |value: f64| left + self.axis.place(value) * (right - left);
        let rows = Rows {
            top: top + TITLE_ROW,
            bottom: top + TITLE_ROW + self.bars.len() as f64 * BAR_ROW,
        };
        for tick in &self.axis.ticks {
            let at = column(tick.value);
            let stroke = Stroke { ink: Ink::PALE, width: 1, dash: Dash::Solid };
            canvas.line(&[(at, rows.top), (at, rows.bottom)], stroke);
            let label = text(Ink::GREY, MEDIUM, false, Align::Middle);
            canvas.text((at, rows.bottom + AXIS_ROW * 0.4), tick.label.as_str(), label);
        }
        for (index, bar) in self.bars.iter().enumerate() {
            let middle = rows.top + (index as f64 + 0.5) * BAR_ROW;
            let room = left - TITLE_COLUMN - 14.0;
            let label = fit_text(&bar.label, SMALL, false, room).unwrap_or_default();
            let lettering = text(Ink::BLACK, SMALL, false, Align::End);
            canvas.text((left - 14.0, middle), label, lettering);
            let mut from = 0.0;
            for ((name, ink), part) in kinds.iter().zip(&bar.parts) {
                let (begin, end) = (column(from), column(from + part));
                from += part;
                if *part > 0.0 {
                    // Even the smallest part is seen.
                    let end = end.max(begin + LEAST_PART);
                    canvas.of_series(name, |canvas| {
                        let corner = (begin, middle - BAR_RADIUS);
                        canvas.rectangle(corner, (end - RIM, middle + BAR_RADIUS), *ink);
                    });
                }
            }
            let total = text(Ink::BLACK, SMALL, false, Align::Start);
            canvas.text((column(from) + 10.0, middle), bar.total.as_str(), total);
        }
    }
}

const TITLE_ROW: f64 = 52.0;
const BAR_ROW: f64 = 42.0;
const BAR_RADIUS: f64 = 14.0;
const AXIS_ROW: f64 = 52.0;
/// Chosen: longer labels would leave too little for the bars.
const MOST_LABEL: f64 = 420.0;
const LEAST_PART: f64 = 3.0;
/// The ground that is left between two parts.
const RIM: f64 = 1.0;
