//! The lines of a scenario file as it is written.

/// Lines of a file, as wide as a page.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    /// A line, so many levels in.
    pub(super) fn line(&mut self, depth: usize, line: &str) {
        if !line.is_empty() {
            self.0.push_str(&"  ".repeat(depth));
            self.0.push_str(line);
        }
        self.0.push('\n');
    }

    /// Whether there is more than comments.
    pub(super) fn has_keys(&self) -> bool {
        self.0.lines().any(|line| !line.trim_start().starts_with('#'))
    }

    /// A comment, broken into lines.
    pub(super) fn comment(&mut self, depth: usize, words: &str) {
        let room = WIDTH - 2 * depth - 2;
        let mut line = String::new();
        for word in words.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.line(depth, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(depth, &format!("# {line}"));
    }

    /// Items of a flow collection, as many to a line as fit.
    pub(super) fn flow(&mut self, depth: usize, items: impl Iterator<Item = String>) {
        let room = WIDTH - 2 * depth;
        let mut line = String::new();
        for item in items {
            if !line.is_empty() && line.len() + 2 + item.len() > room {
                self.line(depth, &format!("{line},"));
                line.clear();
            }
            if !line.is_empty() {
                line.push_str(", ");
            }
            line.push_str(&item);
        }
        self.line(depth, &line);
    }

    /// Puts the end of a flow collection behind its last line.
    pub(super) fn end(&mut self) {
        let line = self.0.trim_end().len();
        self.0.truncate(line);
        self.0.push('}');
        self.0.push('\n');
    }
}

const WIDTH: usize = 96;
