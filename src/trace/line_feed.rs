//! Lines of a trace: text only, of bounded length, counted and digested on the way.
//!
//! Whatever the size of the source, one line is held. Blank lines are no rows and passed over.

use std::fmt::Write as _;
use std::io::{BufRead, Read, Seek};

use sha2::{Digest, Sha256};

use super::description::Line;
use super::error::TraceErrorKind;

/// The lines of `R`.
pub(super) struct LineFeed<R> {
    input: R,
    digest: Sha256,
    line: u64,
    /// The current line, without its end.
    text: String,
    is_terminated: bool,
    is_at_end: bool,
}

impl<R: BufRead> LineFeed<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            digest: Sha256::new(),
            line: 0,
            text: String::new(),
            is_terminated: true,
            is_at_end: false,
        }
    }

    /// Goes to the next line that is not blank; false at the end of the source.
    pub(super) fn advance(&mut self) -> Result<bool, TraceErrorKind> {
        loop {
            let mut bytes = std::mem::take(&mut self.text).into_bytes();
            bytes.clear();
            let read = (&mut self.input).take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes);
            let length = read.map_err(TraceErrorKind::Read)?;
            if length == 0 {
                self.is_at_end = true;
                return Ok(false);
            }
            self.digest.update(&bytes);
            self.line += 1;
            self.is_terminated = bytes.last() == Some(&b'\n');
            self.text = self.normalise(bytes)?;
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Goes back to before the first line.
    pub(super) fn rewind(&mut self) -> Result<(), TraceErrorKind>
    where
        R: Seek,
    {
        self.input.rewind().map_err(TraceErrorKind::Read)?;
        self.digest = Sha256::new();
        self.line = 0;
        self.is_at_end = false;
        Ok(())
    }

    /// The current line.
    pub(super) fn current(&self) -> Line<'_> {
        Line { text: &self.text, is_terminated: self.is_terminated }
    }

    /// The number of the current line, counted from 1; of the last one at the end.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// SHA-256 of the whole source in hexadecimal, once its end was reached.
    pub(super) fn sha256(&self) -> Option<String> {
        self.is_at_end.then(|| {
            self.digest.clone().finalize().iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a String takes all that is written to it");
                text
            })
        })
    }

    /// `bytes` as text, without line end and byte order mark.
    fn normalise(&self, mut bytes: Vec<u8>) -> Result<String, TraceErrorKind> {
        if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
            return Err(TraceErrorKind::NotText { byte: 0, position: position + 1 });
        }
        let is_too_long = (bytes.len() - usize::from(self.is_terminated)) as u64 > LONGEST_LINE;
        if self.is_terminated {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if self.line == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                // A line that was cut at the limit may end within a character.
                if is_too_long && error.utf8_error().error_len().is_none() {
                    return Err(TOO_LONG);
                }
                let byte = error.as_bytes()[at];
                return Err(TraceErrorKind::NotText { byte, position: at + 1 });
            }
        };
        if is_too_long { Err(TOO_LONG) } else { Ok(text) }
    }
}

/// Chosen: 1 MiB. Prompts have no place in a trace, so an honest row takes some hundred bytes;
/// more would let a file without line ends fill the memory.
const LONGEST_LINE: u64 = 1 << 20;
const TOO_LONG: TraceErrorKind = TraceErrorKind::LineTooLong { limit: LONGEST_LINE };
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_source_as_it_is_not_of_the_lines_as_they_are_read() {
        // FIPS 180-2, appendix B.1: the digest of "abc".
        let mut feed = LineFeed::new("abc".as_bytes());
        assert!(feed.advance().unwrap());
        assert_eq!(feed.sha256(), None);
        assert!(!feed.advance().unwrap());
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(feed.sha256().as_deref(), Some(expected));
    }

    #[test]
    fn line_ends_marks_and_blank_lines_are_not_part_of_the_text() {
        let mut feed = LineFeed::new("\u{feff}a,b\r\n\r\n  \nc\rd".as_bytes());
        assert!(feed.advance().unwrap());
        let current = |feed: &LineFeed<&[u8]>| {
            let Line { text, is_terminated } = feed.current();
            (text.to_owned(), feed.line(), is_terminated)
        };
        assert_eq!(current(&feed), ("a,b".to_owned(), 1, true));
        assert!(feed.advance().unwrap());
        assert_eq!(current(&feed), ("c\rd".to_owned(), 4, false));
        assert!(!feed.advance().unwrap());
        assert_eq!(feed.line(), 4);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let limit = usize::try_from(LONGEST_LINE).unwrap();
        for (end, is_read) in [("", true), ("\n", true), ("x", false), ("x\n", false)] {
            let text = "x".repeat(limit) + end;
            let result = LineFeed::new(text.as_bytes()).advance();
            assert_eq!(result.is_ok(), is_read, "{end:?}");
        }
        let cut_within_a_character = "x".repeat(limit + 1) + "é and more";
        let result = LineFeed::new(cut_within_a_character.as_bytes()).advance();
        assert!(matches!(result, Err(TraceErrorKind::LineTooLong { .. })));
    }
}
