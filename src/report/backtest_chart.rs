//! The chart of a backtest: shares and error rates over the recording, the incident shaded, with
//! what was recorded and when each rule set would have fired.

use std::collections::BTreeMap;

use super::backtest_words::shown_files;
use super::story::Story;
use crate::backtest::{BacktestReport, Firing};
use crate::chart::{Canvas, Dash, Frame, Ink, Lane, Mark, Phase, Sheet, Symbol};
use crate::record::Record;
use crate::units::{Duration, format_elapsed};

/// Traffic shares and error rates of the traffic that was `recorded`, with the firings of each rule
/// set.
pub fn backtest_chart(report: &BacktestReport, recorded: &Record) -> Canvas {
    let story = Story::of(recorded);
    let frame = story.frame();
    // Without dates the record begins at none.
    let caption = match report.trace.began {
        Some(_) => frame.caption,
        None => story.axis().1,
    };
    let frame = Frame { caption, phases: phases(report), lanes: lanes(report), ..frame };
    let solid = story.versions().map(|version| (version.name.clone(), version.look, Dash::Solid));
    let series = solid.collect();
    let panels = |group| [story.shares(group), story.error_rates(group)];
    let panels: Vec<_> = story.groups.iter().flat_map(panels).collect();
    let title = "What the rules would have done";
    let sheet = Sheet { title, alternative: alternative(report), series, note: story.note() };
    sheet.panels(&frame, &panels, PANEL_HEIGHT)
}

/// The incident between what was before and after it: every other phase is shaded.
fn phases(report: &BacktestReport) -> Vec<Phase> {
    let Some(from) = report.incident_from else { return Vec::new() };
    let (from, end) = (from.as_secs_f64(), report.trace.end.as_secs_f64());
    let to = report.incident_end().map_or(end, Duration::as_secs_f64).min(end);
    let phase = |name: &str, from, to| Phase { name: name.to_owned(), from, to };
    let all = [phase("", 0.0, from), phase("incident", from, to), phase("", to, end)];
    all.into_iter().filter(|phase| phase.to > phase.from || phase.name.is_empty()).collect()
}

fn lanes(report: &BacktestReport) -> Vec<Lane> {
    let ends = report.ends.iter().map(|end| Mark {
        label: format!("{} loses its traffic", end.version),
        ..mark(end.earliest, Symbol::TriangleDown, Ink::BLACK)
    });
    let recorded = Lane { name: "Recorded", marks: ends.collect() };
    let alarms = Lane { name: "False alarms", marks: false_alarms(report) };
    let lanes = [recorded].into_iter().chain(rule_lanes(report)).chain([alarms]);
    lanes.filter(|lane| !lane.marks.is_empty()).collect()
}

/// When each rule set fires first. Labels of neighbours would hide each other in one lane, so that
/// those that follow each other stand below each other, and those that fire together are one mark.
fn rule_lanes(report: &BacktestReport) -> Vec<Lane> {
    let mut together: BTreeMap<Duration, Vec<&str>> = BTreeMap::new();
    for (candidate, shown) in report.candidates.iter().zip(shown_files(report)) {
        if let Some(told) = &candidate.rolled_back {
            together.entry(told.firing.at).or_default().push(shown);
        }
    }
    let count = together.len().min(MOST_RULE_LANES);
    let lane = |index| Lane { name: if index == 0 { "Rules fire" } else { "" }, marks: Vec::new() };
    let mut lanes: Vec<Lane> = (0..count).map(lane).collect();
    for (index, (at, files)) in together.into_iter().enumerate() {
        let label = files.join(", ");
        lanes[index % count].marks.push(Mark { label, ..mark(at, Symbol::Cross, Ink::FAULT) });
    }
    lanes
}

fn false_alarms(report: &BacktestReport) -> Vec<Mark> {
    let shown = report.candidates.iter().zip(shown_files(report));
    let alarms = shown.flat_map(|(candidate, shown)| {
        let alarms = candidate.firings.iter().filter(|firing| firing.false_alarm == Some(true));
        alarms.map(move |firing: &Firing| Mark {
            label: shown.to_owned(),
            dash: None,
            ..mark(firing.at, Symbol::Cross, Ink::GREY)
        })
    });
    let mut alarms: Vec<Mark> = alarms.collect();
    alarms.sort_by(|one, other| one.from.total_cmp(&other.from));
    alarms
}

fn mark(at: Duration, symbol: Symbol, ink: Ink) -> Mark {
    Mark {
        from: at.as_secs_f64(),
        to: None,
        symbol: Some(symbol),
        label: String::new(),
        dash: Some(Dash::Dashed),
        ink,
    }
}

/// The chart in words.
fn alternative(report: &BacktestReport) -> String {
    let mut text = format!(
        "Traffic share and error rate of each version over {}.",
        format_elapsed(report.trace.end)
    );
    for end in &report.ends {
        let at = format_elapsed(end.earliest);
        text.push_str(&format!(" {} loses its traffic at {at}.", end.version));
    }
    for candidate in &report.candidates {
        let told = candidate.rolled_back.as_ref().map_or_else(
            || "never fires".to_owned(),
            |told| format!("fires at {}", format_elapsed(told.firing.at)),
        );
        text.push_str(&format!(" {} {told}.", candidate.rules));
    }
    text
}

const PANEL_HEIGHT: f64 = 230.0;
/// Chosen: more lanes leave the chart no room on a screen.
const MOST_RULE_LANES: usize = 6;
