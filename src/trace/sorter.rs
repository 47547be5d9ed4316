//! Rows in the order of their times, whatever order they come in, in constant memory.
//!
//! Most logs are in order or nearly so: what comes is held back for a while, if its format makes
//! that worth it, and written in order. What comes later than that is put aside, sorted in runs,
//! and merged with the rest at the end. Rows of one instant keep the order in which they came.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, Read, Seek, Write};

use super::packed_layout::Provenance;
use super::packed_reader::PackedReader;
use super::packed_writer::PackedWriter;
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Where rows are kept that have no room in memory.
pub trait Scratch {
    /// A file that can be written and read again.
    type File: Read + Write + Seek;

    /// A new, empty one.
    ///
    /// # Errors
    /// There is none to be had.
    fn file(&mut self) -> io::Result<Self::File>;
}

/// Sorts rows into a binary trace.
pub struct Sorter<'a, S: Scratch> {
    scratch: &'a mut S,
    zero: Zero,
    /// How many rows are held back.
    lookahead: usize,
    held: BinaryHeap<Reverse<Held>>,
    count: u64,
    main: Option<Main<S::File>>,
    late: Vec<(Timestamp, TraceRecord)>,
    runs: Vec<S::File>,
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
}

/// What the times of the trace count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zero {
    /// 1970 on the scale of the source, which is where the trace began: on this date, if any.
    Fixed(Option<Timestamp>),
    /// The first row, whose time is a date.
    FirstDate,
    /// The first row, whose time is no date.
    FirstRow,
}

impl Zero {
    /// The beginning on the scale of the source, and its date, of a trace with this `first` row.
    const fn of(self, first: Timestamp) -> (Timestamp, Option<Timestamp>) {
        match self {
            Self::Fixed(began) => (Timestamp::EPOCH, began),
            Self::FirstDate => (first, Some(first)),
            Self::FirstRow => (first, None),
        }
    }
}

/// What is written in order as it comes.
struct Main<F> {
    writer: PackedWriter<F>,
    zero: Timestamp,
    latest: Timestamp,
}

/// A row that is held back: by its time, then by the order in which rows came.
struct Held {
    at: Timestamp,
    number: u64,
    record: TraceRecord,
}

/// A sorted trace.
#[derive(Debug)]
pub struct Sorted<F> {
    /// The binary trace, at its end.
    pub file: F,
    /// From the first row to the last.
    pub span: Duration,
    /// The date at which it began, where that is known.
    pub began: Option<Timestamp>,
}

impl<'a, S: Scratch> Sorter<'a, S> {
    /// Sorts rows whose times count from `zero`, holding some back where `they_stray`.
    pub fn new(scratch: &'a mut S, zero: Zero, they_stray: bool) -> Self {
        Self {
            scratch,
            zero,
            lookahead: if they_stray { HELD } else { 0 },
            held: BinaryHeap::new(),
            count: 0,
            main: None,
            late: Vec::new(),
            runs: Vec::new(),
            earliest: None,
            latest: None,
        }
    }

    /// Takes in a row that was sent `at` on the scale of the source, and leaves nothing of it.
    ///
    /// # Errors
    /// A file of the scratch fails.
    #[inline]
    pub fn push(&mut self, at: Timestamp, record: &mut TraceRecord) -> io::Result<()> {
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        self.latest = Some(self.latest.map_or(at, |latest| latest.max(at)));
        if self.main.as_ref().is_some_and(|main| at < main.latest) {
            self.late.push((at, std::mem::take(record)));
            return if self.late.len() == RUN { self.put_aside() } else { Ok(()) };
        }
        if self.lookahead == 0 {
            return self.write(at, record);
        }
        let (number, record) = (self.count, std::mem::take(record));
        self.count += 1;
        self.held.push(Reverse(Held { at, number, record }));
        if self.held.len() > self.lookahead { self.release() } else { Ok(()) }
    }

