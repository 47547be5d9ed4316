//! Lines of a trace: text only, of bounded length, counted on the way.
//!
//! Whatever the size of the source, some lines are held. Blank lines are no rows and passed over.

use std::io::{self, BufRead, Read, Seek};

use memchr::memchr;

use super::bytes::Bytes;
use super::description::Line;
use super::error::TraceErrorKind;

/// The lines of `R`.
pub(super) struct LineFeed<R: BufRead> {
    bytes: Bytes<R>,
    /// What was read of the source and not passed over yet: from `at` on, up to `filled`.
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    line: u64,
    /// The current line within the buffer.
    current: std::ops::Range<usize>,
    is_terminated: bool,
    has_ended: bool,
}

impl<R: BufRead> LineFeed<R> {
    /// From the next of `bytes` on, which follows `begun`.
    pub(super) fn new(bytes: Bytes<R>, begun: &[u8]) -> Self {
        let mut buffer = begun.to_vec();
        buffer.resize(begun.len().max(CHUNK), 0);
        Self {
            bytes,
            buffer,
            at: 0,
            filled: begun.len(),
            line: 0,
            current: 0..0,
            is_terminated: true,
            has_ended: false,
        }
    }

    /// The first bytes, before any line was read: at least [`HEAD`] where there are so many.
    pub(super) fn head(&mut self) -> Result<&[u8], TraceErrorKind> {
        while self.filled < HEAD && !self.has_ended {
            self.fill()?;
        }
        let head = &self.buffer[..self.filled];
        Ok(head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head))
    }

    /// The source, and what was read of it but no line yet.
    pub(super) fn into_parts(mut self) -> (Bytes<R>, Vec<u8>) {
        self.buffer.truncate(self.filled);
        (self.bytes, self.buffer.split_off(self.at))
    }

    /// Goes to the next line that is not blank; `None` at the end of the source.
    pub(super) fn advance(&mut self) -> Result<Option<Line<'_>>, TraceErrorKind> {
        loop {
            let Some(length) = self.find_end()? else { return Ok(None) };
            let start = self.at;
            self.at += length + usize::from(self.is_terminated);
            self.line += 1;
            self.current = self.trimmed(start..start + length);
            // Most lines begin with something.
            let is_blank = self.buffer[self.current.clone()].iter().all(u8::is_ascii_whitespace);
            if length as u64 > LONGEST_LINE {
                return Err(TOO_LONG);
            }
            if !is_blank {
                break;
            }
        }
        text(&self.buffer[self.current.clone()])
            .map(|text| Some(Line { text, is_terminated: self.is_terminated }))
    }

    /// The current line again.
    pub(super) fn current(&self) -> Line<'_> {
        let text = std::str::from_utf8(&self.buffer[self.current.clone()]);
        Line { text: text.unwrap_or_default(), is_terminated: self.is_terminated }
    }

    /// Goes back to before the first line.
    pub(super) fn rewind(&mut self) -> Result<(), TraceErrorKind>
    where
        R: Seek,
    {
        self.bytes.rewind().map_err(TraceErrorKind::Read)?;
        (self.at, self.filled, self.line, self.has_ended) = (0, 0, 0, false);
        Ok(())
    }

    /// What is read, wherever that stands.
    pub(super) fn into_input(self) -> R {
        self.bytes.into_input()
    }

    /// The number of the current line, counted from 1; of the last one at the end.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// SHA-256 of the whole source in hexadecimal, once its end was reached.
    pub(super) fn sha256(&self) -> Option<String> {
        (self.has_ended && self.at == self.filled).then(|| self.bytes.sha256())
    }

    /// The length of the line that begins at `at`, without its end; `None` where there is none.
    /// A line that is too long need not be read to its end.
    fn find_end(&mut self) -> Result<Option<usize>, TraceErrorKind> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.at..self.filled];
            if let Some(found) = memchr(b'\n', &rest[searched..]) {
                self.is_terminated = true;
                return Ok(Some(searched + found));
            }
            searched = rest.len();
            if searched as u64 > LONGEST_LINE || self.has_ended {
                self.is_terminated = false;
                return Ok((searched > 0).then_some(searched));
            }
            self.fill()?;
        }
    }

    /// Reads more of the source behind what is there.
    fn fill(&mut self) -> Result<(), TraceErrorKind> {
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        loop {
            match self.bytes.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.has_ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(TraceErrorKind::Read(error)),
            }
            return Ok(());
        }
    }

    /// Without a byte order mark, and without the CR of CR LF.
    fn trimmed(&self, line: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let bytes = &self.buffer[line.clone()];
        let mark = self.line == 1 && bytes.starts_with(BYTE_ORDER_MARK);
        let start = if mark { line.start + BYTE_ORDER_MARK.len() } else { line.start };
        let has_return = self.is_terminated && self.buffer[start..line.end].ends_with(b"\r");
        start..line.end - usize::from(has_return)
    }
}

