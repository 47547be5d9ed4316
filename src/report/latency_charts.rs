//! How long successes took: their distribution by column, and their quantiles up to the last.

use super::column::{Column, columns};
use crate::chart::{
    Axis, Band, Canvas, Course, Dash, Frame, Ink, Lane, Line, Look, Mark, Panel, Sheet, Slot,
};
use crate::result::ResultFile;
use crate::stats::{Confidence, DurationHistogram, QuantileRanks};
use crate::units::{Duration, format_counted, format_duration};

/// The distribution of latencies, a panel for each column with the first column's outline in it;
/// `None` where nothing succeeded.
pub(super) fn distribution_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = successful(result);
    let (first, axis) = (columns.first()?, latency_axis(&columns)?);
    let bins: Vec<_> = columns.iter().map(|column| binned(latencies(column), &axis)).collect();
    let greatest = bins.iter().flatten().filter_map(|slot| slot.value).fold(0.0, f64::max);
    let panels = columns.iter().zip(&bins).enumerate().map(|(index, (column, slots))| {
        let line = |look: Look, slots: &[Slot], course, series: &str| Line {
            series: series.to_owned(),
            part: None,
            slots: slots.to_vec(),
            look,
            dash: Dash::Solid,
            course,
            rank: None,
        };
        let own = line(column.look, slots, Course::Filled, column.title);
        let outline = Look { ink: GHOST, ..first.look };
        let ghost = (index > 0).then(|| line(outline, &bins[0], Course::Stepped, first.title));
        Panel {
            title: format!(
                "{}: {}",
                column.title,
                format_counted(latencies(column).count(), "success", "successes")
            ),
            axis: Axis::shares(greatest),
            tiles: Vec::new(),
            bands: Vec::new(),
            lines: ghost.into_iter().chain([own]).collect(),
        }
    });
    let panels: Vec<Panel> = panels.collect();
    let lanes = [("P50", 500), ("P95", 950), ("P99", 990)];
    let lanes = lanes.map(|(name, per_mille)| lane(&columns, name, per_mille)).into();
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis,
        caption: "latency of successes, logarithmic; height: share of the column's successes"
            .to_owned(),
        phases: Vec::new(),
        lanes,
    };
    let alternative = alternative("Distribution of latencies", &columns);
    Some(draw("Latency distribution", alternative, &columns, &frame, &panels))
}

/// Every quantile of the latencies up to the largest, on an axis on which each further nine is as
/// wide as the one before; `None` where nothing succeeded.
pub(super) fn percentile_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = successful(result);
    let most = columns.iter().map(|column| latencies(column).count()).max()?;
    let least = columns.iter().filter_map(|column| latencies(column).at_rank(1)).min()?;
    let greatest = columns.iter().filter_map(|column| latencies(column).max()).max()?;
    let lines = columns.iter().enumerate().map(|(rank, column)| Line {
        series: column.title.to_owned(),
        part: None,
        slots: quantile_slots(latencies(column)),
        look: column.look,
        dash: column.dash,
        course: Course::Joined,
        rank: Some(rank),
    });
    let panel = Panel {
        title: "Latency of successes, with its 95 % interval".to_owned(),
        axis: Axis::latencies(least.as_secs_f64(), greatest.as_secs_f64()),
        tiles: Vec::new(),
        bands: columns.iter().map(band).collect(),
        lines: lines.collect(),
    };
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis: Axis::quantiles(1.0 / most.max(100) as f64),
        caption: "quantile: every nine is as wide as the one before".to_owned(),
        phases: Vec::new(),
        lanes: Vec::new(),
    };
    let alternative = alternative("Quantiles of latencies", &columns);
    Some(draw("Latency by percentile", alternative, &columns, &frame, &[panel]))
}

fn draw(
    title: &str,
    alternative: String,
    columns: &[Column<'_>],
    frame: &Frame,
    panels: &[Panel],
) -> Canvas {
    let series = columns.iter().map(|column| (column.title.to_owned(), column.look, column.dash));
    let panel_height = if panels.len() == 1 { ONLY_PANEL_HEIGHT } else { PANEL_HEIGHT };
    let sheet = Sheet { title, alternative, series: series.collect(), note: None };
    sheet.panels(frame, panels, panel_height)
}

/// The columns in which something succeeded.
fn successful(result: &ResultFile) -> Vec<Column<'_>> {
    let mut columns = columns(result);
    columns.retain(|column| latencies(column).count() > 0);
    columns
}

