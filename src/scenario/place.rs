//! Where something stands in the files and settings that were read.
//!
//! A place is four small numbers, so that every node of a tree can carry one; the names and texts
//! of the sources are kept once, beside the tree.

use std::collections::BTreeSet;

use super::problem::Spot;

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
pub(crate) struct SourceIndex {
    index: u32,
    setting: bool,
}

/// The texts that were read, each with its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    list: Vec<Source>,
    /// Lines that are not shown: a secret stands in them.
    covered: BTreeSet<(SourceIndex, u32)>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    /// The path, of a setting.
    setting: Option<String>,
    text: String,
}

impl Place {
    /// The first character of a source.
    pub(crate) const fn start_of(source: SourceIndex) -> Self {
        Self { source, line: 1, column: 1, length: 1 }
    }

    /// Whether it lies in a setting of the command line.
    pub(crate) const fn is_setting(self) -> bool {
        self.source.setting
    }
}

impl Sources {
    /// Keeps the text of a file.
    pub(crate) fn add_file(&mut self, name: &str, text: String) -> SourceIndex {
        self.add(Source { name: name.to_owned(), setting: None, text })
    }

    /// Keeps the value of a setting; its places are named by its path, without line numbers.
    pub(crate) fn add_setting(&mut self, path: &str, value: &str) -> SourceIndex {
        let (name, setting) = (format!("--set {path}"), Some(path.to_owned()));
        self.add(Source { name, setting, text: value.to_owned() })
    }

    /// The name of the source that `place` lies in.
    pub(crate) fn name(&self, place: Place) -> &str {
        &self.source(place).name
    }

    /// How the place is told to a person: `file:line:column`, or the setting's path.
    pub(crate) fn locate(&self, place: Place) -> String {
        self.spot(place).to_string()
    }

    /// The place by the name of its source.
    pub(crate) fn spot(&self, place: Place) -> Spot {
        let (column, length) = (Some(place.column), Some(place.length));
        let Source { name, setting, .. } = self.source(place);
        let (file, line) = match setting {
            Some(_) => (None, None),
            None => (Some(name.clone()), Some(u64::from(place.line))),
        };
        Spot { file, setting: setting.clone(), line, column, length }
    }

    /// Shows the line of `place` no more.
    pub(crate) fn cover(&mut self, place: Place) {
        self.covered.insert((place.source, place.line));
    }

    /// Shows no more the lines that are `telling`.
    pub(crate) fn cover_lines(&mut self, telling: impl Fn(&str) -> bool) {
        for (index, source) in (0..).zip(&self.list) {
            let setting = source.setting.is_some();
            let lines = (1..).zip(source.text.lines()).filter(|(_, text)| telling(text));
            let source = SourceIndex { index, setting };
            self.covered.extend(lines.map(|(line, _)| (source, line)));
        }
    }

    /// The line of text that the place lies in; empty past the end of the source, and where it is
    /// not shown.
    pub(crate) fn line(&self, place: Place) -> &str {
        if self.covered.contains(&(place.source, place.line)) {
            return "";
        }
        let index = place.line.saturating_sub(1) as usize;
        self.source(place).text.lines().nth(index).unwrap_or("")
    }

    fn source(&self, place: Place) -> &Source {
        &self.list[place.source.index as usize]
    }

    fn add(&mut self, source: Source) -> SourceIndex {
        let setting = source.setting.is_some();
        let index = u32::try_from(self.list.len()).expect("memory holds fewer texts");
        self.list.push(source);
        SourceIndex { index, setting }
    }
}
