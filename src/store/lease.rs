//! The right to write a file of a gateway's, its journal or its recording: one holder at a time,
//! given back when the holder ends, however it ends. Knows nothing of what the file holds.
//!
//! It is a lock of the operating system on a file beside it, `<file>.lock`. The system drops it
//! with the process, so that one that crashed does not keep its successor out; a row in a journal's
//! database with a time of expiry would, until the time has come. It is not SQLite's own exclusive
//! lock, which would keep readers out as well, nor a lock on the journal itself: closing a second
//! handle of that file would drop SQLite's locks (<https://www.sqlite.org/howtocorrupt.html>,
//! section 2.2). Nor is it one on a recording's file, in whose place others come. The file stays
//! where it is: removing it would let two hold locks on two files of one name.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The right to write a file.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

impl Lease {
    /// Takes the right to write the file at `path`, which must be its resolved path: two names of
    /// one file are one file. `None`: somebody holds it, another process or another part of this.
    ///
    /// # Errors
    /// The file beside it cannot be made or locked.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside(path, ".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
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
        let taken = |path: &Path| Lease::take(path).unwrap();
        let lease = taken(&path);
        assert!(lease.is_some());
        assert!(taken(&path).is_none());
        assert!(taken(&folder.path().join("other.db")).is_some());
        drop(lease);
        assert!(taken(&path).is_some());
        assert!(folder.path().join("journal.db.lock").exists());
    }
}
