//! A legend: which series has which look.

use super::canvas::{Align, Canvas, Lettering, Stroke};
use super::lettering::text_width;
use super::palette::{Dash, Ink, Look};
use super::panel::{MEDIUM, TITLE_COLUMN};

/// Which series has which look, in as many rows as they need.
pub(crate) struct Legend {
    items: Vec<Item>,
    rows: usize,
}

struct Item {
    row: usize,
    column: f64,
    name: String,
    look: Look,
    dash: Dash,
}

impl Legend {
    /// A legend in a canvas `width` pixels wide.
    pub(crate) fn new(series: impl IntoIterator<Item = (String, Look, Dash)>, width: f64) -> Self {
        let mut items = Vec::new();
        let (mut row, mut column) = (0, TITLE_COLUMN);
        for (name, look, dash) in series {
            let needed = SAMPLE + text_width(&name, MEDIUM, false) + 36.0;
            if column + needed > width && column > TITLE_COLUMN {
                row += 1;
                column = TITLE_COLUMN;
            }
            items.push(Item { row, column, name, look, dash });
            column += needed;
        }
        Self { items, rows: row + 1 }
    }

    /// How many pixels high it is.
    pub(crate) fn height(&self) -> f64 {
        self.rows as f64 * ROW
    }

    /// Draws it below `top`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, top: f64) {
        for Item { row, column, name, look, dash } in &self.items {
            let row = top + (*row as f64 + 0.5) * ROW;
            let stroke = Stroke { ink: look.ink, width: 3, dash: *dash };
            canvas.line(&[(*column, row), (column + 44.0, row)], stroke);
            canvas.symbol((column + 22.0, row), look.symbol, 7.0, look.ink);
            let lettering =
                Lettering { ink: Ink::BLACK, size: MEDIUM, bold: false, align: Align::Start };
            canvas.text((column + SAMPLE, row), name.as_str(), lettering);
        }
    }
}

const ROW: f64 = 34.0;
/// The room of a line's sample before its name.
const SAMPLE: f64 = 56.0;
