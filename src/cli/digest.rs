//! Digests of the files that a result rests on.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::result::FileDigest;

/// The file at `path` with the SHA-256 of its `bytes`. What a scenario draws in from other files
/// stands in the resolved scenario, and a trace brings its own digest.
pub(super) fn digest(path: &Path, bytes: &[u8]) -> FileDigest {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    FileDigest { path: path.display().to_string(), sha256 }
}
