//! The project's pages as its tests see them: their fenced blocks, headings and links.

use std::path::{Path, PathBuf};

use crate::program::project;

/// A page: its path from the project's root, and its text.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A fenced block of a page.
pub(crate) struct Block {
    /// Page and line, for a message.
    pub(crate) place: String,
    /// What stands behind the opening fence: a language, and for some what it is a part of.
    pub(crate) info: String,
    pub(crate) text: String,
}

/// Every page that people read.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned).to_vec();
    let folders = ["assets", "deploy/kubernetes", "deploy/ray", "fuzz", "reports"];
    paths.extend(folders.map(|folder| format!("{folder}/README.md")));
    for entry in std::fs::read_dir(project("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        paths.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    paths.sort();
    let read = |path: String| Page { text: std::fs::read_to_string(project(&path)).unwrap(), path };
    paths.into_iter().map(read).collect()
}

impl Page {
    /// Its fenced blocks, from top to bottom.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (line, number) in self.text.lines().zip(1..) {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.text.push_str(&format!("{line}\n")),
                (None, Some(info)) => {
                    let place = format!("{}:{number}", self.path);
                    open = Some(Block { place, info: info.trim().to_owned(), text: String::new() });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{} has a block that is not closed", self.path);
        blocks
    }

    /// The lines outside of fenced blocks, with their numbers.
    fn prose(&self) -> Vec<(usize, &str)> {
        let mut fenced = false;
        let mut prose = Vec::new();
        for (line, number) in self.text.lines().zip(1..) {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                prose.push((number, line));
            }
        }
        prose
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> Vec<String> {
        let headings = self.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
        let anchor = |heading: &str| -> String {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(|(_, heading)| anchor(heading)).collect()
    }

    /// The targets of its links, with their lines.
    fn links(&self) -> Vec<(usize, &str)> {
        let mut links = Vec::new();
        for (number, line) in self.prose() {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            links.extend(targets.map(|(target, _)| (number, target)));
        }
        links
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let pages = pages();
    let mut broken = Vec::new();
    for page in &pages {
        for (line, target) in page.links() {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(&page.path).parent().unwrap();
            let path = if file.is_empty() { page.path.clone() } else { plain(&folder.join(file)) };
            let there = Path::new(&project(&path)).exists();
            let anchors = pages.iter().find(|page| page.path == path).map(Page::anchors);
            let named = anchor.is_empty()
                || anchors.is_some_and(|anchors| anchors.iter().any(|known| known == anchor));
            if !there || !named {
                broken.push(format!("{}:{line}: {target}", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// `path` without `a/../`.
fn plain(path: &Path) -> String {
    let mut kept = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    kept.display().to_string()
}
