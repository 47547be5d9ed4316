//! Writes what is recorded into files: rows as requests end, one file after the other.
//!
//! Times of a file count from its beginning, which is before any request that was not written yet.
//! What cannot be written is lost, told and counted: requests go on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::meters::Meters;
use super::tape::{Outstanding, Tape, TapeRow};
use super::tape_folder::TapeFolder;
use crate::clock::WallClock;
use crate::scenario::RecordPlan;
use crate::store::Lease;
use crate::trace::{Names, TraceFormat, TraceWriter, WriteError};
use crate::units::{Duration, Timestamp};

/// A recording under way.
#[derive(Debug)]
pub(super) struct TapeThread {
    tape: Tape,
    thread: JoinHandle<()>,
    /// Nothing comes from it but its end. The lock lets threads share a gateway.
    ended: Mutex<Receiver<()>>,
}

/// Files as they follow each other.
struct TapeFiles {
    folder: TapeFolder,
    #[expect(dead_code, reason = "held, and given back when it is dropped")]
    lease: Lease,
    /// How large a file becomes.
    bytes: u64,
    clock: WallClock,
    names: Names,
    meters: Arc<Meters>,
    outstanding: Arc<Outstanding>,
    current: Option<Segment>,
    /// When to try again after a failure.
    again: Timestamp,
}

/// A file of the recording.
struct Segment {
    began: Timestamp,
    rows: TraceWriter<BufWriter<File>>,
    /// How many bytes of it are on their way to the disk, in whole rows.
    sound: u64,
    /// How many rows are not among them.
    pending: u64,
}

impl TapeThread {
    /// Begins a recording and its thread.
    ///
    /// # Errors
    /// The file cannot be made, or the thread not be started.
    pub(super) fn start(
        plan: &RecordPlan,
        clock: WallClock,
        names: Names,
        meters: Arc<Meters>,
    ) -> io::Result<Self> {
        let (files, outstanding) = TapeFiles::new(plan, clock, names, meters)?;
        let (rows, inbox) = sync_channel(ROOM);
        let (end, ended) = sync_channel(0);
        let work = move || {
            // Dropped at the end, however that comes.
            let _end = end;
            files.run(&inbox);
        };
        let thread = std::thread::Builder::new().name("record".to_owned()).spawn(work)?;
        Ok(Self { tape: Tape::new(rows, outstanding), thread, ended: Mutex::new(ended) })
    }

    /// Where its rows go.
    pub(super) fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// Waits until all that was sent is written, `patience` at most: a disk that hangs must not
    /// keep the gateway.
    pub(super) fn finish(self, patience: std::time::Duration) {
        let Self { tape, thread, ended } = self;
        let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        // It waits for room, which may never come.
        let ending = std::thread::Builder::new().spawn(move || tape.end());
        if ending.is_err() || ended.recv_timeout(patience).is_err_and(|error| !is_over(error)) {
            tracing::error!("the end of the recording is lost: the disk did not take it in time");
            return;
        }
        if thread.join().is_err() {
            tracing::error!("a bug: the recording has broken off");
        }
    }
}

/// Nobody is left who could say anything.
fn is_over(error: std::sync::mpsc::RecvTimeoutError) -> bool {
    error == std::sync::mpsc::RecvTimeoutError::Disconnected
}

impl TapeFiles {
    fn new(
        plan: &RecordPlan,
        clock: WallClock,
        names: Names,
        meters: Arc<Meters>,
    ) -> io::Result<(Self, Arc<Outstanding>)> {
        let folder = TapeFolder::new(plan)?;
        let lease = folder.lease().map_err(|error| folder.told(&error))?;
        let outstanding = Arc::<Outstanding>::default();
        let (current, again) = (None, Timestamp::from_nanos(i64::MIN));
        let with = Arc::clone(&outstanding);
        let bytes = plan.bytes;
        let mut files =
            Self { folder, lease, bytes, clock, names, meters, outstanding: with, current, again };
        files.begin().map_err(|error| files.folder.told(&error))?;
        Ok((files, outstanding))
    }

    /// Writes until the end of the tape, and out whenever nothing more is there for the moment.
    fn run(mut self, rows: &Receiver<Option<Box<TapeRow>>>) {
        while let Ok(Some(row)) = rows.recv() {
            self.take(*row);
            for row in rows.try_iter().take(BATCH) {
                let Some(row) = row else { return self.flush() };
                self.take(*row);
            }
            self.flush();
        }
    }

