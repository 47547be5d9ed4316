//! What a sweep found in words and tables, for every output.

use super::comparison::Grid;
use super::verdict::verdict_word;
use crate::gate::{Judged, Judgement, Verdict};
use crate::study::{
    CellReport, CountOfRuns, MeanOfRuns, RunTime, ShareOfRuns, SweepReport, TimeQuantile, Variation,
};
use crate::units::{
    Duration, format_count, format_counted, format_duration, format_percent, format_significant,
};

/// What stands at the head of a sweep: the verdict, where lines were judged, and what was run.
pub(crate) struct SweepHeadline {
    pub(crate) word: &'static str,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) title: String,
    pub(crate) sentences: Vec<String>,
}

impl SweepHeadline {
    pub(crate) fn of(report: &SweepReport) -> Self {
        let verdict = report.verdict();
        let cells = report.cells.len() as u64;
        let title = format!(
            "{}: {} of {}, {} each from seed {} on",
            report.scenario.name,
            format_counted(report.runs(), "run", "runs"),
            format_counted(cells, "combination", "combinations"),
            at_most(report),
            report.seeds.first,
        );
        let mut sentences = vec![report.scenario.title.clone()];
        sentences.extend(judged_sentence(report));
        sentences.extend(cut_short(report));
        let word = verdict.map_or("SWEPT", verdict_word);
        Self { word, verdict, title, sentences }
    }
}

fn at_most(report: &SweepReport) -> String {
    let seeds = format_counted(report.seeds.count, "seed", "seeds");
    match report.precision {
        None => seeds,
        Some(_) => format!("at most {seeds}"),
    }
}

/// In how many combinations the lines hold.
fn judged_sentence(report: &SweepReport) -> Option<String> {
    let judged: Vec<&Judged> = report.cells.iter().filter_map(judged).collect();
    let holds = judged.iter().filter(|judged| judged.verdict == Verdict::Pass).count() as u64;
    let all = format_counted(judged.len() as u64, "combination", "combinations");
    (!judged.is_empty()).then(|| format!("the gate holds in {} of {all}", format_count(holds)))
}

fn cut_short(report: &SweepReport) -> Option<String> {
    let runs: u64 = report.cells.iter().map(|cell| cell.cut_short).sum();
    (runs > 0).then(|| {
        format!(
            "note: in {} the traffic ended before a phase or a fault began: they show less than \
             they were to",
            format_counted(runs, "run", "runs")
        )
    })
}

/// The verdict of a cell and all that it rests on, where there is one.
pub(crate) const fn judged(cell: &CellReport) -> Option<&Judged> {
    match &cell.judgement {
        Some(Judgement::Judged(judged)) => Some(judged),
        Some(Judgement::NothingToEvaluate) | None => None,
    }
}

/// The names of what is varied, as short as they still tell each other apart: a path from its last
/// part on, a number or a choice with what stands before it.
pub(crate) fn short_names(variations: &[Variation]) -> Vec<String> {
    let paths: Vec<Vec<&str>> =
        variations.iter().map(|variation| variation.path.split('.').collect()).collect();
    let ending =
        |parts: &[&str], kept: usize| parts[parts.len() - kept.min(parts.len())..].join(".");
    let name = |(place, parts): (usize, &Vec<&str>)| {
        let is_number = |part: &&str| part.parse::<u64>().is_ok();
        let least = if parts.last().is_some_and(is_number) { 2 } else { 1 };
        let others = || paths.iter().enumerate().filter(move |(other, _)| *other != place);
        let kept = (least..=parts.len())
            .find(|kept| others().all(|(_, other)| ending(other, *kept) != ending(parts, *kept)));
        ending(parts, kept.unwrap_or(parts.len()))
    };
    paths.iter().enumerate().map(name).collect()
}

/// The values of a cell with their names, as `threshold = 0.05, for = 2m`.
pub(crate) fn cell_label(report: &SweepReport, cell: &CellReport) -> String {
    named_values(&report.variations, &cell.values)
}

