//! The report's outline: its landmarks, headings, charts and tables with their heads and numbers of
//! rows, as `tests/golden/pages/*.txt` has them.
//!
//! `COALMINE_BLESS=1 cargo test --test cli outline` writes them anew.

use crate::generated::hold;
use crate::program::Workplace;

/// A piece of markup: a tag with its attributes, or the text up to the next one.
enum Piece<'a> {
    Tag(&'a str),
    Text(&'a str),
}

/// The pieces of a page of ours, in which `<` and `>` stand for nothing but tags outside of styles
/// and scripts.
fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some((text, tagged)) = rest.split_once('<') {
        let (tag, after) = tagged.split_once('>').expect("a tag is closed");
        pieces.extend([Piece::Text(text), Piece::Tag(tag)]);
        let raw = ["style", "script"].into_iter().find(|name| tag == *name);
        rest = raw.map_or(after, |name| after.split_once(&format!("</{name}>")).unwrap().1);
    }
    pieces
}

/// The value of an attribute.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn outline(page: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The text of the element that is told once it ends.
    let mut told: Option<(&str, String)> = None;
    let mut head: Vec<String> = Vec::new();
    let mut rows = 0;
    for piece in pieces(page) {
        let tag = match piece {
            Piece::Text(text) => {
                if let Some((_, told)) = &mut told {
                    told.push_str(text);
                }
                continue;
            }
            Piece::Tag(tag) => tag,
        };
        let name = tag.split_whitespace().next().unwrap_or("");
        match name {
            "nav" | "main" | "header" | "section" | "footer" | "figure" | "details" | "dl" => {
                let known = ["id", "aria-label", "class"];
                let mark = known.into_iter().find_map(|known| attribute(tag, known));
                lines.push(format!("{name} {}", mark.unwrap_or("")).trim_end().to_owned());
            }
            "h1" | "h2" | "caption" | "figcaption" | "summary" | "dt" => {
                told = Some((name, String::new()));
            }
            "th" if attribute(tag, "scope") == Some("col") => told = Some((name, String::new())),
            "table" => (rows, head) = (0, Vec::new()),
            "tr" => rows += 1,
            "/table" => {
                // The head is a row as well.
                lines.push(format!("  {} rows: {}", rows - 1, head.join(" | ")));
            }
            _ => {}
        }
        let ended = told.take_if(|(name, _)| tag.strip_prefix('/') == Some(name));
        match ended {
            Some(("th", text)) => head.push(text),
            // How long the resolved scenario is says nothing of the page.
            Some(("summary", text)) => {
                let words = text.split(" (").next().unwrap_or("");
                lines.push(format!("  summary {words}"));
            }
            Some((name, text)) => lines.push(format!("  {name} {}", text.trim())),
            None => {}
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_pages_of_reports_have_their_outlines() {
    let place = Workplace::with_project();
    let mut stale = Vec::new();
    for name in ["ten-thousand", "multi-model", "low-traffic", "must-fail-gate"] {
        let ended = place.run(&["run", &format!("scenarios/{name}.yaml")]);
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        let page = place.read(&format!("reports/{name}/report.html"));
        hold(&format!("tests/golden/pages/{name}.txt"), &outline(&page), &mut stale);
    }
    let remedy = "COALMINE_BLESS=1 cargo test --test cli outline";
    assert!(stale.is_empty(), "run `{remedy}` and read what changes:\n{}", stale.join("\n"));
}

#[test]
fn an_outline_has_landmarks_headings_and_tables() {
    let page = "<style>a > b {}</style><main id=\"main\"><section id=\"gate\"><h2>Gate</h2>\
                <table><caption>What <b>held</b></caption><thead><tr><th scope=\"col\">A</th>\
                <th scope=\"col\">B</th></tr></thead><tbody><tr><th scope=\"row\">x</th></tr>\
                </tbody></table></section></main>";
    let told = "main main\nsection gate\n  h2 Gate\n  caption What held\n  1 rows: A | B\n";
    assert_eq!(outline(page), told);
}
