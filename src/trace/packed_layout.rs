//! How a file of the binary form is laid out: a head, blocks of rows, a foot with the index.
//!
//! `docs/trace-format.md` has every byte of it. All numbers that have a fixed place are little
//! endian. A checksum (CRC-32) covers each part, so that what is damaged is told with its place.

use serde::{Deserialize, Serialize};

use super::accounting::Accounting;
use super::format::TraceFormat;
use crate::units::{Duration, Timestamp};

/// What a file begins with. As PNG's, it shows what was taken for text on the way.
pub(super) const MAGIC: &[u8; 8] = b"\x8dcmt\r\n\x1a\n";
/// The version that is read and written.
pub(super) const VERSION: u16 = 1;
/// Magic, version, whether the trace has a date, the date in nanoseconds since 1970, checksum.
pub(super) const HEAD: usize = 8 + 2 + 1 + 8 + 4;

/// What a block begins with, and the foot.
pub(super) const BLOCK: u8 = b'B';
pub(super) const FOOT: u8 = b'F';
/// After the mark: rows, bytes of names, bytes of rows, times of the first row and of the last,
/// checksum of names and rows, checksum of the head itself.
pub(super) const BLOCK_HEAD: usize = 4 + 4 + 4 + 8 + 8 + 4 + 4;
/// After the mark: bytes of the description, entries of the index, checksum of both, checksum of
/// the head itself.
pub(super) const FOOT_HEAD: usize = 4 + 4 + 4 + 4;
/// An entry of the index: offset of the block, time of its first row, rows, checksum.
pub(super) const ENTRY: usize = 8 + 8 + 4 + 4;
/// The offset of the foot, and the end's own mark.
pub(super) const TAIL: usize = 8 + 8;
pub(super) const END: &[u8; 8] = b"cmt-end\n";

/// A block is closed once it has so many bytes of rows or so many rows. Chosen: large enough that
/// its head does not matter, small enough that a block can be held in memory.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;
pub(super) const BLOCK_ROWS: u32 = 8_192;
/// What a reader refuses: no writer closes a block that late, since one row has at most a line of
/// one MiB.
pub(super) const MOST_BLOCK_BYTES: usize = 16 << 20;
pub(super) const MOST_DESCRIPTION_BYTES: usize = 1 << 20;

/// What a binary trace says of where it comes from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// What became of the rows of the source.
    pub accounting: Accounting,
    /// SHA-256 of the source, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
}

impl Provenance {
    /// Of a trace of so many rows that was made up, not recorded.
    pub fn made_up(rows: u64) -> Self {
        let mut accounting = Accounting::new(TraceFormat::Packed, super::version::TIME_UNIT);
        (accounting.read, accounting.emitted) = (rows, rows);
        Self { accounting, source_sha256: None }
    }
}

/// Where a block lies, and what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct IndexEntry {
    pub(super) offset: u64,
    pub(super) first: Duration,
    pub(super) rows: u32,
    pub(super) checksum: u32,
}

impl IndexEntry {
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&self.first.as_nanos().to_le_bytes());
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        bytes.extend_from_slice(&self.checksum.to_le_bytes());
    }

    pub(super) fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            offset: u64::from_le_bytes(take(bytes)?),
            first: Duration::from_nanos(u64::from_le_bytes(take(bytes)?)),
            rows: u32::from_le_bytes(take(bytes)?),
            checksum: u32::from_le_bytes(take(bytes)?),
        })
    }
}

/// Whether `head` ends in the checksum of what stands before it.
pub(super) fn is_sound(head: &[u8]) -> bool {
    let sealed = head.split_last_chunk();
    sealed.is_some_and(|(head, checksum)| crc32fast::hash(head) == u32::from_le_bytes(*checksum))
}

/// Appends to the head that begins at `from` its checksum.
pub(super) fn seal(bytes: &mut Vec<u8>, from: usize) {
    let checksum = crc32fast::hash(&bytes[from..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
}

/// Takes a number of a fixed size off the front of `bytes`.
pub(super) fn take<const SIZE: usize>(bytes: &mut &[u8]) -> Option<[u8; SIZE]> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*number)
}

/// The head of a trace that began at this instant, where that is known.
pub(super) fn head(began: Option<Timestamp>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.push(u8::from(began.is_some()));
    bytes.extend_from_slice(&began.map_or(0, Timestamp::as_nanos).to_le_bytes());
    seal(&mut bytes, 0);
    bytes
}
