//! A journal entry as the interface shows it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::notices::cause_text;
use crate::engine::{Cause, Change, Sealed};
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
    /// Why, in words: what a rule saw, or whose command it was.
    why: String,
    /// Who wanted it, with the evidence of a rule.
    cause: Value,
}

/// A rollback that a rule wanted and that had nowhere to go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RollbackRefusal")]
pub(super) struct RefusalView {
    /// When, in RFC 3339.
    at: String,
    /// The rule.
    by: String,
    /// The version at fault, which kept its traffic.
    version: String,
    /// Why there was no version to go to, in words.
    refused: &'static str,
    /// The number of its journal entry.
    journal_entry: u64,
    /// What the rule saw, in words.
    why: String,
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
            why: cause_text(&entry.cause),
            cause: json!(entry.cause),
        })
    }
}

impl RefusalView {
    /// The refusal of an entry, if it is one.
    pub(super) fn of(sealed: &Sealed) -> Option<Self> {
        let entry = sealed.entry();
        let (Change::Notified { refused: Some(why), .. }, Cause::Trigger(evidence)) =
            (&entry.change, &entry.cause)
        else {
            return None;
        };
        Some(Self {
            at: entry.at.to_string(),
            by: evidence.trigger.clone(),
            version: evidence.version.to_string(),
            refused: why.words(),
            journal_entry: entry.number,
            why: cause_text(&entry.cause),
        })
    }

    /// What somebody who is woken by it must know.
    pub(super) fn text(&self) -> String {
        let Self { at, by, version, refused, journal_entry, why } = self;
        format!(
            "at {at} the rule {by} wanted to roll {version} back and could not: {refused}; \
             {version} keeps its traffic ({why}; journal entry {journal_entry})"
        )
    }
}
