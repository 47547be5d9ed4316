//! A search for rules as one page.

use super::escape::escape;
use super::figure::figures;
use super::markup::{list, paragraph, section};
use super::shell::Shell;
use super::sweep_page::table;
use super::verdict::{verdict_class, verdict_symbol};
use crate::gate::Verdict;
use crate::json::outline;
use crate::report::{
    RunChart, TuneHeadline, combination_label, faults_grid, normal_sentence, rounds_sentence,
    sets_grid, shortfall_sentences, shown, tune_legend,
};
use crate::tune::{TuneReport, Tuned};

/// A search for rules as an HTML page; `charts` are those that are wanted in it.
///
/// The page refers to nothing outside itself.
pub fn tune_page(report: &TuneReport, charts: &[RunChart]) -> String {
    let combinations = |part: fn(&TuneReport, &Tuned) -> String| {
        let told = report.combinations.iter().map(|one| {
            let heading = match report.variations.is_empty() {
                true => String::new(),
                false => format!("<h3>{}</h3>\n", escape(&combination_label(report, one))),
            };
            heading + &part(report, &one.tuned)
        });
        told.collect::<String>()
    };
    let sections = [
        section("rules", "The rules", &rules(report)),
        section(
            "frontier",
            "False alarms against harm",
            &(combinations(sets) + &figures(charts, &["frontier"])),
        ),
        section("faults", "On each fault", &combinations(faults)),
        section("present", "Where the present rules fall short", &combinations(shortfalls)),
        section("method", "What the figures mean", &list("facts", tune_legend(report).into_iter())),
    ];
    Shell {
        version: &report.coalmine,
        title: &format!("Rules: {}", report.scenario.name),
        sections: &SECTIONS,
        header: &head(report),
        body: &sections.concat(),
        source: "Everything here comes from <code>tune.json</code>.",
    }
    .render()
}

fn head(report: &TuneReport) -> String {
    let TuneHeadline { word, title, sentences } = TuneHeadline::of(report);
    let verdict = Some(if report.best.is_some() { Verdict::Pass } else { Verdict::Inconclusive });
    let mut sentences = sentences.into_iter();
    let why = sentences.next().unwrap_or_default();
    format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{title}</bdi></h1>\n{why}{details}</div>\n</header>\n",
        class = verdict_class(verdict),
        symbol = verdict_symbol(verdict),
        word = escape(word),
        title = escape(&title),
        why = paragraph("why", &why),
        details = list("details", sentences),
    )
}

fn rules(report: &TuneReport) -> String {
    let Some(best) = report.best.and_then(|place| report.combinations[place].tuned.best()) else {
        return paragraph("note", "None was proved to keep the limit.");
    };
    let triggers = list("facts", best.triggers.iter().cloned());
    let json = escape(outline(&best.rules).trim_end());
    format!("{triggers}<pre tabindex=\"0\"><code>{json}</code></pre>\n")
}

fn sets(_: &TuneReport, tuned: &Tuned) -> String {
    table("Rule sets, the present one first", &sets_grid(tuned))
        + &paragraph("note", &normal_sentence(tuned))
        + &paragraph("note", &rounds_sentence(tuned))
}

fn faults(report: &TuneReport, tuned: &Tuned) -> String {
    let tables = shown(tuned).into_iter();
    tables.map(|(heading, tried)| table(&heading, &faults_grid(report, tried))).collect()
}

fn shortfalls(report: &TuneReport, tuned: &Tuned) -> String {
    match shortfall_sentences(report, tuned) {
        told if told.is_empty() => paragraph("note", "Nowhere that was looked at."),
        told => list("facts", told.into_iter()),
    }
}

const SECTIONS: [(&str, &str); 5] = [
    ("rules", "The rules"),
    ("frontier", "Frontier"),
    ("faults", "Faults"),
    ("present", "Present rules"),
    ("method", "Method"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tune_charts;
    use crate::tune::example::report;

    #[test]
    fn the_page_leads_to_each_of_its_sections_and_needs_nothing_else() {
        let report = report();
        let page = tune_page(&report, &tune_charts(&report));
        for (id, _) in SECTIONS {
            assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
        for outside in ["http://", "https://", "src="] {
            let found = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(outside), "{outside}");
        }
        assert!(page.contains("rollback_to_last_stable") && page.len() < 1_000_000);
    }
}
