//! The right to append to a journal: one holder at a time, given back when the holder ends, however
//! it ends.
//!
//! It is a lock of the operating system on a file beside the journal, `<journal>.lock`. The system
//! drops it with the process, so that one that crashed does not keep its successor out; a row in
//! the database with a time of expiry would, until the time has come. It is not SQLite's own
//! exclusive lock, which would keep readers out as well, nor a lock on the journal itself: closing
//! a second handle of that file would drop SQLite's locks (<https://www.sqlite.org/howtocorrupt.html>,
//! section 2.2). The file stays where it is: removing it would let two hold locks on two files of
//! one name.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::OpenFault;

/// The right to append to a journal.
#[derive(Debug)]
pub(super) struct Lease {
    file: File,
}

impl Lease {
    /// Takes the right to append to the journal at `path`, which must be its resolved path: two
    /// names of one file are one journal.
    ///
    /// # Errors
    /// Somebody holds it, or the file beside the journal cannot be made.
    pub(super) fn take(path: &Path) -> Result<Self, OpenFault> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside(path, ".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(OpenFault::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// A process that is being started holds a copy of the handle for a moment, and with it the lock,
/// unless that is given back by name.
impl Drop for Lease {
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked when it is closed.
        drop(self.file.unlock());
    }
}

/// The file named as `path` with `suffix` after it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_for_one_and_free_again_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let lease = Lease::take(&path).unwrap();
        assert!(matches!(Lease::take(&path), Err(OpenFault::InUse)));
        assert!(Lease::take(&folder.path().join("other.db")).is_ok());
        drop(lease);
        assert!(Lease::take(&path).is_ok());
        assert!(folder.path().join("journal.db.lock").exists());
    }
}
