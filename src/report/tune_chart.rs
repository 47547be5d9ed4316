//! The frontier of a search for rules: what rule sets that keep a looser limit spare, and what that
//! costs.

use super::run_charts::RunChart;
use super::sweep_looks::{frame, looks};
use super::sweep_words::cells_left_out;
use super::tune_words::{alarms_text, combination_label, everyone};
use crate::chart::{Axis, Canvas, Course, Dash, Line, Look, Panel, Sheet, Slot};
use crate::tune::{Combination, Tried, TuneReport};
use crate::units::format_significant;

/// The chart of a search for rules.
pub fn tune_charts(report: &TuneReport) -> Vec<RunChart> {
    let title = "False alarms against harm";
    vec![RunChart { name: "frontier", title, canvas: frontier(report) }]
}

/// Every rule set by what is known of its false alarms and by its harm: one colour for each set,
/// or, where several combinations were sought for, for each of these.
fn frontier(report: &TuneReport) -> Canvas {
    let named = |combination: &Combination| {
        let label = combination_label(report, combination);
        let of_set = |tried: &Tried| match report.variations.is_empty() {
            true => tried.name.clone(),
            false => label.clone(),
        };
        let sets = everyone(&combination.tuned).map(|tried| (of_set(tried), tried.clone()));
        sets.collect::<Vec<_>>()
    };
    let sets: Vec<(String, Tried)> = report.combinations.iter().flat_map(named).collect();
    let mut names: Vec<String> = sets.iter().map(|(name, _)| name.clone()).collect();
    names.dedup();
    let series = looks(&names);
    let drawn: Vec<(&Tried, &(String, Look, Dash))> = sets
        .iter()
        .filter_map(|(name, tried)| Some((tried, series.iter().find(|look| look.0 == *name)?)))
        .collect();
    let greatest =
        |part: fn(&Tried) -> f64| drawn.iter().map(|(one, _)| part(one)).fold(0.0, f64::max);
    let panel = Panel {
        title: "Harmed requests of a bad release, mean".to_owned(),
        axis: Axis::numbers(0.0, greatest(|one| one.harm.value.unwrap_or(0.0))),
        tiles: Vec::new(),
        bands: Vec::new(),
        lines: drawn.iter().flat_map(|(tried, look)| lines(tried, look)).collect(),
    };
    // What looks alike on a linear axis, one set at the limit and one at a tenth of it, is a matter
    // of days or of weeks between two false alarms.
    let least = drawn.iter().map(|(one, _)| least_shown(one)).fold(1.0, f64::min);
    let across = Axis::logarithmic_shares_to(least, greatest(|one| one.alarms.upper));
    let told = sets.iter().map(|(name, tried)| {
        let harm = format_significant(tried.harm.value.unwrap_or(0.0), 3);
        format!(" {name}: rolled back falsely {}; harm {harm}.", alarms_text(&tried.alarms))
    });
    let left_out = cells_left_out(names.len() - series.len());
    let mut notes =
        vec!["nearer to the left and to the ground is better; lines: intervals".to_owned()];
    if drawn.iter().any(|(one, _)| one.alarms.hits == 0) {
        notes.push("at the left edge: never seen".to_owned());
    }
    notes.extend(left_out);
    let note = notes.join("; ");
    let alternative =
        format!("False alarms and harm of each rule set.{}", told.collect::<String>());
    let title = "False alarms against harm";
    let sheet = Sheet { title, alternative, series, note: Some(note) };
    let caption = "share of healthy releases that are rolled back, to its upper limit".to_owned();
    sheet.panels(&frame(across, caption), &[panel], PANEL_HEIGHT)
}

/// The share of false rollbacks of a set, or, where none was seen, well below its upper limit.
fn least_shown(tried: &Tried) -> f64 {
    let share = tried.alarms.hits as f64 / tried.alarms.n.max(1) as f64;
    if share > 0.0 { 0.5 * share } else { 0.2 * tried.alarms.upper }
}

/// A point with its intervals; where no false rollback was seen, at the left edge.
fn lines(tried: &Tried, (name, look, _): &(String, Look, Dash)) -> Vec<Line> {
    let line = |part, slots| Line {
        series: name.clone(),
        part,
        slots,
        look: *look,
        dash: Dash::Solid,
        course: Course::Joined,
        rank: None,
    };
    let x = tried.alarms.hits as f64 / tried.alarms.n.max(1) as f64;
    let y = tried.harm.value.unwrap_or(0.0);
    let mut lines = vec![line(None, vec![Slot::at(x, y)])];
    let across = vec![Slot::at(x, y), Slot::at(tried.alarms.upper, y)];
    lines.push(line(Some("to the upper limit of false rollbacks"), across));
    if let (Some(low), Some(high)) = (tried.harm.low, tried.harm.high) {
        let up = vec![Slot::at(x, low.max(0.0)), Slot::at(x, high)];
        lines.push(line(Some("interval of the harm"), up));
    }
    lines
}

const PANEL_HEIGHT: f64 = 480.0;
