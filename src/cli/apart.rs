//! What a command writes is none of the files that it reads, nor two of its outputs one file: with
//! `--force` a slip of the pen would destroy the only copy of a recording.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::terminal::Failure;

/// A file that a command is told of, and what it is to the command.
pub(super) type Role<'a> = (&'a str, &'a Path);

/// Refuses to write `target` where it is one of `others`, by whatever path.
pub(super) fn check_apart(target: Role<'_>, others: &[Role<'_>]) -> Result<(), Failure> {
    let (option, path) = target;
    let Some(place) = place(path) else { return Ok(()) };
    let same = |(_, other): &&Role<'_>| self::place(other).is_some_and(|other| other == place);
    let Some((what, other)) = others.iter().find(same) else { return Ok(()) };
    let (path, other) = (path.display(), other.display());
    let message = if path.to_string() == other.to_string() {
        format!("error: {option}: {path} is {what} as well: give another name")
    } else {
        format!("error: {option}: {path} and {what}, {other}, are one file: give another name")
    };
    Err(Failure { exit: Exit::Usage, message })
}

/// Where a file lies, or would lie, without links; `None` where no file is meant, or nothing can be
/// written there.
fn place(path: &Path) -> Option<PathBuf> {
    if path == OsStr::new("-") {
        return None;
    }
    if let Ok(found) = path.canonicalize() {
        return Some(found);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(target: &Path, others: &[Role<'_>]) -> Option<String> {
        check_apart(("--out", target), others).err().map(|failure| failure.message)
    }

    #[test]
    fn one_file_by_two_paths_is_refused_and_two_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("log"), "").unwrap();
        std::fs::create_dir(at("below")).unwrap();
        let log = at("log");
        let others = [("the secret", Path::new("-")), ("the log", log.as_path())];
        let told = message(&at("log"), &others).unwrap();
        assert!(told.ends_with("log is the log as well: give another name"), "{told}");
        let told = message(&at("below/../log"), &others).unwrap();
        assert!(told.ends_with("log, are one file: give another name"), "{told}");
        // Two that are not there yet.
        let new = at("new");
        assert!(message(&at("below/../new"), &[("the trace", &new)]).is_some());
        assert_eq!(message(&at("other"), &others), None);
        assert_eq!(message(Path::new("-"), &others), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let [log, link] = ["log", "link"].map(|name| folder.path().join(name));
        std::fs::write(&log, "").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        assert!(message(&link, &[("the log", &log)]).is_some());
    }
}
