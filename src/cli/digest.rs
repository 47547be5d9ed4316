//! Digests of the files that a result rests on.

use std::cell::RefCell;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::disk::Disk;
use crate::result::FileDigest;
use crate::scenario::Files;

/// The files that a scenario draws in, as they are read from the disk: each once, in the order in
/// which they were first read. A trace brings its own digest.
#[derive(Debug, Default)]
pub(super) struct Digested {
    files: RefCell<Vec<FileDigest>>,
}

impl Digested {
    pub(super) fn into_files(self) -> Vec<FileDigest> {
        self.files.into_inner()
    }
}

impl Files for Digested {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let bytes = Disk.read(path)?;
        let file = digest(path, &bytes);
        let mut files = self.files.borrow_mut();
        if !files.contains(&file) {
            files.push(file);
        }
        Ok(bytes)
    }

    fn environment(&self, name: &str) -> Option<String> {
        Disk.environment(name)
    }
}

/// The file at `path` with the SHA-256 of its `bytes`.
pub(super) fn digest(path: &Path, bytes: &[u8]) -> FileDigest {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    FileDigest { path: path.display().to_string(), sha256 }
}
