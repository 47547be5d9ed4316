//! The share of runs that are rolled back, over two values that are varied.

use super::sweep_looks::frame;
use super::sweep_words::short_names;
use crate::chart::{Axis, Canvas, Panel, Sheet, Tile, version_look};
use crate::study::{CellReport, SweepReport};
use crate::units::{format_counted, format_percent};

/// A tile for each pair of values of the first two paths; of further ones each has its first value.
/// `None` where fewer than two are varied.
pub(super) fn heat_chart(report: &SweepReport) -> Option<Canvas> {
    let [first, second, others @ ..] = &report.variations[..] else { return None };
    if first.values.len() < 2 || second.values.len() < 2 {
        return None;
    }
    let shown = |cell: &&CellReport| {
        others.iter().zip(&cell.values[2..]).all(|(other, value)| other.values[0] == *value)
    };
    let place = |values: &[String], value: &String| values.iter().position(|one| one == value);
    let tiles = report.cells.iter().filter(shown).filter_map(|cell| {
        let across = place(&first.values, &cell.values[0])? as f64;
        let up = place(&second.values, &cell.values[1])? as f64;
        let share = cell.rollback.value.unwrap_or(0.0);
        Some(Tile {
            series: SERIES.to_owned(),
            across: (across, across + 1.0),
            up: (up, up + 1.0),
            ink: version_look(Some(0)).ink.with_opacity(LEAST_INK + (1.0 - LEAST_INK) * share),
            label: format_percent(share),
        })
    });
    let names = short_names(&report.variations);
    let panel = Panel {
        title: format!("{}: share of runs that are rolled back", names[1]),
        axis: Axis::names(&shortened(&second.values)),
        tiles: tiles.collect(),
        bands: Vec::new(),
        lines: Vec::new(),
    };
    let told = report.cells.iter().filter(shown).map(|cell| {
        let share = format_percent(cell.rollback.value.unwrap_or(0.0));
        format!(" {} and {}: {share}.", cell.values[0], cell.values[1])
    });
    let held = names.iter().zip(&report.variations).skip(2);
    let held: Vec<String> =
        held.map(|(name, other)| format!("{name} = {}", other.values[0])).collect();
    let note = (!held.is_empty()).then(|| {
        let paths = format_counted(held.len() as u64, "further path", "further paths");
        format!("of {paths} the first value: {}", held.join(", "))
    });
    let sheet = Sheet {
        title: "Two values together",
        alternative: format!(
            "Share of runs that are rolled back, by {} and {}.{}",
            names[0],
            names[1],
            told.take(MOST_TOLD).collect::<String>()
        ),
        series: Vec::new(),
        note,
    };
    let height = ROW * second.values.len() as f64 + HEAD;
    let frame = frame(Axis::names(&first.values), names[0].clone());
    Some(sheet.panels(&frame, &[panel], height.min(MOST_HEIGHT)))
}

/// Names that fit beside the axis.
fn shortened(names: &[String]) -> Vec<String> {
    let short = |name: &String| match name.chars().count() > MOST_LETTERS {
        true => name.chars().take(MOST_LETTERS - 1).chain(['…']).collect(),
        false => name.clone(),
    };
    names.iter().map(short).collect()
}

const SERIES: &str = "share of runs";
/// Chosen: a tile of none is seen to be one.
const LEAST_INK: f64 = 0.06;
/// Chosen: what has room at the left of a plot.
const MOST_LETTERS: usize = 9;
const ROW: f64 = 64.0;
const HEAD: f64 = 90.0;
const MOST_HEIGHT: f64 = 1_200.0;
/// Chosen: who listens to more has lost the first.
const MOST_TOLD: usize = 20;