/// The value of each variation with its name; of none "as it is".
pub(super) fn named_values(variations: &[Variation], values: &[String]) -> String {
    let names = short_names(variations);
    let named = names.iter().zip(values).map(|(name, value)| format!("{name} = {value}"));
    match variations.len() {
        0 => "as it is".to_owned(),
        _ => named.collect::<Vec<_>>().join(", "),
    }
}

/// What is said of combinations for which a chart has no room.
pub(super) fn cells_left_out(count: usize) -> Option<String> {
    let told = format_counted(count as u64, "more combination", "more combinations");
    (count > 0).then(|| format!("not drawn: {told}"))
}

/// What is varied, a sentence each: the short name, the path, the values.
pub(crate) fn variation_sentences(report: &SweepReport) -> Vec<String> {
    let names = short_names(&report.variations);
    let told = names.iter().zip(&report.variations).map(|(name, variation)| {
        let path = &variation.path;
        let path = if path == name { String::new() } else { format!(" ({path})") };
        format!("{name}{path}: {}", variation.values.join(", "))
    });
    told.collect()
}

/// How often each combination was rolled back, rightly and falsely.
pub(crate) fn chances_grid(report: &SweepReport) -> Grid {
    let columns = ["Runs", "Rolled back", "Falsely", "Promoted"];
    let row = |cell: &CellReport| {
        let stopped = if cell.stopped { " *" } else { "" };
        let runs = format!("{}{stopped}", format_count(cell.runs));
        let shares = [cell.rollback, cell.false_rollback, cell.promotion].map(share_text);
        std::iter::once(runs).chain(shares).collect()
    };
    combinations_grid(report, columns, row)
}

/// How late each combination was detected and rolled back.
pub(crate) fn times_grid(report: &SweepReport) -> Grid {
    let columns = ["Detected, p50", "p90", "Rolled back, p50", "p90"];
    let row = |cell: &CellReport| {
        let times = cell.time_to_detect.iter().chain(&cell.time_to_rollback);
        times.map(|time| time_text(time, cell)).collect()
    };
    combinations_grid(report, columns, row)
}

/// The harm that each combination let happen.
pub(crate) fn harm_grid(report: &SweepReport) -> Grid {
    let columns = ["Failed, mean", "Failed, p50", "Failed, p95", "Requests, mean", "Slowed, mean"];
    let row = |cell: &CellReport| {
        let CellReport { blast_failed, blast_requests, blast_slowed, .. } = cell;
        let open = if cell.open_ended > 0 { " +" } else { "" };
        vec![
            format!("{}{open}", mean_text(&blast_failed.mean)),
            quantile_text(blast_failed, 0),
            quantile_text(blast_failed, 1),
            mean_text(&blast_requests.mean),
            mean_text(&blast_slowed.mean),
        ]
    };
    combinations_grid(report, columns, row)
}

/// How each combination differs from the first; `None` where there is no other.
pub(crate) fn differences_grid(report: &SweepReport) -> Option<Grid> {
    let columns = ["Rolled back", "Falsely", "Time to rollback", "Failed", "Requests"];
    let row = |cell: &CellReport| {
        let Some(against) = &cell.against_first else { return Vec::new() };
        let points = |mean: &MeanOfRuns| signed(mean, 100.0, " pp");
        vec![
            points(&against.rollback),
            points(&against.false_rollback),
            signed(&against.time_to_rollback_seconds, 1.0, " s"),
            signed(&against.blast_failed, 1.0, ""),
            signed(&against.blast_requests, 1.0, ""),
        ]
    };
    (report.cells.len() > 1).then(|| {
        let mut grid = combinations_grid(report, columns, row);
        // The first does not differ from itself.
        grid.rows.remove(0);
        grid
    })
}

/// A row for each combination: its values, then what `row` makes of it.
pub(super) fn combinations_grid<'a>(
    report: &SweepReport,
    columns: impl IntoIterator<Item = &'a str>,
    row: impl Fn(&CellReport) -> Vec<String>,
) -> Grid {
    let names = short_names(&report.variations);
    let lead = if names.is_empty() { vec!["Combination".to_owned()] } else { names };
    let header = lead.into_iter().chain(columns.into_iter().map(str::to_owned)).collect();
    let rows = report.cells.iter().map(|cell| {
        let values =
            if cell.values.is_empty() { vec!["as it is".to_owned()] } else { cell.values.clone() };
        values.into_iter().chain(row(cell)).collect()
    });
    Grid { header, rows: rows.collect(), names: None }
}

