//! Rust source as tokens with their lines, comments and the contents of texts left out.
//!
//! Tokens instead of a syntax tree: they reach into macro bodies, and every one knows its line.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A text, character, number or lifetime.
    Value,
    /// Punctuation: one character, or `::`.
    Mark,
}

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// As written; empty for values.
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub(crate) test: bool,
}

/// The tokens of `text`, those of test code marked.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, found: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    let mut found = lexer.found;
    mark_tests(&mut found);
    found
}

/// The index just past the bracket that closes the one at `open`.
pub(crate) fn past_closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The index just past the item that starts at `start`: past its `;` or its closing brace.
pub(crate) fn past_item(tokens: &[Token], start: usize) -> usize {
    let mut index = start;
    while index < tokens.len() {
        match tokens[index].text.as_str() {
            ";" => return index + 1,
            "{" => return past_closing(tokens, index),
            "(" | "[" => index = past_closing(tokens, index),
            _ => index += 1,
        }
    }
    tokens.len()
}

/// Whether the tokens from `start` on read `words`.
pub(crate) fn reads(tokens: &[Token], start: usize, words: &[&str]) -> bool {
    tokens.len() >= start + words.len()
        && words.iter().zip(&tokens[start..]).all(|(word, token)| token.text == *word)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let rest = self.rest;
        let first = rest.chars().next().unwrap_or(' ');
        if rest.starts_with("//") {
            self.advance(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.advance(block_comment_length(rest));
        } else if let Some(length) = text_length(rest) {
            self.push(Kind::Value, length);
        } else if first.is_alphabetic() || first == '_' {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            self.push(Kind::Word, raw + word_length(&rest[raw..]));
        } else if first.is_ascii_digit() {
            self.push(Kind::Value, word_length(rest));
        } else if first == '\'' {
            self.push(Kind::Value, quote_length(rest));
        } else if rest.starts_with("::") {
            self.push(Kind::Mark, 2);
        } else if first.is_whitespace() {
            self.advance(first.len_utf8());
        } else {
            self.push(Kind::Mark, first.len_utf8());
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = if kind == Kind::Value { "" } else { &self.rest[..length] };
        self.found.push(Token { kind, text: text.to_owned(), line: self.line, test: false });
        self.advance(length);
    }

    fn advance(&mut self, length: usize) {
        let (passed, rest) = self.rest.split_at(length);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Block comments nest.
fn block_comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of the text literal that `text` starts with, prefix included, if it does.
fn text_length(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""]
        .into_iter()
        .find(|prefix| text[..].strip_prefix(prefix).is_some_and(starts_text))?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let start = prefix.len() + hashes + 1;
        return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    if body.starts_with('#') {
        return None;
    }
    let mut escaped = false;
    for (at, character) in body.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

fn starts_text(body: &str) -> bool {
    body.trim_start_matches('#').starts_with('"')
}

/// The length of the character or lifetime that `text` starts with.
fn quote_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    let Some((_, first)) = characters.next() else { return text.len() };
    if first == '\\' {
        let after = characters.nth(1).map_or(text.len(), |(at, _)| at);
        return text[after..].find('\'').map_or(text.len(), |at| after + at + 1);
    }
    match characters.next() {
        Some((at, '\'')) => at + 1,
        _ => 1 + word_length(&text[1..]),
    }
}

/// Marks the items under `#[cfg(test)]`, or everything under `#![cfg(test)]`.
fn mark_tests(tokens: &mut [Token]) {
    let mut index = 0;
    while index < tokens.len() {
        if reads(tokens, index, &["#", "!", "[", "cfg", "(", "test", ")", "]"]) {
            tokens.iter_mut().for_each(|token| token.test = true);
            return;
        }
        let plain = reads(tokens, index, &["#", "[", "cfg", "(", "test", ")", "]"]);
        let among = reads(tokens, index, &["#", "[", "cfg", "(", "all", "(", "test"]);
        if !plain && !among {
            index += 1;
            continue;
        }
        let mut item = index;
        while reads(tokens, item, &["#", "["]) {
            item = past_closing(tokens, item + 1);
        }
        let end = past_item(tokens, item);
        tokens[index..end].iter_mut().for_each(|token| token.test = true);
        index = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let kept = tokens(text).into_iter().filter(|token| token.kind == Kind::Word);
        kept.map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_texts_hold_no_words() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(words(r##"a "b \" c" d r#"e " f"# g b"h" "##), ["a", "d", "g"]);
        assert_eq!(words(r"a '\'' b '\u{1F600}' c 'd' e"), ["a", "b", "c", "e"]);
    }

    #[test]
    fn lifetimes_are_no_characters_and_raw_names_are_words() {
        assert_eq!(words("fn f<'a>(x: &'a str) {}"), ["fn", "f", "x", "str"]);
        assert_eq!(words("r#type br 1_000u64 r"), ["r#type", "br", "r"]);
    }

    #[test]
    fn tokens_know_their_line() {
        let found = tokens("a\n\"x\ny\" b\n/*\n*/ c");
        let lines: Vec<_> = found.iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 3, 5]);
    }

    #[test]
    fn only_items_under_cfg_test_are_tests() {
        let text = "use a; #[cfg(test)] use b; #[cfg(test)] #[x] mod c { fn d() {} } fn e() {}";
        let test: Vec<_> = tokens(text)
            .into_iter()
            .filter(|token| token.test && token.text.len() == 1 && token.kind == Kind::Word)
            .map(|token| token.text)
            .collect();
        assert_eq!(test, ["b", "x", "c", "d"]);
        assert!(tokens("#![cfg(test)] fn a() {}").iter().all(|token| token.test));
        assert!(tokens("#[cfg(not(test))] fn a() {}").iter().all(|token| !token.test));
    }
}
