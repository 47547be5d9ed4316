//! The vocabulary of charts: shapes, axes, palettes and the kinds of charts that are made of them.
//!
//! One drawing path renders a [`Canvas`] as SVG and as PNG. Knows no runs: what is drawn is handed
//! in as numbers with their looks and labels.

mod axis;
mod canvas;
mod palette;
mod panel;

pub(crate) use axis::Axis;
pub use canvas::Canvas;
pub(crate) use canvas::{Align, Lettering, Stroke, fit_text, text_width};
pub(crate) use palette::{Dash, Ink, Look, Symbol, version_look};
pub(crate) use panel::{
    Course, Lane, Line, MEDIUM, Mark, Panel, Phase, Rows, Slot, TITLE_COLUMN, TimeFrame,
};