/// `12.5 % [10.1, 15.3]`.
pub(crate) fn share_text(share: ShareOfRuns) -> String {
    let ShareOfRuns { value, low, high, .. } = share;
    let percent = |value: f64| significant(value * 100.0);
    let interval = format!("[{}, {}]", percent(low), percent(high));
    value.map_or_else(|| NONE.to_owned(), |value| format!("{} % {interval}", percent(value)))
}

/// `75 s [60 s, 90 s]`; beyond what could be seen `> 20m`.
pub(crate) fn time_text(time: &TimeQuantile, cell: &CellReport) -> String {
    let told = |time: RunTime| match time {
        RunTime::At(time) => format_duration(time),
        RunTime::Never => never_text(cell.watched),
    };
    let Some(value) = time.value else { return NONE.to_owned() };
    let end = |end: Option<RunTime>| end.map_or_else(|| "?".to_owned(), told);
    match (value, time.low) {
        (RunTime::Never, Some(RunTime::Never)) => told(value),
        _ => format!("{} [{}, {}]", told(value), end(time.low), end(time.high)),
    }
}

fn never_text(watched: Option<Duration>) -> String {
    watched.map_or_else(|| "never".to_owned(), |time| format!("> {}", format_duration(time)))
}

/// `35.5 [20.1, 50.9]`.
pub(crate) fn mean_text(mean: &MeanOfRuns) -> String {
    let Some(value) = mean.value else { return NONE.to_owned() };
    let (Some(low), Some(high)) = (mean.low, mean.high) else {
        return format!("{} [?, ?]", significant(value));
    };
    // What is counted is never below 0, whatever Student says.
    format!("{} [{}, {}]", significant(value), significant(low.max(0.0)), significant(high))
}

fn quantile_text(counts: &CountOfRuns, place: usize) -> String {
    let Some(quantile) = counts.quantiles.get(place) else { return NONE.to_owned() };
    let end = |end: Option<u64>| end.map_or_else(|| "?".to_owned(), format_count);
    quantile.value.map_or_else(
        || NONE.to_owned(),
        |value| format!("{} [{}, {}]", format_count(value), end(quantile.low), end(quantile.high)),
    )
}

/// A difference with its sign, its unit and its interval: `-12.5 pp [-20, -5]`.
fn signed(mean: &MeanOfRuns, scale: f64, unit: &str) -> String {
    let Some(value) = mean.value else { return NONE.to_owned() };
    let told = |value: f64| match value * scale {
        value if value > 0.0 => format!("+{}", significant(value)),
        value if value < 0.0 => format!("-{}", significant(-value)),
        _ => "±0".to_owned(),
    };
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), told);
    format!("{}{unit} [{}, {}]", told(value), end(mean.low), end(mean.high))
}

fn significant(value: f64) -> String {
    format_significant(value, 3)
}

/// What the tables mean, in sentences.
pub(crate) fn sweep_legend(report: &SweepReport) -> Vec<String> {
    let mut legend = vec![
        "In brackets 95 % intervals: Wilson's of shares of runs, between order statistics of \
         quantiles, Student's of means. ? : too few runs to bound it. Times run from the onset of \
         the fault; a run without a rollback counts as later than all others, so that a quantile \
         among such runs is beyond what could be seen (>)."
            .to_owned(),
        "Failed, requests, slowed: the blast radius of bad versions, from the onset to the last \
         drained request."
            .to_owned(),
    ];
    if report.cells.len() > 1 {
        legend.push(
            "Differences are means over runs of one seed each, of this combination less the first; \
             pp: percentage points. Time to rollback is compared where both have one."
                .to_owned(),
        );
    }
    if report.cells.iter().any(|cell| cell.open_ended > 0) {
        legend.push(
            "+ : in some runs the harm went on to the end: longer runs would have counted more."
                .to_owned(),
        );
    }
    if let Some(precision) = report.precision {
        legend.push(format!(
            "* : stopped, looking after every {} runs, as half the width of the interval of its \
             share of rollbacks was {} or less.",
            format_count(report.block),
            format_percent(precision.get())
        ));
    }
    if report.lines_left_out > 0 {
        legend.push(format!(
            "{} of the scenario's gate of single runs: not judged here.",
            format_counted(report.lines_left_out, "line", "lines")
        ));
    }
    legend
}

