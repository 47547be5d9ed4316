//! One thread of the generator: its loop, and what it tells its observer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::yield_now;

use super::caller::Caller;
use super::control::Control;
use super::feed::{Due, Feed};
use super::finished::Observer;
use super::schedule::Schedule;

/// What one thread has.
#[derive(Debug)]
pub(super) struct Worker<S, O> {
    pub(super) feed: Arc<Feed<S>>,
    pub(super) caller: Caller,
    /// The lock is never contended: it is this thread's alone.
    pub(super) observer: Mutex<O>,
    pub(super) control: Control,
}

/// Held by each task of a thread: the thread waits until none is.
type Alive = mpsc::Sender<Infallible>;

impl<S: Schedule, O: Observer> Worker<S, O> {
    /// Sends what is due, whether or not anything has been answered, and waits for the last answer,
    /// or until the load is stopped. `room`: how many more may be under way, on all threads.
    pub(super) async fn run_open(self: Arc<Self>, room: Arc<Semaphore>) {
        let (alive, none_alive) = mpsc::channel(1);
        let control = self.control.clone();
        tokio::select! {
            biased;
            () = control.stopped() => {}
            () = async {
                self.dispatch(&room, alive).await;
                wait(none_alive).await;
            } => {}
        }
    }

    async fn dispatch(self: &Arc<Self>, room: &Arc<Semaphore>, alive: Alive) {
        // A clock that is held shows its first instant before it comes.
        self.feed.begins().await;
        let mut due = Vec::new();
        loop {
            self.feed.next(&mut due).await;
            if due.is_empty() {
                return;
            }
            for due in due.drain(..) {
                // It is never closed.
                let Ok(seat) = Arc::clone(room).acquire_owned().await else { return };
                let (worker, alive) = (Arc::clone(self), alive.clone());
                tokio::spawn(async move {
                    worker.serve(&due).await;
                    drop((seat, alive));
                });
            }
            // Where all is late nothing else makes this loop wait: the requests come first.
            yield_now().await;
        }
    }

    /// Lets `users` send from the start on, each its next request when the one before has been
    /// answered, until there are no more or the load is stopped.
    pub(super) async fn run_closed(self: Arc<Self>, users: usize) {
        self.feed.begins().await;
        let (alive, none_alive) = mpsc::channel::<Infallible>(1);
        for _ in 0..users {
            let (worker, alive) = (Arc::clone(&self), alive.clone());
            tokio::spawn(async move {
                while let Some(due) = worker.feed.next_at_once() {
                    worker.serve(&due).await;
                }
                drop(alive);
            });
        }
        drop(alive);
        tokio::select! {
            biased;
            () = self.control.stopped() => {}
            () = wait(none_alive) => {}
        }
    }

    /// Sends a request, and tells what became of it.
    async fn serve(&self, due: &Due) {
        self.control.count_sent();
        let (answered, ended, left) = self.caller.call(due).await;
        let now = self.caller.clock.now();
        let finished = answered.finished(due, now, &ended);
        self.observer.lock().unwrap_or_else(PoisonError::into_inner).ended(&finished);
        self.control.count_ended();
        self.feed.completed(&due.request, finished.ended);
        left.finish().await;
    }
}

/// Waits until nobody holds the other end.
async fn wait(mut none_alive: mpsc::Receiver<Infallible>) {
    while none_alive.recv().await.is_some() {}
}
