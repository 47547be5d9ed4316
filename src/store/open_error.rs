//! Why a file cannot be opened as a journal: where, and what is wrong with it.

use std::io;
use std::path::PathBuf;

use super::StoreError;

/// A file that cannot be opened as a journal.
#[derive(Debug, thiserror::Error)]
#[error("the journal {} cannot be opened: {fault}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    #[source]
    pub fault: OpenFault,
}

/// What can be wrong with a file that is to be opened as a journal.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The path ends in no file's name.
    #[error("the path ends in no file name")]
    NoName,
    /// SQLite takes paths that are text.
    #[error("the path is no text in UTF-8, which SQLite's paths must be")]
    NoText,
    /// Another process, or another part of this one, appends to it.
    #[error("it is in use by another gateway; one at a time may serve from a journal")]
    InUse,
    /// The file is empty. A journal never is: it appears with its tables or not at all.
    #[error(
        "the file is empty, which no journal ever is: it was truncated, or made by other hands; \
         restore it, or remove it to begin a new journal"
    )]
    Empty,
    /// It is a file of another kind.
    #[error("it is no journal of coalmine but a file of another kind")]
    Foreign,
    /// It was written by a later release.
    #[error("its schema is {found}, of a later release; this one knows schemas 1 to {known}")]
    Newer {
        /// Its schema.
        found: i64,
        /// The latest schema that this release knows.
        known: i64,
    },
    /// The database cannot keep a log of its own beside the file.
    #[error("its log mode is {found:?} and cannot be set to \"wal\"; a local disk is needed")]
    NoLog {
        /// The mode that it has.
        found: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Files(#[from] io::Error),
    /// Its content cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for OpenFault {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
