//! A sweep as one page.

use super::escape::escape;
use super::figure::figures;
use super::gate::gate_table;
use super::markup::{Cell, Column, Table, code, list, paragraph, section};
use super::shell::Shell;
use super::verdict::{verdict_class, verdict_symbol};
use crate::report::{
    Grid, RunChart, SweepHeadline, cell_label, chances_grid, differences_grid, harm_grid, judged,
    rare_grid, rare_legend, short_names, sweep_legend, times_grid, trigger_sentences, unreliable,
};
use crate::study::SweepReport;

/// A sweep as an HTML page; `charts` are those that are wanted in it.
///
/// The page refers to nothing outside itself, and its size is bounded whatever was swept.
pub fn sweep_page(report: &SweepReport, charts: &[RunChart]) -> String {
    let drawn = |names: &[&str]| figures(charts, names);
    let chart_section = |id, title, names: &[&str]| section(id, title, &drawn(names));
    if report.is_rare() {
        return rare_page(report);
    }
    let sections = [
        section("gate", "Gate", &gates(report)),
        section(
            "combinations",
            "How often and how late",
            &chances(report, &drawn(&["combinations"])),
        ),
        chart_section("detection", "Detection", &["detection", "heat", "survival"]),
        section(
            "harm",
            "Harm",
            &(table("Blast radius of bad versions", &harm_grid(report)) + &drawn(&["harm"])),
        ),
        section("differences", "Against the first", &differences(report)),
        section("plan", "What was run", &plan(report)),
    ];
    let headline = SweepHeadline::of(report);
    Shell {
        version: &report.coalmine,
        title: &format!("{}: {}", headline.word, report.scenario.name),
        sections: &SECTIONS,
        header: &head(&headline),
        body: &sections.concat(),
        source: "Everything here comes from <code>sweep.json</code>.",
    }
    .render()
}

/// The same of weighted runs, which tell one probability and nothing else.
fn rare_page(report: &SweepReport) -> String {
    let told = list("details", unreliable(report).into_iter());
    let chances = table("How often a healthy version is rolled back", &rare_grid(report)) + &told;
    let sections = [
        section("gate", "Gate", &gates(report)),
        section("combinations", "How often", &chances),
        section("plan", "What was run", &plan(report)),
    ];
    let headline = SweepHeadline::of(report);
    Shell {
        version: &report.coalmine,
        title: &format!("{}: {}", headline.word, report.scenario.name),
        sections: &RARE_SECTIONS,
        header: &head(&headline),
        body: &sections.concat(),
        source: "Everything here comes from <code>sweep.json</code>.",
    }
    .render()
}

fn head(headline: &SweepHeadline) -> String {
    let (why, details) = match &headline.sentences[..] {
        [] => (String::new(), &[][..]),
        [first, others @ ..] => (first.clone(), others),
    };
    format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{title}</bdi></h1>\n{why}{details}</div>\n</header>\n",
        class = verdict_class(headline.verdict),
        symbol = verdict_symbol(headline.verdict),
        word = escape(headline.word),
        title = escape(&headline.title),
        why = paragraph("why", &why),
        details = list("details", details.iter().cloned()),
    )
}

fn gates(report: &SweepReport) -> String {
    let judged: Vec<_> =
        report.cells.iter().filter_map(|cell| Some((cell, judged(cell)?))).collect();
    if judged.is_empty() {
        return paragraph("note", "No line was judged on these runs.");
    }
    // The gravest first: of many combinations only some have room.
    let mut judged = judged;
    judged.sort_by_key(|(_, judged)| std::cmp::Reverse(judged.verdict));
    let shown = judged.iter().take(MOST_GATES).map(|(cell, judged)| {
        format!("<h3>{}</h3>\n{}", escape(&cell_label(report, cell)), gate_table(judged))
    });
    let left_out = judged.len().saturating_sub(MOST_GATES);
    let more = match left_out {
        0 => String::new(),
        more => paragraph("note", &format!("… and {more} more combinations")),
    };
    shown.collect::<String>() + &more
}

fn chances(report: &SweepReport, drawn: &str) -> String {
    let shares = table("How often: shares of runs", &chances_grid(report));
    let times = table("How late: times over all runs", &times_grid(report));
    let triggers = trigger_sentences(report).into_iter();
    let triggers = triggers.map(|told| format!("Rolled back first by: {told}"));
    shares + &times + &list("facts", triggers) + drawn
}

fn differences(report: &SweepReport) -> String {
    differences_grid(report).map_or_else(
        || paragraph("note", "There is one combination only."),
        |grid| table("This combination less the first, runs of one seed each", &grid),
    )
}

/// What was varied, under which seeds, and what the figures mean.
fn plan(report: &SweepReport) -> String {
    let names = short_names(&report.variations);
    let rows = names.iter().zip(&report.variations).map(|(name, variation)| {
        vec![
            Cell::text(name),
            Cell::markup(code(&variation.path)),
            Cell::text(&variation.values.join(", ")),
        ]
    });
    let columns = ["Name", "Path", "Values"].map(Column::text).into();
    let table = Table { caption: "What is varied", columns, rows: rows.collect(), sortable: false };
    let seeds = format!(
        "Seeds {} and those that follow it, {} at most; plan {}; scenario {}.",
        report.seeds.first, report.seeds.count, report.plan, report.scenario.file
    );
    let legend = if report.is_rare() { rare_legend(report) } else { sweep_legend(report) };
    table.render() + &list("facts", std::iter::once(seeds).chain(legend))
}

/// A grid whose first columns name its rows.
pub(super) fn table(caption: &str, grid: &Grid) -> String {
    let columns = grid.header.iter().enumerate().map(|(place, title)| match place {
        0 => Column::text(title),
        _ => Column::figure(title),
    });
    let rows = grid.rows.iter().map(|row| row.iter().map(|cell| Cell::text(cell)).collect());
    Table { caption, columns: columns.collect(), rows: rows.collect(), sortable: true }.render()
}

/// Where the links lead: the sections in their order.
const SECTIONS: [(&str, &str); 7] = [
    ("verdict", "Findings"),
    ("gate", "Gate"),
    ("combinations", "Combinations"),
    ("detection", "Detection"),
    ("harm", "Harm"),
    ("differences", "Against the first"),
    ("plan", "What was run"),
];

/// The same of a page of weighted runs.
const RARE_SECTIONS: [(&str, &str); 4] = [
    ("verdict", "Findings"),
    ("gate", "Gate"),
    ("combinations", "Combinations"),
    ("plan", "What was run"),
];

/// Chosen: more tables are not read, and the page has a megabyte for all.
const MOST_GATES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sweep_charts;
    use crate::study::example::{grid_report, report};

    #[test]
    fn the_page_leads_to_each_of_its_sections_and_needs_nothing_else() {
        for report in [report(12), grid_report(4)] {
            let page = sweep_page(&report, &sweep_charts(&report));
            for (id, _) in SECTIONS {
                assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
                assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
            }
            for outside in ["http://", "https://", "src="] {
                let found = page.replace("http://www.w3.org/2000/svg", "");
                assert!(!found.contains(outside), "{outside}");
            }
            assert!(page.len() < 1_000_000, "{}", page.len());
        }
        let judged = sweep_page(&report(12), &[]);
        assert!(judged.contains("<code>p(rollback) &gt; 1%</code>"), "{judged}");
        assert!(judged.contains("threshold = 0.3"));
    }
}
