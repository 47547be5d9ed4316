//! The journal as lines of JSON, for other programs. Knows no file: whoever calls it says where to.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::fold::walk;
use super::{Journal, StoreError};
use crate::engine::{Cause, Change, Digest, DurableState, Entry, SealError, Sealed};
use crate::units::{LiteralError, ModelId, Timestamp};

/// A journal entry, whole, as other programs read it.
///
/// Times within the change and the cause are nanoseconds since 1970, as in the canonical form.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedEntry<'a> {
    /// Counted from 1, without gaps.
    pub number: u64,
    /// When it took effect, in RFC 3339.
    pub at: String,
    /// Whose deployment it changed; null: what all models share.
    pub model: Option<&'a ModelId>,
    /// Who wanted it, in a word.
    pub by: &'a str,
    /// Who wanted it, with the evidence of a trigger.
    pub cause: &'a Cause,
    /// What it changed.
    pub change: &'a Change,
    /// The hash of the entry before; zeros before the first.
    pub previous: Digest,
    /// The SHA-256 of its canonical form.
    pub hash: Digest,
}

impl<'a> From<&'a Sealed> for ExportedEntry<'a> {
    fn from(sealed: &'a Sealed) -> Self {
        let Entry { number, at, model, cause, change, previous } = sealed.entry();
        Self {
            number: *number,
            at: at.to_string(),
            model: model.as_ref(),
            by: cause.by(),
            cause,
            change,
            previous: *previous,
            hash: sealed.hash(),
        }
    }
}

/// Why an exported entry cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no entry, or one of another version of coalmine.
    #[error(
        "it is no journal entry that coalmine {version} knows: {0}",
        version = env!("CARGO_PKG_VERSION")
    )]
    Form(#[from] serde_json::Error),
    /// Its time is none.
    #[error(transparent)]
    Time(#[from] LiteralError),
    /// It is not what was sealed.
    #[error("the entry was changed after it was sealed: {0}")]
    Seal(#[from] SealError),
}

/// What is read of an exported entry. `by` says nothing that its cause does not say.
#[derive(Deserialize)]
struct Exported {
    number: u64,
    at: String,
    model: Option<ModelId>,
    cause: Cause,
    change: Change,
    previous: Digest,
    hash: Digest,
}

/// The entry that `json`, an [`ExportedEntry`] as JSON, was made from: its hash is worked out anew.
///
/// # Errors
/// It is no entry of this version, or not the one that was sealed.
pub fn import_entry(json: &str) -> Result<Sealed, ImportError> {
    let Exported { number, at, model, cause, change, previous, hash } = serde_json::from_str(json)?;
    let at: Timestamp = at.parse()?;
    Ok(Sealed::stated(Entry { number, at, model, cause, change, previous }, hash)?)
}

/// Writes the journal to `out`, one line of JSON per entry, oldest first, each verified before it
/// is written; answers the state that they lead to.
///
/// Rules that name a Slack webhook are written with its whole URL.
///
/// # Errors
/// As [`fold`](super::fold), after the lines of the entries before the one at fault; or `out`
/// refuses.
pub async fn export_lines<J: Journal>(
    journal: &mut J,
    out: &mut dyn Write,
) -> Result<DurableState, StoreError> {
    let state = walk(journal, |sealed| {
        let mut line = serde_json::to_vec(&ExportedEntry::from(sealed))
            .map_err(|error| StoreError::Write(error.into()))?;
        line.push(b'\n');
        Ok(out.write_all(&line)?)
    });
    let state = state.await?;
    out.flush()?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::specimen::sealed;
    use super::super::{SqliteJournal, fold};
    use super::*;

    #[tokio::test]
    async fn a_line_holds_the_whole_entry_and_the_lines_lead_to_the_same_state() {
        let chain = sealed(5);
        let mut journal = SqliteJournal::in_memory().await.unwrap();
        journal.append(&chain.iter().collect::<Vec<_>>(), None).await.unwrap();
        let mut out = Vec::new();
        let state = export_lines(&mut journal, &mut out).await.unwrap();
        assert_eq!(state, fold(&mut journal).await.unwrap());

        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(
            lines[2],
            json!({
                "number": 3,
                "at": "2023-11-14T22:13:23Z",
                "model": "org/gpt-4",
                "by": "alice \"ä\"",
                "cause": {"command": {"by": "alice \"ä\""}},
                "change": {"tagged": {
                    "tag": "stable", "version": "v1", "previous": null, "preserve_previous": true,
                }},
                "previous": chain[1].hash(),
                "hash": chain[2].hash(),
            })
        );
    }

    #[test]
    fn an_exported_entry_is_read_back_and_a_changed_one_refused() {
        for sealed in sealed(5) {
            let text = serde_json::to_string(&ExportedEntry::from(&sealed)).unwrap();
            assert_eq!(import_entry(&text).unwrap(), sealed);
            let changed = text.replace("alice", "malice");
            assert!(matches!(import_entry(&changed), Err(ImportError::Seal(_))), "{changed}");
        }
        let timeless = r#"{"number": 1, "at": "noon", "model": null, "cause": "restart",
            "change": "bake_over", "previous": "", "hash": ""}"#;
        assert!(matches!(import_entry(timeless), Err(ImportError::Form(_))), "no hashes");
        assert!(matches!(import_entry("{}"), Err(ImportError::Form(_))));
    }

    #[tokio::test]
    async fn what_cannot_be_written_ends_the_export() {
        let chain = sealed(1);
        let mut journal = SqliteJournal::in_memory().await.unwrap();
        journal.append(&[&chain[0]], None).await.unwrap();
        let mut room = [0; 10];
        let refused = export_lines(&mut journal, &mut room.as_mut_slice()).await;
        assert!(matches!(refused, Err(StoreError::Write(_))));
    }
}
