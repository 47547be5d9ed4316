//! Whether a journal's files are still where they were opened. A file that was deleted or replaced
//! is written to all the same, under no name, and nobody would find again what was written.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::lease::beside;

/// Where a journal lies, and which files lie there.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: Option<FileId>,
    /// SQLite's log beside it; `None` until it has been seen.
    log: Option<FileId>,
}

/// What tells a file from every other one: on Unix its device and its number there.
type FileId = (u64, u64);

impl Place {
    /// That of the journal at `path`, which has just been opened.
    pub(super) fn of(path: PathBuf) -> io::Result<Self> {
        let file = file_id(&path)?;
        Ok(Self { path, file, log: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the files are those that were opened.
    ///
    /// # Errors
    /// One of them is gone, or is another.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        expect(&self.path, self.file)?;
        let log = beside(&self.path, "-wal");
        match self.log {
            Some(known) => expect(&log, Some(known)),
            None => {
                self.log = file_id(&log).ok().flatten();
                Ok(())
            }
        }
    }
}

fn expect(path: &Path, known: Option<FileId>) -> Result<(), StoreError> {
    let displaced = |why: String| StoreError::Displaced { path: path.to_owned(), why };
    match file_id(path) {
        Ok(found) if found == known => Ok(()),
        Ok(_) => Err(displaced("is another file than the one that was opened".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(displaced("is gone: it was deleted or moved".to_owned()))
        }
        Err(error) => Err(displaced(format!("cannot be looked at: {error}"))),
    }
}

/// `None`: this system does not say, and every file counts as the same.
fn file_id(path: &Path) -> io::Result<Option<FileId>> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(Some((metadata.dev(), metadata.ino())))
    }
    #[cfg(not(unix))]
    {
        drop(metadata);
        Ok(None)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn files_that_go_or_are_others_are_told_and_may_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let [path, away] = ["journal", "away"].map(|name| folder.path().join(name));
        let log = beside(&path, "-wal");
        fs::write(&path, "one").unwrap();
        let mut place = Place::of(path.clone()).unwrap();
        place.check().unwrap();
        fs::write(&log, "log").unwrap();
        place.check().unwrap();
        for file in [&path, &log] {
            fs::rename(file, &away).unwrap();
            let gone = place.check().unwrap_err().to_string();
            assert!(gone.contains("is gone") && gone.contains(file.to_str().unwrap()), "{gone}");
            fs::copy(&away, file).unwrap();
            let other = place.check().unwrap_err().to_string();
            assert!(other.contains("is another file"), "{other}");
            fs::rename(&away, file).unwrap();
            place.check().unwrap();
        }
    }
}
