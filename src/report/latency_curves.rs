//! Latencies as curves: of the columns of one run, or of several runs, by what is handed in.

use crate::chart::{
    Axis, Band, Canvas, Course, Dash, Frame, Lane, Line, Look, Mark, Panel, Sheet, Slot,
};
use crate::stats::{Confidence, DurationHistogram, QuantileRanks};
use crate::units::{Duration, format_duration};

/// The latencies of some requests.
#[derive(Clone)]
pub(super) struct Curve<'a> {
    /// What they belong to.
    pub(super) series: String,
    pub(super) look: Look,
    pub(super) dash: Dash,
    pub(super) latencies: &'a DurationHistogram,
}

/// Curves that share a panel.
pub(super) struct CurvePanel<'a> {
    pub(super) title: String,
    /// At least one.
    pub(super) curves: Vec<Curve<'a>>,
    /// Which of them is filled where they are drawn as outlines.
    pub(super) filled: usize,
}

/// What stands above and below a chart of curves.
pub(super) struct CurveSheet {
    pub(super) title: &'static str,
    pub(super) alternative: String,
    pub(super) series: Vec<(String, Look, Dash)>,
    pub(super) note: Option<String>,
    /// What the height of an outline is a share of: `the column's successes`.
    pub(super) whole: &'static str,
}

