//! Paths as CI systems want them: with slashes, whatever the machine that named them writes.

/// `path` with slashes. A path of Windows is known by its drive, or by having backslashes and no
/// slash; in others a backslash is a letter of a name.
pub(super) fn portable(path: &str) -> String {
    match has_drive(path) || !path.contains('/') {
        true => path.replace('\\', "/"),
        false => path.to_owned(),
    }
}

/// Whether `path`, with slashes, begins at a root.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || has_drive(path)
}

fn has_drive(path: &str) -> bool {
    let mut letters = path.chars();
    let drive = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    drive && letters.next() == Some(':') && matches!(letters.next(), Some('/' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_are_slashes_only_in_paths_of_windows() {
        assert_eq!(portable("C:\\shop\\a b.yaml"), "C:/shop/a b.yaml");
        assert_eq!(portable("reports\\canary"), "reports/canary");
        assert_eq!(portable("c:/a\\b"), "c:/a/b");
        assert_eq!(portable("reports/odd\\name"), "reports/odd\\name");
        assert_eq!(portable("scenarios/a.yaml"), "scenarios/a.yaml");
        let absolute = ["/a", "C:/a", "a/b", "C:a", "", "模:/"].map(is_absolute);
        assert_eq!(absolute, [true, true, false, false, false, false]);
    }
}
