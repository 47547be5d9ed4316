//! The connections of one thread to one upstream: those that carry no request are kept for the next
//! one, as long as the upstream can be expected to keep them open.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::dialer::{DialError, Dialer};
use super::upstream_connection::UpstreamConnection;

/// The connections of one thread to one upstream.
#[derive(Debug)]
pub(super) struct Pool {
    dialer: Dialer,
    /// How long a connection is kept without a request.
    patience: Duration,
    /// The one that carried a request last is at the end, and goes first: the others grow old and
    /// are closed. The lock is never contended, as all of it is one thread's.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    since: Instant,
    connection: UpstreamConnection,
}

impl Pool {
    pub(super) const fn new(dialer: Dialer, patience: Duration) -> Self {
        Self { dialer, patience, idle: Mutex::new(Vec::new()) }
    }

    /// A new connection.
    ///
    /// # Errors
    /// The dialer's.
    pub(super) async fn connect(&self) -> Result<UpstreamConnection, DialError> {
        Ok(UpstreamConnection::open(self.dialer.dial().await?).await?)
    }

    /// A connection that is there.
    pub(super) fn take(&self) -> Option<UpstreamConnection> {
        loop {
            let Idle { since, mut connection } = self.lock().pop()?;
            if since.elapsed() < self.patience && connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose answer has come to its end, if it can carry another.
    pub(super) fn put(&self, mut connection: UpstreamConnection) {
        if connection.is_ready() {
            self.lock().push(Idle { since: Instant::now(), connection });
        }
    }

    /// Closes connections that have been kept for too long, or whose upstream has closed them.
    pub(super) fn sweep(&self) {
        let patience = self.patience;
        let keeps = |idle: &mut Idle| idle.since.elapsed() < patience && idle.connection.is_ready();
        self.lock().retain_mut(keeps);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
