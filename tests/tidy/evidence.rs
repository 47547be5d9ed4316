//! That nothing lies about unused: every scenario and fixture is named by a test, a scenario or
//! a README.

use super::finding::Finding;

/// A file that may name others: its path and its text.
pub(crate) type Text = (String, String);

/// The files of `paths` that no text names, by file name, by stem in quotes, or by the folder
/// they lie in if it is one of its own below `scenarios/` or `fixtures/`.
pub(crate) fn unnamed(paths: &[String], texts: &[Text]) -> Vec<Finding> {
    let lost = paths.iter().filter(|path| {
        let needles = needles(path);
        !texts.iter().any(|(from, text)| from != *path && needles.iter().any(|n| holds(text, n)))
    });
    lost.map(|path| Finding {
        check: "unused",
        path: path.clone(),
        line: 1,
        what: "no test, scenario or README names it".to_owned(),
        remedy: "write the test that needs it, or delete it".to_owned(),
    })
    .collect()
}

fn needles(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let mut needles = vec![name.to_owned(), format!("\"{stem}\"")];
    if folder.contains('/') {
        needles.push(folder.to_owned());
    }
    needles
}

/// Whether `text` holds `needle` as a whole name, not as the end of a longer one.
fn holds(text: &str, needle: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    text.match_indices(needle).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + needle.len()..].chars().next();
        let ends = after.is_none_or(|c| !c.is_alphanumeric() && !"-_".contains(c));
        needle.starts_with('"') || (before.is_none_or(|c| !joins(c)) && ends)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(path: &str, text: &str) -> bool {
        !unnamed(&[path.to_owned()], &[("tests/a.rs".to_owned(), text.to_owned())]).is_empty()
    }

    #[test]
    fn a_file_that_nothing_names_is_found() {
        assert!(lost("fixtures/peak-hour.csv", "off-peak-hour.csv peak-hour.csv2"));
        assert!(lost("scenarios/ten-thousand.yaml", "ten-thousand-more.yaml, ten-thousand"));
        let itself = ("scenarios/a.yaml".to_owned(), "# a.yaml".to_owned());
        assert_eq!(unnamed(&["scenarios/a.yaml".to_owned()], &[itself]).len(), 1);
    }

    #[test]
    fn a_name_a_quoted_stem_or_a_folder_of_its_own_keeps_a_file() {
        assert!(!lost("fixtures/peak-hour.csv", "trace: ../fixtures/peak-hour.csv."));
        assert!(!lost("scenarios/ten-thousand.yaml", "run(\"ten-thousand\")"));
        assert!(!lost("fixtures/malformed/nan.yaml", "folder(\"fixtures/malformed\")"));
        assert!(lost("fixtures/nan.yaml", "folder(\"fixtures\")"));
    }
}
