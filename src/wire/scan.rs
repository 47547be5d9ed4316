//! A JSON text, walked from member to member in one pass.
//!
//! Checks the whole grammar of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), allocates
//! nothing, and knows none of the words it passes. Stricter than the RFC in one respect: a text
//! nested deeper than [`DEEPEST`] is refused.

use thiserror::Error;

use super::text::Text;

/// A place in a text.
#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// How many objects and arrays are open around the place.
    depth: u32,
}

/// Where and why a text is no JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum Fault {
    /// Something else belongs here.
    #[error("not JSON at byte {offset}: expected {expected}")]
    Expected {
        /// In bytes from the start.
        offset: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// An object or array too many is opened here.
    #[error("nested deeper than {DEEPEST} at byte {offset}")]
    TooDeep {
        /// In bytes from the start.
        offset: usize,
    },
}

impl<'a> Scan<'a> {
    /// At the start of `text`.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The place, in bytes from the start.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// The text from `start` up to the place.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Goes to the next byte that is not white space and tells it, which tells the kind of a value
    /// that is about to begin.
    #[inline]
    pub(super) fn first(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek();
            if !matches!(byte, Some(b' ' | b'\n' | b'\r' | b'\t')) {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Passes an object: `each` is called with the name of every member, at its value, and passes
    /// the value.
    pub(super) fn object<E: From<Fault>>(
        &mut self,
        mut each: impl FnMut(&mut Self, Text<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.first() != Some(b'{') {
            return Err(self.expected("an object").into());
        }
        self.enter()?;
        if self.first() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.first();
            each(self, name)?;
            match self.first() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("`,` or `}`").into()),
            }
        }
        self.leave();
        Ok(())
    }

