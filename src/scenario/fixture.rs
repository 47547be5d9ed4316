//! What tests of scenarios share.

use std::path::Path;

use super::{Document, Files, Loaded, load};

/// The scenario that `text` is, which names no files; or all that is wrong with it.
pub(crate) fn load_text(text: &str) -> Result<Loaded, String> {
    let document = Document {
        path: Path::new("a.yaml"),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    load(document, &NoFiles).map_err(|error| error.to_string())
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("no file {}", path.display()))
    }
}
