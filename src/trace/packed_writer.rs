//! Writes the binary form of a trace, in constant memory but for 24 bytes a block.

use std::io::{self, Write};

use super::packed_layout::{
    BLOCK, BLOCK_BYTES, BLOCK_ROWS, END, FOOT, IndexEntry, Provenance, head, seal,
};
use super::packed_row::{BlockNames, put_row};
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Writes a binary trace to any writer, row by row.
pub struct PackedWriter<W> {
    output: W,
    offset: u64,
    index: Vec<IndexEntry>,
    block: Block,
    latest: Duration,
    /// A block as it is written.
    bytes: Vec<u8>,
}

/// The block that is being filled.
#[derive(Debug, Default)]
struct Block {
    names: BlockNames,
    rows: Vec<u8>,
    count: u32,
    first: Duration,
}

impl<W: Write> PackedWriter<W> {
    /// Writes the head of a trace that began at this instant, where that is known.
    ///
    /// # Errors
    /// The output does not take it.
    pub fn new(mut output: W, began: Option<Timestamp>) -> io::Result<Self> {
        let head = head(began);
        output.write_all(&head)?;
        let (index, block, bytes) = (Vec::new(), Block::default(), Vec::new());
        let offset = head.len() as u64;
        Ok(Self { output, offset, index, block, latest: Duration::ZERO, bytes })
    }

    /// Writes `record` as the next row.
    ///
    /// # Errors
    /// The output does not take it.
    ///
    /// # Panics
    /// The record is earlier than the one before it.
    pub fn write(&mut self, record: &TraceRecord) -> io::Result<()> {
        let (at, latest) = (record.at, self.latest);
        assert!(at >= latest, "a row at {at} cannot follow one at {latest}");
        let block = &mut self.block;
        if block.count == 0 {
            (block.first, self.latest) = (at, at);
        }
        put_row(&mut block.rows, record, at.saturating_sub(self.latest), &mut block.names);
        self.latest = at;
        block.count += 1;
        let is_full = block.rows.len() >= BLOCK_BYTES || block.count == BLOCK_ROWS;
        if is_full || !block.names.have_room() { self.close_block() } else { Ok(()) }
    }

    /// Writes what says where the trace comes from, and the index; flushes and hands the writer
    /// back.
    ///
    /// # Errors
    /// The output does not take it.
    pub fn finish(mut self, provenance: &Provenance) -> io::Result<W> {
        if self.block.count > 0 {
            self.close_block()?;
        }
        let description = serde_json::to_vec(provenance)?;
        let mut body = description.clone();
        for entry in &self.index {
            entry.put(&mut body);
        }
        let mut foot = vec![FOOT];
        foot.extend_from_slice(&(description.len() as u32).to_le_bytes());
        foot.extend_from_slice(&(self.index.len() as u32).to_le_bytes());
        foot.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        seal(&mut foot, 1);
        foot.extend_from_slice(&body);
        foot.extend_from_slice(&self.offset.to_le_bytes());
        foot.extend_from_slice(END);
        self.output.write_all(&foot)?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn close_block(&mut self) -> io::Result<()> {
        let Block { names, rows, count, first } = &mut self.block;
        let bytes = &mut self.bytes;
        bytes.clear();
        let mut listed = Vec::new();
        names.put(&mut listed);
        bytes.push(BLOCK);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&(listed.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&first.as_nanos().to_le_bytes());
        bytes.extend_from_slice(&self.latest.as_nanos().to_le_bytes());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&listed);
        checksum.update(rows);
        let checksum = checksum.finalize();
        bytes.extend_from_slice(&checksum.to_le_bytes());
        seal(bytes, 1);
        bytes.extend_from_slice(&listed);
        bytes.extend_from_slice(rows);
        self.output.write_all(bytes)?;
        let (offset, rows_in_it) = (self.offset, *count);
        self.index.push(IndexEntry { offset, first: *first, rows: rows_in_it, checksum });
        self.offset += bytes.len() as u64;
        names.clear();
        rows.clear();
        *count = 0;
        Ok(())
    }
}
