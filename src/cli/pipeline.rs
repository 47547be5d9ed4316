//! The pipelines that `coalmine init --ci` writes: which files, with which text. It knows nothing
//! of the disk, and of a CI system only where that looks for its files.

use super::arguments::CiSystem;
use crate::wire::integrity;

/// Where coalmine is developed and released. The shell scripts of `ci/` have the same name in one
/// place, `ci/install.sh`, and a test holds them together.
const REPOSITORY: &str = "coalmine-dev/coalmine";

/// A pipeline that gates the scenarios of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pipeline {
    pub(super) path: &'static str,
    pub(super) text: String,
    /// What is left to do where the system does not find the file by itself.
    pub(super) follow_up: Option<&'static str>,
}

impl Pipeline {
    /// The pipeline for `folder`, a path below the repository's root with `/` between its parts.
    /// `exists` tells whether a file of the repository is there.
    pub(super) fn new(system: CiSystem, folder: &str, exists: impl Fn(&str) -> bool) -> Self {
        let (path, template, follow_up) = match system {
            CiSystem::Github => (".github/workflows/coalmine.yml", GITHUB, None),
            CiSystem::Gitlab if exists(GITLAB_FILE) => {
                (".gitlab/coalmine.gitlab-ci.yml", GITLAB, Some(INCLUDE))
            }
            CiSystem::Gitlab => (GITLAB_FILE, GITLAB, None),
        };
        let text = template
            .replace("REPOSITORY", REPOSITORY)
            .replace("VERSION", env!("CARGO_PKG_VERSION"))
            .replace("sha256-DIGEST", &integrity(GITLAB_TEMPLATE))
            .replace(": FOLDER\n", &format!(": {}\n", quoted(folder)))
            .replace("FOLDER", folder);
        Self { path, text, follow_up }
    }
}

/// A folder, which has no quotes in its name, as a YAML scalar that is read as nothing else.
fn quoted(folder: &str) -> String {
    match folder.starts_with(|c: char| c.is_ascii_alphabetic()) && !folder.contains(' ') {
        true => folder.to_owned(),
        false => format!("'{folder}'"),
    }
}

const GITLAB_FILE: &str = ".gitlab-ci.yml";
const INCLUDE: &str = "\
.gitlab-ci.yml is left as it is; include the new file in it:

  include:
    - local: .gitlab/coalmine.gitlab-ci.yml";
const GITHUB: &str = include_str!("github.yml");
const GITLAB: &str = include_str!("gitlab.yml");
/// What the pipeline for GitLab includes.
const GITLAB_TEMPLATE: &[u8] = include_bytes!("../../ci/gitlab/coalmine.gitlab-ci.yml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_word_of_yaml_or_quoted() {
        assert_eq!(quoted("canaries/gpt-5"), "canaries/gpt-5");
        for (folder, written) in [("5", "'5'"), ("a b", "'a b'"), ("-", "'-'")] {
            assert_eq!(quoted(folder), written);
        }
    }

    #[test]
    fn a_file_that_gitlab_reads_is_left_as_it_is() {
        let there = Pipeline::new(CiSystem::Gitlab, "scenarios", |path| path == ".gitlab-ci.yml");
        assert_eq!(there.path, ".gitlab/coalmine.gitlab-ci.yml");
        assert!(there.follow_up.is_some());
        let fresh = Pipeline::new(CiSystem::Gitlab, "scenarios", |_| false);
        assert_eq!((fresh.path, fresh.follow_up), (".gitlab-ci.yml", None));
        assert_eq!(fresh.text, there.text);
    }
}
