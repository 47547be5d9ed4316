//! Where something stands in the files and settings that were read.
//!
//! A place is three small numbers, so that every node of a tree can carry one; the names and texts
//! of the sources are kept once, beside the tree.

/// A stretch of one line of one source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// Which source, in the order in which they were read.
    pub(crate) source: SourceIndex,
    /// Its line, from 1.
    pub(crate) line: u32,
    /// The column of its first character, from 1, in characters.
    pub(crate) column: u32,
    /// How many characters of the line belong to it, at least 1.
    pub(crate) length: u32,
}

/// The place of a source in the list of sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SourceIndex(usize);

/// The texts that were read, each with its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    list: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    numbered: bool,
}

impl Place {
    /// The first character of a source.
    pub(crate) const fn start_of(source: SourceIndex) -> Self {
        Self { source, line: 1, column: 1, length: 1 }
    }
}

impl Sources {
    /// Keeps the text of a file.
    pub(crate) fn add_file(&mut self, name: &str, text: String) -> SourceIndex {
        self.add(Source { name: name.to_owned(), text, numbered: true })
    }

    /// Keeps the value of a setting; its places are named by its path, without line numbers.
    pub(crate) fn add_setting(&mut self, path: &str, value: &str) -> SourceIndex {
        self.add(Source { name: format!("--set {path}"), text: value.to_owned(), numbered: false })
    }

    /// The name of the source that `place` lies in.
    pub(crate) fn name(&self, place: Place) -> &str {
        &self.list[place.source.0].name
    }

    /// How the place is told to a person: `file:line:column`, or the setting's path.
    pub(crate) fn locate(&self, place: Place) -> String {
        let source = &self.list[place.source.0];
        if source.numbered {
            format!("{}:{}:{}", source.name, place.line, place.column)
        } else {
            source.name.clone()
        }
    }

    /// Whether places in the source have a line number that a person knows.
    pub(crate) fn is_numbered(&self, place: Place) -> bool {
        self.list[place.source.0].numbered
    }

    /// The line of text that the place lies in; empty past the end of the source.
    pub(crate) fn line(&self, place: Place) -> &str {
        let index = place.line.saturating_sub(1) as usize;
        let text = &self.list[place.source.0].text;
        text.lines().nth(index).unwrap_or("")
    }

    fn add(&mut self, source: Source) -> SourceIndex {
        self.list.push(source);
        SourceIndex(self.list.len() - 1)
    }
}