/// `bytes` as text.
fn text(bytes: &[u8]) -> Result<&str, TraceErrorKind> {
    if let Some(place) = memchr(0, bytes) {
        return Err(TraceErrorKind::NotText { byte: 0, position: place + 1 });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        TraceErrorKind::NotText { byte: bytes[at], position: at + 1 }
    })
}

/// Chosen: reading is not a matter of system calls, and what is read stays in the cache.
const CHUNK: usize = 128 * 1024;
/// Chosen: 1 MiB. Prompts have no place in a trace, so an honest row takes some hundred bytes;
/// more would let a file without line ends fill the memory.
const LONGEST_LINE: u64 = 1 << 20;
const TOO_LONG: TraceErrorKind = TraceErrorKind::LineTooLong { limit: LONGEST_LINE };
/// Chosen: a document has begun with its first key long before.
const HEAD: usize = 1 << 12;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(bytes: &[u8]) -> LineFeed<&[u8]> {
        LineFeed::new(Bytes::new(bytes).unwrap(), &[])
    }

    #[test]
    fn line_ends_marks_and_blank_lines_are_not_part_of_the_text() {
        let mut feed = feed("\u{feff}a,b\r\n\r\n  \nc\rd".as_bytes());
        let advance = |feed: &mut LineFeed<&[u8]>| {
            let line = feed.advance().unwrap().unwrap();
            let (text, is_terminated) = (line.text.to_owned(), line.is_terminated);
            assert_eq!(feed.current().text, text);
            (text, feed.line(), is_terminated)
        };
        assert_eq!(advance(&mut feed), ("a,b".to_owned(), 1, true));
        assert_eq!(feed.sha256(), None);
        assert_eq!(advance(&mut feed), ("c\rd".to_owned(), 4, false));
        assert!(feed.advance().unwrap().is_none());
        assert_eq!(feed.line(), 4);
        assert!(feed.sha256().is_some());
    }

    #[test]
    fn lines_are_whole_wherever_a_read_ends() {
        let lines: Vec<_> = (0..30_000_u32).map(|n| n.to_string().repeat(3)).collect();
        let text = lines.join("\n");
        for begun in [0, 1, 7, 200_000] {
            let (begun, rest) = text.as_bytes().split_at(begun);
            let mut feed = LineFeed::new(Bytes::new(rest).unwrap(), begun);
            for line in &lines {
                assert_eq!(feed.advance().unwrap().unwrap().text, line);
            }
            assert!(feed.advance().unwrap().is_none());
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let limit = usize::try_from(LONGEST_LINE).unwrap();
        for (end, is_read) in [("", true), ("\n", true), ("x", false), ("x\n", false)] {
            let text = "x".repeat(limit) + end;
            assert_eq!(feed(text.as_bytes()).advance().is_ok(), is_read, "{end:?}");
        }
        let cut_within_a_character = "x".repeat(limit + 1) + "é and more";
        let mut feed = feed(cut_within_a_character.as_bytes());
        assert!(matches!(feed.advance(), Err(TraceErrorKind::LineTooLong { .. })));
    }
}
