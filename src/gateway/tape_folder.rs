//! The files of a recording: which there are, how they are called, which of them go. Knows not what
//! is written into them but for how they begin.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::scenario::RecordPlan;
use crate::store::Lease;

/// The files of a recording.
#[derive(Clone, Debug)]
pub(super) struct TapeFolder {
    /// The file under way.
    file: PathBuf,
    /// How many of those before it stay; `None`: all.
    keep: Option<usize>,
}

impl TapeFolder {
    /// Those that `plan` means.
    ///
    /// # Errors
    /// What is in the place of the file is none of a recording, or cannot be looked at.
    pub(super) fn new(plan: &RecordPlan) -> io::Result<Self> {
        let keep = plan.keep.map(|keep| keep.get() as usize);
        let folder = Self { file: plan.file.clone(), keep };
        folder.holds_rows(&folder.file).map_err(|error| folder.told(&error))?;
        Ok(folder)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Takes the right to write them: rows of two gateways in one file would follow no order, and
    /// each would number and delete what the other has under way.
    ///
    /// # Errors
    /// Another gateway has it, or it cannot be asked for.
    pub(super) fn lease(&self) -> io::Result<Lease> {
        let name = self.file.file_name().unwrap_or_default();
        let file = self.path().canonicalize()?.join(name);
        Lease::take(&file)?.ok_or_else(|| {
            let kind = io::ErrorKind::ResourceBusy;
            io::Error::new(kind, "another gateway records into it: name another file")
        })
    }

    /// An error with the file's name.
    pub(super) fn told(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.file.display()))
    }

    /// Puts the file that `make` makes, under the path that it is given, in the place of the one
    /// under way. That one gets a number, unless it has no rows; the oldest go.
    ///
    /// # Errors
    /// It cannot be made, or not be put there: then all is as it was.
    pub(super) fn next<T>(&self, make: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
        let new = self.with(".new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let made = make(&new).and_then(|made| {
            if self.holds_rows(&self.file)? {
                self.number()?;
            }
            fs::rename(&new, &self.file)?;
            Ok(made)
        });
        match &made {
            Ok(_) => self.forget_oldest(),
            // It may be that there is none.
            Err(_) => drop(fs::remove_file(&new)),
        }
        made
    }

    /// Gives the file under way the next number. Never that of another file, also where others
    /// write here.
    fn number(&self) -> io::Result<()> {
        let last = self.numbers()?.into_iter().max().unwrap_or(0);
        for number in last + 1..=MOST {
            let numbered = self.with(&format!(".{number}"));
            if !numbered.try_exists()? {
                return fs::rename(&self.file, numbered);
            }
        }
        Err(io::Error::other(format!("its number would be above {MOST}; move the old files away")))
    }

    /// The numbers that files have.
    fn numbers(&self) -> io::Result<Vec<u32>> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let found = entry?.file_name();
            let number = || -> Option<u32> {
                found.to_str()?.strip_prefix(&name)?.strip_prefix('.')?.parse().ok()
            };
            numbers.extend(number().filter(|number| *number <= MOST));
        }
        Ok(numbers)
    }

    /// Deletes those that are too many.
    fn forget_oldest(&self) {
        let Some(keep) = self.keep else { return };
        let Ok(mut numbers) = self.numbers() else { return };
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        for number in numbers.into_iter().skip(keep) {
            let old = self.with(&format!(".{number}"));
            // What is none of ours stays.
            let deleted = self.holds_rows(&old).and_then(|_| fs::remove_file(&old));
            if let Err(error) = deleted {
                let file = old.display();
                tracing::warn!(%file, %error, "an old recording cannot be deleted");
            }
        }
    }

    /// Whether a file of a recording is there, with rows.
    ///
    /// # Errors
    /// Something else is there, or it cannot be read.
    fn holds_rows(&self, path: &Path) -> io::Result<bool> {
        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
            Ok(metadata) if !metadata.is_file() => return Err(strange()),
            Ok(_) => {}
        }
        let mut start = Vec::new();
        File::open(path)?.take(LONGEST_HEAD).read_to_end(&mut start)?;
        // One that a crash left empty has none.
        if start.is_empty() {
            return Ok(false);
        }
        if !start.starts_with(HEAD) {
            return Err(strange());
        }
        let line = start.iter().position(|byte| *byte == b'\n');
        Ok(line.is_some_and(|end| end + 1 < start.len()))
    }

    fn with(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(&self.file);
        name.push(end);
        name.into()
    }
}

fn strange() -> io::Error {
    io::Error::other("what is there is none of a recording: name another file")
}

/// How a file of a recording begins.
const HEAD: &[u8] = b"{\"coalmine_trace\":";
/// More than its first line has.
const LONGEST_HEAD: u64 = 256;
/// The highest number that is taken for one of ours: what is above is a date, or somebody else's.
const MOST: u32 = 999_999;
