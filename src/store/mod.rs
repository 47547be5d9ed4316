//! Where the engine's journal is kept, and read back and verified.
//!
//! A store appends the entries that the engine has sealed, gives them back in pages, and folds them
//! into the state that an engine is restored from. It knows nothing of HTTP, of the gateway or of a
//! clock: whoever drives it passes the time in.
//!
//! # What is promised
//!
//! - **What has been appended is on disk** when [`Journal::append`] returns, all of it or nothing,
//!   together with the reply that a repeat of the same command is answered with.
//! - **One writer.** A second process that would serve from the same file is refused as it opens
//!   it; an append that does not follow on the last entry is refused whatever went before.
//! - **The canonical bytes are the truth.** What else a row says is there for people's SQL, and is
//!   compared with the bytes whenever the row is read.
//! - **Nothing is skipped.** An entry that was changed, left out, put in, moved or cut off ends the
//!   reading with its place. The chain alone cannot tell where a journal ends, so the head is kept
//!   beside it, written in the transaction of the last entry.
//!
//! The chain holds against accidents and against hands that do not know it. Who can write the file
//! and seals every entry anew, the head included, is found only by a hash kept elsewhere:
//! [`Head::hash`], or any line of [`export_lines`].

mod change_text;
mod entry_line;
mod entry_row;
mod export;
mod fold;
mod journal;
mod lease;
mod open_error;
mod place;
mod reply;
mod schema;
#[cfg(test)]
mod specimen;
mod sqlite;
mod sqlite_file;
mod store_error;

pub use entry_line::entry_line;
pub use export::{ExportedEntry, ImportError, export_lines, import_entry};
pub use fold::{fold, walk};
pub use journal::{Head, Journal};
pub use lease::Lease;
pub use open_error::{OpenError, OpenFault};
pub use reply::{REPLY_LIFETIME, Reply};
pub use sqlite::SqliteJournal;
pub use store_error::StoreError;