fn latencies<'a>(column: &'a Column<'_>) -> &'a DurationHistogram {
    &column.selected.attempts().latency
}

/// From the fastest 0.1 % to the slowest: what lies outside is counted into the outermost bins.
fn latency_axis(columns: &[Column<'_>]) -> Option<Axis> {
    let quantile = |per_mille: u64| {
        columns.iter().filter_map(move |column| latencies(column).quantile(per_mille))
    };
    let (least, greatest) = (quantile(1).min()?, quantile(999).max()?);
    Some(Axis::logarithmic_latencies(least.as_secs_f64(), greatest.as_secs_f64()))
}

/// The shares of the values that fall into bins of equal width on `axis`.
fn binned(latencies: &DurationHistogram, axis: &Axis) -> Vec<Slot> {
    let mut counts = [0_u64; BINS];
    for (value, count) in latencies.iter() {
        let bin = (axis.place(value.as_secs_f64()) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += count;
    }
    let edge = |index: usize| axis.value_at(index as f64 / BINS as f64);
    let all = latencies.count().max(1) as f64;
    let slots = counts.iter().enumerate().map(|(index, count)| Slot {
        from: edge(index),
        to: edge(index + 1),
        value: Some(*count as f64 / all),
    });
    slots.collect()
}

fn lane(columns: &[Column<'_>], name: &'static str, per_mille: u64) -> Lane {
    let mark = |column: &Column<'_>| {
        let value = latencies(column).quantile(per_mille)?;
        Some(Mark {
            from: value.as_secs_f64(),
            to: None,
            symbol: column.look.symbol,
            label: String::new(),
            dash: None,
            ink: column.look.ink,
        })
    };
    let mut marks: Vec<Mark> = columns.iter().filter_map(mark).collect();
    marks.sort_by(|one, other| one.from.total_cmp(&other.from));
    Lane { name, marks }
}

/// The values of ever further quantiles, up to the largest value.
fn quantile_slots(latencies: &DurationHistogram) -> Vec<Slot> {
    let count = latencies.count();
    let mut slots = Vec::new();
    let (mut step, mut beyond) = (0_u32, 1.0);
    while beyond * count as f64 >= 1.0 {
        let rank = (((1.0 - beyond) * count as f64).ceil() as u64).max(1);
        let value = latencies.at_rank(rank).unwrap_or(Duration::ZERO);
        slots.push(Slot::at(1.0 - beyond, value.as_secs_f64()));
        step += 1;
        beyond = 1.0 / tenth_power(step);
    }
    slots
}

/// 10 to the power of `step` / [`STEPS_PER_NINE`].
fn tenth_power(step: u32) -> f64 {
    crate::math::exp(f64::from(step) / STEPS_PER_NINE * std::f64::consts::LN_10)
}

/// The interval of each quantile that can be bounded on both sides.
fn band(column: &Column<'_>) -> Band {
    let latencies = latencies(column);
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for per_mille in PER_MILLES {
        let ranks = QuantileRanks::of(per_mille, latencies.count(), Confidence::PERCENT_95);
        let value = |rank: Option<u64>| rank.and_then(|rank| latencies.at_rank(rank));
        let (Some(low), Some(high)) = (value(ranks.lower), value(ranks.upper)) else { continue };
        let place = per_mille as f64 / 1_000.0;
        lows.push(Slot::at(place, low.as_secs_f64()));
        highs.push(Slot::at(place, high.as_secs_f64()));
    }
    Band { series: column.title.to_owned(), lows, highs, ink: column.look.ink }
}

fn alternative(what: &str, columns: &[Column<'_>]) -> String {
    let mut text = format!("{what}.");
    for column in columns {
        let of = |per_mille| {
            latencies(column).quantile(per_mille).map_or_else(String::new, format_duration)
        };
        let (p50, p95, p99) = (of(500), of(950), of(990));
        text.push_str(&format!(" {}: p50 {p50}, p95 {p95}, p99 {p99}.", column.title));
    }
    text
}

/// The first column's outline behind the others.
const GHOST: Ink = Ink::GREY;

const PANEL_HEIGHT: f64 = 170.0;
const ONLY_PANEL_HEIGHT: f64 = 520.0;
/// Chosen: the bins of the stored histogram are finer even where the axis spans a factor of two.
const BINS: usize = 64;
const STEPS_PER_NINE: f64 = 12.0;
/// Where the intervals of quantiles are worked out.
const PER_MILLES: [u64; 13] = [10, 100, 250, 500, 750, 900, 950, 970, 980, 990, 995, 998, 999];
