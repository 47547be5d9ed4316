//! The words of an access log's line: set apart by spaces, with quotes or brackets around those
//! that may hold some.

use super::description::Line;
use super::error::TraceErrorKind;

/// Takes a line apart, from left to right.
#[derive(Clone)]
pub(super) struct LogTokens<'a> {
    rest: &'a str,
    is_terminated: bool,
}

/// A word of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// Bare.
    Word(&'a str),
    /// What stood between quotes.
    Quoted(&'a str),
    /// What stood between brackets.
    Bracketed(&'a str),
}

impl<'a> LogTokens<'a> {
    pub(super) const fn new(line: Line<'a>) -> Self {
        Self { rest: line.text, is_terminated: line.is_terminated }
    }

    /// The next word; `None` at the end of the line.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'a>>, TraceErrorKind> {
        self.rest = self.rest.trim_start_matches(' ');
        let Some(first) = self.rest.as_bytes().first() else { return Ok(None) };
        let (text, end) = match first {
            b'"' => (1, self.closing_quote()),
            b'[' => (1, self.rest.find(']')),
            _ => (0, Some(self.rest.find([' ', '"']).unwrap_or(self.rest.len()))),
        };
        let Some(end) = end else {
            let is_cut = !self.is_terminated;
            return Err(if is_cut { TraceErrorKind::CutOff } else { TraceErrorKind::OpenQuote });
        };
        let token = &self.rest[text..end.max(text)];
        self.rest = &self.rest[(end + text).min(self.rest.len())..];
        Ok(Some(match first {
            b'"' => Token::Quoted(token),
            b'[' => Token::Bracketed(token),
            _ => Token::Word(token),
        }))
    }

    /// That the line, as far as it was read, is not of this shape.
    pub(super) const fn not_a_line(&self, shape: &'static str) -> TraceErrorKind {
        let is_cut = self.rest.is_empty() && !self.is_terminated;
        if is_cut { TraceErrorKind::CutOff } else { TraceErrorKind::Shape { shape } }
    }

    /// A backslash takes the character after it into the word, even a quote.
    fn closing_quote(&self) -> Option<usize> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        loop {
            match bytes.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }
}

impl<'a> Token<'a> {
    /// Without quotes or brackets; `None` where it is `-` or empty, which is to say nothing.
    pub(super) fn value(self) -> Option<&'a str> {
        let (Self::Word(text) | Self::Quoted(text) | Self::Bracketed(text)) = self;
        (!matches!(text, "" | "-")).then_some(text)
    }
}
