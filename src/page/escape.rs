//! Text from outside as text of a page: nothing in a scenario becomes markup or turns the page
//! round.

use crate::report::{push_visible, visible};

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
    }
}
