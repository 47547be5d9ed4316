//! How often a bad version is rolled back within some time, against a value that is varied.

use super::run_looks::MOST_RUNS;
use super::sweep_looks::{frame, looks};
use super::sweep_words::{cells_left_out, short_names};
use crate::chart::{Axis, Band, Canvas, Course, Line, Panel, Sheet, Slot};
use crate::study::{AxisUnit, CellReport, ShareOfRuns, SweepReport, numbers};
use crate::units::{format_duration, format_percent};

/// A panel for each time; `None` where no value that is varied is a number, or there is nothing to
/// be detected.
pub(super) fn detection_chart(report: &SweepReport) -> Option<Canvas> {
    let places = 0..report.variations.len();
    let (place, (unit, values)) = places
        .filter_map(|place| Some((place, numbers(&report.variations[place].values)?)))
        .next()?;
    if values.len() < 2 {
        return None;
    }
    let curves = Curves::of(report, place, &values);
    let panels = panels(report, &curves);
    if panels.is_empty() {
        return None;
    }
    let (least, greatest) = ends(&values);
    let axis = match unit {
        AxisUnit::Seconds => Axis::latencies(least, greatest),
        AxisUnit::Share => Axis::shares(greatest),
        AxisUnit::Number => Axis::numbers(least, greatest),
    };
    let name = short_names(&report.variations).swap_remove(place);
    let series = looks(&curves.names);
    let sheet = Sheet {
        title: "How often it is rolled back",
        alternative: alternative(report, &name, place),
        series,
        note: cells_left_out(curves.left_out()),
    };
    Some(sheet.panels(&frame(axis, name), &panels, PANEL_HEIGHT))
}

/// The cells by what else is varied, each in the order of the value on the axis.
struct Curves<'a> {
    names: Vec<String>,
    cells: Vec<Vec<(f64, &'a CellReport)>>,
}

impl<'a> Curves<'a> {
    fn of(report: &'a SweepReport, place: usize, values: &[f64]) -> Self {
        let short = short_names(&report.variations);
        let mut curves = Self { names: Vec::new(), cells: Vec::new() };
        for cell in &report.cells {
            let others = short.iter().zip(&cell.values).enumerate();
            let others = others.filter(|(other, _)| *other != place);
            let name: Vec<String> =
                others.map(|(_, (name, value))| format!("{name} = {value}")).collect();
            let name = if name.is_empty() { "all".to_owned() } else { name.join(", ") };
            let own = &report.variations[place].values;
            let Some(index) = own.iter().position(|value| *value == cell.values[place]) else {
                continue;
            };
            let known = curves.names.iter().position(|known| *known == name);
            let at = known.unwrap_or_else(|| {
                curves.names.push(name);
                curves.cells.push(Vec::new());
                curves.names.len() - 1
            });
            curves.cells[at].push((values[index], cell));
        }
        for cells in &mut curves.cells {
            cells.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        curves
    }

    /// How many cells there is no room for.
    fn left_out(&self) -> usize {
        self.cells.iter().skip(MOST_RUNS).map(Vec::len).sum()
    }

    fn panel(&self, title: String, share: &dyn Fn(&CellReport) -> ShareOfRuns) -> Panel {
        let looks = looks(&self.names);
        let drawn = || self.cells.iter().zip(&looks).take(MOST_RUNS);
        let bands = drawn().map(|(cells, (name, look, _))| {
            let end = |end: fn(ShareOfRuns) -> f64| {
                cells.iter().map(|(x, cell)| Slot::at(*x, end(share(cell)))).collect()
            };
            Band {
                series: name.clone(),
                lows: end(|share| share.low),
                highs: end(|share| share.high),
                ink: look.ink,
            }
        });
        let lines = drawn().enumerate().map(|(rank, (cells, (name, look, dash)))| {
            let slot = |(x, cell): &(f64, &CellReport)| Slot {
                from: *x,
                to: *x,
                value: share(cell).value,
            };
            Line {
                series: name.clone(),
                part: None,
                slots: cells.iter().map(slot).collect(),
                look: *look,
                dash: *dash,
                course: Course::Joined,
                rank: Some(rank),
            }
        });
        Panel {
            title,
            axis: Axis::shares(1.0),
            tiles: Vec::new(),
            bands: bands.collect(),
            lines: lines.collect(),
        }
    }
}

/// A panel for each time that tells something else than those before it, and one for false
/// rollbacks where there are any.
fn panels(report: &SweepReport, curves: &Curves<'_>) -> Vec<Panel> {
    let within = |cell: &CellReport, place: usize| cell.within[place].share;
    let count = report.cells.iter().map(|cell| cell.within.len()).min().unwrap_or(0);
    let same = |one: usize, other: usize| {
        report.cells.iter().all(|cell| within(cell, one).hits == within(cell, other).hits)
    };
    let told = (0..count).filter(|place| {
        let any = report.cells.iter().any(|cell| within(cell, *place).hits > 0);
        // The longest that comes to the same says more.
        any && (*place + 1..count).all(|later| !same(*place, later))
    });
    let mut panels: Vec<Panel> = told
        .map(|place| {
            let time = report.cells.first().and_then(|cell| cell.within[place].within);
            let title = time.map_or_else(
                || "Bad version rolled back at all".to_owned(),
                |time| format!("Bad version rolled back within {}", format_duration(time)),
            );
            curves.panel(title, &move |cell| within(cell, place))
        })
        .collect();
    if report.cells.iter().any(|cell| cell.false_rollback.hits > 0) {
        panels.push(curves.panel("Rolled back falsely".to_owned(), &|cell| cell.false_rollback));
    }
    panels
}

fn alternative(report: &SweepReport, name: &str, place: usize) -> String {
    let told = report.cells.iter().take(MOST_TOLD).map(|cell| {
        let share = cell.within.last().and_then(|within| within.share.value).unwrap_or(0.0);
        format!(" {}: {}.", cell.values[place], format_percent(share))
    });
    let told: String = told.collect();
    format!("Share of runs in which a bad version was rolled back, against {name}.{told}")
}

fn ends(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

const PANEL_HEIGHT: f64 = 250.0;
/// Chosen: who listens to more has lost the first.
const MOST_TOLD: usize = 20;