/// The outlines of how latencies are distributed, a panel below the other over one axis, with a
/// lane of marks for each of some quantiles of `marked`.
///
/// `None` without any panel.
pub(super) fn distributions(
    sheet: CurveSheet,
    panels: &[CurvePanel<'_>],
    marked: &[Curve<'_>],
) -> Option<Canvas> {
    let curves = || panels.iter().flat_map(|panel| &panel.curves);
    let axis = latency_axis(curves().map(|curve| curve.latencies))?;
    let outlines = panels.iter().map(|panel| {
        let lines = panel.curves.iter().enumerate().map(|(index, curve)| {
            let filled = index == panel.filled;
            Line {
                series: curve.series.clone(),
                part: None,
                slots: binned(curve.latencies, &axis),
                look: curve.look,
                dash: if filled { Dash::Solid } else { curve.dash },
                course: if filled { Course::Filled } else { Course::Stepped },
                rank: None,
            }
        });
        (panel, lines.collect::<Vec<_>>())
    });
    let outlines: Vec<_> = outlines.collect();
    let values = outlines.iter().flat_map(|(_, lines)| lines.iter().flat_map(|line| &line.slots));
    let greatest = values.filter_map(|slot| slot.value).fold(0.0, f64::max);
    let drawn = outlines.into_iter().map(|(panel, lines)| Panel {
        title: panel.title.clone(),
        axis: Axis::shares(greatest),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines,
    });
    let drawn: Vec<Panel> = drawn.collect();
    let lanes = [("P50", 500), ("P95", 950), ("P99", 990)];
    let lanes = lanes.map(|(name, per_mille)| lane(marked, name, per_mille)).into_iter();
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis,
        caption: format!("latency of successes, logarithmic; height: share of {}", sheet.whole),
        phases: Vec::new(),
        lanes: lanes.filter(|lane| !lane.marks.is_empty()).collect(),
    };
    Some(sheet.draw(&frame, &drawn, OUTLINE_HEIGHT))
}

/// Every quantile of the latencies up to the largest, on an axis on which each further nine is as
/// wide as the one before; a panel below the other. `None` without any panel.
pub(super) fn percentiles(sheet: CurveSheet, panels: &[CurvePanel<'_>]) -> Option<Canvas> {
    let curves = panels.iter().flat_map(|panel| &panel.curves);
    let most = curves.map(|curve| curve.latencies.count()).max()?;
    let drawn: Vec<Panel> = panels.iter().map(quantile_panel).collect();
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis: Axis::quantiles(1.0 / most.max(100) as f64),
        caption: "quantile: every nine is as wide as the one before".to_owned(),
        phases: Vec::new(),
        lanes: Vec::new(),
    };
    Some(sheet.draw(&frame, &drawn, QUANTILE_HEIGHT))
}

/// What curves say in words, for those who do not see them.
pub(super) fn in_words<'a>(
    curves: impl Iterator<Item = (String, &'a DurationHistogram)>,
) -> String {
    let told = curves.map(|(name, latencies)| {
        let of =
            |per_mille| latencies.quantile(per_mille).map_or_else(String::new, format_duration);
        let (p50, p95, p99) = (of(500), of(950), of(990));
        format!(" {name}: p50 {p50}, p95 {p95}, p99 {p99}.")
    });
    told.collect()
}

impl CurveSheet {
    fn draw(self, frame: &Frame, panels: &[Panel], height: f64) -> Canvas {
        let Self { title, alternative, series, note, whole: _ } = self;
        let height = if panels.len() == 1 { ONLY_PANEL_HEIGHT } else { height };
        Sheet { title, alternative, series, note }.panels(frame, panels, height)
    }
}

fn quantile_panel(panel: &CurvePanel<'_>) -> Panel {
    let curves = || panel.curves.iter();
    let line = |(rank, curve): (usize, &Curve<'_>)| Line {
        series: curve.series.clone(),
        part: None,
        slots: quantile_slots(curve.latencies),
        look: curve.look,
        dash: curve.dash,
        course: Course::Joined,
        rank: Some(rank),
    };
    let seconds = |latency: Option<Duration>| latency.map(Duration::as_secs_f64);
    let least = curves().filter_map(|curve| seconds(curve.latencies.at_rank(1)));
    let greatest = curves().filter_map(|curve| seconds(curve.latencies.max()));
    let least = least.fold(f64::INFINITY, f64::min);
    Panel {
        title: panel.title.clone(),
        axis: Axis::latencies(least, greatest.fold(0.0, f64::max)),
        tiles: Vec::new(),
        bands: curves().map(band).collect(),
        lines: curves().enumerate().map(line).collect(),
    }
}

/// From the fastest 0.1 % to the slowest: what lies outside is counted into the outermost bins.
fn latency_axis<'a>(all: impl Iterator<Item = &'a DurationHistogram>) -> Option<Axis> {
    let ends = all.filter_map(|latencies| latencies.quantile(1).zip(latencies.quantile(999)));
    let (least, greatest) = ends.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
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

fn lane(curves: &[Curve<'_>], name: &'static str, per_mille: u64) -> Lane {
    let mark = |curve: &Curve<'_>| {
        let value = curve.latencies.quantile(per_mille)?;
        Some(Mark {
            from: value.as_secs_f64(),
            to: None,
            symbol: Some(curve.look.symbol),
            label: String::new(),
            dash: None,
            ink: curve.look.ink,
        })
    };
    let mut marks: Vec<Mark> = curves.iter().filter_map(mark).collect();
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
fn band(curve: &Curve<'_>) -> Band {
    let latencies = curve.latencies;
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for per_mille in PER_MILLES {
        let ranks = QuantileRanks::of(per_mille, latencies.count(), Confidence::PERCENT_95);
        let value = |rank: Option<u64>| rank.and_then(|rank| latencies.at_rank(rank));
        let (Some(low), Some(high)) = (value(ranks.lower), value(ranks.upper)) else { continue };
        let place = per_mille as f64 / 1_000.0;
        lows.push(Slot::at(place, low.as_secs_f64()));
        highs.push(Slot::at(place, high.as_secs_f64()));
    }
    Band { series: curve.series.clone(), lows, highs, ink: curve.look.ink }
}

const OUTLINE_HEIGHT: f64 = 170.0;
const QUANTILE_HEIGHT: f64 = 300.0;
const ONLY_PANEL_HEIGHT: f64 = 520.0;
/// Chosen: the bins of the stored histogram are finer even where the axis spans a factor of two.
const BINS: usize = 64;
const STEPS_PER_NINE: f64 = 12.0;
/// Where the intervals of quantiles are worked out.
const PER_MILLES: [u64; 13] = [10, 100, 250, 500, 750, 900, 950, 970, 980, 990, 995, 998, 999];
