//! The way from requests that have ended to whoever writes them down: rows of a trace, with the
//! names of who asked. Knows no files.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::trace::TraceRecord;
use crate::units::Timestamp;

/// Takes rows for whoever writes them.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    rows: SyncSender<Option<Box<TapeRow>>>,
    outstanding: Arc<Outstanding>,
    /// Whether the last row found no room.
    is_losing: Arc<AtomicBool>,
}

/// When requests were sent that are not written yet: no file may begin later.
#[derive(Debug, Default)]
pub(super) struct Outstanding(Mutex<BTreeMap<Timestamp, u32>>);

/// A request that has ended, with the names of who asked: the writer makes them numbers.
#[derive(Debug)]
pub(super) struct TapeRow {
    pub(super) sent: Timestamp,
    pub(super) user: String,
    pub(super) session: Option<String>,
    /// Without time, user and session.
    pub(super) record: TraceRecord,
}

impl Tape {
    /// One from which these rows are taken.
    pub(super) fn new(
        rows: SyncSender<Option<Box<TapeRow>>>,
        outstanding: Arc<Outstanding>,
    ) -> Self {
        Self { rows, outstanding, is_losing: Arc::default() }
    }

    /// A request was sent that is to be recorded.
    pub(super) fn began(&self, sent: Timestamp) {
        self.outstanding.began(sent);
    }

    /// Sends a row, unless there is no room: no request waits for a disk. Whether it was sent.
    pub(super) fn send(&self, row: TapeRow) -> bool {
        let sent = row.sent;
        let is_sent = self.rows.try_send(Some(Box::new(row))).is_ok();
        if !is_sent {
            self.outstanding.ended(sent);
        }
        match (self.is_losing.swap(!is_sent, Ordering::Relaxed), is_sent) {
            (false, false) => {
                tracing::error!("requests are not recorded: the disk does not take them in time");
            }
            (true, true) => tracing::warn!("requests are recorded again"),
            _ => {}
        }
        is_sent
    }

    /// There are no more rows.
    pub(super) fn end(&self) {
        // Who does not take it has ended.
        let _ = self.rows.send(None);
    }
}

impl Outstanding {
    pub(super) fn began(&self, sent: Timestamp) {
        *self.lock().entry(sent).or_default() += 1;
    }

    /// The row of a request is written, or lost.
    pub(super) fn ended(&self, sent: Timestamp) {
        let mut all = self.lock();
        if let Some(count) = all.get_mut(&sent) {
            *count -= 1;
            if *count == 0 {
                all.remove(&sent);
            }
        }
    }

    /// When the first of them was sent.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.lock().keys().next().copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Timestamp, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
