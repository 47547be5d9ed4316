//! How much an upstream answers at once: slots, and a queue before them.

use std::collections::VecDeque;
use std::fmt;

/// How many requests are answered at once, and what becomes of the others.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Capacity {
    /// Requests that are answered at once, at least 1.
    pub concurrency: u32,
    /// Requests that may wait for their turn, first come, first served; `None`: any number.
    pub queue: Option<u32>,
    /// The status that a request is answered that can neither be served nor wait, 400 to 599.
    pub on_full: u16,
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at once", self.concurrency)?;
        match self.queue {
            Some(0) => write!(f, ", else {}", self.on_full),
            Some(queue) => write!(f, ", {queue} waiting, else {}", self.on_full),
            None => f.write_str(", others waiting"),
        }
    }
}

/// A driver's name for a request that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting(pub u32);

/// The slots of an upstream and the requests before them.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    occupied: u32,
    waiting: VecDeque<Waiting>,
}

/// Where a request comes to stand that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    Slot,
    Queue,
    Refused,
}

impl Slots {
    /// The share of the slots that are occupied once a request has taken one more now, at most 1.
    pub(super) fn load(&self, capacity: &Capacity) -> f64 {
        (f64::from(self.occupied + 1) / f64::from(capacity.concurrency)).min(1.0)
    }

    /// Where a request comes to stand that arrives now.
    pub(super) fn admission(&self, capacity: Option<&Capacity>) -> Admission {
        let Some(capacity) = capacity else { return Admission::Slot };
        // Nobody overtakes: who waits while there are free slots is about to be admitted.
        if self.waiting.is_empty() && self.occupied < capacity.concurrency {
            return Admission::Slot;
        }
        match capacity.queue {
            Some(most) if self.waiting.len() >= most as usize => Admission::Refused,
            _ => Admission::Queue,
        }
    }

    /// A request takes a slot.
    pub(super) fn take(&mut self) {
        self.occupied += 1;
    }

    pub(super) fn wait(&mut self, request: Waiting) {
        self.waiting.push_back(request);
    }

    /// The client of a waiting request has left.
    pub(super) fn leave(&mut self, request: Waiting) {
        // Who has waited longest leaves first, as a rule.
        if let Some(place) = self.waiting.iter().position(|waiting| *waiting == request) {
            self.waiting.remove(place);
        }
    }

    /// A request that held a slot has ended.
    pub(super) fn release(&mut self) {
        self.occupied = self.occupied.saturating_sub(1);
    }

    /// The first of the waiting requests, where there is a free slot for it.
    pub(super) fn admit(&mut self, capacity: Option<&Capacity>) -> Option<Waiting> {
        let free = capacity.is_none_or(|capacity| self.occupied < capacity.concurrency);
        if free { self.waiting.pop_front() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Capacity = Capacity { concurrency: 2, queue: Some(1), on_full: 429 };

    /// What becomes of a request that arrives; one that waits has this name.
    fn arrive(slots: &mut Slots, capacity: Option<&Capacity>, name: u32) -> Admission {
        let admission = slots.admission(capacity);
        match admission {
            Admission::Slot => slots.take(),
            Admission::Queue => slots.wait(Waiting(name)),
            Admission::Refused => (),
        }
        admission
    }

    /// Who is admitted, and takes a slot.
    fn admit(slots: &mut Slots, capacity: Option<&Capacity>) -> Option<u32> {
        let Waiting(name) = slots.admit(capacity)?;
        slots.take();
        Some(name)
    }

    #[test]
    fn slots_fill_before_the_queue_and_the_queue_before_refusals() {
        let mut slots = Slots::default();
        let two = Some(&TWO);
        assert_eq!(slots.load(&TWO), 0.5);
        assert_eq!(arrive(&mut slots, two, 0), Admission::Slot);
        assert_eq!(slots.load(&TWO), 1.0);
        assert_eq!(arrive(&mut slots, two, 1), Admission::Slot);
        assert_eq!(slots.load(&TWO), 1.0, "it grows no further");
        assert_eq!(arrive(&mut slots, two, 2), Admission::Queue);
        assert_eq!(arrive(&mut slots, two, 3), Admission::Refused);
        assert_eq!(admit(&mut slots, two), None);
        slots.release();
        assert_eq!(admit(&mut slots, two), Some(2));
        assert_eq!(admit(&mut slots, two), None);
    }

    #[test]
    fn nobody_overtakes_and_who_left_is_not_admitted() {
        let patient = Some(&Capacity { queue: None, ..TWO });
        let mut slots = Slots::default();
        for name in 0..5 {
            arrive(&mut slots, patient, name);
        }
        slots.leave(Waiting(3));
        slots.release();
        // A slot is free, but number 2 is first in line.
        assert_eq!(arrive(&mut slots, patient, 5), Admission::Queue);
        slots.release();
        let admitted = [(); 3].map(|()| admit(&mut slots, patient));
        assert_eq!(admitted, [Some(2), Some(4), None]);
    }

    #[test]
    fn a_capacity_that_is_lifted_admits_all_and_one_that_shrinks_waits_for_ends() {
        let mut slots = Slots::default();
        for name in 0..3 {
            assert_eq!(arrive(&mut slots, None, name), Admission::Slot);
        }
        assert_eq!(arrive(&mut slots, Some(&TWO), 3), Admission::Queue);
        slots.release();
        assert_eq!(admit(&mut slots, Some(&TWO)), None, "two are still served");
        assert_eq!(admit(&mut slots, None), Some(3));
    }
}
