//! A file of rows: what a shard leaves behind, and what a study that was interrupted goes on from.
//!
//! Lines of JSON: first which study the rows are of, then a row on each line, last how many there
//! were and the digest of all that stands before. Without that last line, or with another digest,
//! a file is torn, and nothing of it is used.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::row::Row;
use super::shard::Shard;

/// Rows of a study.
#[derive(Clone, PartialEq, Debug)]
pub struct RowsFile {
    /// The hash of the study's plan.
    pub plan: String,
    /// The shard that they are of: the only one of a study that is not divided.
    pub shard: Shard,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Why bytes are no rows that can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowsError {
    /// They begin otherwise.
    #[error("it is no file of rows that `coalmine sweep` has written")]
    Foreign,
    /// Their format is another.
    #[error("its format is {found}, and this version reads {known}: make it with the same version")]
    Unknown {
        /// The number in the file.
        found: u64,
        /// The number that can be read.
        known: u64,
    },
    /// Something of them is missing or was changed.
    #[error("it is torn: {why}; make it anew")]
    Torn {
        /// What is wrong.
        why: String,
    },
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    coalmine_sweep_rows: u64,
    plan: String,
    shard: Shard,
}

/// What tells the first line from those of other files.
#[derive(Deserialize)]
struct Probe {
    coalmine_sweep_rows: u64,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    rows: u64,
    sha256: String,
}

impl RowsFile {
    /// The number of the format that this version writes and reads. It is part of every plan's
    /// hash: rows of another format are those of another study.
    pub const SCHEMA: u64 = 1;

    /// The bytes of the file. Equal rows give equal bytes.
    pub fn to_bytes<'a>(
        plan: &str,
        shard: Shard,
        rows: impl IntoIterator<Item = &'a Row>,
    ) -> Vec<u8> {
        let head = Head { coalmine_sweep_rows: Self::SCHEMA, plan: plan.to_owned(), shard };
        let mut bytes = Vec::new();
        push_line(&mut bytes, &head);
        let mut count = 0;
        for row in rows {
            push_line(&mut bytes, row);
            count += 1;
        }
        let foot = Foot { rows: count, sha256: sha256(&bytes) };
        push_line(&mut bytes, &foot);
        bytes
    }

    /// The rows that the bytes of a file hold.
    ///
    /// # Errors
    /// They are no rows, of another format, or torn.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RowsError> {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Probe { coalmine_sweep_rows: found } =
            serde_json::from_slice(first).map_err(|_| RowsError::Foreign)?;
        if found != Self::SCHEMA {
            return Err(RowsError::Unknown { found, known: Self::SCHEMA });
        }
        let torn = |why: String| RowsError::Torn { why };
        let Head { plan, shard, .. } =
            serde_json::from_slice(first).map_err(|error| torn(error.to_string()))?;
        Shard::new(shard.index, shard.of).map_err(|error| torn(error.to_string()))?;
        let cut_off = || torn("its last line is missing".to_owned());
        let whole = bytes.strip_suffix(b"\n").ok_or_else(cut_off)?;
        let last = whole.iter().rposition(|byte| *byte == b'\n').ok_or_else(cut_off)? + 1;
        let foot: Foot = serde_json::from_slice(&whole[last..]).map_err(|_| cut_off())?;
        if foot.sha256 != sha256(&bytes[..last]) {
            return Err(torn("its content is not that which its last line was made of".to_owned()));
        }
        let body = &bytes[first.len() + 1..last];
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).zip(2_u64..);
        let row = |(line, number): (&[u8], u64)| {
            serde_json::from_slice(line).map_err(|error| torn(format!("line {number}: {error}")))
        };
        let rows: Vec<Row> = lines.map(row).collect::<Result<_, _>>()?;
        match rows.len() as u64 == foot.rows {
            true => Ok(Self { plan, shard, rows }),
            false => Err(torn(format!("of {} rows there are {}", foot.rows, rows.len()))),
        }
    }
}

/// The SHA-256 of bytes in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn push_line(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *bytes, value).expect("numbers and texts are written into memory");
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::example::row;
    use super::*;

    fn bytes(count: u64) -> Vec<u8> {
        let rows: Vec<Row> = (0..count).map(|seed| row(0, seed, seed % 2 == 0)).collect();
        RowsFile::to_bytes("0123", Shard { index: 1, of: 3 }, &rows)
    }

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        for count in [0, 1, 7] {
            let file = RowsFile::from_bytes(&bytes(count)).unwrap();
            assert_eq!((file.plan.as_str(), file.shard), ("0123", Shard { index: 1, of: 3 }));
            assert_eq!(file.rows.len() as u64, count);
            assert_eq!(RowsFile::to_bytes(&file.plan, file.shard, &file.rows), bytes(count));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_torn() {
        let whole = bytes(3);
        let head = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for end in 0..whole.len() {
            let error = RowsFile::from_bytes(&whole[..end]).unwrap_err();
            assert_eq!(matches!(error, RowsError::Torn { .. }), end >= head, "{end}: {error}");
        }
    }

    #[test]
    fn a_file_with_any_byte_changed_is_not_used() {
        let whole = bytes(2);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(RowsFile::from_bytes(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn other_files_and_formats_are_told_apart() {
        assert_eq!(RowsFile::from_bytes(b"{\"schema\": 1}\n"), Err(RowsError::Foreign));
        assert_eq!(RowsFile::from_bytes(b""), Err(RowsError::Foreign));
        let newer = String::from_utf8(bytes(1)).unwrap().replace("_rows\":1", "_rows\":2");
        let error = RowsFile::from_bytes(newer.as_bytes()).unwrap_err();
        assert_eq!(error, RowsError::Unknown { found: 2, known: 1 });
    }
}
