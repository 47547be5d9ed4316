//! The file of users' names and numbers that an import can keep: what makes a trace personal again.

use std::io;
use std::path::Path;

use super::scratch::{folder_for, private_in};
use super::terminal::Failure;
use crate::trace::UserNames;

/// Writes the names and their numbers into a file that nobody else may read: how many.
pub(super) fn write_names(path: &Path, kept: &UserNames) -> Result<usize, Failure> {
    let unwritten = |error: &io::Error| Failure::unwritten(path, error);
    let folder = folder_for(path, true)?;
    let mut rows = csv::Writer::from_writer(private_in(folder).map_err(|e| unwritten(&e))?);
    let met = kept.met();
    let count = met.len();
    let written = rows.write_record(["user", "name"]).and_then(|()| {
        met.into_iter().try_for_each(|(number, name)| rows.write_record([number.to_string(), name]))
    });
    written.map_err(|error| unwritten(&error.into()))?;
    let file = rows.into_inner().map_err(|error| unwritten(&error.into_error()))?;
    file.persist(path).map_err(|error| unwritten(&error.error))?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Names;

    #[test]
    fn names_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.csv");
        let (_, kept) = Names::with_key(b"0123456789abcdef").keeping_users();
        assert_eq!(write_names(&path, &kept).unwrap(), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "user,name\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
