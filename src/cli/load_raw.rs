//! The raw log of a load: every request that ended, as a trace.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tempfile::NamedTempFile;

use super::scratch::{Folder, folder_for};
use super::terminal::Failure;
use crate::exchange::ModelIndex;
use crate::load::{Finished, LoadMeter, Observer, trace_row};
use crate::trace::{Provenance, Sorter, TraceRecord, Zero};
use crate::units::Timestamp;

/// Where rows go, to be sorted by a thread of their own: requests end in another order than they
/// are sent, and a disk that is slow must not make any of them late.
pub(super) struct RawLog {
    path: PathBuf,
    rows: Sender<Row>,
    writing: JoinHandle<io::Result<Written>>,
}

/// When a request was to be sent, and what became of it.
type Row = (Timestamp, TraceRecord);

/// How many rows there are, and where.
type Written = Option<(u64, NamedTempFile)>;

/// What one thread of a load is told.
pub(super) struct LoadObserver {
    pub(super) meter: LoadMeter,
    raw: Option<(Sender<Row>, Vec<String>)>,
}

impl RawLog {
    /// Rows for the file at `path`, which must not be there unless it may be replaced.
    pub(super) fn new(path: &Path, may_replace: bool) -> Result<Self, Failure> {
        let folder = folder_for(path, may_replace)?.to_owned();
        let (rows, received) = channel();
        let writing = thread::Builder::new()
            .name("raw log".to_owned())
            .spawn(move || sort(&folder, &received))
            .map_err(|error| Failure::unwritten(path, &error))?;
        Ok(Self { path: path.to_owned(), rows, writing })
    }

    /// One more row, of a request that was to be sent `at` this time.
    pub(super) fn push(&self, at: Timestamp, record: TraceRecord) {
        // Who does not take it any more has failed, and says so at the end.
        let _ = self.rows.send((at, record));
    }

    /// Writes the file, once nobody has rows for it any more: how many.
    pub(super) fn finish(self) -> Result<u64, Failure> {
        let Self { path, rows, writing } = self;
        drop(rows);
        let written = writing.join().unwrap_or_else(|_| Err(io::Error::other("a bug in coalmine")));
        let unwritten = |error: &io::Error| Failure::unwritten(&path, error);
        let Some((count, file)) = written.map_err(|error| unwritten(&error))? else {
            return Ok(0);
        };
        file.persist(&path).map_err(|error| unwritten(&error.error))?;
        Ok(count)
    }
}

fn sort(folder: &Path, rows: &Receiver<Row>) -> io::Result<Written> {
    let mut scratch = Folder::new(folder.to_owned());
    let mut sorter = Sorter::new(&mut scratch, Zero::FirstDate, true);
    let mut count = 0;
    for (at, mut record) in rows {
        count += 1;
        sorter.push(at, &mut record)?;
    }
    let sorted = sorter.finish(&Provenance::made_up(count))?;
    Ok(sorted.map(|sorted| (count, sorted.file)))
}

impl LoadObserver {
    /// Measures, and tells a raw log, in which models have these names.
    pub(super) fn new(meter: LoadMeter, raw: Option<&RawLog>, models: &[String]) -> Self {
        Self { meter, raw: raw.map(|raw| (raw.rows.clone(), models.to_vec())) }
    }
}

impl Observer for LoadObserver {
    fn ended(&mut self, finished: &Finished<'_>) {
        self.meter.ended(finished);
        if let Some((rows, models)) = &self.raw {
            let ModelIndex(model) = finished.request.model;
            let model = models.get(usize::from(model)).map(String::as_str);
            let row = trace_row(finished, finished.intended, model);
            // Who does not take it any more has failed, and says so at the end.
            let _ = rows.send((finished.intended, row));
        }
    }
}