    fn take(&mut self, row: TapeRow) {
        let sent = row.sent;
        if self.current.is_none()
            && self.clock.now() >= self.again
            && let Err(error) = self.begin()
        {
            self.fail(&error);
        }
        match self.write(row) {
            Ok(true) => {}
            Ok(false) => self.meters.operation.not_recorded(1),
            Err(error) => {
                self.meters.operation.not_recorded(1);
                self.fail(&error);
            }
        }
        self.outstanding.ended(sent);
    }

    /// Writes a row; whether there is a file for it, and room in its format.
    fn write(&mut self, row: TapeRow) -> io::Result<bool> {
        let Some(current) = &mut self.current else { return Ok(false) };
        let TapeRow { sent, user, session, mut record } = row;
        record.user = Some(self.names.user(&user));
        record.session = session.map(|session| self.names.session(&session));
        record.at = sent.since(current.began);
        match current.rows.write(&record) {
            Ok(()) => current.pending += 1,
            Err(WriteError::Output(error)) => return Err(error),
            Err(error @ WriteError::Row { .. }) => {
                tracing::error!(%error, "a bug: a request is not recorded");
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes out what was taken; begins the next file where this one is full.
    fn flush(&mut self) {
        let Some(current) = &mut self.current else { return };
        match current.flush() {
            Ok(rows) => self.meters.operation.recorded(rows),
            Err(error) => return self.fail(&error),
        }
        if current.sound < self.bytes || self.clock.now() < self.again {
            return;
        }
        if let Err(error) = self.begin() {
            let error = self.folder.told(&error);
            tracing::error!(%error, "the recording goes on in a file that is full");
            self.again = self.clock.now() + AGAIN;
        }
    }

    /// Begins the next file in the place of the one before, if there is one.
    fn begin(&mut self) -> io::Result<()> {
        let began = self.outstanding.first().unwrap_or_else(|| self.clock.now());
        let segment = self.folder.next(|path| Segment::begin(path, began))?;
        self.current = Some(segment);
        Ok(())
    }

    /// Nothing is recorded until another file could be begun.
    fn fail(&mut self, error: &io::Error) {
        let error = self.folder.told(error);
        tracing::error!(%error, "requests are not recorded: it is tried again in a while");
        if let Some(current) = self.current.take() {
            self.meters.operation.not_recorded(current.leave_whole_rows());
        }
        self.again = self.clock.now() + AGAIN;
    }
}

impl Segment {
    fn begin(path: &Path, began: Timestamp) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let output = BufWriter::new(options.open(path)?);
        let rows = TraceWriter::in_any_order(output, TraceFormat::CoalmineJsonl, Some(began))?;
        let mut segment = Self { began, rows, sound: 0, pending: 0 };
        segment.flush()?;
        Ok(segment)
    }

    /// How many rows are written by it.
    fn flush(&mut self) -> io::Result<u64> {
        self.rows.get_mut().flush()?;
        self.sound = self.rows.get_ref().get_ref().metadata()?.len();
        Ok(std::mem::take(&mut self.pending))
    }

    /// Takes back what was not written whole; how many rows are lost by that.
    fn leave_whole_rows(self) -> u64 {
        let (file, _) = self.rows.into_inner().into_parts();
        // Where that fails too, whoever reads the file is told of its last line.
        let _ = file.set_len(self.sound);
        self.pending
    }
}

/// Whether there could be a recording as `plan` says; nothing is made.
///
/// # Errors
/// There is no folder for it that can be written, or what is in its place is none of a recording.
pub(super) fn check_tape(plan: &RecordPlan) -> io::Result<()> {
    let folder = TapeFolder::new(plan)?;
    fs::metadata(folder.path())
        .and_then(|_| tempfile::tempfile_in(folder.path()))
        .map(drop)
        .map_err(|error| folder.told(&error))
}

/// How many rows may wait for the disk. Chosen: a second of the most that a gateway does.
const ROOM: usize = 65_536;
/// How many rows are written out at once at most.
const BATCH: usize = 4_096;
/// Chosen: a disk that is full stays so for a while.
const AGAIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::clock::TimeScale;
    use crate::trace::{SourceOptions, TraceReader, TraceRecord};

    fn start(file: &Path) -> TapeFiles {
        try_start(file).unwrap()
    }

    fn try_start(file: &Path) -> io::Result<TapeFiles> {
        let plan = RecordPlan { bytes: 1, ..RecordPlan::new(file.to_owned()) };
        let clock = WallClock::new(TimeScale::REAL);
        let names = Names::with_key(b"key");
        Ok(TapeFiles::new(&plan, clock, names, Arc::new(Meters::new()))?.0)
    }

    fn row(sent: Timestamp, status: u16) -> TapeRow {
        let record = TraceRecord { status: Some(status), ..TraceRecord::default() };
        TapeRow { sent, user: "alice".to_owned(), session: None, record }
    }

    fn numbered(file: &Path, number: u32) -> PathBuf {
        PathBuf::from(format!("{}.{number}", file.display()))
    }

    /// When each request of a file was sent, and its status.
    fn seen(file: &Path) -> Vec<(Timestamp, u16)> {
        let options = SourceOptions { any_order: true, ..SourceOptions::default() };
        let bytes = fs::read(file).unwrap();
        let mut reader = TraceReader::with(&*bytes, options).unwrap();
        let rows: Vec<TraceRecord> = std::iter::from_fn(|| reader.next_record().unwrap()).collect();
        let began = reader.began().unwrap();
        rows.into_iter().map(|row| (began + row.at, row.status.unwrap())).collect()
    }

    /// The first request lasts while a file is filled: the next one must begin before it.
    #[test]
    fn a_full_file_is_followed_by_one_that_has_room_for_what_was_sent_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tape");
        let mut files = start(&file);
        let first = files.clock.now();
        let second = first + Duration::from_millis(1);
        for sent in [first, second, second] {
            files.outstanding.began(sent);
        }
        files.take(row(second, 201));
        files.flush();
        files.take(row(first, 200));
        files.flush();
        files.take(row(second, 202));
        files.flush();
        assert_eq!(seen(&numbered(&file, 1)), [(second, 201)]);
        assert_eq!(seen(&numbered(&file, 2)), [(first, 200)]);
        assert_eq!(seen(&numbered(&file, 3)), [(second, 202)]);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1, "no row yet");
    }

    #[test]
    fn after_a_failure_whole_rows_stay_and_nothing_is_written_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tape");
        let mut files = start(&file);
        files.bytes = 1 << 20;
        let now = files.clock.now();
        files.take(row(now, 200));
        files.flush();
        files.take(row(now, 201));
        files.fail(&io::Error::other("the disk is full"));
        files.take(row(now, 202));
        assert_eq!(seen(&file), [(now, 200)]);
        files.again = now;
        files.outstanding.began(now);
        files.take(row(now, 203));
        files.flush();
        assert_eq!(seen(&numbered(&file, 1)), [(now, 200)]);
        assert_eq!(seen(&file), [(now, 203)]);
        let text = files.meters.to_text().unwrap();
        for line in ["{result=\"written\"} 2\n", "{result=\"lost\"} 2\n"] {
            let line = format!("coalmine_recorded_requests_total{line}");
            assert!(text.contains(&line), "{line}: {text}");
        }
    }

    #[test]
    fn two_gateways_do_not_record_into_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tape");
        let mut first = start(&file);
        first.bytes = 1 << 20;
        let now = first.clock.now();
        first.take(row(now, 200));
        first.flush();
        let refused = try_start(&folder.path().join("../").join(folder.path()).join("tape"));
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains("another gateway records into it"), "{refused}");
        assert!(start(&folder.path().join("other")).current.is_some(), "another file is free");
        assert_eq!(seen(&file), [(now, 200)], "nothing was numbered");
        drop(first);
        assert!(start(&file).current.is_some(), "whose gateway has ended is free");
    }

    #[test]
    fn what_is_no_recording_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        fs::write(&file, "SQLite format 3").unwrap();
        let plan = RecordPlan::new(file.clone());
        for refused in [
            check_tape(&plan).unwrap_err(),
            check_tape(&RecordPlan::new(folder.path().to_owned())).unwrap_err(),
        ] {
            assert!(refused.to_string().contains("is none of a recording"), "{refused}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"SQLite format 3");
    }
}
