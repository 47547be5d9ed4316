//! What can be done about a load while it is generated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

/// Stops a load and tells how far it is. Clones are about the same load.
#[derive(Clone, Debug)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_stopped: watch::Sender<bool>,
    changed: Notify,
    sent: AtomicU64,
    ended: AtomicU64,
}

impl Default for Control {
    fn default() -> Self {
        let is_stopped = watch::Sender::new(false);
        let (sent, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { is_stopped, changed: Notify::new(), sent, ended }))
    }
}

impl Control {
    /// Ends the load at once: requests that are under way are cut off, and nothing is told of them.
    pub fn stop(&self) {
        let _ = self.0.is_stopped.send_replace(true);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.is_stopped.borrow()
    }

    /// The schedule has changed: what comes next is asked anew.
    pub fn nudge(&self) {
        // One alone waits for it; a nudge that nobody waits for is kept for whoever does next.
        self.0.changed.notify_one();
    }

    /// How many requests were sent.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// How many of them have ended.
    pub fn ended(&self) -> u64 {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// How many are under way.
    pub fn in_flight(&self) -> u64 {
        // In this order: one that ends in between would be missing otherwise.
        let ended = self.ended();
        self.sent().saturating_sub(ended)
    }

    pub(super) fn count_sent(&self) {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ended(&self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until it is stopped.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as this.
        let _ = self.0.is_stopped.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    /// Waits for a nudge.
    pub(super) async fn nudged(&self) {
        self.0.changed.notified().await;
    }
}
