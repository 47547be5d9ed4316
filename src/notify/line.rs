//! Foreign text on one line: what a rule, a server or a peer said, before it is shown. Knows not
//! where it is shown.

use std::error::Error;

/// `text` without its control characters (each becomes a blank, runs of blanks become one), cut
/// after `most` characters; what is cut ends with `…`.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let plain = text.replace(is_unwanted, " ");
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, most)
}

/// `text`, cut after `most` characters; what is cut ends with `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// An error and what caused it, on one line; what an error repeats of its cause stands there once.
pub(crate) fn causes(error: &(dyn Error + 'static), most: usize) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    one_line(&text, most)
}

/// Control characters, and those that turn the direction of what follows: with them a name can
/// look like another one.
fn is_unwanted(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_and_control_characters_become_one_blank() {
        assert_eq!(one_line("a\r\nBcc: b\u{0}\t c\u{202e}d\n", 99), "a Bcc: b c d");
    }

    #[test]
    fn what_is_too_long_is_cut_with_a_sign() {
        assert_eq!([cut("äöü", 3), cut("äöüß", 3), cut("", 3)], ["äöü", "äö…", ""]);
        assert_eq!(one_line("one two", 5), "one …");
    }

    #[test]
    fn causes_stand_in_their_order_and_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Outer(&'static str, #[source] std::fmt::Error);
        let inner = std::fmt::Error.to_string();
        let told = |text| causes(&Outer(text, std::fmt::Error), 200);
        assert_eq!(told("connect"), format!("connect: {inner}"));
        let repeats = "an error occurred when formatting an argument, again";
        assert_eq!(told(repeats), repeats);
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_line_of_the_length_allowed(
            text in any::<String>(),
            most in 1_usize..40,
        ) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.contains(is_unwanted), "{line:?}");
        }
    }
}
