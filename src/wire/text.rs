//! A JSON string as it stands in a body.
//!
//! Its grammar has been checked by who made it; it is decoded only on demand.

use std::borrow::Cow;

/// A string with its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    quoted: &'a str,
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// `quoted` begins and ends with a quotation mark and is grammatical between them.
    #[inline]
    pub(super) const fn new(quoted: &'a str, has_escapes: bool) -> Self {
        Self { quoted, has_escapes }
    }

    /// Whether it has no character.
    pub(super) const fn is_empty(self) -> bool {
        self.quoted.len() <= 2
    }

    /// Whether it says `word`, however it is escaped.
    #[inline]
    pub(super) fn is(self, word: &str) -> bool {
        if self.has_escapes {
            return self.decoded().is_some_and(|text| text == word);
        }
        self.inner() == word
    }

    /// What it says; `None`: it has half of a surrogate pair, which is grammatical but no text.
    pub(super) fn decoded(self) -> Option<Cow<'a, str>> {
        if self.has_escapes {
            return serde_json::from_str(self.quoted).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(self.inner()))
    }

    #[inline]
    fn inner(self) -> &'a str {
        self.quoted.get(1..self.quoted.len() - 1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_word_is_the_same_word() {
        let text = Text::new(r#""mod\u0065l""#, true);
        assert!(text.is("model"));
        assert_eq!(text.decoded().as_deref(), Some("model"));
    }

    #[test]
    fn half_a_surrogate_pair_says_nothing() {
        let text = Text::new(r#""\ud800""#, true);
        assert_eq!(text.decoded(), None);
        assert!(!text.is("\u{fffd}"));
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let text = Text::new(r#""gpt-4""#, false);
        assert!(matches!(text.decoded(), Some(Cow::Borrowed("gpt-4"))));
        assert!(Text::new(r#""""#, false).is_empty());
    }
}
