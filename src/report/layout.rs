//! Text in a width: how many columns of a terminal it takes, and where it is broken into lines.
//!
//! Letters of East Asian scripts take two columns, combining marks none. Knows no tables.

use unicode_width::UnicodeWidthStr;

/// How many columns of a terminal `text` takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` with blanks behind it, up to a width.
pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// `text` with blanks before it, up to a width.
pub(super) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// As much of the beginning of `text` as fits `width` columns, and the rest.
pub(super) fn cut(text: &str, width: usize) -> (&str, &str) {
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        let next = at + letter.len_utf8();
        if columns(&text[..next]) > width {
            break;
        }
        end = next;
    }
    text.split_at(end)
}

/// `pieces` joined by blanks into lines of at most `width` columns (at least 1). A piece that is
/// longer than a line is cut.
pub(super) fn fill<'a>(pieces: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut piece in pieces {
        if !line.is_empty() && columns(&line) + 1 + columns(piece) > width {
            lines.push(std::mem::take(&mut line));
        }
        while columns(piece) > width {
            let (head, rest) = cut(piece, width);
            // A letter of two columns is wider than a line of one.
            if head.is_empty() {
                break;
            }
            lines.push(head.to_owned());
            piece = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(piece);
    }
    lines.push(line);
    lines
}

/// `text` broken at blanks into lines of `width` columns that begin with `indent`.
pub(super) fn wrapped(indent: &str, text: &str, width: usize) -> String {
    let (first, rest) = wrapped_after(indent, text, width);
    first + &rest
}

/// `text` broken at blanks: its first line after `lead`, the others indented by as much.
pub(super) fn wrapped_after(lead: &str, text: &str, width: usize) -> (String, String) {
    let indent = columns(lead);
    let room = width.saturating_sub(indent).max(LEAST_ROOM);
    let lines = fill(text.split(' '), room);
    let rest = lines[1..].iter().map(|line| format!("{}{line}\n", " ".repeat(indent)));
    (format!("{lead}{}\n", lines[0]), rest.collect())
}

/// `text` for a terminal that has no letters but those of ASCII: one for each of its own, so that
/// what stood below each other still does.
pub(super) fn ascii(text: &str) -> String {
    let plain = |letter: char| match letter {
        '─' | '–' => '-',
        '±' => '~',
        '✓' => '+',
        '✗' => 'x',
        'µ' => 'u',
        '…' => '.',
        letter if letter.is_ascii() => letter,
        letter => match BARS.iter().position(|bar| *bar == letter) {
            Some(height) => ASCII_BARS[height],
            None => '?',
        },
    };
    let wide = |letter: char| columns(letter.encode_utf8(&mut [0; 4]));
    // A letter of two columns becomes two, a combining mark none.
    text.chars()
        .flat_map(|letter| {
            let count = if letter == '\n' || letter == '\u{1b}' { 1 } else { wide(letter) };
            std::iter::repeat_n(plain(letter), count)
        })
        .collect()
}

/// Bars of eight heights.
pub(super) const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same where there are none: each darker than the one before.
const ASCII_BARS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Chosen: a terminal so narrow breaks lines itself.
const LEAST_ROOM: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_two_columns_and_of_none_are_counted_as_such() {
        assert_eq!(columns("gpt-4"), 5);
        assert_eq!(columns("模型"), 4);
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(right("模型", 6), "  模型");
        assert_eq!(left("é", 3), "é  ");
        assert_eq!(cut("模型", 3), ("模", "型"));
    }

    #[test]
    fn lines_break_at_blanks_and_words_too_long_for_a_line_within() {
        assert_eq!(fill("a bc def".split(' '), 4), ["a bc", "def"]);
        assert_eq!(fill("a bcdefghi j".split(' '), 4), ["a", "bcde", "fghi", "j"]);
        assert_eq!(fill("模型模型 a".split(' '), 5), ["模型", "模型", "a"]);
        assert_eq!(fill("模".split(' '), 1), ["模"]);
        assert_eq!(fill("".split(' '), 4), [""]);
    }

    #[test]
    fn plain_letters_keep_what_stood_below_each_other() {
        let text = "─ 98 ms ±0 % ✓\n▁▄█ 模é\u{1b}[1m";
        let plain = ascii(text);
        assert_eq!(plain, "- 98 ms ~0 % +\n_-# ???\u{1b}[1m");
        for (plain, line) in plain.lines().zip(text.lines()) {
            assert_eq!(columns(plain), columns(line));
        }
    }
}
