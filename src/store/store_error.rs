//! Why a journal cannot be read or appended to. Knows nothing of paths: where the journal lies is
//! told by who opened it.

use std::io;
use std::path::PathBuf;

use crate::engine::{BrokenJournal, Digest};

/// Why a journal cannot be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An entry cannot be trusted.
    #[error(transparent)]
    Broken(#[from] BrokenJournal),
    /// A column beside an entry says something else than the entry.
    #[error("journal entry {place}: the column {column} is {found}; the entry says {expected}")]
    Column {
        /// The entry at fault, counted from 1.
        place: u64,
        /// The column's name.
        column: &'static str,
        /// What it holds, cut off where it is long.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// Entries are missing at the end, or were put there without the head being told.
    #[error(
        "journal entry {}: the journal ends with entry {found}, but its head states {stated} as \
         the last: the tail was cut off or added to",
        found.min(stated) + 1
    )]
    Tail {
        /// The number of the last entry that is there.
        found: u64,
        /// The number of the last entry that was appended.
        stated: u64,
    },
    /// The last entry is another than the one that was appended.
    #[error(
        "journal entry {place}: it has the hash {found}, but the journal's head states {stated}"
    )]
    HeadHash {
        /// The last entry.
        place: u64,
        /// Its hash.
        found: Digest,
        /// The hash of the entry that was appended last.
        stated: Digest,
    },
    /// The journal has no head: what would say where it ends was taken away.
    #[error("the journal has no head; its table must hold one row")]
    NoHead,
    /// The entry does not follow on the last one: somebody else has appended meanwhile.
    #[error(
        "entry {number} follows on entry {} with hash {previous}, but the journal's last is entry \
         {last} with hash {hash}: another writer has appended",
        number.saturating_sub(1)
    )]
    Behind {
        /// The first entry that was to be appended.
        number: u64,
        /// The hash that it follows on.
        previous: Digest,
        /// The number of the journal's last entry; 0: it has none.
        last: u64,
        /// The hash of the journal's last entry.
        hash: Digest,
    },
    /// A reply is kept under this key already.
    #[error("a reply is kept already under the idempotency key {key:?}")]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// The journal was opened for reading.
    #[error("the journal was opened for reading only")]
    ReadOnly,
    /// The file's pages are no longer those of a database.
    #[error("the file is damaged: {0}")]
    Damaged(#[source] sqlx::Error),
    /// The database refused for another reason: a full disk, a lock held by hand.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
    /// A file of the journal was deleted, moved or replaced while it was open.
    #[error(
        "{} {why}; put it back, or restart the gateway to go on from what is there",
        path.display()
    )]
    Displaced {
        /// Which file.
        path: PathBuf,
        /// What became of it.
        why: String,
    },
    /// The file cannot be opened again.
    #[error("the file cannot be opened again: {why}")]
    Reopen {
        /// Why.
        why: String,
    },
    /// Exported lines could not be written.
    #[error("exported entries could not be written: {0}")]
    Write(#[from] io::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse().ok()).unwrap_or(0_u32);
        // An extended result code has the primary one in its lowest byte.
        match code & 0xff {
            SQLITE_CORRUPT | SQLITE_NOTADB => Self::Damaged(error),
            _ => Self::Database(error),
        }
    }
}

/// <https://www.sqlite.org/rescode.html#corrupt>
const SQLITE_CORRUPT: u32 = 11;
/// <https://www.sqlite.org/rescode.html#notadb>
const SQLITE_NOTADB: u32 = 26;
