//! What the checks read and what they answer.

use std::fmt;

use super::token::{Token, tokens};

/// One source file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// From the package's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Its place in the crate: empty for `lib.rs` and `main.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) tokens: Vec<Token>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            module.pop();
        }
        Self { path: path.to_owned(), text: text.to_owned(), module, tokens: tokens(text) }
    }

    pub(crate) fn finding(
        &self,
        check: &'static str,
        line: usize,
        what: String,
        remedy: &str,
    ) -> Finding {
        Finding { check, path: self.path.clone(), line, what, remedy: remedy.to_owned() }
    }
}

/// A breach: where, what, and how to mend it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, path, line, what, remedy } = self;
        write!(f, "{path}:{line}: [{check}] {what}; {remedy}")
    }
}