    /// The whole trace, said to come from where `provenance` says.
    /// `None` without any row.
    ///
    /// # Errors
    /// A file of the scratch fails.
    pub fn finish(mut self, provenance: &Provenance) -> io::Result<Option<Sorted<S::File>>> {
        while !self.held.is_empty() {
            self.release()?;
        }
        let (Some(first), Some(last)) = (self.earliest, self.latest) else { return Ok(None) };
        let Some(main) = self.main.take() else { return Ok(None) };
        let (_, began) = self.zero.of(first);
        let file = if self.late.is_empty() && self.runs.is_empty() {
            main.writer.finish(provenance)?
        } else {
            self.merge(main, first, provenance)?
        };
        Ok(Some(Sorted { file, span: last.since(first), began }))
    }

    fn release(&mut self) -> io::Result<()> {
        match self.held.pop() {
            Some(Reverse(Held { at, mut record, .. })) => self.write(at, &mut record),
            None => Ok(()),
        }
    }

    /// Writes the next row of those that are in order.
    fn write(&mut self, at: Timestamp, record: &mut TraceRecord) -> io::Result<()> {
        let main = match &mut self.main {
            Some(main) => main,
            None => {
                let (zero, began) = self.zero.of(at);
                let writer = PackedWriter::new(self.scratch.file()?, began)?;
                self.main.insert(Main { writer, zero, latest: at })
            }
        };
        main.latest = at;
        record.at = at.since(main.zero);
        main.writer.write(record)
    }

    /// Writes the late rows as a run of their own.
    fn put_aside(&mut self) -> io::Result<()> {
        self.late.sort_by_key(|(at, _)| *at);
        let mut writer = PackedWriter::new(self.scratch.file()?, None)?;
        for (at, mut record) in self.late.drain(..) {
            record.at = on_line(at);
            writer.write(&record)?;
        }
        self.runs.push(writer.finish(&unread())?);
        Ok(())
    }

    /// Writes what was in order and what came late as one trace whose first row is at `first`.
    fn merge(
        mut self,
        main: Main<S::File>,
        first: Timestamp,
        provenance: &Provenance,
    ) -> io::Result<S::File> {
        self.late.sort_by_key(|(at, _)| *at);
        let on_time = main.writer.finish(&unread())?;
        // Of rows of one instant those on time came first, then the runs in their order.
        let mut runs = vec![Run::of_file(on_time, main.zero)?];
        for file in self.runs {
            runs.push(Run::of_file(file, ON_LINE)?);
        }
        runs.push(Run { rows: Rows::Held(self.late.into()), next: None });
        let mut heap = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            heap.extend(run.advance()?.map(|at| Reverse((at, place))));
        }
        let (zero, began) = self.zero.of(first);
        let mut writer = PackedWriter::new(self.scratch.file()?, began)?;
        while let Some(Reverse((at, place))) = heap.pop() {
            if let Some(mut record) = runs[place].next.take() {
                record.at = at.since(zero);
                writer.write(&record)?;
            }
            heap.extend(runs[place].advance()?.map(|at| Reverse((at, place))));
        }
        writer.finish(provenance)
    }
}

/// Rows in order, of which one is looked at.
struct Run<F> {
    rows: Rows<F>,
    next: Option<TraceRecord>,
}

enum Rows<F> {
    File { file: io::BufReader<F>, reader: Box<PackedReader>, zero: Timestamp },
    Held(VecDeque<(Timestamp, TraceRecord)>),
}

impl<F: Read + Seek> Run<F> {
    /// The rows of a file that was just written, whose times count from `zero`.
    fn of_file(mut file: F, zero: Timestamp) -> io::Result<Self> {
        file.rewind()?;
        let mut file = io::BufReader::with_capacity(READ_AHEAD, file);
        let reader = PackedReader::new(&mut file).map_err(|damage| scratch_error(&damage.kind))?;
        Ok(Self { rows: Rows::File { file, reader: Box::new(reader), zero }, next: None })
    }

    /// Looks at the next row: its time on the scale of the source.
    fn advance(&mut self) -> io::Result<Option<Timestamp>> {
        match &mut self.rows {
            Rows::Held(rows) => Ok(rows.pop_front().map(|(at, record)| {
                self.next = Some(record);
                at
            })),
            Rows::File { file, reader, zero } => {
                let mut record = TraceRecord::default();
                let is_row =
                    reader.next(file, &mut record).map_err(|damage| scratch_error(&damage.kind))?;
                let at = off_line(*zero, record.at);
                self.next = is_row.then_some(record);
                Ok(is_row.then_some(at))
            }
        }
    }
}

