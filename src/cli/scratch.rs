//! Temporary files, which are gone with the command that made them.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::trace::Scratch;

/// A folder in which temporary files are made.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// This one: a file in it can become one of the folder's own by a new name.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// That of the system.
    pub(super) fn temporary() -> Self {
        Self(std::env::temp_dir())
    }
}

impl Scratch for Folder {
    type File = NamedTempFile;

    fn file(&mut self) -> io::Result<Self::File> {
        temporary_in(&self.0)
    }
}

/// A temporary file in `folder`, with the rights that any new file gets: by a new name it can
/// become one that stays.
pub(super) fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".coalmine.").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Less what the process's mask takes away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
