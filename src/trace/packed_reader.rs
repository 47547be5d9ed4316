//! Reads the binary form of a trace: one block at a time, each checked before a row of it is handed
//! on, and the whole against the index at its end.
//!
//! A file that was cut off or damaged is told by the byte at which it does not go on.

use std::io::{self, Read};

use super::error::TraceErrorKind;
use super::packed_layout::{
    BLOCK, BLOCK_HEAD, END, ENTRY, FOOT, FOOT_HEAD, HEAD, IndexEntry, MAGIC, MOST_BLOCK_BYTES,
    MOST_DESCRIPTION_BYTES, Provenance, TAIL, VERSION, is_sound, take,
};
use super::packed_row::{BlockNames, take_row};
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Reads the rows of a binary trace.
pub(super) struct PackedReader {
    offset: u64,
    began: Option<Timestamp>,
    /// The block under way: its bytes, and where in them its next row is.
    block: Vec<u8>,
    next: usize,
    names: BlockNames,
    left: u32,
    /// Where the block begins.
    block_offset: u64,
    /// Of the row that was handed on last.
    latest: Duration,
    /// The time that the last row of the block has by its head.
    last: Duration,
    seen: Vec<IndexEntry>,
    provenance: Option<Provenance>,
}

impl PackedReader {
    /// Reads the head of a trace, whose magic is still to come.
    pub(super) fn new(input: &mut impl Read) -> Result<Self, Damage> {
        let mut reader = Self {
            offset: 0,
            began: None,
            block: Vec::new(),
            next: 0,
            names: BlockNames::default(),
            left: 0,
            block_offset: 0,
            latest: Duration::ZERO,
            last: Duration::ZERO,
            seen: Vec::new(),
            provenance: None,
        };
        let mut head = [0; HEAD];
        reader.fill(input, &mut head, "its head")?;
        let mut rest = &head[MAGIC.len()..];
        let version = take(&mut rest).map(u16::from_le_bytes).unwrap_or_default();
        if version != VERSION {
            let found = version.to_string();
            return Err(reader.at(0, TraceErrorKind::UnsupportedVersion { found }));
        }
        let [has_date] = take(&mut rest).unwrap_or_default();
        let date = take(&mut rest).map(i64::from_le_bytes).unwrap_or_default();
        if !is_sound(&head) || has_date > 1 {
            return Err(reader.damaged(0, "the head"));
        }
        reader.began = (has_date == 1).then(|| Timestamp::from_nanos(date));
        Ok(reader)
    }

    /// When the trace began, where that is known.
    pub(super) const fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// Where the trace comes from, once its end was reached.
    pub(super) const fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// Where the row that was handed on last has its block.
    pub(super) const fn block_offset(&self) -> u64 {
        self.block_offset
    }

    /// Reads the next row into `record`; false at the end, once all was found to be whole.
    pub(super) fn next(
        &mut self,
        input: &mut impl Read,
        record: &mut TraceRecord,
    ) -> Result<bool, Damage> {
        if self.left == 0 && !self.next_block(input)? {
            return Ok(false);
        }
        let mut rest = &self.block[self.next..];
        if take_row(&mut rest, record, self.latest, &self.names).is_none() {
            return Err(self.damaged(self.block_offset, "a row of the block"));
        }
        self.next = self.block.len() - rest.len();
        self.latest = record.at;
        self.left -= 1;
        if self.left == 0 && (self.next < self.block.len() || self.latest != self.last) {
            return Err(self.damaged(self.block_offset, "the last row of the block"));
        }
        Ok(true)
    }

    /// Passes over all blocks whose rows are all before `at`: how many rows, and the time of the
    /// last of them. To be called where the next row begins a block or none was read yet; what is
    /// passed over is checked all the same.
    pub(super) fn skip_blocks(
        &mut self,
        input: &mut impl Read,
        at: Duration,
    ) -> Result<(u64, Duration), Damage> {
        let (mut skipped, mut last) = (0, Duration::ZERO);
        while self.left == 0 && self.next_block(input)? {
            if self.last >= at {
                break;
            }
            skipped += u64::from(std::mem::take(&mut self.left));
            (self.latest, last) = (self.last, self.last);
        }
        Ok((skipped, last))
    }

