//! The course of a run in lines of bars: how error rates and latencies of each version went.
//!
//! The same text for a terminal and for a summary in Markdown; the timeline chart shows the same in
//! full.

use super::layout::{BARS, columns, cut, left};
use super::story::{Story, Version};
use crate::record::{Record, SeriesPoint};
use crate::units::{Duration, format_counted, format_duration, format_percent};

/// Lines of bars with their heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Courses {
    pub(super) title: String,
    /// Each line with a newline.
    pub(super) text: String,
}

/// Error rate and P99 latency of each version over time, in lines of at most `width` columns;
/// `None` without traffic, and where there is no room.
pub(super) fn over_time(record: &Record, width: usize) -> Option<Courses> {
    let story = Story::of(record);
    let versions: Vec<&Version<'_>> = story.versions().collect();
    let (shown, others) = versions.split_at(versions.len().min(MOST_VERSIONS));
    let slots = shown.iter().map(|version| version.points.len()).max()?;
    let name = |version: &&Version<'_>| columns(&version.name);
    let longest = shown.iter().map(name).max()?;
    let names = longest.min(width * 2 / 5).max(PHASES.len());
    let room = width.saturating_sub(NAME_INDENT + names + NAME_GAP + GREATEST_GAP + GREATEST);
    if room < FEWEST_MARKS {
        return None;
    }
    let per_mark = slots.div_ceil(room.min(MOST_MARKS)).max(1);
    let mark = record.series.width * per_mark as u64;
    let lead = |name: &str| {
        let (name, _) = cut(name, names);
        format!("{}{}{}", " ".repeat(NAME_INDENT), left(name, names), " ".repeat(NAME_GAP))
    };
    let mut text = String::new();
    for row in ROWS {
        let courses = shown.iter().map(|version| {
            let marks = version.points.chunks(per_mark).map(row.value).collect::<Vec<_>>();
            (version, marks)
        });
        let courses: Vec<_> = courses.collect();
        let values = courses.iter().flat_map(|(_, marks)| marks.iter().flatten());
        let highest = values.copied().fold(0.0, f64::max);
        text.push_str(&format!("  {}\n", row.title));
        for (version, marks) in courses {
            let bars: String = marks.iter().map(|value| bar(*value, highest)).collect();
            let bars = left(&bars, marks.len() + GREATEST_GAP);
            let greatest = marks.iter().flatten().copied().reduce(f64::max);
            let greatest = greatest.map_or_else(String::new, row.wording);
            text.push_str(&format!("{}{bars}{greatest}\n", lead(&version.name)));
        }
    }
    if let Some(phases) = phases(record, mark) {
        text.push_str(&format!("{}{phases}\n", lead(PHASES)));
    }
    if !others.is_empty() {
        let count = format_counted(others.len() as u64, "more version", "more versions");
        text.push_str(&format!("  {count} not shown\n"));
    }
    let text = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let title = format!("Over time: a bar for each {}, then the highest", format_duration(mark));
    Some(Courses { title, text })
}

/// A figure of each version over time.
struct Row {
    title: &'static str,
    /// That of some slots; `None` where there was nothing to measure.
    value: fn(&[SeriesPoint]) -> Option<f64>,
    wording: fn(f64) -> String,
}

const ROWS: [Row; 2] = [
    Row { title: "Error rate", value: error_rate, wording: format_percent },
    Row { title: "P99 latency", value: p99, wording: latency_text },
];

fn error_rate(slots: &[SeriesPoint]) -> Option<f64> {
    let sum = |part: fn(&SeriesPoint) -> u32| -> u64 {
        slots.iter().map(|point| u64::from(part(point))).sum()
    };
    let completed = sum(|point| point.completed);
    (completed > 0).then(|| sum(|point| point.failed) as f64 / completed as f64)
}

/// The highest of the slots: of several together a record does not know it.
fn p99(slots: &[SeriesPoint]) -> Option<f64> {
    let highest = slots.iter().filter_map(|point| point.p99).max();
    highest.map(Duration::as_secs_f64)
}

fn latency_text(seconds: f64) -> String {
    format_duration(Duration::from_secs_f64(seconds))
}

/// The bar for a value where the highest of all is as high as a line; a blank without value. Only
/// 0 has the lowest.
pub(super) fn bar(value: Option<f64>, highest: f64) -> char {
    let Some(value) = value else { return ' ' };
    if value <= 0.0 || highest <= 0.0 {
        return BARS[0];
    }
    let steps = (BARS.len() - 1) as f64;
    let height = (value / highest * steps).ceil().clamp(1.0, steps);
    BARS[height as usize]
}