    /// Passes an array: `each` is called at every element and passes it.
    pub(super) fn array<E: From<Fault>>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.first() != Some(b'[') {
            return Err(self.expected("an array").into());
        }
        self.enter()?;
        if self.first() == Some(b']') {
            self.leave();
            return Ok(());
        }
        loop {
            self.first();
            each(self)?;
            match self.first() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.expected("`,` or `]`").into()),
            }
        }
        self.leave();
        Ok(())
    }

    /// Passes a string.
    #[inline]
    pub(super) fn text(&mut self) -> Result<Text<'a>, Fault> {
        if self.first() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        let start = self.at;
        self.at += 1;
        let mut has_escapes = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += ordinary(rest);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.expected("no control character in a string")),
                None => return Err(self.expected("the end of a string")),
            }
            has_escapes = true;
        }
        self.at += 1;
        Ok(Text::new(self.since(start), has_escapes))
    }

    /// Passes any value and gives it as it stands.
    pub(super) fn raw(&mut self) -> Result<&'a str, Fault> {
        self.first();
        let start = self.at;
        self.skip()?;
        Ok(self.since(start))
    }

    /// Passes any value, without recursion.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let outer = self.depth;
        // One bit for each open bracket, the innermost lowest: 1 for an object.
        let mut open: u128 = 0;
        loop {
            match self.first() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.enter()?;
                    let is_object = bracket == b'{';
                    open = open << 1 | u128::from(is_object);
                    let closing = if is_object { b'}' } else { b']' };
                    if self.first() != Some(closing) {
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.text().map(drop)?,
                _ => self.word_or_number()?,
            }
            if !self.is_followed(outer, &mut open)? {
                return Ok(());
            }
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.first() {
            None => Ok(()),
            Some(_) => Err(self.expected("nothing after the value")),
        }
    }

    /// What is wrong when `expected` is not found at the place.
    pub(super) const fn expected(&self, expected: &'static str) -> Fault {
        Fault::Expected { offset: self.at, expected }
    }

    /// After a value inside `open` brackets: passes what closes them, up to the start of the next
    /// value; `false` if the outermost was closed.
    #[inline]
    fn is_followed(&mut self, outer: u32, open: &mut u128) -> Result<bool, Fault> {
        while self.depth > outer {
            let is_object = *open & 1 == 1;
            match (self.first(), is_object) {
                (Some(b'}'), true) | (Some(b']'), false) => {
                    self.leave();
                    *open >>= 1;
                }
                (Some(b','), _) => {
                    self.at += 1;
                    if is_object {
                        self.name()?;
                    }
                    return Ok(true);
                }
                (_, true) => return Err(self.expected("`,` or `}`")),
                (_, false) => return Err(self.expected("`,` or `]`")),
            }
        }
        Ok(false)
    }

    /// Passes a member's name and colon.
    #[inline]
    fn name(&mut self) -> Result<Text<'a>, Fault> {
        if self.first() != Some(b'"') {
            return Err(self.expected("a member's name"));
        }
        let name = self.text()?;
        if self.first() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(name)
    }

    /// Passes an opening bracket.
    #[inline]
    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == DEEPEST {
            return Err(Fault::TooDeep { offset: self.at });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Passes a closing bracket.
    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Passes a backslash and what it escapes.
    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.expected("four hexadecimal digits"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.expected("one of `\"\\/bfnrtu` after a backslash")),
        }
        Ok(())
    }

    fn word_or_number(&mut self) -> Result<(), Fault> {
        let word = match self.peek() {
            Some(b't') => "true",
            Some(b'f') => "false",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => return self.number(),
            _ => return Err(self.expected("a value")),
        };
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.expected("`true`, `false` or `null`"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// How many of the first `bytes` can stand in a string as they are: no quotation mark, backslash
/// or control character. Eight at a time, as most of a request is such text.
#[inline]
fn ordinary(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The high bit of each byte that is special; above the lowest such byte further bits may be set.
///
/// The tests for a zero byte and for a byte below n are those of Anderson's "Bit Twiddling Hacks".
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    (is_quote | is_backslash | is_control) & HIGH
}

/// Chosen: as deep as serde_json reads by default, and as many bits as [`Scan::skip`] has.
pub(super) const DEEPEST: u32 = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Result<(), Fault> {
        let mut scan = Scan::new(text);
        scan.skip()?;
        scan.end()
    }

    fn fault(offset: usize, expected: &'static str) -> Result<(), Fault> {
        Err(Fault::Expected { offset, expected })
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(read("[1,]"), fault(3, "a value"));
        assert_eq!(read("[1 2]"), fault(3, "`,` or `]`"));
        assert_eq!(read("{\"a\":1,}"), fault(7, "a member's name"));
        assert_eq!(read("{\"a\" 1}"), fault(5, "`:`"));
        assert_eq!(read("[01]"), fault(2, "`,` or `]`"));
        assert_eq!(read("[1.]"), fault(3, "a digit"));
        assert_eq!(read("[nul]"), fault(1, "`true`, `false` or `null`"));
        assert_eq!(read("\"a\nb\""), fault(2, "no control character in a string"));
        assert_eq!(read("\"ab"), fault(3, "the end of a string"));
        assert_eq!(read("\"\\u12g4\""), fault(5, "four hexadecimal digits"));
        assert_eq!(read("1 1"), fault(2, "nothing after the value"));
        assert_eq!(read("[1}"), fault(2, "`,` or `]`"));
    }

    #[test]
    fn the_128th_level_is_read_and_the_129th_refused() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(read(&nested(128)), Ok(()));
        assert_eq!(read(&nested(129)), Err(Fault::TooDeep { offset: 128 }));
        let mixed = "{\"a\":[".repeat(64) + &"]}".repeat(64);
        assert_eq!(read(&mixed), Ok(()));
    }

    #[test]
    fn the_next_special_byte_is_found_wherever_it_stands() {
        for special in ["\"", "\\", "\n", "\0", "\u{1f}"] {
            for before in 0..40 {
                let text = "\u{7f}é".repeat(14)[..before / 3 * 3].to_owned() + special + " \"";
                assert_eq!(ordinary(text.as_bytes()), before / 3 * 3, "{text:?}");
            }
        }
        assert_eq!(ordinary("é ~\u{7f}\u{10ffff}".as_bytes()), 9);
    }

    /// JSON and what is nearly so.
    fn arb_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just(",".to_owned()),
            Just(":".to_owned()),
            Just("\"a\"".to_owned()),
            Just("\"\\n\"".to_owned()),
            Just("\"a\":".to_owned()),
            Just("true".to_owned()),
            Just("null".to_owned()),
            Just("-0.5e+1".to_owned()),
            Just("12".to_owned()),
            Just(" ".to_owned()),
            "[\\\\\"u0-9e.+-]{1,3}",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_json_is_decided_as_serde_json_does(text in arb_text()) {
            let accepted = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(read(&text).is_ok(), accepted);
        }

        #[test]
        fn whatever_serde_json_writes_is_passed_whole(value in arb_value(), indent: bool) {
            let text = if indent { serde_json::to_string_pretty(&value) } else {
                serde_json::to_string(&value)
            }.unwrap();
            prop_assert_eq!(read(&text), Ok(()));
            for end in 0..text.len() {
                let Some(cut) = text.get(..end) else { continue };
                let accepted = serde_json::from_str::<Value>(cut).is_ok();
                prop_assert_eq!(read(cut).is_ok(), accepted);
            }
        }
    }

    fn arb_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }
}
