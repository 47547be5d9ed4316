//! The vocabulary of charts: shapes, axes, palettes and the kinds of charts that are made of them.
//!
//! One drawing path renders a [`Canvas`] as SVG and as PNG. Knows no runs: what is drawn is handed
//! in as numbers with their looks and labels.

mod axis;
mod canvas;
mod dashes;
mod drawing;
mod frame;
mod intervals;
mod joined;
mod legend;
mod lettering;
mod palette;
mod panel;
mod reading;
mod sheet;
mod stacked_bars;

pub(crate) use axis::Axis;
pub use canvas::Canvas;
pub(crate) use frame::{Frame, Lane, Mark, Phase};
pub(crate) use intervals::{IntervalGroup, IntervalMark, IntervalRow, Intervals, OpenInterval};
pub(crate) use palette::{Dash, Ink, Look, Symbol, kind_ink, version_look};
pub(crate) use panel::{Band, Course, Line, Panel, Slot, Tile};
pub use reading::{Direction, LineReadings, PlotReadings, Readings};
pub(crate) use sheet::Sheet;
pub(crate) use stacked_bars::{Bar, BarGroup, StackedBars};
