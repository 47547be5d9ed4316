//! False alarms against harm: what a rule that looks closer spares, and what it costs.

use super::run_looks::MOST_RUNS;
use super::sweep_looks::{frame, looks};
use super::sweep_words::{cell_label, cells_left_out, short_names};
use crate::chart::{Axis, Canvas, Course, Dash, Line, Look, Panel, Sheet, Slot};
use crate::study::{CellReport, SweepReport};
use crate::units::{format_percent, format_significant};

/// Every combination by its share of false rollbacks and its mean number of failed requests, with
/// the intervals of both; `None` where there is one only.
pub(super) fn harm_chart(report: &SweepReport) -> Option<Canvas> {
    if report.cells.len() < 2 {
        return None;
    }
    let name = short_names(&report.variations).into_iter().next()?;
    let values = &report.variations.first()?.values;
    let names: Vec<String> = values.iter().map(|value| format!("{name} = {value}")).collect();
    let looks = looks(&names);
    let drawn = || values.iter().zip(&looks).take(MOST_RUNS);
    let lines = drawn().flat_map(|(value, series)| {
        let own = report.cells.iter().filter(|cell| cell.values.first() == Some(value));
        lines(&own.collect::<Vec<_>>(), series)
    });
    let lines: Vec<Line> = lines.collect();
    let values_of = |part: fn(&Slot) -> Option<f64>| {
        let slots = lines.iter().flat_map(|line| &line.slots);
        slots.filter_map(part).fold(0.0, f64::max)
    };
    let (widest, highest) = (values_of(|slot| Some(slot.to)), values_of(|slot| slot.value));
    let panel = Panel {
        title: "Failed requests of bad versions, mean of a run".to_owned(),
        axis: Axis::numbers(0.0, highest),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines,
    };
    let sheet = Sheet {
        title: "False alarms against harm",
        alternative: alternative(report),
        series: looks,
        note: Some(note(report, values)),
    };
    let caption = "share of runs that are rolled back falsely".to_owned();
    Some(sheet.panels(&frame(Axis::shares(widest), caption), &[panel], PANEL_HEIGHT))
}

/// The points of some cells, each by itself, and lines for their intervals.
fn lines(cells: &[&CellReport], (name, look, _): &(String, Look, Dash)) -> Vec<Line> {
    let mut points: Vec<(f64, f64)> = cells.iter().map(|cell| point(cell)).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    // What is not drawn between two points leaves each by itself.
    let slots =
        points.iter().flat_map(|(x, y)| [Slot::at(*x, *y), Slot { from: *x, to: *x, value: None }]);
    let line = |part, slots| Line {
        series: name.clone(),
        part,
        slots,
        look: *look,
        dash: Dash::Solid,
        course: Course::Joined,
        rank: None,
    };
    let mut lines = vec![line(None, slots.collect())];
    for cell in cells {
        let (x, y) = point(cell);
        let share = cell.false_rollback;
        let across = vec![Slot::at(share.low, y), Slot::at(share.high, y)];
        lines.push(line(Some("interval of false rollbacks"), across));
        let mean = cell.blast_failed.mean;
        if let (Some(low), Some(high)) = (mean.low, mean.high) {
            let up = vec![Slot::at(x, low.max(0.0)), Slot::at(x, high)];
            lines.push(line(Some("interval of failed requests"), up));
        }
    }
    lines
}

fn note(report: &SweepReport, values: &[String]) -> String {
    let is_left_out = |cell: &&CellReport| {
        let place = values.iter().position(|value| cell.values.first() == Some(value));
        place.is_some_and(|place| place >= MOST_RUNS)
    };
    let left_out = cells_left_out(report.cells.iter().filter(is_left_out).count());
    let kept = "nearer to the left and to the ground is better; lines: 95 % intervals".to_owned();
    std::iter::once(kept).chain(left_out).collect::<Vec<_>>().join("; ")
}

fn point(cell: &CellReport) -> (f64, f64) {
    let value = |value: Option<f64>| value.unwrap_or(0.0);
    (value(cell.false_rollback.value), value(cell.blast_failed.mean.value))
}

fn alternative(report: &SweepReport) -> String {
    let told = report.cells.iter().take(MOST_TOLD).map(|cell| {
        let (share, failed) = point(cell);
        format!(
            " {}: {} rolled back falsely, {} failed requests.",
            cell_label(report, cell),
            format_percent(share),
            format_significant(failed, 3)
        )
    });
    let told: String = told.collect();
    format!("Share of false rollbacks and mean failed requests of each combination.{told}")
}

const PANEL_HEIGHT: f64 = 480.0;
/// Chosen: who listens to more has lost the first.
const MOST_TOLD: usize = 20;
