//! Where in a line the parser is: what stands there, and steps over it.

use super::error::{ParseError, Problem};

/// A place in a line.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// The byte that is read next.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes this word, if it stands here whole.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = is_word(&self.text[self.at..], word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn take_name(&mut self) -> &'a str {
        let name = name(&self.text[self.at..]);
        self.at += name.len();
        name
    }

    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> ParseError {
        let found = match self.peek() {
            None => "the end of the line".to_owned(),
            Some(c) => format!("{:?}", c.to_string()),
        };
        self.error(self.at, Problem::Unexpected { found, expected })
    }

    pub(super) fn error(&self, at: usize, problem: Problem) -> ParseError {
        ParseError::new(self.text, at, problem)
    }

    /// What is left of the line.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// The name that `rest` begins with; two points are none of it, as in `a..b`.
pub(super) fn name(rest: &str) -> &str {
    let mut end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    if let Some(points) = rest[..end].find("..") {
        end = points;
    }
    &rest[..end]
}

/// Whether `rest` begins with this word, whole.
pub(super) fn is_word(rest: &str, word: &str) -> bool {
    rest.strip_prefix(word).is_some_and(|after| !after.starts_with(is_name))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}