fn scratch_error(why: &impl ToString) -> io::Error {
    io::Error::other(format!("a temporary file cannot be read again: {}", why.to_string()))
}

/// What a temporary file says of where it comes from, which nobody reads.
fn unread() -> Provenance {
    Provenance::made_up(0)
}

/// The earliest instant that there is: times since then have no sign.
const ON_LINE: Timestamp = Timestamp::from_nanos(i64::MIN);

/// The time since [`ON_LINE`].
const fn on_line(at: Timestamp) -> Duration {
    Duration::from_nanos((at.as_nanos() as u64) ^ SIGN)
}

/// The instant so long after `zero`.
fn off_line(zero: Timestamp, since: Duration) -> Timestamp {
    if zero == ON_LINE {
        return Timestamp::from_nanos((since.as_nanos() ^ SIGN) as i64);
    }
    zero + since
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Held {}

const SIGN: u64 = 1 << 63;
/// Chosen: what a request of a minute strays among 500 a second, in some 10 MB.
const HELD: usize = 32_768;
/// Chosen: late rows that are sorted at once, in some 10 MB.
const RUN: usize = 32_768;
/// Chosen: a hundred runs are read at once in a few MB.
const READ_AHEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::trace::TraceReader;

    struct Memory;

    impl Scratch for Memory {
        type File = Cursor<Vec<u8>>;
        fn file(&mut self) -> io::Result<Self::File> {
            Ok(Cursor::default())
        }
    }

    /// The rows in the order of the trace: their times on the scale of the source, and their places
    /// among those that were put in, which they carry as their users.
    fn sorted(times: &[i64], zero: Zero, they_stray: bool) -> (Vec<(i64, u64)>, Option<Timestamp>) {
        let mut memory = Memory;
        let mut sorter = Sorter::new(&mut memory, zero, they_stray);
        for (number, at) in (0..).zip(times) {
            let mut record = TraceRecord { user: Some(number), ..TraceRecord::default() };
            sorter.push(Timestamp::from_nanos(*at), &mut record).unwrap();
        }
        let Sorted { file, span, began } = sorter.finish(&Provenance::example()).unwrap().unwrap();
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert_eq!(span, Timestamp::from_nanos(*last).since(Timestamp::from_nanos(*first)));
        let bytes = file.into_inner();
        let mut reader = TraceReader::new(bytes.as_slice()).unwrap();
        let zero = if matches!(zero, Zero::Fixed(_)) { 0 } else { *first };
        let rows = std::iter::from_fn(|| reader.next_record().unwrap());
        let rows = rows.map(|row| (row.at.as_nanos() as i64 + zero, row.user.unwrap())).collect();
        assert_eq!(reader.began(), began);
        (rows, began)
    }

    fn expected(times: &[i64]) -> Vec<(i64, u64)> {
        let mut rows: Vec<_> = times.iter().copied().zip(0..).collect();
        rows.sort_by_key(|(at, _)| *at);
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_come_in_the_order_of_their_times_then_as_they_came(
            times in prop::collection::vec(-50..50_i64, 1..60),
            they_stray: bool,
        ) {
            let (rows, began) = sorted(&times, Zero::FirstDate, they_stray);
            prop_assert_eq!(rows, expected(&times));
            prop_assert_eq!(began.unwrap().as_nanos(), *times.iter().min().unwrap());
        }
    }

    #[test]
    fn more_rows_than_are_held_are_sorted_whatever_their_order() {
        let many = 3 * i64::try_from(RUN).unwrap() + 17;
        let backwards: Vec<_> = (0..many).map(|number| many - number).collect();
        let scattered: Vec<_> = (0..many).map(|number| number * 7_919 % many / 3).collect();
        for times in [backwards, scattered] {
            for they_stray in [false, true] {
                let (rows, began) = sorted(&times, Zero::Fixed(None), they_stray);
                assert!(rows == expected(&times));
                assert_eq!(began, None);
            }
        }
    }

    #[test]
    fn no_rows_are_no_trace() {
        let mut memory = Memory;
        let sorter = Sorter::new(&mut memory, Zero::FirstRow, true);
        assert!(sorter.finish(&Provenance::example()).unwrap().is_none());
    }
}