/// Where each phase begins, with its name or as much of it as still tells which it is; `None`
/// without phases.
fn phases(record: &Record, mark: Duration) -> Option<String> {
    let place = |phase: &crate::record::PhaseSpan| {
        let after = phase.start.since(record.series.start).as_nanos();
        usize::try_from(after / mark.as_nanos().max(1)).unwrap_or(usize::MAX)
    };
    let end = record.end.since(record.series.start).as_nanos().div_ceil(mark.as_nanos().max(1));
    let end = usize::try_from(end).unwrap_or(usize::MAX);
    let places: Vec<usize> = record.phases.iter().map(place).chain([end]).collect();
    let mut line = String::new();
    for (phase, span) in record.phases.iter().zip(places.windows(2)) {
        let room = span[1].saturating_sub(span[0]);
        if room > 0 {
            let (name, rest) = cut(&phase.name, room - 1);
            let name = if rest.is_empty() || columns(name) >= LEAST_NAME { name } else { "" };
            line.push_str(&left(&format!("|{name}"), room));
        }
    }
    (!line.is_empty()).then_some(line)
}

const PHASES: &str = "phases";

const NAME_INDENT: usize = 4;
const NAME_GAP: usize = 2;
const GREATEST_GAP: usize = 2;
/// As wide as `100.00 %` and `59.9 s`.
const GREATEST: usize = 8;

/// Chosen: fewer letters of a longer name hardly tell which it is.
const LEAST_NAME: usize = 3;

/// Chosen: fewer bars show no course.
const FEWEST_MARKS: usize = 12;
/// Chosen: more than the eye follows in a line; a chart shows more.
const MOST_MARKS: usize = 100;
/// Chosen: with two figures each they take a third of a screen.
const MOST_VERSIONS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back;

    #[test]
    fn the_highest_value_has_the_highest_bar_and_only_nothing_the_lowest() {
        // In sevenths of the highest, rounded up.
        let values = [None, Some(0.0), Some(1e-9), Some(0.5), Some(0.51), Some(1.0)];
        let bars: String = values.map(|value| bar(value, 1.0)).iter().collect();
        assert_eq!(bars, " ▁▂▅▅█");
        assert_eq!(bar(Some(0.0), 0.0), '▁');
    }

    #[test]
    fn slots_of_a_bar_share_their_requests_and_keep_their_highest_latency() {
        let point = |completed, failed, p99| SeriesPoint {
            completed,
            failed,
            p99: Some(Duration::from_millis(p99)),
            ..SeriesPoint::default()
        };
        let slots = [point(10, 5, 700), point(90, 0, 300)];
        assert_eq!(error_rate(&slots), Some(0.05));
        assert_eq!(p99(&slots), Some(0.7));
        assert_eq!(error_rate(&[SeriesPoint::default()]), None);
        assert_eq!(p99(&[]), None);
    }

    #[test]
    fn a_phase_begins_where_its_bars_do() {
        // 240 slots of 15 s. In 80 columns there is room for 80 - 4 - 21 - 2 - 2 - 8 = 43 bars: of 6
        // slots each.
        let courses = over_time(&rolled_back(0.5), 80).unwrap();
        assert!(courses.title.starts_with("Over time: a bar for each 90 s"), "{}", courses.title);
        let lines: Vec<&str> = courses.text.lines().collect();
        let [error, stable, canary, latency, .., phases] = lines[..] else { panic!("{lines:?}") };
        assert_eq!((error, latency), ("  Error rate", "  P99 latency"));
        let bars = |line: &str| -> String { line.chars().skip(27).take(40).collect() };
        assert!(stable.starts_with("    gpt-4-v1 (stable)      ▁"), "{stable}");
        // Phases from 0, 300, 1,200 and 1,275 s on; the canary's traffic is from 300 to 1,275 s.
        let marks = bars(phases);
        let begins: Vec<usize> = marks.match_indices('|').map(|(at, _)| at).collect();
        assert_eq!(begins, [0, 3, 13, 14]);
        let traffic: Vec<usize> = bars(canary)
            .chars()
            .enumerate()
            .filter(|(_, bar)| *bar != ' ')
            .map(|(i, _)| i)
            .collect();
        assert_eq!(traffic, (3..=14).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_of_which_only_letters_fit_is_left_out() {
        let mut record = rolled_back(0.5);
        for phase in &mut record.phases {
            phase.name = "recovery".to_owned();
        }
        let row = |record: &Record| {
            let text = over_time(record, 80).unwrap().text;
            text.lines().last().unwrap().trim_start().to_owned()
        };
        // Bars of 6 slots of 15 s, phases from 0, 300, 1,200 and 1,275 s on: from bar 0, 3, 13 and 14
        // on, so that there is room for 2, 9, 0 and more letters.
        let begins = " ".repeat("gpt-4-turbo-v2 (beta)".len() - PHASES.len() + NAME_GAP);
        assert_eq!(row(&record), format!("phases{begins}|  |recovery ||recovery"));
        record.phases[0].name = "ab".to_owned();
        assert!(row(&record).ends_with("|ab|recovery ||recovery"), "{}", row(&record));
    }

    #[test]
    fn without_room_or_traffic_nothing_is_drawn() {
        assert_eq!(over_time(&rolled_back(0.5), 40), None);
        assert_eq!(over_time(&rolled_back(0.0), 10), None);
    }
}
