//! Generates a load: its threads from their beginning to their end.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::caller::Caller;
use super::control::Control;
use super::dialer::Dialer;
use super::feed::Feed;
use super::finished::Observer;
use super::pool::Pool;
use super::schedule::Schedule;
use super::settings::{LoadSettings, Pacing};
use super::worker::Worker;
use crate::units::{Duration, Timestamp};
use crate::workload::SourceError;

/// A load that has been generated.
#[derive(Debug)]
pub struct Load<O> {
    /// The observers, each of which was told of the requests of its thread.
    pub observers: Vec<O>,
    /// What the times of the schedule count from.
    pub start: Timestamp,
    /// When the last thread had ended.
    pub ended: Timestamp,
    /// How many requests were sent, and of how many of them nothing was told because the load was
    /// stopped.
    pub sent: u64,
    /// Of these, those that were cut off.
    pub unfinished: u64,
    /// Whether some requests waited for answers to others: all in a closed loop, or those of users
    /// of the schedule who do.
    pub is_closed: bool,
}

/// Why no load was generated, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The schedule cannot be read.
    #[error(transparent)]
    Schedule(#[from] SourceError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// A thread cannot be had.
    #[error("a thread of the load generator cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// A thread has panicked, after it has said why.
    #[error("a thread of the load generator has ended by a bug of coalmine")]
    Bug,
}

/// Sends what `schedule` says and returns when the last request has ended, or when `control` has
/// stopped it. There are as many threads as observers.
///
/// # Errors
/// The schedule cannot be read on, or the machine fails. What was told to the observers is lost.
///
/// # Panics
/// There is no observer.
pub fn generate<S: Schedule, O: Observer>(
    settings: LoadSettings,
    schedule: S,
    observers: Vec<O>,
    control: &Control,
) -> Result<Load<O>, LoadError> {
    assert!(!observers.is_empty(), "a load needs a thread, and that an observer");
    let LoadSettings { target, message, clock, start, pacing, most_in_flight, until, patience } =
        settings;
    let start = start.unwrap_or_else(|| clock.now() + LEAD.mul_f64(clock.scale().times()));
    let feed = Arc::new(Feed::new(schedule, clock, start, until, control.clone()));
    let room = Arc::new(Semaphore::new(most_in_flight.get().min(Semaphore::MAX_PERMITS)));
    let dialer = Dialer::new(&target)?;
    let count = observers.len();
    // All are there before the first begins.
    let mut runtimes = Vec::with_capacity(count);
    for _ in 0..count {
        runtimes.push(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
    }
    let mut threads = Vec::with_capacity(count);
    for (number, (runtime, observer)) in runtimes.into_iter().zip(observers).enumerate() {
        let caller = Caller {
            clock,
            target: target.clone(),
            message: message.clone(),
            patience,
            pool: Pool::new(dialer.clone(), target.http),
        };
        let observer = Mutex::new(observer);
        let (feed, control_of_thread) = (Arc::clone(&feed), control.clone());
        let worker = Arc::new(Worker { feed, caller, observer, control: control_of_thread });
        let room = Arc::clone(&room);
        let users = match pacing {
            Pacing::Open => None,
            Pacing::Closed { concurrency } => Some(share(concurrency, number, count)),
        };
        let name = format!("load {number}");
        let work = move || work(runtime, worker, room, users);
        threads.push(thread::Builder::new().name(name).spawn(work).inspect_err(|_| {
            control.stop();
        })?);
    }
    let joined: Vec<_> = threads.into_iter().map(|thread| thread.join().ok().flatten()).collect();
    let observers: Option<Vec<O>> = joined.into_iter().collect();
    if let Some(error) = feed.take_error() {
        return Err(error.into());
    }
    let is_closed = pacing != Pacing::Open || feed.waits_for_answers();
    let (sent, unfinished) = (control.sent(), control.in_flight());
    let observers = observers.ok_or(LoadError::Bug)?;
    Ok(Load { observers, start, ended: clock.now(), sent, unfinished, is_closed })
}

/// What a thread does; its observer, unless something still holds it, which nothing can.
fn work<S: Schedule, O: Observer>(
    runtime: Runtime,
    worker: Arc<Worker<S, O>>,
    room: Arc<Semaphore>,
    users: Option<usize>,
) -> Option<O> {
    let running = Arc::clone(&worker);
    match users {
        None => runtime.block_on(running.run_open(room)),
        Some(users) => runtime.block_on(running.run_closed(users)),
    }
    // With it go the tasks that were cut off, and what they hold.
    drop(runtime);
    let worker = Arc::into_inner(worker)?;
    Some(worker.observer.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// How many of the users are of the thread of this number.
fn share(users: NonZeroUsize, number: usize, threads: usize) -> usize {
    (users.get() + threads - 1 - number) / threads
}

/// How long after it was asked for a load begins, on the wall. Chosen: longer than threads take to
/// start, which would make the first requests late.
const LEAD: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_is_of_one_thread() {
        for (users, threads) in [(1, 1), (1, 4), (7, 2), (8, 3), (3, 8)] {
            let users = NonZeroUsize::new(users).unwrap();
            let shares: Vec<usize> =
                (0..threads).map(|number| share(users, number, threads)).collect();
            assert_eq!(shares.iter().sum::<usize>(), users.get(), "{shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
