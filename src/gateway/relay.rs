//! The body of a streamed answer: what its flow has is the client's to take.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::task::AbortHandle;

use super::flow::{Broken, Flow, lock};
use super::watchman::watch;

/// The body of a streamed answer.
#[derive(Debug)]
pub(super) struct Relay {
    flow: Arc<Mutex<Flow>>,
    watchman: AbortHandle,
}

impl Relay {
    /// Passes on `flow` until it is over, or until the gateway ends.
    pub(super) fn new(flow: Flow, end: impl Future<Output = ()> + Send + 'static) -> Self {
        let flow = Arc::new(Mutex::new(flow));
        let watched = Arc::downgrade(&flow);
        let watchman = tokio::spawn(watch(watched, end)).abort_handle();
        Self { flow, watchman }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.watchman.abort();
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        lock(&self.flow).poll_next(context)
    }
}
