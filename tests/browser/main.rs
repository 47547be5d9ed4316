//! The HTML report and the gateway's dashboard in a real browser: how they look on screens, on paper
//! and under a strict policy, what their scripts do, what is left undone without them, and who cannot
//! use them.
//!
//! Needs Chromium in the search path (or its path in `CHROMIUM`) and axe-core below
//! `target/ci-tools` (or the path of its script in `AXE`); `.ci/run` installs both. A test says what
//! it lacks and passes, unless `REQUIRE_BROWSER` is set. Pictures and prints of every report are
//! kept in `target/tmp/browser`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "whoever reads the output learns what was left out")]

mod dashboard;
mod gateway;
mod pipe;
mod reports;
mod server;
mod tab;

use std::path::PathBuf;

use reports::{Report, reports};
use server::Server;
use tab::{Tab, View, skip};

const LAYOUT: &str = include_str!("layout.js");
const PAPER: &str = include_str!("paper.js");
const STRICT: &str = include_str!("strict.js");

const SCREENS: [View; 4] = [
    View::screen("light", 1280),
    View::screen("dark", 1280),
    View::screen("light", 400),
    View::screen("dark", 400),
];

/// axe-core's script.
fn axe() -> Option<String> {
    let installed = "target/ci-tools/node_modules/axe-core/axe.min.js";
    let installed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(installed);
    let path = std::env::var_os("AXE").map_or(installed, PathBuf::from);
    let script = std::fs::read_to_string(path).ok();
    if script.is_none() {
        skip("axe-core");
    }
    script
}

/// What axe-core has against the page that is shown, whatever its weight.
const AXE: &str = "axe.run(document).then((found) => found.violations.flatMap((violation) => \
                   violation.nodes.map((node) => `${violation.impact} ${violation.id}: ${node.html}`)))";

