//! A recording against its twin, as charts.

use super::run_charts::RunChart;
use super::run_looks::{legend, nth_look};
use super::twin_text::figure_text;
use crate::chart::{Axis, Canvas, Course, Frame, Line, Panel, Sheet, Slot};
use crate::fit::{Curve, Dispersion, FigureUnit, Goodness};

/// The quantiles of tokens and latencies of both, and the dispersion of their counts.
pub fn twin_charts(goodness: &Goodness) -> Vec<RunChart> {
    let of = |unit: FigureUnit| goodness.curves.iter().filter(move |curve| curve.unit == unit);
    let tokens = quantiles(TOKENS, &of(FigureUnit::Tokens).collect::<Vec<_>>());
    let latencies = quantiles(LATENCIES, &of(FigureUnit::Seconds).collect::<Vec<_>>());
    let charts = [
        ("twin_tokens", TOKENS, tokens),
        ("twin_latencies", LATENCIES, latencies),
        ("twin_dispersion", DISPERSION, dispersion(goodness)),
    ];
    let chart = |(name, title, canvas): (_, _, Option<Canvas>)| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    charts.into_iter().filter_map(chart).collect()
}

/// Quantiles of both, a panel for each thing that was measured.
fn quantiles(title: &'static str, curves: &[&Curve]) -> Option<Canvas> {
    let left_out = curves.len().saturating_sub(MOST_PANELS);
    let curves = &curves[..curves.len().min(MOST_PANELS)];
    let rest = curves.iter().filter_map(|curve| Some(1.0 - curve.points.last()?.0));
    let rest = rest.reduce(f64::min)?;
    let panels: Vec<Panel> = curves.iter().map(|curve| panel(curve)).collect();
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis: Axis::quantiles(rest),
        caption: "quantile: every nine is as wide as the one before".to_owned(),
        phases: Vec::new(),
        lanes: Vec::new(),
    };
    let words = curves.iter().map(|curve| in_words(curve)).collect::<String>();
    let sheet = Sheet {
        title,
        alternative: format!("{title}, recorded against the twin, by quantile.{words}"),
        series: legend(&SERIES),
        note: (left_out > 0).then(|| format!("not drawn: {left_out} more")),
    };
    Some(sheet.panels(&frame, &panels, PANEL_HEIGHT))
}

fn panel(curve: &Curve) -> Panel {
    let values = || curve.points.iter().flat_map(|(_, one, other)| [*one, *other]);
    let (least, greatest) =
        values().fold((f64::INFINITY, 0.0), |(low, high), v| (f64::min(low, v), f64::max(high, v)));
    let axis = match curve.unit {
        FigureUnit::Seconds => Axis::latencies(least, greatest),
        _ => Axis::counts(greatest as u64),
    };
    let slots = |twin: bool| {
        let value = move |one: f64, other: f64| if twin { other } else { one };
        curve.points.iter().map(move |(p, one, other)| Slot::at(*p, value(*one, *other))).collect()
    };
    Panel {
        title: curve.name.clone(),
        axis,
        tiles: Vec::new(),
        bands: Vec::new(),
        lines: vec![line(0, slots(false)), line(1, slots(true))],
    }
}

/// The line of what was recorded, or of its twin.
fn line(series: usize, slots: Vec<Slot>) -> Line {
    let (look, dash) = nth_look(series);
    Line {
        series: SERIES[series].to_owned(),
        part: None,
        slots,
        look,
        dash,
        course: Course::Joined,
        rank: Some(series),
    }
}

fn in_words(curve: &Curve) -> String {
    let at = |wanted: f64| {
        let point = curve
            .points
            .iter()
            .min_by(|a, b| (a.0 - wanted).abs().total_cmp(&(b.0 - wanted).abs()))?;
        Some((figure_text(point.1, curve.unit), figure_text(point.2, curve.unit)))
    };
    let told = [("p50", 0.5), ("p99", 0.99)].into_iter().filter_map(|(name, p)| {
        let (one, other) = at(p)?;
        Some(format!("{name} {one} against {other}"))
    });
    format!(" {}: {}.", curve.name, told.collect::<Vec<_>>().join(", "))
}

/// The dispersion of counts by the length of the windows.
fn dispersion(goodness: &Goodness) -> Option<Canvas> {
    let first = goodness.dispersions.first()?;
    let last = goodness.dispersions.last().filter(|last| last.window > first.window)?;
    let greatest = goodness.dispersions.iter().map(|at| at.recorded.max(at.twin));
    let slots = |twin: bool| {
        let value = move |recorded: f64, found: f64| if twin { found } else { recorded };
        let slot = move |at: &Dispersion| Slot::at(at.window as f64, value(at.recorded, at.twin));
        goodness.dispersions.iter().map(slot).collect()
    };
    let panel = Panel {
        title: "Variance over mean of the counts in windows".to_owned(),
        axis: Axis::counts(greatest.fold(0.0, f64::max).ceil() as u64),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines: vec![line(0, slots(false)), line(1, slots(true))],
    };
    let frame = Frame {
        columns: Sheet::COLUMNS,
        axis: Axis::logarithmic_latencies(first.window as f64, last.window as f64),
        caption: "length of the windows, logarithmic; 1 for independent arrivals".to_owned(),
        phases: Vec::new(),
        lanes: Vec::new(),
    };
    let told = goodness.dispersions.iter().map(|at| {
        let [one, other] = [at.recorded, at.twin].map(|v| figure_text(v, FigureUnit::Number));
        format!(" {} s: {one} against {other}.", at.window)
    });
    let sheet = Sheet {
        title: DISPERSION,
        alternative: format!(
            "Dispersion of the counts, recorded against one twin.{}",
            told.collect::<String>()
        ),
        series: legend(&SERIES),
        note: Some("one twin: those of other seeds differ".to_owned()),
    };
    Some(sheet.panels(&frame, &[panel], ONLY_PANEL_HEIGHT))
}

const TOKENS: &str = "Token counts";
const LATENCIES: &str = "Latencies";
const DISPERSION: &str = "Dispersion of arrivals";
const SERIES: [&str; 2] = ["recorded", "twin"];
const PANEL_HEIGHT: f64 = 300.0;
const ONLY_PANEL_HEIGHT: f64 = 520.0;
/// Chosen: what one looks at.
const MOST_PANELS: usize = 8;
