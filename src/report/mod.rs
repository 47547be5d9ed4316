//! What a person or a machine reads of a run: tables, charts, result file.
//!
//! Everything is returned as text or bytes, made from a run's record, its summary and its verdicts.
//! Knows no files and no terminal.

mod axis;
mod canvas;
mod comparison;
#[cfg(test)]
mod example;
mod figures;
mod narrative;
mod palette;
mod panel;
mod timeline_chart;

pub use canvas::Canvas;
pub use timeline_chart::timeline_chart;
