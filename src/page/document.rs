//! The report of a run as a page: its sections in their order.

use super::comparison::comparison_section;
use super::fidelity::fidelity_section;
use super::figure::figures;
use super::gate::gate_section;
use super::outcomes::outcomes_section;
use super::percentiles::distributions_section;
use super::provenance::{Provenance, provenance_section};
use super::resolved::resolved_section;
use super::rule_health::rule_health_section;
use super::shell::Shell;
use super::story::timeline_section;
use super::verdict::verdict_section;
use crate::fidelity::Fidelity;
use crate::report::{Headline, RunChart};
use crate::result::ResultFile;

/// The report of a run as an HTML page. `run` says when, where and by which command it was made,
/// where that is known; `charts` are those that are wanted in it. Of a run that was also made live
/// `fidelity` says how well the two agree.
///
/// The page refers to nothing outside itself, and its size is bounded whatever the run's.
pub fn report_page(
    result: &ResultFile,
    run: Option<&Provenance>,
    fidelity: Option<&Fidelity>,
    charts: &[RunChart],
) -> String {
    let links: Vec<(&str, &str)> =
        SECTIONS.into_iter().filter(|(id, _)| *id != "fidelity" || fidelity.is_some()).collect();
    let drawn = |names: &[&str]| figures(charts, names);
    let sections = [
        gate_section(result),
        comparison_section(result),
        timeline_section(result, &drawn(&["timeline"])),
        distributions_section(
            result,
            &drawn(&["latency_distribution", "latency_percentiles", "latency_heat"]),
        ),
        outcomes_section(result, &drawn(&["endings", "cost"])),
        rule_health_section(result),
        fidelity.map_or_else(String::new, |told| fidelity_section(told, charts)),
        resolved_section(result),
        provenance_section(result, run),
    ];
    let headline = Headline::of(result);
    let title = format!("{}: {}", headline.word, result.scenario.name);
    Shell {
        version: &result.coalmine,
        title: &title,
        sections: &links,
        header: &verdict_section(result),
        body: &sections.concat(),
        source: "Everything here comes from <code>result.json</code>; <code>coalmine report</code> \
                 makes it again.",
    }
    .render()
}

/// Where the links lead: the sections in their order, that of fidelity where it was looked at.
const SECTIONS: [(&str, &str); 10] = [
    ("verdict", "Verdict"),
    ("gate", "Gate"),
    ("comparison", "Comparison"),
    ("timeline", "Timeline"),
    ("distributions", "Distributions"),
    ("outcomes", "Errors and cost"),
    ("rules", "Rule health"),
    ("fidelity", "Fidelity"),
    ("scenario", "Scenario"),
    ("provenance", "Provenance"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::with_overheads;
    use crate::report::run_charts;
    use crate::result::example::rolled_back_result;
    use crate::result::example_extremes::vast;

    fn page(result: &ResultFile) -> String {
        report_page(result, None, None, &run_charts(result))
    }

    /// What stands between the quotes after each `before`.
    fn quoted<'a>(page: &'a str, before: &'a str) -> Vec<&'a str> {
        page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn sections_stand_in_their_order_and_links_lead_to_them() {
        let page = page(&rolled_back_result());
        let ids = SECTIONS.iter().map(|(id, _)| *id);
        let sections: Vec<&str> = ids.clone().filter(|id| *id != "fidelity").collect();
        assert_eq!(quoted(&page, "<section id=\""), sections[1..]);
        assert_eq!(quoted(&page, "<header class=\"verdict fail\" id=\""), ["verdict"]);
        assert_eq!(quoted(&page, "<li><a href=\"#"), sections);
        let told = with_overheads(10.0);
        let page = report_page(&rolled_back_result(), None, Some(&told), &[]);
        let sections: Vec<&str> = ids.collect();
        assert_eq!(quoted(&page, "<section id=\""), sections[1..]);
        assert_eq!(quoted(&page, "<li><a href=\"#"), sections);
    }

    #[test]
    fn the_page_refers_to_nothing_outside_itself() {
        let page = page(&rolled_back_result());
        for (before, inside) in [("src=\"", ""), ("href=\"", "#"), ("url(", "#")] {
            for reference in quoted(&page, before) {
                assert!(!inside.is_empty() && reference.starts_with(inside), "{reference}");
            }
        }
        assert!(!page.contains("@import") && !page.contains("<link"));
        // The name of the namespace is no reference.
        let schemes = page.matches("://").count();
        assert_eq!(schemes, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    }

    #[test]
    fn nothing_in_a_scenario_becomes_markup() {
        let evil = "</style></script><script>alert(1)</script>\u{202e}\0";
        let mut result = rolled_back_result();
        result.scenario.name = evil.to_owned();
        result.scenario.title = evil.to_owned();
        result.scenario.resolved = serde_json::json!({ "evil": evil });
        result.scenario.files[0].path = evil.to_owned();
        result.scenario.columns[0].title = evil.to_owned();
        result.table.columns[0].title = evil.to_owned();
        result.record.phases[0].name = evil.to_owned();
        result.record.rules[0].trigger = evil.to_owned();
        if let crate::gate::Judgement::Judged(judged) = &mut result.gate {
            judged.lines[0].text = evil.to_owned();
            judged.distrust.push(evil.to_owned());
        }
        let page = page(&result);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script>").count(), 1);
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(!page.contains(['\u{202e}', '\0']));
        assert!(page.contains("[U+202E]"));
    }

    #[test]
    fn every_chart_stands_in_the_page_once() {
        let result = rolled_back_result();
        let page = page(&result);
        let charts = run_charts(&result);
        assert_eq!(page.matches("<figure class=\"chart\"").count(), charts.len());
        for chart in charts {
            assert_eq!(page.matches(&format!("<figcaption>{}<", chart.title)).count(), 1);
        }
    }

    #[test]
    fn the_vastest_run_keeps_the_page_under_a_megabyte() {
        let result = vast();
        let page = page(&result);
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
        let versions = result.record.versions().count() - 8;
        for told in [
            format!("not drawn: {versions} more versions, with fewer requests"),
            "not marked: 4,213 more events".to_owned(),
            "… and 28 more columns</p>".to_owned(),
            " more rows</p>".to_owned(),
            " more lines: the whole is in result.json</p>".to_owned(),
        ] {
            assert!(page.contains(&told), "{told}");
        }
    }
}
