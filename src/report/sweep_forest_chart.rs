//! The shares of runs of every combination with their intervals, one below the other.

use super::sweep_words::{cell_label, cells_left_out, short_names};
use crate::chart::{
    Axis, Canvas, IntervalGroup, IntervalMark, IntervalRow, Intervals, OpenInterval, version_look,
};
use crate::study::{CellReport, ShareOfRuns, SweepReport};
use crate::units::format_percent;

/// How many runs of each combination were rolled back, falsely so, and promoted.
pub(super) fn forest_chart(report: &SweepReport) -> Option<Canvas> {
    let shown = &report.cells[..report.cells.len().min(MOST_ROWS)];
    let kinds: [(&str, Share); 3] = [
        ("Rolled back", |cell| cell.rollback),
        ("Rolled back falsely", |cell| cell.false_rollback),
        ("Promoted", |cell| cell.promotion),
    ];
    let any = |share: Share| shown.iter().any(|cell| share(cell).hits > 0);
    // What never happens is told in the table; without a rollback at all that is what is shown.
    let kept =
        kinds.into_iter().enumerate().filter(|(place, (_, share))| *place == 0 || any(*share));
    let groups = kept.map(|(_, (title, share))| IntervalGroup {
        title: title.to_owned(),
        rows: shown.iter().map(|cell| row(cell, share(cell))).collect(),
    });
    // The names of several paths leave no room for their values.
    let names = short_names(&report.variations).join(" / ");
    let rows = (!names.is_empty()).then(|| format!("rows: {names}"));
    let notes = rows.into_iter().chain(cells_left_out(report.cells.len() - shown.len()));
    let chart = Intervals {
        series: vec![("share of runs, 95 % interval".to_owned(), version_look(None))],
        axis: Axis::shares(1.0),
        caption: "share of runs".to_owned(),
        groups: groups.collect(),
        note: Some(notes.collect::<Vec<_>>().join("; ")).filter(|note| !note.is_empty()),
    };
    let told = shown.iter().map(|cell| {
        let share = format_percent(cell.rollback.value.unwrap_or(0.0));
        format!(" {}: {share}.", cell_label(report, cell))
    });
    let alternative = format!("Share of runs that were rolled back.{}", told.collect::<String>());
    (!shown.is_empty()).then(|| chart.chart("What each combination comes to", alternative))
}

/// Which share of a combination's runs is drawn.
type Share = fn(&CellReport) -> ShareOfRuns;

fn row(cell: &CellReport, share: ShareOfRuns) -> IntervalRow {
    let word = share.value.map_or_else(String::new, format_percent);
    let ends = [share.low, share.high].map(format_percent).join(" to ");
    let mark = IntervalMark {
        value: share.value,
        interval: Some(OpenInterval { low: Some(share.low), high: Some(share.high) }),
        filled: true,
        reading: format!("{word}, {ends}"),
        word,
    };
    let label = match cell.values.is_empty() {
        true => "as it is".to_owned(),
        false => cell.values.join(" / "),
    };
    IntervalRow { label, allowed: None, marks: vec![mark] }
}

/// Chosen: more rows are a page of its own.
const MOST_ROWS: usize = 40;
