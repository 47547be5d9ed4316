//! The connections of one thread: who has brought an answer to its end gives its connection back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::dialer::{Dialer, Link};
use super::fault::Fault;
use super::target::Http;
use hyper::client::conn::http2;

/// The connections of one thread to the target.
#[derive(Debug)]
pub(super) struct Pool {
    dialer: Dialer,
    http: Http,
    /// Those of HTTP/1.1 that nothing is sent on. The last that came back is the first that goes
    /// out again, so that those that are not needed stay idle. The lock is never contended.
    idle: Mutex<Vec<Link>>,
    /// That of HTTP/2. Locked while it is dialled: one is enough for all who wait for it.
    shared: tokio::sync::Mutex<Option<http2::SendRequest<Sent>>>,
}

/// The body of what is sent.
type Sent = http_body_util::Full<bytes::Bytes>;

impl Pool {
    pub(super) fn new(dialer: Dialer, http: Http) -> Self {
        Self { dialer, http, idle: Mutex::default(), shared: tokio::sync::Mutex::default() }
    }

    /// A connection that has been used before, if one stands.
    pub(super) fn take(&self) -> Option<Link> {
        let mut idle = self.idle();
        while let Some(link) = idle.pop() {
            if !link.is_closed() {
                return Some(link);
            }
        }
        None
    }

    /// A connection for one request of HTTP/1.1, or the one that all of HTTP/2 share; whether it is
    /// new. `limit`: how long one may take to stand, on the wall.
    pub(super) async fn connect(&self, limit: Duration) -> Result<(Link, bool), Fault> {
        if self.http == Http::One {
            return Ok((self.dialer.dial(limit).await?, true));
        }
        let mut shared = self.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((Link::Two(sender.clone()), false));
        }
        let link = self.dialer.dial(limit).await?;
        if let Link::Two(sender) = &link {
            *shared = Some(sender.clone());
        }
        Ok((link, true))
    }

    /// Takes back a connection whose answer has come to its end.
    pub(super) fn give_back(&self, link: Link) {
        if matches!(link, Link::One(_)) && !link.is_closed() {
            self.idle().push(link);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
