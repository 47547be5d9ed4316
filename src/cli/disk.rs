//! Files: read for scenarios and traces, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use super::terminal::Failure;
use crate::scenario::Files;
use crate::workload::TraceInput;

/// The file system and the environment, as scenarios see them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|error| error.to_string())
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var_os(name)?.into_string().ok()
    }
}

/// The working directory, an absolute path.
pub(super) fn working_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir()
        .map_err(|error| Failure::internal(format!("error: no working directory: {error}")))
}

/// Opens a trace for reading.
pub(super) fn open_trace(path: &Path) -> io::Result<TraceInput> {
    Ok(Box::new(BufReader::with_capacity(READ_AHEAD, File::open(path)?)))
}

/// Writes a file under a temporary name beside it and renames it: a reader sees the old content or
/// the new one, and a failure leaves nothing behind. What a link leads to is written, and a pipe or
/// a device is written to, not replaced.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let resolved = path.canonicalize();
    let path = resolved.as_deref().unwrap_or(path);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What could not be written must not lie about; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Makes a folder, and makes sure that files can be written into it.
pub(super) fn check_writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".coalmine.{}.tmp", std::process::id()));
    File::create(&probe)?;
    fs::remove_file(probe)
}

/// Writes a file that does not exist yet, and its folder. Whether it did not. A failure leaves
/// nothing behind.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = match File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    };
    let written = file.write_all(bytes);
    if written.is_err() {
        remove_written(path);
    }
    written.map(|()| true)
}

/// Removes a file that was just written, because what it belongs to could not be. That it cannot
/// be removed is not told: the first error is.
pub(super) fn remove_written(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Chosen: large enough that reading a trace is not a matter of system calls.
pub(super) const READ_AHEAD: usize = 256 * 1024;
