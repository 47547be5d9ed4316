//! Temporary files, which are gone with the command that made them unless they get a name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::disk;
use super::exit::Exit;
use super::terminal::Failure;
use crate::trace::Scratch;

/// A folder in which temporary files are made, which can become files of it.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Scratch for Folder {
    type File = NamedTempFile;

    fn file(&mut self) -> io::Result<Self::File> {
        temporary_in(&self.0)
    }
}

/// Temporary files without a name, which are gone however the command ends.
pub(super) struct Unnamed;

impl Scratch for Unnamed {
    type File = File;

    fn file(&mut self) -> io::Result<Self::File> {
        tempfile::tempfile()
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

/// A temporary file in `folder` that only its owner may read, as what becomes of it.
pub(super) fn private_in(folder: &Path) -> io::Result<NamedTempFile> {
    // Such are the rights of temporary files, unless others are asked for.
    tempfile::Builder::new().prefix(".coalmine.").suffix(".tmp").tempfile_in(folder)
}

/// The folder of a file that is to be written, made and found to be writable. The file must not be
/// there, unless it may be replaced.
pub(super) fn folder_for(path: &Path, may_replace: bool) -> Result<&Path, Failure> {
    if path.exists() && !may_replace {
        return Err(exists(path));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    disk::check_writable(folder).map_err(|error| Failure::unwritten(path, &error))?;
    Ok(folder)
}

/// A file that is to be written is there.
pub(super) fn exists(path: &Path) -> Failure {
    let shown = path.display();
    let message =
        format!("error: {shown} is there already: give another name, or replace it with --force");
    Failure { exit: Exit::Usage, message }
}
