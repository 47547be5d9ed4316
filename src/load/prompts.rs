//! Prompts of so many tokens: as many words, common and short, of which tokenizers make one token
//! each or nearly so.
//!
//! Prompts begin differently unless they are to be the same, because servers keep what they have
//! computed for a beginning that they know.

use crate::chance::{Chance, Purpose};
use crate::exchange::Request;
use crate::units::RequestId;

/// Makes prompts.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    chance: Chance,
    /// Words with a blank before each.
    filler: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl Prompts {
    /// Of the words that `seed` chooses.
    pub(super) fn new(seed: u64) -> Self {
        let chance = Chance::new(seed, 0);
        let draws = chance.request(RequestId(0), 0);
        let (mut filler, mut ends) = (String::new(), Vec::with_capacity(FILLER));
        for number in 0..FILLER as u32 {
            let word = draws.draw(Purpose::Prompt, number).bits() as usize % WORDS.len();
            filler.push(' ');
            filler.push_str(WORDS[word]);
            ends.push(filler.len() as u32);
        }
        Self { chance, filler: filler.into(), ends: ends.into() }
    }

    /// Appends the prompt of `request`, of as many words as its prompt has tokens, at least one.
    pub(super) fn write(&self, request: &Request, into: &mut Vec<u8>) {
        let words = request.input.get().max(1) as usize;
        let (id, which) = match request.prompt {
            Some(prompt) => (RequestId(prompt.get().into()), SHARED),
            None => (request.id, OWN),
        };
        let mut bits = self.chance.request(id, 0).draw(Purpose::Prompt, which).bits();
        let head = words.min(HEAD);
        for place in 0..head {
            if place > 0 {
                into.push(b' ');
            }
            into.extend_from_slice(WORDS[bits as usize % WORDS.len()].as_bytes());
            bits /= WORDS.len() as u64;
        }
        let mut left = words - head;
        while left > 0 {
            let some = left.min(FILLER);
            into.extend_from_slice(&self.filler.as_bytes()[..self.ends[some - 1] as usize]);
            left -= some;
        }
    }
}

/// How many words tell prompts apart: 2^48 of them. Chosen: more than any load sends, and so few
/// that even short prompts differ.
const HEAD: usize = 8;
/// How many words are made beforehand; longer prompts repeat them.
const FILLER: usize = 4_096;
/// The draws by which prompts begin that are like no other, and those of which there are several.
const OWN: u32 = u32::MAX;
const SHARED: u32 = u32::MAX - 1;

/// 64, so that six bits choose one.
const WORDS: [&str; 64] = [
    "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world",
    "school", "state", "family", "student", "group", "country", "problem", "hand", "part", "place",
    "case", "week", "company", "system", "program", "question", "work", "number", "night", "point",
    "home", "water", "room", "mother", "area", "money", "story", "fact", "month", "lot", "right",
    "study", "book", "eye", "job", "word", "business", "issue", "side", "kind", "head", "house",
    "service", "friend", "father", "power", "hour", "game", "line", "end", "member", "law", "car",
];

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::exchange::ModelIndex;
    use crate::units::Tokens;

    fn prompt(id: u64, prompt: Option<u32>, input: u32) -> String {
        let request = Request {
            id: RequestId(id),
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: prompt.and_then(NonZeroU32::new),
            input: Tokens::new(input),
            output: Tokens::new(1),
            stream: false,
        };
        let mut text = Vec::new();
        Prompts::new(1).write(&request, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_prompt_has_as_many_words_as_tokens() {
        for tokens in [1, 2, 7, 8, 9, 600, 4_104, 4_105, 20_000] {
            assert_eq!(prompt(5, None, tokens).split(' ').count(), tokens as usize);
        }
        assert_eq!(prompt(5, None, 0).split(' ').count(), 1, "none at all is no message");
    }

    #[test]
    fn prompts_differ_from_their_beginning_on_unless_they_are_the_same() {
        let beginnings: std::collections::BTreeSet<String> =
            (0..10_000).map(|id| prompt(id, None, 8)).collect();
        assert_eq!(beginnings.len(), 10_000);
        assert_eq!(prompt(1, Some(9), 20), prompt(2, Some(9), 20));
        assert_ne!(prompt(1, Some(9), 20), prompt(1, Some(8), 20));
        assert_ne!(prompt(9, None, 20), prompt(1, Some(9), 20));
        assert!(prompt(1, Some(9), 30).starts_with(&prompt(1, Some(9), 20)));
    }
}