/// Shows every report in every view, and panics with what was found, by report and view.
fn look(views: &[View], mut judge: impl FnMut(&mut Tab, &Report, View) -> Vec<String>) {
    let Some(mut tab) = Tab::open() else { return };
    let mut found = Vec::new();
    for report in reports() {
        for view in views {
            tab.show(&report.address(), *view);
            let findings = judge(&mut tab, report, *view);
            found.extend(findings.iter().map(|text| format!("{} {view:?}: {text}", report.name)));
        }
    }
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

/// What the page did that it must not: asked for something, or failed.
fn misdeeds(tab: &Tab, address: &str) -> Vec<String> {
    let others = tab.requests().into_iter().filter(|asked| asked != address);
    others.map(|asked| format!("asks for {asked}")).chain(tab.exceptions()).collect()
}

#[test]
fn reports_fit_into_wide_and_narrow_windows_by_day_and_by_night() {
    look(&SCREENS, |tab, report, view| {
        let View { scheme, width, .. } = view;
        tab.picture(&report.folder.join(format!("{scheme}-{width}.png")));
        let mut found = tab.list(LAYOUT);
        found.extend(misdeeds(tab, &report.address()));
        found
    });
}

#[test]
fn reports_are_whole_without_scripts() {
    let views = SCREENS.map(|view| View { scripts: false, ..view });
    look(&views, |tab, report, view| {
        let View { scheme, width, .. } = view;
        tab.picture(&report.folder.join(format!("{scheme}-{width}-without-scripts.png")));
        let buttons = "document.querySelectorAll('button').length ? ['the script ran'] : []";
        let mut found = tab.list(LAYOUT);
        found.extend(tab.list(buttons));
        found.extend(misdeeds(tab, &report.address()));
        found
    });
}

#[test]
fn reports_are_fit_to_be_printed() {
    // As wide as A4 with margins of 14 mm.
    let paper = View { paper: true, ..View::screen("dark", 688) };
    look(&[paper], |tab, report, _| {
        let mut found = tab.list(LAYOUT);
        found.extend(tab.list(PAPER));
        let pdf = tab.print(&report.folder.join("report.pdf"));
        let pages = pdf.windows(9).filter(|part| part == b"/MediaBox").count();
        if !(3..=40).contains(&pages) || !pdf.starts_with(b"%PDF-") {
            found.push(format!("{pages} pages are printed"));
        }
        found
    });
}

#[test]
fn axe_has_nothing_against_a_report() {
    let Some(axe) = axe() else { return };
    look(&SCREENS, |tab, _, _| {
        tab.evaluate(&format!("{axe};0"));
        tab.list(AXE)
    });
}

#[test]
fn a_policy_that_forbids_styles_and_scripts_takes_nothing_but_comfort() {
    let Some(mut tab) = Tab::open() else { return };
    for report in reports() {
        let server = Server::of(report.text());
        for view in [View::screen("light", 1280), View::screen("dark", 1280)] {
            tab.show(&server.address, view);
            assert_eq!(tab.list(STRICT), [""; 0], "{} {view:?}", report.name);
            tab.picture(&report.folder.join(format!("{}-strict.png", view.scheme)));
            assert_eq!(misdeeds(&tab, &server.address), [""; 0]);
        }
        // A browser may ask for the picture of a site by itself.
        let asked = server.asked();
        assert!(asked.iter().all(|line| line == "GET /report.html HTTP/1.1"), "{asked:?}");
    }
}

#[test]
fn the_script_sorts_hides_reads_and_stretches() {
    let Some(mut tab) = Tab::open() else { return };
    let report = &reports()[0];
    tab.show(&report.address(), View::screen("light", 1280));
    assert_eq!(tab.list(include_str!("probe.js")), [""; 0]);
    assert_eq!(misdeeds(&tab, &report.address()), [""; 0]);
}

/// What has the focus: its text or its name.
const FOCUSED: &str = "(() => { const at = document.activeElement; \
                       return at.getAttribute('aria-label') ?? at.textContent; })()";

#[test]
fn a_keyboard_is_enough() {
    let Some(mut tab) = Tab::open() else { return };
    tab.show(&reports()[0].address(), View::screen("light", 1280));
    tab.press("Tab");
    assert_eq!(tab.evaluate(FOCUSED), "Skip to the report");
    tab.press("Enter");
    assert_eq!(tab.evaluate("document.activeElement.id"), "main");
    let mut reached = Vec::new();
    let mut sorted = false;
    let mut read = false;
    // Chosen: more than a report has places to stop at.
    for _ in 0..150 {
        tab.press("Tab");
        let focused = tab.evaluate(FOCUSED).as_str().unwrap().to_owned();
        if focused == "After" && !sorted {
            tab.press("Enter");
            tab.press("Enter");
            let falling = "document.activeElement.closest('th').getAttribute('aria-sort')";
            sorted = tab.evaluate(falling) == "descending";
        }
        if focused == "Timeline" && !read {
            tab.press("ArrowRight");
            let told = "document.querySelector('#timeline .readout').textContent";
            read = tab.evaluate(told).as_str().unwrap().contains('%');
        }
        reached.push(focused);
    }
    assert!(sorted && read, "sorted: {sorted}, read: {read}");
    for part in ["gpt-4-v1 (stable)", "Zoom in", "Events", "Latency by percentile", "Firings"] {
        assert!(reached.iter().any(|text| text == part), "{part} is out of reach: {reached:?}");
    }
    let summary = |text: &String| text.starts_with("The scenario with every default");
    assert!(reached.iter().any(summary), "{reached:?}");
}

#[test]
fn a_spoiled_report_is_found_out() {
    let Some(mut tab) = Tab::open() else { return };
    let address = reports()[0].address();
    let narrow = View::screen("light", 400);
    for (spoil, checks, finding) in [
        ("document.querySelector('h1').style.width = '500px'", LAYOUT, "the page is"),
        (
            "document.querySelector('.why').style.cssText = 'overflow: hidden; width: 9px; white-space: nowrap'",
            LAYOUT,
            "is cut",
        ),
        ("document.querySelector('.why').style.marginTop = '-20px'", LAYOUT, "stand on each other"),
        (
            "document.querySelector('#gate .scroll').removeAttribute('tabindex')",
            LAYOUT,
            "no key moves",
        ),
        (
            "document.querySelector('main').append(document.querySelector('#gate'))",
            LAYOUT,
            "the sections",
        ),
        ("document.querySelector('svg text').setAttribute('x', -9)", LAYOUT, "cut off by the edge"),
        (
            "document.querySelectorAll('svg text').forEach((text) => text.setAttribute('y', 99))",
            LAYOUT,
            "in a chart",
        ),
        ("0", PAPER, "nav is printed"),
        ("0", PAPER, "may be cut"),
        ("0", STRICT, "styles are in force"),
        (
            "document.querySelector('svg [fill]').style.fill = 'red'",
            STRICT,
            "rgb(255, 0, 0) instead",
        ),
        ("document.querySelector('.why').style.display = 'none'", STRICT, "is not shown: All 6"),
    ] {
        tab.show(&address, narrow);
        tab.evaluate(&format!("{spoil}; 0"));
        let found = tab.list(checks);
        assert!(found.iter().any(|text| text.contains(finding)), "{spoil}: {found:#?}");
    }
    tab.show(&address, narrow);
    tab.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)");
    assert_eq!(misdeeds(&tab, &address), ["asks for http://127.0.0.1:9/"]);
    let Some(axe) = axe() else { return };
    tab.evaluate(&format!("{axe};document.querySelector('svg').removeAttribute('aria-label');0"));
    tab.evaluate("document.querySelector('.why').style.color = '#888';0");
    let found = tab.list(AXE);
    assert!(found.iter().any(|text| text.contains("color-contrast")), "{found:?}");
    assert!(found.iter().any(|text| text.contains("svg-img-alt")), "{found:?}");
}
