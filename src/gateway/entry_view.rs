//! A journal entry as the interface shows it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::{Change, Sealed};
use crate::store::ExportedEntry;

/// A journal entry. Times within `cause` and `change` are nanoseconds since 1970, as in the form
/// that is hashed.
#[derive(JsonSchema)]
#[schemars(rename = "JournalEntry")]
#[expect(dead_code, reason = "its fields are the schema of what entry_json makes")]
pub(super) struct EntryView {
    /// Counted from 1, without gaps over all models.
    number: u64,
    /// When it took effect, in RFC 3339.
    at: String,
    /// Whose deployment it changed; null: what all models share.
    model: Option<String>,
    /// Who wanted it, in a word.
    by: String,
    /// Who wanted it, with the evidence of a rule.
    cause: Value,
    /// What it changed.
    change: Value,
    /// The hash of the entry before.
    previous: String,
    /// Its hash.
    hash: String,
}

/// A rollback.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RollbackRecord")]
pub(super) struct RollbackView {
    /// When it took effect, in RFC 3339.
    at: String,
    /// Who wanted it, in a word.
    by: String,
    /// The version at fault; null: it was rolled back by command.
    version: Option<String>,
    /// Where the traffic went.
    target: String,
    /// The number of its journal entry.
    journal_entry: u64,
    /// Who wanted it, with the evidence of a rule.
    cause: Value,
}

/// An entry as other programs read it: the same, whether it comes from the disk or is told as it is
/// made.
pub(super) fn entry_json(sealed: &Sealed) -> Value {
    json!(ExportedEntry::from(sealed))
}

impl RollbackView {
    /// The rollback of an entry, if it is one.
    pub(super) fn of(sealed: &Sealed) -> Option<Self> {
        let entry = sealed.entry();
        let Change::RolledBack { version, target, .. } = &entry.change else { return None };
        Some(Self {
            at: entry.at.to_string(),
            by: entry.cause.by().to_owned(),
            version: version.as_ref().map(ToString::to_string),
            target: target.to_string(),
            journal_entry: entry.number,
            cause: json!(entry.cause),
        })
    }
}
