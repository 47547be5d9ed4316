//! The rows of a trace in the binary form, and the bytes that they are read from.

use std::io::{BufRead, Read, Seek};

use super::bytes::Bytes;
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::packed_layout::Provenance;
use super::packed_reader::{Damage, PackedReader};
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Reads the rows of a binary trace.
pub(super) struct PackedRows<R: BufRead> {
    bytes: Bytes<R>,
    reader: PackedReader,
    /// How many rows were read or passed over: the number of the last.
    row: u64,
}

impl<R: BufRead> PackedRows<R> {
    /// Reads the head of `bytes`, which have `begun` so.
    pub(super) fn new(mut bytes: Bytes<R>, begun: &[u8]) -> Result<Self, TraceError> {
        let reader = PackedReader::new(&mut begun.chain(&mut bytes))?;
        Ok(Self { bytes, reader, row: 0 })
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self) -> Result<(), TraceError>
    where
        R: Seek,
    {
        let unreadable = |error| TraceError::new(TracePlace::Byte(0), TraceErrorKind::Read(error));
        self.bytes.rewind().map_err(unreadable)?;
        self.reader = PackedReader::new(&mut self.bytes)?;
        self.row = 0;
        Ok(())
    }

    pub(super) fn into_input(self) -> R {
        self.bytes.into_input()
    }

    /// The row that was read last; before the first, where its block is to begin.
    pub(super) const fn place(&self) -> TracePlace {
        match self.row {
            0 => TracePlace::Byte(self.reader.block_offset()),
            row => TracePlace::Row(row),
        }
    }

    pub(super) const fn began(&self) -> Option<Timestamp> {
        self.reader.began()
    }

    pub(super) const fn provenance(&self) -> Option<&Provenance> {
        self.reader.provenance()
    }

    pub(super) fn sha256(&self) -> Option<String> {
        self.reader.provenance().map(|_| self.bytes.sha256())
    }

    /// Reads the next row into `record`: its time since the trace began, as an instant.
    pub(super) fn next(
        &mut self,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceError> {
        if !self.reader.next(&mut self.bytes, record)? {
            return Ok(None);
        }
        self.row += 1;
        match i64::try_from(record.at.as_nanos()) {
            Ok(nanos) => Ok(Some(Timestamp::from_nanos(nanos))),
            Err(_) => Err(Damage {
                offset: self.reader.block_offset(),
                kind: TraceErrorKind::Damaged { part: "the time of a row" },
            }
            .into()),
        }
    }

    /// Passes over the blocks whose rows are all before `at`: how many rows, and when the last of
    /// them was sent.
    pub(super) fn skip_before(&mut self, at: Duration) -> Result<(u64, Duration), TraceError> {
        let (skipped, last) = self.reader.skip_blocks(&mut self.bytes, at)?;
        self.row += skipped;
        Ok((skipped, last))
    }
}

impl From<Damage> for TraceError {
    fn from(damage: Damage) -> Self {
        Self::new(TracePlace::Byte(damage.offset), damage.kind)
    }
}