/// What rolled back in each combination, in a sentence each.
pub(crate) fn trigger_sentences(report: &SweepReport) -> Vec<String> {
    let told = report.cells.iter().filter(|cell| !cell.triggers.is_empty()).map(|cell| {
        let triggers = cell.triggers.iter();
        let triggers: Vec<String> = triggers
            .map(|(name, runs)| format!("{name} in {}", format_counted(*runs, "run", "runs")))
            .collect();
        format!("{}: {}", cell_label(report, cell), triggers.join(", "))
    });
    told.collect()
}

const NONE: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::example::{grid_report, report};

    fn names(paths: &[&str]) -> Vec<String> {
        let variation = |path: &&str| Variation::parse(&format!("{path}=1")).unwrap();
        short_names(&paths.iter().map(variation).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_as_short_as_they_tell_paths_apart() {
        assert_eq!(names(&["models.m.rules.conditions.0.threshold"]), ["threshold"]);
        assert_eq!(names(&["a.failures.503"]), ["failures.503"]);
        assert_eq!(names(&["r.0.threshold", "r.1.threshold"]), ["0.threshold", "1.threshold"]);
        assert_eq!(names(&["x.for", "for"]), ["x.for", "for"]);
    }

    #[test]
    fn what_never_came_is_beyond_what_could_be_seen() {
        let cell = report(12).cells.swap_remove(0);
        let at = |seconds| RunTime::At(Duration::from_secs(seconds));
        let time = |value, low, high| TimeQuantile {
            per_mille: 500,
            n: 12,
            value: Some(value),
            low,
            high,
        };
        let never = RunTime::Never;
        let seen = CellReport { watched: Some(Duration::from_secs(1_200)), ..cell.clone() };
        assert_eq!(time_text(&time(never, Some(never), Some(never)), &seen), "> 20m");
        let mixed = time_text(&time(at(75), Some(at(60)), Some(never)), &seen);
        assert_eq!(mixed, "75 s [60 s, > 20m]");
        let healthy = CellReport { watched: None, ..cell };
        assert_eq!(time_text(&time(never, None, None), &healthy), "never [?, ?]");
    }

    #[test]
    fn tables_have_a_row_for_each_combination_and_the_first_is_what_others_differ_from() {
        let report = grid_report(4);
        for grid in [chances_grid(&report), times_grid(&report), harm_grid(&report)] {
            assert_eq!(grid.rows.len(), 6);
            assert!(grid.rows.iter().all(|row| row.len() == grid.header.len()));
        }
        let differences = differences_grid(&report).unwrap();
        assert_eq!(differences.rows.len(), 5);
        assert_eq!(differences.rows[0][..2], ["0.2", "20%"]);
        let headline = SweepHeadline::of(&report);
        assert_eq!(headline.title, "small: 24 runs of 6 combinations, 4 seeds each from seed 1 on");
    }

    #[test]
    fn differences_carry_their_sign_and_shares_their_interval() {
        let mean = MeanOfRuns { n: 3, value: Some(-0.125), low: Some(-0.2), high: Some(0.0) };
        assert_eq!(signed(&mean, 100.0, " pp"), "-12.5 pp [-20, ±0]");
        assert_eq!(share_text(ShareOfRuns::of(7, 50)), "14 % [6.95, 26.2]");
        let one = MeanOfRuns { n: 1, value: Some(7.0), low: None, high: None };
        assert_eq!(mean_text(&one), "7 [?, ?]");
    }
}
