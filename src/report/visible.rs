//! Text from outside made harmless wherever it is shown: nothing in it steers a terminal, hides, or
//! turns other letters round.

/// `text` with letters shown that would not be seen and change how others are read.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|letter| push_visible(&mut shown, letter));
    shown
}

/// Adds `letter`, or what shows it.
pub(crate) fn push_visible(text: &mut String, letter: char) {
    match letter {
        '\n' | '\t' => text.push(letter),
        // The pictures of control characters stand in their order from U+2400 on.
        '\0'..='\u{1f}' => {
            text.push(
                char::from_u32(0x2400 + u32::from(letter)).unwrap_or(char::REPLACEMENT_CHARACTER),
            );
        }
        '\u{7f}'..='\u{9f}' => text.push(char::REPLACEMENT_CHARACTER),
        // XML has none of these two, even as an escape.
        '\u{fffe}' | '\u{ffff}' => text.push(char::REPLACEMENT_CHARACTER),
        letter if turns_text(letter) => {
            text.push_str(&format!("[U+{:04X}]", u32::from(letter)));
        }
        letter => text.push(letter),
    }
}

/// Whether a letter is one of those that turn the direction of others: marks, embeddings, overrides
/// and isolates of the Unicode Bidirectional Algorithm (UAX #9, table 4).
const fn turns_text(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// `text` in one line: each run of blanks, tabs and line breaks as one blank, other letters as
/// [`visible`] shows them.
pub(super) fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The lines of `text`, as [`visible`] shows them: line breaks of all systems break, tabs are
/// blanks.
pub(super) fn plain_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| visible(&line.replace('\t', "    "))).collect()
}

/// `text`, or as much of its beginning as `most` letters, with a mark.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_hide_or_turn_others_are_shown() {
        assert_eq!(visible("<\u{2066}>\u{1b}[2J\0"), "<[U+2066]>␛[2J␀");
        assert_eq!(visible("\u{fffe}\u{ffff}\u{9b}\u{1f680}"), "\u{fffd}\u{fffd}\u{fffd}\u{1f680}");
    }

    #[test]
    fn one_line_has_no_breaks_and_lines_no_tabs() {
        assert_eq!(one_line(" a\r\n b\tc  d\u{1b}"), "a b c d␛");
        assert_eq!([shortened("模型", 2), shortened("模型 ", 2)], ["模型", "模型…"]);
        assert_eq!(plain_lines("a\r\n  b\tc\n\nd\re"), ["a", "  b    c", "", "d␍e"]);
    }
}
