//! Several runs held against the first, as one page.

use super::compared_head::{head, title};
use super::compared_runs::{runs_section, scenarios_section};
use super::compared_table::{differences_section, figures_section};
use super::figure::figures;
use super::markup::section;
use super::shell::Shell;
use crate::compare::RunComparison;
use crate::report::{ComparisonHeadline, RunChart};

/// A comparison of runs as an HTML page; `charts` are those that are wanted in it.
///
/// The page refers to nothing outside itself, and its size is bounded whatever is compared.
pub fn comparison_page(comparison: &RunComparison, charts: &[RunChart]) -> String {
    let drawn = |names: &[&str]| figures(charts, names);
    let chart_section = |id, title, names: &[&str]| section(id, title, &drawn(names));
    let sections = [
        scenarios_section(comparison),
        differences_section(comparison),
        figures_section(comparison),
        chart_section("changes", "Changes", &["differences"]),
        chart_section("timeline", "Error rates", &["error_rates"]),
        chart_section(
            "distributions",
            "Distributions",
            &["latency_percentiles", "latency_distribution"],
        ),
        runs_section(comparison),
    ];
    let headline = ComparisonHeadline::of(comparison);
    Shell {
        version: &comparison.coalmine,
        title: &format!("{}: {}", headline.word, title(comparison)),
        sections: &SECTIONS,
        header: &head(comparison, &headline),
        body: &sections.concat(),
        source: "Everything here comes from the <code>result.json</code> of the runs; \
                 <code>coalmine compare</code> makes it again.",
    }
    .render()
}

/// Where the links lead: the sections in their order.
const SECTIONS: [(&str, &str); 8] = [
    ("verdict", "Findings"),
    ("scenarios", "Scenarios"),
    ("comparison", "Comparison"),
    ("figures", "Whole runs"),
    ("changes", "Changes"),
    ("timeline", "Error rates"),
    ("distributions", "Distributions"),
    ("runs", "Runs"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{RunInput, Settings, compare};
    use crate::report::comparison_charts;
    use crate::result::ResultFile;
    use crate::result::example::rolled_back_result;
    use crate::result::example_extremes::{slower, vast};

    /// The page of these results, each held against the first.
    fn page(labels: &[&str], results: &[&ResultFile]) -> String {
        let inputs = labels.iter().zip(results);
        let inputs: Vec<RunInput<'_>> =
            inputs.map(|(label, result)| RunInput { label, sha256: "ab", result }).collect();
        let settings = Settings { across: true, ..Settings::default() };
        let comparison = compare(&inputs, &settings).unwrap();
        comparison_page(&comparison, &comparison_charts(&comparison, results))
    }

    /// What stands between the quotes after each `before`.
    fn quoted<'a>(page: &'a str, before: &'a str) -> Vec<&'a str> {
        page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn sections_stand_in_their_order_and_links_lead_to_them() {
        let page = page(&["before", "after"], &[&rolled_back_result(), &slower()]);
        let sections: Vec<&str> = SECTIONS.iter().map(|(id, _)| *id).collect();
        assert_eq!(quoted(&page, "<section id=\""), sections[1..]);
        assert_eq!(quoted(&page, "<li><a href=\"#"), sections);
    }

    #[test]
    fn what_is_worse_stands_first_with_both_values() {
        let page = page(&["before", "after"], &[&rolled_back_result(), &slower()]);
        let head = page.split("</header>").next().unwrap();
        assert!(head.contains("class=\"verdict fail\""), "{head}");
        assert!(head.contains("<strong>WORSE</strong>"), "{head}");
        assert!(head.contains("<h1><bdi>B after against A before</bdi></h1>"), "{head}");
        assert!(head.contains(">worse: "), "{head}");
        for chart in ["Differences", "Error rates over time", "Latency by percentile"] {
            assert_eq!(page.matches(&format!("aria-label=\"{chart}\"")).count(), 1, "{chart}");
        }
    }

    #[test]
    fn a_run_against_itself_shows_no_difference() {
        let result = rolled_back_result();
        let page = page(&["one", "other"], &[&result, &result]);
        assert!(page.contains("<strong>THE SAME</strong>"));
        assert!(page.contains("All runs are of one scenario"));
        assert!(page.contains("It is the same result."));
        assert!(!page.contains("✗</span> worse") && !page.contains("change worse"));
    }

    #[test]
    fn nothing_of_a_run_becomes_markup_and_nothing_refers_outside() {
        let evil = "</style></script><script>alert(1)</script>\u{202e}\0";
        let mut result = rolled_back_result();
        result.scenario.name = evil.to_owned();
        result.scenario.columns[0].title = evil.to_owned();
        result.table.columns[0].title = evil.to_owned();
        result.scenario.resolved = serde_json::json!({ "name": evil, "models": evil });
        let page = page(&[evil, "other"], &[&result, &slower()]);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script>").count(), 1);
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(!page.contains(['\u{202e}', '\0']));
        assert!(quoted(&page, "href=\"").iter().all(|target| target.starts_with('#')));
        assert!(!page.contains("src=") && !page.contains("@import") && !page.contains("<link"));
    }

    #[test]
    fn a_comparison_of_the_vastest_runs_is_under_a_megabyte() {
        let (first, other) = (vast(), slower());
        let mut results = vec![&first; 7];
        results.extend([&other; 3]);
        let labels = ["a label that is rather long, as paths are"; 10];
        let page = page(&labels, &results);
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
        assert!(page.contains("not drawn: 2 more runs"));
    }
}
