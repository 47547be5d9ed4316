//! Who looks after a stream while nobody sends it on: a client that takes nothing must keep neither
//! its upstream nor the limits of its version waiting.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, Weak};
use std::task::Poll;

use tokio::time::{Instant, sleep_until};

use super::closing::Closing;
use super::flow::{Flow, lock};

/// Looks after a stream until it is over or its body is gone, or until the gateway ends.
pub(super) async fn watch(flow: Weak<Mutex<Flow>>, end: impl Future<Output = ()>) {
    tokio::select! {
        () = keep_watching(&flow) => {}
        () = end => if let Some(flow) = flow.upgrade() {
            lock(&flow).cut_off(Closing::error());
        },
    }
}

async fn keep_watching(flow: &Weak<Mutex<Flow>>) {
    let mut sleep = pin!(sleep_until(Instant::now()));
    poll_fn(|context| {
        loop {
            let Some(flow) = flow.upgrade() else { return Poll::Ready(()) };
            let mut flow = lock(&flow);
            let Some(next) = flow.look(context, Instant::now()) else { return Poll::Ready(()) };
            if !flow.watchman.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
                flow.watchman = Some(context.waker().clone());
            }
            drop(flow);
            sleep.as_mut().reset(next);
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}
