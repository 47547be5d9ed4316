//! The journal as lines of JSON, for other programs. Knows no file: whoever calls it says where to.

use std::io::Write;

use serde::Serialize;

use super::fold::walk;
use super::{Journal, StoreError};
use crate::engine::{Cause, Change, Digest, DurableState, Entry, Sealed};
use crate::units::ModelId;

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