    /// Reads the next block, or the foot: then false.
    fn next_block(&mut self, input: &mut impl Read) -> Result<bool, Damage> {
        if self.provenance.is_some() {
            return Ok(false);
        }
        self.block_offset = self.offset;
        let mut mark = [0];
        self.fill(input, &mut mark, "its foot")?;
        match mark[0] {
            BLOCK => {}
            FOOT => return self.read_foot(input).map(|()| false),
            _ => return Err(self.damaged(self.block_offset, "what should begin a block")),
        }
        let mut head = [0; BLOCK_HEAD];
        self.fill(input, &mut head, "a block")?;
        let mut rest = &head[..];
        let mut count = || take(&mut rest).map_or(0, u32::from_le_bytes);
        let (rows, of_names, of_rows) = (count(), count() as usize, count() as usize);
        let mut time =
            || Duration::from_nanos(take(&mut rest).map(u64::from_le_bytes).unwrap_or_default());
        let (first, last) = (time(), time());
        let checksum = take(&mut rest).map_or(0, u32::from_le_bytes);
        let is_whole = is_sound(&head) && of_names.saturating_add(of_rows) <= MOST_BLOCK_BYTES;
        if !is_whole || rows == 0 || first < self.latest {
            return Err(self.damaged(self.block_offset, "the head of a block"));
        }
        let mut block = std::mem::take(&mut self.block);
        block.resize(of_names + of_rows, 0);
        self.fill(input, &mut block, "a block")?;
        let found = crc32fast::hash(&block);
        let mut listed = &block[..of_names];
        let names = BlockNames::take(&mut listed).filter(|_| listed.is_empty());
        let names = names.filter(|_| found == checksum);
        self.names = names.ok_or_else(|| self.damaged(self.block_offset, "a block"))?;
        (self.block, self.next, self.left) = (block, of_names, rows);
        (self.latest, self.last) = (first, last);
        self.seen.push(IndexEntry { offset: self.block_offset, first, rows, checksum });
        Ok(true)
    }

    fn read_foot(&mut self, input: &mut impl Read) -> Result<(), Damage> {
        let start = self.block_offset;
        let mut head = [0; FOOT_HEAD];
        self.fill(input, &mut head, "its foot")?;
        let mut rest = &head[..];
        let mut count = || take(&mut rest).map_or(0, u32::from_le_bytes);
        let (described, entries, checksum) = (count() as usize, count() as usize, count());
        let is_whole = is_sound(&head) && described <= MOST_DESCRIPTION_BYTES;
        if !is_whole || entries != self.seen.len() {
            return Err(self.damaged(start, "the foot"));
        }
        let mut body = vec![0; described + entries * ENTRY];
        self.fill(input, &mut body, "its foot")?;
        let mut tail = [0; TAIL];
        self.fill(input, &mut tail, "its foot")?;
        let (description, mut index) = body.split_at(described);
        let is_index = self.seen.iter().all(|seen| IndexEntry::take(&mut index) == Some(*seen));
        let is_tail = tail[..8] == start.to_le_bytes() && tail[8..] == *END;
        if crc32fast::hash(&body) != checksum || !is_index || !is_tail {
            return Err(self.damaged(start, "the foot"));
        }
        let provenance = serde_json::from_slice(description);
        self.provenance = Some(provenance.map_err(|_| self.damaged(start, "the foot"))?);
        let mut more = [0];
        match read_some(input, &mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged(self.offset, "what follows its end")),
            Err(error) => Err(self.at(self.offset, TraceErrorKind::Read(error))),
        }
    }

    /// Reads as many bytes as there is room for.
    fn fill(
        &mut self,
        input: &mut impl Read,
        bytes: &mut [u8],
        part: &'static str,
    ) -> Result<(), Damage> {
        let mut filled = 0;
        while filled < bytes.len() {
            let offset = self.offset + filled as u64;
            match read_some(input, &mut bytes[filled..]) {
                Ok(0) => return Err(self.at(offset, TraceErrorKind::CutOffPacked { part })),
                Ok(read) => filled += read,
                Err(error) => return Err(self.at(offset, TraceErrorKind::Read(error))),
            }
        }
        self.offset += filled as u64;
        Ok(())
    }

    const fn damaged(&self, offset: u64, part: &'static str) -> Damage {
        self.at(offset, TraceErrorKind::Damaged { part })
    }

    #[expect(clippy::unused_self, reason = "reads as where this reader is")]
    const fn at(&self, offset: u64, kind: TraceErrorKind) -> Damage {
        Damage { offset, kind }
    }
}

