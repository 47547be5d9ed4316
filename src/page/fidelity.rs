//! How well a live run agrees with the simulated one: a section of the report, and a page of its
//! own.

use super::escape::escape;
use super::figure::figures;
use super::markup::{Cell, Column, Table, list, paragraph, section};
use super::shell::Shell;
use crate::fidelity::{Deviation, Fidelity, Finding, MetricError, VersionErrors};
use crate::report::{
    FidelityHeadline, NO_DATA, RunChart, allowed_text, deviation_text, error_label,
    fidelity_legend, fidelity_word, place, requests_text, rollback_text, table_value,
};
use crate::units::{format_count, format_counted, format_duration};

/// How well a live run agrees with the simulated one, as an HTML page; `charts` are those that are
/// wanted in it.
///
/// The page refers to nothing outside itself, and its size is bounded.
pub fn fidelity_page(fidelity: &Fidelity, charts: &[RunChart]) -> String {
    let headline = FidelityHeadline::of(fidelity);
    let (class, symbol) = look(fidelity.verdict);
    let title = format!("{} against {}", fidelity.live.label, fidelity.simulated.label);
    let header = format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{title}</bdi></h1>\n{why}{details}</div>\n</header>\n",
        word = escape(headline.word),
        title = escape(&title),
        why = paragraph("why", &format!("{}.", headline.found)),
        details = list("details", headline.details.iter().map(|detail| format!("{detail}."))),
    );
    Shell {
        version: &fidelity.coalmine,
        title: &format!("{}: {title}", headline.word),
        sections: &[("verdict", "Verdict"), ("fidelity", "Fidelity")],
        header: &header,
        body: &fidelity_section(fidelity, charts),
        source: "Everything here comes from the <code>result.json</code> of the two runs; \
                 <code>coalmine fidelity</code> makes it again.",
    }
    .render()
}

/// What came of it, what the harness added, the rollbacks, the charts, and the errors of each
/// version in each phase.
pub(super) fn fidelity_section(fidelity: &Fidelity, charts: &[RunChart]) -> String {
    let headline = FidelityHeadline::of(fidelity);
    let verdict =
        format!("<p>{} {}.</p>\n", mark(fidelity.verdict, headline.word), escape(&headline.found));
    let runs = [("Simulated", &fidelity.simulated), ("Live", &fidelity.live)];
    let runs = runs.map(|(name, run)| format!("{name}: {}, seed {}.", run.label, run.seed));
    let rollbacks = fidelity.rollbacks.iter().map(|own| format!("{}.", rollback_text(own)));
    let facts = runs.into_iter().chain(rollbacks);
    let overheads = match fidelity.overheads.is_empty() {
        true => String::new(),
        false => overheads_table(fidelity),
    };
    let drawn = figures(charts, &["fidelity_errors", "fidelity_latency"]);
    let shown = fidelity.versions.iter().take(MOST_TABLES);
    let tables: String = shown.map(|version| errors_table(fidelity, version)).collect();
    let more = match fidelity.versions.len().saturating_sub(MOST_TABLES) {
        0 => String::new(),
        more => {
            let rest = format_counted(more as u64, "more version", "more versions");
            paragraph("note", &format!("… and {rest}"))
        }
    };
    let notes = fidelity.notes.iter().map(|note| format!("{note}."));
    let notes = list("facts", notes.chain([fidelity_legend(fidelity) + "."]));
    let markup = [verdict, list("facts", facts), overheads, drawn, tables, more, notes];
    section("fidelity", "Fidelity", &markup.concat())
}

fn overheads_table(fidelity: &Fidelity) -> String {
    let mut columns = vec![Column::text("Overhead")];
    columns
        .extend(["Measured", "Mean", "P50", "P90", "P99", "Mean on the wall"].map(Column::figure));
    let rows = fidelity.overheads.iter().map(|own| {
        let count = Cell::figure(&format_count(own.count), own.count as f64);
        let wall = own.mean.mul_f64(1.0 / fidelity.speed);
        let figures = [own.mean, own.p50, own.p90, own.p99, wall]
            .map(|time| Cell::figure(&format_duration(time), time.as_secs_f64()));
        [Cell::text(&own.name), count].into_iter().chain(figures).collect()
    });
    let caption = "What the harness added to latencies, in engine time";
    Table { caption, columns, rows: rows.collect(), sortable: false }.render()
}

