//! One thread for the whole process that wakes sleepers on time.
//!
//! Runtimes keep their timers in wheels of whole milliseconds and wake up late by one on average,
//! which is much against the gap between two tokens. This thread sleeps until shortly before the
//! earliest deadline and asks the clock over and over from there on; it gives way to others after
//! each time that it woke somebody. Knows instants of the operating system only.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::os_time;

/// The sleepers and what their thread waits by.
#[derive(Debug)]
pub(super) struct Timer {
    pending: Mutex<Pending>,
    /// Told of an earlier deadline while the thread sleeps.
    sooner: Condvar,
    /// Set with an earlier deadline while the thread does not sleep.
    hurry: AtomicBool,
}

/// Sleepers by deadline, those of one instant in the order in which they came.
#[derive(Debug)]
struct Pending {
    sleepers: BTreeMap<(Instant, u64), Waker>,
    count: u64,
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
        let pending = Pending { sleepers: BTreeMap::new(), count: 0 };
        Self { pending: Mutex::new(pending), sooner: Condvar::new(), hurry: AtomicBool::new(false) }
    }

    /// Ends at `at`, at once where that has passed.
    pub(super) const fn sleep_until(&self, at: Instant) -> Sleep<'_> {
        Sleep { timer: self, at, number: None }
    }

    /// Wakes sleepers for ever.
    fn run(&self) {
        let mut pending = self.lock();
        loop {
            let now = os_time::now();
            let due = pending.take_due(now);
            if !due.is_empty() {
                // A waker may run code of its own, which must find the lock free.
                drop(pending);
                due.into_iter().for_each(Waker::wake);
                // Where cores are scarce those who were woken come first. Deadlines that pass
                // meanwhile are met together, so that many of them do not occupy a core.
                thread::yield_now();
                pending = self.lock();
                continue;
            }
            pending = match pending.earliest() {
                None => self.sooner.wait(pending).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at - now > AHEAD => {
                    let slept = self.sooner.wait_timeout(pending, at - now - AHEAD);
                    slept.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(at) => {
                    self.hurry.store(false, Ordering::Release);
                    drop(pending);
                    self.watch(at);
                    self.lock()
                }
            };
        }
    }

    /// Asks the clock until it is `at`, or an earlier deadline has come up.
    fn watch(&self, at: Instant) {
        while os_time::now() < at && !self.hurry.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
    }

    /// Puts a sleeper in, or its newer waker. Returns its number.
    fn enter(&self, at: Instant, number: Option<u64>, waker: &Waker) -> u64 {
        let mut pending = self.lock();
        let number = number.unwrap_or_else(|| {
            pending.count += 1;
            pending.count
        });
        let is_first = pending.earliest().is_none_or(|earliest| at < earliest);
        match pending.sleepers.get_mut(&(at, number)) {
            Some(old) => old.clone_from(waker),
            None => {
                pending.sleepers.insert((at, number), waker.clone());
            }
        }
        if is_first {
            self.hurry.store(true, Ordering::Release);
            drop(pending);
            self.sooner.notify_one();
        }
        number
    }

    /// Takes a sleeper out that is not waited for any more.
    fn leave(&self, at: Instant, number: u64) {
        let waker = self.lock().sleepers.remove(&(at, number));
        // Dropped with the lock free: it may be the last that holds a task.
        drop(waker);
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn earliest(&self) -> Option<Instant> {
        self.sleepers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out everybody who has slept until `now`.
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(sleeper) = self.sleepers.first_entry()
            && sleeper.key().0 <= now
        {
            due.push(sleeper.remove());
        }
        due
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
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn sleepers_are_due_in_the_order_of_their_deadlines() {
        let timer = Timer::new();
        let start = os_time::now();
        let woken = [(); 3].map(|()| Arc::new(Woken::default()));
        for (count, hours) in [(0, 3), (1, 1), (2, 2)] {
            let waker = Waker::from(Arc::clone(&woken[count]));
            timer.enter(start + HOUR * hours, None, &waker);
        }
        let counts = || [0, 1, 2].map(|place| woken[place].0.load(Ordering::Relaxed));
        let wake = |at| timer.lock().take_due(at).into_iter().for_each(Waker::wake);
        wake(start + HOUR / 2);
        assert_eq!(counts(), [0, 0, 0]);
        wake(start + HOUR * 2);
        assert_eq!(counts(), [0, 1, 1]);
        wake(start + HOUR * 9);
        assert_eq!(counts(), [1, 1, 1]);
    }

    #[test]
    fn who_is_dropped_or_asked_again_is_kept_once_or_not_at_all() {
        let timer = Timer::new();
        let mut sleep = timer.sleep_until(os_time::now() + HOUR);
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(Woken::default()));
            let mut context = Context::from_waker(&waker);
            assert!(Pin::new(&mut sleep).poll(&mut context).is_pending());
            assert_eq!(timer.lock().sleepers.len(), 1);
        }
        drop(sleep);
        assert_eq!(timer.lock().sleepers.len(), 0);
    }

    #[test]
    fn the_latest_waker_is_the_one_that_is_woken() {
        let timer = Timer::new();
        let at = os_time::now() + HOUR;
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let number = timer.enter(at, None, &Waker::from(Arc::clone(&woken[0])));
        timer.enter(at, Some(number), &Waker::from(Arc::clone(&woken[1])));
        timer.lock().take_due(at).into_iter().for_each(Waker::wake);
        let counts = woken.map(|woken| woken.0.load(Ordering::Relaxed));
        assert_eq!(counts, [0, 1]);
    }

    #[test]
    fn an_earlier_deadline_makes_the_thread_hurry_and_a_later_one_does_not() {
        let timer = Timer::new();
        let start = os_time::now();
        let waker = Waker::from(Arc::new(Woken::default()));
        let mut hurries = |hours| {
            timer.enter(start + HOUR * hours, None, &waker);
            timer.hurry.swap(false, Ordering::AcqRel)
        };
        assert_eq!([5, 6, 5, 4].map(&mut hurries), [true, false, false, true]);
    }
}
