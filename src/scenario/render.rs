//! Problems as text for a terminal: place, message, the line with the spot marked, remedies.
//!
//! Plain characters only: colours belong to whoever owns the terminal.

use super::diagnostic::Diagnostic;
use super::place::{Place, Sources};

/// All of `list`, one block each that begins with `kind`, with an empty line between two; at most
/// [`MOST_SHOWN`] of them.
pub(crate) fn render(kind: &str, list: &[Diagnostic], sources: &Sources) -> String {
    let mut blocks: Vec<String> =
        list.iter().take(MOST_SHOWN).map(|diagnostic| block(kind, diagnostic, sources)).collect();
    if list.len() > MOST_SHOWN {
        blocks.push(format!("and {} more {kind}s\n", list.len() - MOST_SHOWN));
    }
    blocks.join("\n")
}

fn block(kind: &str, diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.place;
    let mut text = format!("{kind}: {}: {}\n", sources.locate(place), diagnostic.message);
    text.push_str(&snippet(place, sources));
    let indent = " ".repeat(gutter(place));
    for (place, note) in &diagnostic.notes {
        text.push_str(&format!("{indent} note: {}: {note}\n", sources.locate(*place)));
    }
    for help in &diagnostic.help {
        text.push_str(&format!("{indent} help: {help}\n"));
    }
    text
}

/// The line of `place` with carets under the stretch; nothing where there is no such line.
fn snippet(place: Place, sources: &Sources) -> String {
    let line: Vec<char> = sources.line(place).chars().map(visible).collect();
    let column = place.column.saturating_sub(1) as usize;
    if line.iter().all(|c| *c == ' ') || column > line.len() {
        return String::new();
    }
    // A long line is shown as a window around the spot.
    let from = if line.len() > WIDEST { column.saturating_sub(WIDEST / 2) } else { 0 };
    let window: String = line.iter().skip(from).take(WIDEST).collect();
    let width = window.chars().count();
    let room = width.saturating_sub(column - from).max(1);
    let carets = "^".repeat((place.length as usize).clamp(1, room));
    let gutter = gutter(place);
    let number = if place.is_setting() { String::new() } else { place.line.to_string() };
    let empty = "";
    let spaces = " ".repeat(column - from);
    let window = window.trim_end();
    format!("{empty:gutter$} |\n{number:>gutter$} | {window}\n{empty:gutter$} | {spaces}{carets}\n")
}

fn gutter(place: Place) -> usize {
    place.line.to_string().len().max(2)
}

/// One column for every character: a tab or a control character would move the carets.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Chosen: enough for any honest file, few enough that the first still stands on the screen's
/// history when the file is of another kind altogether.
const MOST_SHOWN: usize = 50;
/// Columns of a line that are shown.
const WIDEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sources: &mut Sources, text: &str, (line, column, length): (u32, u32, u32)) -> Place {
        let source = sources.add_file("a.yaml", text.to_owned());
        Place { source, line, column, length }
    }

    #[test]
    fn the_spot_is_marked_under_its_line() {
        let mut sources = Sources::default();
        let place = place(&mut sources, "x: 1\nseed: minus one\n", (2, 7, 9));
        let diagnostic = Diagnostic::new(place, "not a number").suggest(Some("1"));
        let expected = "error: a.yaml:2:7: not a number\n   |\n 2 | seed: minus one\n   \
                        |       ^^^^^^^^^\n   help: did you mean `1`?\n";
        assert_eq!(render("error", &[diagnostic], &sources), expected);
    }

    #[test]
    fn a_long_line_is_shown_around_the_spot() {
        let mut sources = Sources::default();
        let text = format!("{}HERE{}", "a".repeat(3_000), "b".repeat(3_000));
        let place = place(&mut sources, &text, (1, 3_001, 4));
        let rendered = render("error", &[Diagnostic::new(place, "here")], &sources);
        assert!(rendered.lines().all(|line| line.chars().count() < 120), "{rendered}");
        assert!(rendered.contains("HERE"));
    }

    #[test]
    fn places_outside_the_text_have_no_snippet() {
        let mut sources = Sources::default();
        let place = place(&mut sources, "", (7, 9, 1));
        let rendered = render("error", &[Diagnostic::new(place, "x")], &sources);
        assert_eq!(rendered, "error: a.yaml:7:9: x\n");
    }
}
