//! The words of an access log's line: set apart by spaces or tabs, with quotes or brackets around
//! those that may hold some.

use super::description::Line;
use super::error::TraceErrorKind;

/// Takes a line apart, from left to right.
#[derive(Clone)]
pub(super) struct LogTokens<'a> {
    rest: &'a str,
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
    /// Of a line that is whole. An error where it has no end: its last word may be a part of one,
    /// a number that of a larger one, and words behind it may be lost.
    pub(super) fn of(line: Line<'a>) -> Result<Self, TraceErrorKind> {
        line.check_is_one()?;
        if line.is_terminated { Ok(Self { rest: line.text }) } else { Err(TraceErrorKind::CutOff) }
    }

    /// Of a line that may turn out to be no log's.
    pub(super) const fn of_any(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next word; `None` at the end of the line.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'a>>, TraceErrorKind> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let Some(first) = self.rest.as_bytes().first() else { return Ok(None) };
        let (text, end) = match first {
            b'"' => (1, self.closing_quote()),
            b'[' => (1, self.rest.find(']')),
            _ => (0, Some(self.rest.find([' ', '\t', '"']).unwrap_or(self.rest.len()))),
        };
        let Some(end) = end else { return Err(TraceErrorKind::OpenQuote) };
        let token = &self.rest[text..end.max(text)];
        self.rest = &self.rest[(end + text).min(self.rest.len())..];
        Ok(Some(match first {
            b'"' => Token::Quoted(token),
            b'[' => Token::Bracketed(token),
            _ => Token::Word(token),
        }))
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
