//! A sheet: a chart with its title, its legend and a note, as wide as all others.

use super::canvas::{Align, Canvas, Lettering};
use super::frame::Frame;
use super::legend::Legend;
use super::lettering::fit_text;
use super::palette::{Dash, Ink, Look};
use super::panel::{MEDIUM, Panel, Rows, TITLE_COLUMN};

/// What stands above a chart, and what it says to those who do not see it.
pub(crate) struct Sheet<'a> {
    pub(crate) title: &'a str,
    pub(crate) alternative: String,
    /// The name, the look and the dash of each series.
    pub(crate) series: Vec<(String, Look, Dash)>,
    /// What is to be known of what is drawn, or is not.
    pub(crate) note: Option<String>,
}

impl Sheet<'_> {
    /// The width of every chart in pixels.
    pub(crate) const WIDTH: f64 = 1_280.0;

    /// The first and the last pixel column of plots: on the left there is room for `1,000 ms`, on
    /// the right for half of the last tick's label, `20,000 ms`.
    pub(crate) const COLUMNS: (f64, f64) = (136.0, 1_224.0);

    /// A chart of panels, each `panel_height` pixels high.
    pub(crate) fn panels(self, frame: &Frame, panels: &[Panel], panel_height: f64) -> Canvas {
        let height = frame.head_height() + panels.len() as f64 * panel_height + AXIS_HEIGHT;
        let (mut canvas, rows) = self.begin(height);
        frame.draw(&mut canvas, panels, rows);
        canvas
    }

    /// A canvas with everything but the chart, for which the rows are free that are returned:
    /// `height` pixels.
    pub(super) fn begin(self, height: f64) -> (Canvas, Rows) {
        let legend = Legend::new(self.series, Self::WIDTH);
        let note_row = TITLE_ROW + legend.height();
        let note_height = if self.note.is_some() { NOTE_ROW } else { 0.0 };
        let top = note_row + note_height + 8.0;
        let bottom = top + height;
        let mut canvas = Canvas::new(Self::WIDTH as u32, bottom as u32, self.alternative);
        let room = Self::WIDTH - TITLE_COLUMN * 2.0;
        let mut write = |text: &str, row: f64, lettering: Lettering| {
            if let Some(text) = fit_text(text, lettering.size, lettering.bold, room) {
                canvas.text((TITLE_COLUMN, row), text, lettering);
            }
        };
        let align = Align::Start;
        let title = Lettering { ink: Ink::BLACK, size: TITLE, bold: true, align };
        write(self.title, TITLE_ROW * 0.5, title);
        if let Some(note) = self.note {
            let lettering = Lettering { ink: Ink::GREY, size: MEDIUM, bold: false, align };
            write(&note, note_row + NOTE_ROW * 0.5, lettering);
        }
        legend.draw(&mut canvas, TITLE_ROW);
        (canvas, Rows { top, bottom })
    }
}

const TITLE: u32 = 28;
const TITLE_ROW: f64 = 56.0;
const NOTE_ROW: f64 = 32.0;
/// The horizontal axis below the panels.
const AXIS_HEIGHT: f64 = 64.0;
