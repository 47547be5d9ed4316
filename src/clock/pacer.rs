//! Wakes the many sleepers of one thread, from within that thread.
//!
//! A wait by the process's timer costs a wake-up from one thread to another each time: too much for
//! thousands of streams whose tokens come every few milliseconds. A pacer keeps the deadlines of
//! one thread and waits for the earliest alone; whoever is due by then is woken at once, as are
//! those who have come due while the others were served. So a thread with much to do never waits,
//! and what it is late by is what its work takes.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::wall_clock::wait_until;
use super::{WallClock, os_time};
use crate::units::Timestamp;

/// The sleepers of one thread; [`Pacer::run`] wakes them.
///
/// ```
/// # use std::sync::Arc;
/// # use coalmine::clock::{Pacer, TimeScale, WallClock};
/// # use coalmine::units::Duration;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// let clock = WallClock::new(TimeScale::REAL);
/// let pacer = Arc::new(Pacer::new(clock));
/// let runs = tokio::spawn({ let pacer = Arc::clone(&pacer); async move { pacer.run().await } });
/// let at = clock.now() + Duration::from_millis(2);
/// pacer.sleep_until(at).await;
/// assert!(clock.now() >= at);
/// runs.abort();
/// # });
/// ```
#[derive(Debug)]
pub struct Pacer {
    clock: WallClock,
    sleepers: Mutex<super::sleepers::Sleepers>,
    /// Told of an earlier deadline.
    sooner: Notify,
}

impl Pacer {
    /// A pacer of nobody, by this clock.
    pub fn new(clock: WallClock) -> Self {
        let sleepers = Mutex::new(super::sleepers::Sleepers::new());
        Self { clock, sleepers, sooner: Notify::new() }
    }

    /// The clock that it goes by.
    pub const fn clock(&self) -> WallClock {
        self.clock
    }

    /// Waits until `at`, never less; for ever where that is [`Timestamp::MAX`], or where nobody
    /// [runs](Self::run) it. At once where that has passed. Dropped, it is forgotten.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        let at = (at < Timestamp::MAX).then(|| self.clock.on_wall(at));
        Nap { pacer: self, at, number: None }
    }

    /// Wakes sleepers for ever; to be run once, on the thread whose sleepers they are.
    pub async fn run(&self) {
        let mut served = os_time::now();
        loop {
            let now = os_time::now();
            let (due, earliest) = {
                let mut sleepers = self.lock();
                (sleepers.take_due(now), sleepers.earliest())
            };
            if !due.is_empty() {
                served = now;
                due.into_iter().for_each(Waker::wake);
                // They come first, and so do sockets.
                tokio::task::yield_now().await;
                continue;
            }
            let sooner = self.sooner.notified();
            match earliest {
                None => sooner.await,
                Some(at) => {
                    tokio::select! {
                        () = wait_until(at.max(served + TOGETHER)) => {}
                        () = sooner => {}
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, super::sleepers::Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an instant, or for ever.
#[derive(Debug)]
struct Nap<'a> {
    pacer: &'a Pacer,
    at: Option<Instant>,
    number: Option<u64>,
}

impl Future for Nap<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if os_time::now() >= at {
            return Poll::Ready(());
        }
        let (number, is_first) = self.pacer.lock().enter(at, self.number, context.waker());
        self.number = Some(number);
        if is_first {
            self.pacer.sooner.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Nap<'_> {
    fn drop(&mut self) {
        if let (Some(at), Some(number)) = (self.at, self.number) {
            let waker = self.pacer.lock().leave(at, number);
            drop(waker);
        }
    }
}

/// How long after some were woken the next ones are, at the earliest: those who are due meanwhile
/// are woken together. Chosen: a fifth of a millisecond late is little against any token's gap, and
/// a thread that woke up for each of 25,000 deadlines a second would do little else.
const TOGETHER: Duration = Duration::from_micros(200);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::{FutureExt, join_all};

    use super::*;
    use crate::clock::TimeScale;
    use crate::units;

    fn pacer(times: f64) -> Arc<Pacer> {
        Arc::new(Pacer::new(WallClock::new(TimeScale::new(times).unwrap())))
    }

    #[tokio::test]
    async fn nobody_is_woken_early_and_all_are_woken() {
        let pacer = pacer(100.0);
        let running = Arc::clone(&pacer);
        let runs = tokio::spawn(async move { running.run().await });
        let start = pacer.clock().now();
        let sleepers = (0..500_u64).map(|number| {
            let pacer = Arc::clone(&pacer);
            async move {
                // Out of order, up to 3 s of engine time.
                let at = start + units::Duration::from_millis(number * 7_919 % 3_000);
                pacer.sleep_until(at).await;
                assert!(pacer.clock().now() >= at, "{number}");
            }
        });
        assert_eq!(join_all(sleepers).await.len(), 500);
        assert_eq!(pacer.lock().len(), 0, "nobody is left behind");
        runs.abort();
    }

    #[test]
    fn what_has_passed_is_not_waited_for_and_never_is_never() {
        let pacer = pacer(1.0);
        let now = pacer.clock().now();
        assert!(pacer.sleep_until(now).now_or_never().is_some());
        assert!(pacer.sleep_until(Timestamp::MAX).now_or_never().is_none());
        assert!(
            pacer.sleep_until(now + units::Duration::from_secs(3_600)).now_or_never().is_none()
        );
        assert_eq!(pacer.lock().len(), 0, "who has left is forgotten");
    }
}