/// What is wrong, and from which byte on.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) offset: u64,
    pub(super) kind: TraceErrorKind,
}

fn read_some(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::arb_record;
    use super::super::packed_writer::PackedWriter;
    use super::*;

    fn packed(began: Option<Timestamp>, records: &[TraceRecord]) -> Vec<u8> {
        let mut writer = PackedWriter::new(Vec::new(), began).unwrap();
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish(&Provenance::example()).unwrap()
    }

    fn read(mut bytes: &[u8]) -> Result<Vec<TraceRecord>, Damage> {
        let mut reader = PackedReader::new(&mut bytes)?;
        let mut records = Vec::new();
        let mut record = TraceRecord::default();
        while reader.next(&mut bytes, &mut record)? {
            records.push(record.clone());
        }
        assert_eq!(reader.provenance(), Some(&Provenance::example()));
        Ok(records)
    }

    fn sorted(mut records: Vec<TraceRecord>) -> Vec<TraceRecord> {
        records.sort_by_key(|record| record.at);
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(records in prop::collection::vec(arb_record(), 0..40)) {
            let records = sorted(records);
            prop_assert_eq!(read(&packed(None, &records)).unwrap(), records);
        }

        #[test]
        fn a_bit_that_is_turned_anywhere_is_found(
            records in prop::collection::vec(arb_record(), 1..8),
            place: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let mut bytes = packed(Some(Timestamp::from_nanos(5)), &sorted(records));
            let place = place.index(bytes.len() - MAGIC.len()) + MAGIC.len();
            bytes[place] ^= 1 << bit;
            let damage = read(&bytes).unwrap_err();
            prop_assert!(damage.offset <= place as u64, "{damage:?} for byte {place}");
        }
    }

    #[test]
    fn what_is_cut_off_anywhere_is_told_with_its_length() {
        let rows =
            [1, 5].map(|at| TraceRecord { at: Duration::from_nanos(at), ..TraceRecord::default() });
        let bytes = packed(None, &rows);
        for length in 0..bytes.len() {
            let Damage { offset, kind } = read(&bytes[..length]).unwrap_err();
            assert!(matches!(kind, TraceErrorKind::CutOffPacked { .. }), "{kind}");
            assert_eq!(offset, length as u64);
        }
        let more = read(&[bytes.clone(), vec![0]].concat()).unwrap_err();
        assert_eq!(more.offset, bytes.len() as u64);
    }

    #[test]
    fn blocks_before_a_time_are_passed_over_and_counted() {
        let rows: Vec<_> = (0..20_000)
            .map(|at| TraceRecord { at: Duration::from_nanos(at), ..TraceRecord::default() })
            .collect();
        let bytes = packed(None, &rows);
        let mut input = bytes.as_slice();
        let mut reader = PackedReader::new(&mut input).unwrap();
        // Blocks of 8,192 rows.
        let skipped = reader.skip_blocks(&mut input, Duration::from_nanos(17_000)).unwrap();
        assert_eq!(skipped, (16_384, Duration::from_nanos(16_383)));
        let mut record = TraceRecord::default();
        assert!(reader.next(&mut input, &mut record).unwrap());
        assert_eq!(record.at.as_nanos(), 16_384);
    }
}
