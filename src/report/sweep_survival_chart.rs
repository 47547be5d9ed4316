//! In how many runs a bad version is not yet rolled back, over the time from the onset.

use super::run_looks::MOST_RUNS;
use super::story::MOST_TIME_TICKS;
use super::sweep_looks::{frame, looks};
use super::sweep_words::{cell_label, cells_left_out};
use crate::chart::{Axis, Canvas, Course, Line, Panel, Sheet, Slot};
use crate::study::{CellReport, SweepReport};
use crate::units::{Duration, format_percent};

/// A line for each combination, the first eight; `None` where nothing was rolled back.
pub(super) fn survival_chart(report: &SweepReport) -> Option<Canvas> {
    let shown = &report.cells[..report.cells.len().min(MOST_RUNS)];
    let last = |cell: &CellReport| cell.rolled_back_by.last().map(|(time, _)| *time);
    let latest = shown.iter().filter_map(last).max()?;
    let watched = shown.iter().filter_map(|cell| cell.watched).max();
    let span = watched.map_or(latest, |watched| watched.max(latest));
    let names: Vec<String> = shown.iter().map(|cell| cell_label(report, cell)).collect();
    let looks = looks(&names);
    let lines =
        shown.iter().zip(&looks).enumerate().map(|(rank, (cell, (name, look, dash)))| Line {
            series: name.clone(),
            part: None,
            slots: slots(cell, span),
            look: *look,
            dash: *dash,
            course: Course::Stepped,
            rank: Some(rank),
        });
    let panel = Panel {
        title: "Runs in which the bad version is not yet rolled back".to_owned(),
        axis: Axis::shares(1.0),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines: lines.collect(),
    };
    let (axis, unit) = Axis::times(span, MOST_TIME_TICKS);
    let told = shown.iter().zip(&names).map(|(cell, name)| {
        let rest = 1.0 - share(cell, cell.rolled_back_by.last().map_or(0, |(_, count)| *count));
        format!(" {name}: {} never.", format_percent(rest))
    });
    let sheet = Sheet {
        title: "How long it goes on",
        alternative: format!(
            "Share of runs in which a bad version is not yet rolled back, over time.{}",
            told.collect::<String>()
        ),
        series: looks,
        note: cells_left_out(report.cells.len() - shown.len()),
    };
    let caption = format!("{} since the onset", unit.name());
    Some(sheet.panels(&frame(axis, caption), &[panel], PANEL_HEIGHT))
}

/// The share that is left between one rollback and the next.
fn slots(cell: &CellReport, span: Duration) -> Vec<Slot> {
    let steps = std::iter::once((Duration::ZERO, 0)).chain(cell.rolled_back_by.iter().copied());
    let ends = cell.rolled_back_by.iter().map(|(time, _)| *time).chain([span]);
    let slot = |((from, count), to): ((Duration, u64), Duration)| Slot {
        from: from.as_secs_f64(),
        to: to.as_secs_f64(),
        value: Some(1.0 - share(cell, count)),
    };
    steps.zip(ends).map(slot).collect()
}

fn share(cell: &CellReport, count: u64) -> f64 {
    count as f64 / cell.runs.max(1) as f64
}

const PANEL_HEIGHT: f64 = 480.0;
