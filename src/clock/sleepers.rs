//! Who waits until when.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// Sleepers by deadline, those of one instant in the order in which they came.
#[derive(Debug)]
pub(super) struct Sleepers {
    wakers: BTreeMap<(Instant, u64), Waker>,
    count: u64,
}

impl Sleepers {
    pub(super) const fn new() -> Self {
        Self { wakers: BTreeMap::new(), count: 0 }
    }

    /// When the first of them is to be woken.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.wakers.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.wakers.len()
    }

    /// Puts a sleeper in, or its newer waker. Returns its number, and whether it is now the first.
    pub(super) fn enter(&mut self, at: Instant, number: Option<u64>, waker: &Waker) -> (u64, bool) {
        let number = number.unwrap_or_else(|| {
            self.count += 1;
            self.count
        });
        let is_first = self.earliest().is_none_or(|earliest| at < earliest);
        match self.wakers.get_mut(&(at, number)) {
            Some(old) => old.clone_from(waker),
            None => {
                self.wakers.insert((at, number), waker.clone());
            }
        }
        (number, is_first)
    }

    /// Takes a sleeper out that is not waited for any more. What it leaves is to be dropped where
    /// no lock is held: it may be the last that holds a task.
    pub(super) fn leave(&mut self, at: Instant, number: u64) -> Option<Waker> {
        self.wakers.remove(&(at, number))
    }

    /// Takes out everybody who has slept until `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(sleeper) = self.wakers.first_entry()
            && sleeper.key().0 <= now
        {
            due.push(sleeper.remove());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;
    use crate::clock::os_time;

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
        let mut sleepers = Sleepers::new();
        let start = os_time::now();
        let woken = [(); 3].map(|()| Arc::new(Woken::default()));
        for (count, hours) in [(0, 3), (1, 1), (2, 2)] {
            let waker = Waker::from(Arc::clone(&woken[count]));
            sleepers.enter(start + HOUR * hours, None, &waker);
        }
        let counts = || [0, 1, 2].map(|place| woken[place].0.load(Ordering::Relaxed));
        let mut wake = |at| sleepers.take_due(at).into_iter().for_each(Waker::wake);
        wake(start + HOUR / 2);
        assert_eq!(counts(), [0, 0, 0]);
        wake(start + HOUR * 2);
        assert_eq!(counts(), [0, 1, 1]);
        wake(start + HOUR * 9);
        assert_eq!(counts(), [1, 1, 1]);
    }

    #[test]
    fn the_latest_waker_is_the_one_that_is_woken() {
        let mut sleepers = Sleepers::new();
        let at = os_time::now() + HOUR;
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let (number, _) = sleepers.enter(at, None, &Waker::from(Arc::clone(&woken[0])));
        sleepers.enter(at, Some(number), &Waker::from(Arc::clone(&woken[1])));
        sleepers.take_due(at).into_iter().for_each(Waker::wake);
        let counts = woken.map(|woken| woken.0.load(Ordering::Relaxed));
        assert_eq!(counts, [0, 1]);
    }

    #[test]
    fn only_an_earlier_deadline_is_the_first() {
        let mut sleepers = Sleepers::new();
        let start = os_time::now();
        let waker = Waker::noop();
        let mut is_first = |hours| sleepers.enter(start + HOUR * hours, None, waker).1;
        assert_eq!([5, 6, 5, 4].map(&mut is_first), [true, false, false, true]);
    }
}
