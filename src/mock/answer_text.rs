//! The text of answers: words without a meaning, as many as there are tokens.
//!
//! A token is a word. Two words that follow each other differ, so that a chunk which comes twice
//! can be told from two chunks.

use crate::chance::{Draws, Purpose};

/// The words of one answer, one after the other without an end.
#[derive(Clone, Debug)]
pub(super) struct AnswerText {
    draws: Draws,
    number: u32,
    last: usize,
}

impl AnswerText {
    /// The words of a choice, from 0 to 127, that these draws decide.
    pub(super) const fn new(draws: Draws, choice: u32) -> Self {
        Self { draws, number: choice * LONGEST, last: 0 }
    }

    /// The next bits, in place of a word.
    pub(super) fn bits(&mut self) -> u64 {
        // Draw 0 of this purpose decides how many tokens there are.
        self.number = self.number.saturating_add(1);
        self.draws.draw(Purpose::OutputTokens, self.number).bits() >> 32
    }

    /// The first `count` words with a space between them.
    pub(super) fn text(self, count: u32) -> String {
        let mut text = String::with_capacity(count as usize * ROOM);
        self.take(count as usize).for_each(|token| text.push_str(token));
        text.truncate(text.trim_end().len());
        text
    }
}

/// Each word with the space after it: a token.
impl Iterator for AnswerText {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        let step = 1 + self.bits() as usize % (WORDS.len() - 1);
        self.last = (self.last + step) % WORDS.len();
        Some(WORDS[self.last])
    }
}

/// Letters and spaces only: their JSON is as long as they are.
const WORDS: [&str; 64] = [
    "the ",
    "of ",
    "and ",
    "to ",
    "in ",
    "is ",
    "that ",
    "for ",
    "as ",
    "with ",
    "on ",
    "by ",
    "this ",
    "from ",
    "at ",
    "which ",
    "canary ",
    "mine ",
    "coal ",
    "bird ",
    "lamp ",
    "shaft ",
    "tunnel ",
    "seam ",
    "air ",
    "gas ",
    "depth ",
    "stone ",
    "water ",
    "light ",
    "signal ",
    "warning ",
    "small ",
    "deep ",
    "dark ",
    "bright ",
    "early ",
    "late ",
    "quiet ",
    "steady ",
    "sings ",
    "breathes ",
    "carries ",
    "follows ",
    "leads ",
    "holds ",
    "turns ",
    "rises ",
    "falls ",
    "waits ",
    "returns ",
    "answers ",
    "before ",
    "after ",
    "under ",
    "above ",
    "through ",
    "until ",
    "always ",
    "never ",
    "often ",
    "again ",
    "together ",
    "alone ",
];

/// Where the next choice's draws begin: above the most words that one has.
const LONGEST: u32 = 1 << 20;

/// Mean length of a word, rounded up.
const ROOM: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::units::RequestId;

    fn words(request: u64) -> AnswerText {
        AnswerText::new(Chance::new(7, 0).request(RequestId(request), 0), 0)
    }

    #[test]
    fn a_text_has_as_many_words_as_tokens() {
        for count in [0, 1, 2, 500] {
            let text = words(3).text(count);
            assert_eq!(text.split_whitespace().count(), count as usize);
            assert_eq!(text.trim(), text);
        }
    }

    #[test]
    fn no_word_follows_itself() {
        let text: Vec<_> = words(1).take(20_000).collect();
        assert!(text.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_request_has_its_own_text_and_always_the_same() {
        assert_eq!(words(1).text(50), words(1).text(50));
        assert_ne!(words(1).text(50), words(2).text(50));
        assert!(words(1).text(60).starts_with(&words(1).text(50)));
        let draws = Chance::new(7, 0).request(RequestId(1), 0);
        assert_ne!(AnswerText::new(draws, 127).text(50), words(1).text(50));
    }
}
