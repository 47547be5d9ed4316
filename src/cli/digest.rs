//! Digests of the files that a result rests on.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::terminal::Failure;
use crate::report::FileDigest;

/// The scenario file with the SHA-256 of its bytes. What it draws in from other files stands in the
/// resolved scenario, and a trace brings its own digest.
pub(super) fn digest(path: &Path) -> Result<FileDigest, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::input(format!("error: {}: {error}", path.display())))?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileDigest { path: path.display().to_string(), sha256 })
}