fn errors_table(fidelity: &Fidelity, version: &VersionErrors) -> String {
    let less = !fidelity.overheads.is_empty();
    let mut columns = vec![Column::text("Metric")];
    columns.extend(["Simulated", "Live", "Error"].map(Column::figure));
    columns.extend(less.then(|| Column::figure("Less overhead")));
    columns.extend([Column::figure("Allowed"), Column::text("Finding")]);
    let rows = version.errors.iter().map(|error| row(error, less)).collect();
    let caption = format!("{}: {}", place(fidelity, version), requests_text(version));
    Table { caption: &caption, columns, rows, sortable: false }.render()
}

fn row(error: &MetricError, less: bool) -> Vec<Cell> {
    let metric = error.metric;
    let value = |value: Option<f64>| match value {
        Some(value) => Cell::figure(&table_value(metric.unit(), value), value),
        None => Cell::text(NO_DATA),
    };
    let deviation = |deviation: Option<Deviation>| match deviation {
        Some(own) => Cell::figure(&deviation_text(metric, own, " "), own.error),
        None => Cell::text(NO_DATA),
    };
    let mut cells =
        vec![Cell::text(error_label(metric)), value(error.simulated), value(error.live)];
    cells.push(deviation(error.raw));
    cells.extend(less.then(|| deviation(error.less_overhead)));
    cells.push(Cell::text(&allowed_text(metric, error.allowed)));
    cells.push(Cell::markup(mark(error.finding, fidelity_word(error.finding))));
    cells
}

/// A finding as a word with its symbol.
fn mark(finding: Finding, word: &str) -> String {
    let (class, symbol) = look(finding);
    let word = escape(word);
    format!("<span class=\"mark {class}\"><span aria-hidden=\"true\">{symbol}</span> {word}</span>")
}

const fn look(finding: Finding) -> (&'static str, &'static str) {
    match finding {
        Finding::Within => ("pass", "✓"),
        Finding::Beyond => ("fail", "✗"),
        Finding::Undecided => ("inconclusive", "?"),
        Finding::Unjudged => ("unjudged", "–"),
    }
}

/// Chosen: with more tables a page with a run's report would outgrow its megabyte.
const MOST_TABLES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::{simulated, slower, small, with_overheads};
    use crate::report::fidelity_charts;

    fn page(fidelity: &Fidelity) -> String {
        let result = simulated();
        fidelity_page(fidelity, &fidelity_charts(fidelity, [&result, &result]))
    }

    #[test]
    fn the_verdict_stands_first_with_what_makes_it() {
        for (fidelity, class, word) in [
            (slower(), "fail", "BEYOND"),
            (small(), "inconclusive", "UNDECIDED"),
            (with_overheads(10.0), "pass", "WITHIN"),
        ] {
            let page = page(&fidelity);
            let head = page.split("</header>").next().unwrap();
            assert!(head.contains(&format!("class=\"verdict {class}\"")), "{head}");
            assert!(head.contains(&format!("<strong>{word}</strong>")), "{head}");
        }
    }

    #[test]
    fn every_error_stands_in_a_table_of_its_version() {
        let fidelity = with_overheads(10.0);
        let page = page(&fidelity);
        let tables = fidelity.versions.len() + 1;
        assert_eq!(page.matches("<table").count(), tables);
        assert_eq!(page.matches("Less overhead</th>").count(), tables - 1);
        // The rollback and the number of requests are told in words.
        let within = fidelity.counts.within - 2;
        assert_eq!(page.matches("</span> within</span>").count() as u64, within);
        assert_eq!(page.matches("<figure class=\"chart\"").count(), 2);
        assert!(page.contains("at the same check"), "the rollback is told");
    }

    #[test]
    fn nothing_of_a_run_becomes_markup_and_nothing_refers_outside() {
        let evil = "</style></script><script>alert(1)</script>\u{202e}";
        let mut fidelity = slower();
        fidelity.live.label = evil.to_owned();
        fidelity.versions[0].phase = evil.to_owned();
        fidelity.rollbacks[0].live.as_mut().unwrap().trigger = evil.to_owned();
        let page = page(&fidelity);
        assert_eq!(page.matches("<script").count(), 1);
        assert!(!page.contains('\u{202e}') && !page.contains("src=") && !page.contains("<link"));
    }

    #[test]
    fn many_versions_keep_the_page_bounded() {
        let mut fidelity = with_overheads(10.0);
        let one = fidelity.versions[0].clone();
        fidelity.versions.extend(std::iter::repeat_n(one, 500));
        let page = page(&fidelity);
        assert!(page.len() < 500_000, "{}", page.len());
        assert!(page.contains("… and "), "what is left out is counted");
    }
}
