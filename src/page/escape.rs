//! Text from outside as text of a page: nothing in a scenario becomes markup or turns the page
//! round.

/// `text` for the inside of an element or of a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => push_visible(&mut escaped, letter),
        }
    }
    escaped
}

/// JSON for the inside of an attribute in single quotes: its own quotes, which are most of it, need
/// no escape there.
pub(super) fn escape_json(json: &str) -> String {
    visible(json).replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;")
}

/// `text` with letters shown that would not be seen and change how others are read.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|letter| push_visible(&mut shown, letter));
    shown
}

fn push_visible(text: &mut String, letter: char) {
    match letter {
        '\n' | '\t' => text.push(letter),
        // The pictures of control characters stand in their order from U+2400 on.
        '\0'..='\u{1f}' => {
            text.push(
                char::from_u32(0x2400 + u32::from(letter)).unwrap_or(char::REPLACEMENT_CHARACTER),
            );
        }
        '\u{7f}'..='\u{9f}' => text.push(char::REPLACEMENT_CHARACTER),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_quotes_are_letters() {
        assert_eq!(
            escape("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;"
        );
    }

    #[test]
    fn json_in_single_quotes_keeps_its_own() {
        let escaped = escape_json(r#"["a","it's <b> & more"]"#);
        assert_eq!(escaped, r#"["a","it&#39;s &lt;b> &amp; more"]"#);
        assert_eq!(escape_json("\u{202e}"), "[U+202E]");
    }

    #[test]
    fn letters_that_hide_or_turn_others_are_shown() {
        assert_eq!(escape("a\0b\u{1b}c\u{7f}d\ne"), "a␀b␛c\u{fffd}d\ne");
        assert_eq!(escape("gpt\u{202e}4"), "gpt[U+202E]4");
        assert_eq!(visible("<\u{2066}>"), "<[U+2066]>");
    }
}
