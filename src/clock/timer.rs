//! One thread for the whole process that wakes sleepers on time.
//!
//! Runtimes keep their timers in wheels of whole milliseconds and wake up late by one on average,
//! which is much against the gap between two tokens. This thread sleeps until shortly before the
//! earliest deadline and asks the clock over and over from there on, as far as its
//! [`Allowance`] goes; it gives way to others after each time that it woke somebody. Knows instants
//! of the operating system only.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::allowance::Allowance;
use super::os_time;
use super::sleepers::Sleepers;

/// The sleepers and what their thread waits by.
#[derive(Debug)]
pub(super) struct Timer {
    sleepers: Mutex<Sleepers>,
    /// Told of an earlier deadline while the thread sleeps.
    sooner: Condvar,
    /// Set with an earlier deadline while the thread does not sleep.
    hurry: AtomicBool,
}

impl Timer {
    /// The timer of this process, its thread running; `None` where no thread could be started.
    pub(super) fn of_process() -> Option<&'static Self> {
        static TIMER: Timer = Timer::new();
        static RUNS: LazyLock<bool> = LazyLock::new(|| {
            thread::Builder::new().name("timer".to_owned()).spawn(|| TIMER.run()).is_ok()
        });
        RUNS.then_some(&TIMER)
    }

    const fn new() -> Self {
        Self {
            sleepers: Mutex::new(Sleepers::new()),
            sooner: Condvar::new(),
            hurry: AtomicBool::new(false),
        }
    }

    /// Ends at `at`, at once where that has passed.
    pub(super) const fn sleep_until(&self, at: Instant) -> Sleep<'_> {
        Sleep { timer: self, at, number: None }
    }

    /// Wakes sleepers for ever.
    fn run(&self) {
        let mut allowance = Allowance::full(os_time::now());
        let mut sleepers = self.lock();
        loop {
            let now = os_time::now();
            let due = sleepers.take_due(now);
            if !due.is_empty() {
                // A waker may run code of its own, which must find the lock free.
                drop(sleepers);
                due.into_iter().for_each(Waker::wake);
                // Where cores are scarce those who were woken come first. Deadlines that pass
                // meanwhile are met together, so that many of them do not occupy a core.
                thread::yield_now();
                sleepers = self.lock();
                continue;
            }
            sleepers = match sleepers.earliest() {
                None => self.sooner.wait(sleepers).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at - now > AHEAD => self.sleep(sleepers, at - now - AHEAD),
                Some(at) if allowance.spend(at - now, now) => {
                    self.hurry.store(false, Ordering::Release);
                    drop(sleepers);
                    self.watch(at);
                    self.lock()
                }
                Some(at) => self.sleep(sleepers, at - now),
            };
        }
    }

    /// Sleeps so long, or until there is an earlier deadline.
    fn sleep<'a>(
        &'a self,
        sleepers: MutexGuard<'a, Sleepers>,
        length: Duration,
    ) -> MutexGuard<'a, Sleepers> {
        let slept = self.sooner.wait_timeout(sleepers, length);
        slept.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Asks the clock until it is `at`, or an earlier deadline has come up.
    fn watch(&self, at: Instant) {
        while os_time::now() < at && !self.hurry.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
    }

    /// Puts a sleeper in, or its newer waker. Returns its number.
    fn enter(&self, at: Instant, number: Option<u64>, waker: &Waker) -> u64 {
        let mut sleepers = self.lock();
        let (number, is_first) = sleepers.enter(at, number, waker);
        if is_first {
            self.hurry.store(true, Ordering::Release);
            drop(sleepers);
            self.sooner.notify_one();
        }
        number
    }

    /// Takes a sleeper out that is not waited for any more.
    fn leave(&self, at: Instant, number: u64) {
        let waker = self.lock().leave(at, number);
        drop(waker);
    }

    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an instant; dropped, it is forgotten.
#[derive(Debug)]
pub(super) struct Sleep<'a> {
    timer: &'a Timer,
    at: Instant,
    number: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if os_time::now() >= self.at {
            return Poll::Ready(());
        }
        self.number = Some(self.timer.enter(self.at, self.number, context.waker()));
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.timer.leave(self.at, number);
        }
    }
}

/// From how long before a deadline on the clock is watched. Chosen: what a thread oversleeps by is
/// some 60 us under Linux, 50 us of which are the default slack of its timers; less, and waits end
/// late as a rule; more, and watching costs more of a core than it gains.
const AHEAD: Duration = Duration::from_micros(120);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn who_is_dropped_or_asked_again_is_kept_once_or_not_at_all() {
        let timer = Timer::new();
        let mut sleep = timer.sleep_until(os_time::now() + HOUR);
        for _ in 0..2 {
            let mut context = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut sleep).poll(&mut context).is_pending());
            assert_eq!(timer.lock().len(), 1);
        }
        drop(sleep);
        assert_eq!(timer.lock().len(), 0);
    }

    #[test]
    fn an_earlier_deadline_makes_the_thread_hurry_and_a_later_one_does_not() {
        let timer = Timer::new();
        let start = os_time::now();
        let mut hurries = |hours| {
            timer.enter(start + HOUR * hours, None, Waker::noop());
            timer.hurry.swap(false, Ordering::AcqRel)
        };
        assert_eq!([5, 6, 5, 4].map(&mut hurries), [true, false, false, true]);
    }
}
