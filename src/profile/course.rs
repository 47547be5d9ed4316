//! Traffic and its outcomes over time, in slots that double in width when there are too many.

use serde::Serialize;

use crate::units::Duration;

/// What was seen slot by slot, from the beginning of the trace on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Course {
    /// How long a slot is: 1, 2, 4 s and so on.
    #[serde(rename = "width_ns")]
    pub width: Duration,
    /// The slots up to the last one with a request, or to where the stretch is known to end.
    pub slots: Vec<CourseSlot>,
}

/// The requests that were sent in one slot.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct CourseSlot {
    /// How many.
    pub requests: u64,
    /// Those of them that succeeded or failed: of the others it is not known, or says nothing of
    /// the version.
    pub judged: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose duration is known, failures left out.
    pub timed: u64,
    /// The sum of their durations.
    #[serde(rename = "duration_ns")]
    pub duration: Duration,
}

impl Course {
    /// How many slots there are at most.
    pub const MOST_SLOTS: usize = 512;

    /// The slots, each `factor` of these.
    #[must_use]
    pub fn coarser(&self, factor: usize) -> Self {
        let slots = self.slots.chunks(factor.max(1)).map(|chunk| {
            let mut sum = CourseSlot::default();
            chunk.iter().for_each(|slot| sum.add(slot));
            sum
        });
        Self { width: self.width * factor.max(1) as u64, slots: slots.collect() }
    }

    /// The same in slots of this width, if it is a multiple of the present one.
    #[must_use]
    pub(super) fn in_slots_of(&self, width: Duration) -> Self {
        self.coarser((width.as_nanos() / self.width.as_nanos()) as usize)
    }

    /// Adds `seen` to the slot of an instant, in any order.
    #[inline]
    pub(super) fn add(&mut self, at: Duration, seen: &CourseSlot) {
        let mut slot = (at.as_nanos() / self.width.as_nanos()) as usize;
        while slot >= Self::MOST_SLOTS {
            self.double();
            slot = (at.as_nanos() / self.width.as_nanos()) as usize;
        }
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, CourseSlot::default());
        }
        self.slots[slot].add(seen);
    }

    /// The stretch went on `until` this time: there are slots up to it.
    pub(super) fn reach(&mut self, until: Duration) {
        if !until.is_zero() {
            let last = until.saturating_sub(Duration::from_nanos(1));
            self.add(last, &CourseSlot::default());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        while self.width < other.width {
            self.double();
        }
        let other = other.in_slots_of(self.width);
        for (slot, seen) in other.slots.iter().enumerate() {
            if slot < self.slots.len() {
                self.slots[slot].add(seen);
            } else {
                self.slots.push(*seen);
            }
        }
    }

    #[cold]
    fn double(&mut self) {
        *self = self.coarser(2);
    }
}

impl Default for Course {
    fn default() -> Self {
        Self { width: FIRST_WIDTH, slots: Vec::new() }
    }
}

impl CourseSlot {
    #[inline]
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.judged += other.judged;
        self.failed += other.failed;
        self.timed += other.timed;
        self.duration = self.duration.saturating_add(other.duration);
    }
}

const FIRST_WIDTH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CourseSlot = CourseSlot {
        requests: 1,
        judged: 1,
        failed: 0,
        timed: 1,
        duration: Duration::from_millis(250),
    };

    #[test]
    fn slots_double_until_there_are_not_too_many() {
        let mut course = Course::default();
        (0..512).for_each(|second| course.add(Duration::from_secs(second), &ONE));
        assert_eq!((course.width, course.slots.len()), (Duration::from_secs(1), 512));
        course.add(Duration::from_secs(3_000), &ONE);
        assert_eq!((course.width, course.slots.len()), (Duration::from_secs(8), 376));
        assert_eq!(course.slots[0].requests, 8);
        assert_eq!(course.slots[63].duration, Duration::from_secs(2));
        assert_eq!((course.slots[64].requests, course.slots[375].requests), (0, 1));
        course.add(Duration::MAX, &ONE);
        assert_eq!(course.slots.iter().map(|slot| slot.requests).sum::<u64>(), 514);
        assert!(course.slots.len() <= Course::MOST_SLOTS);
    }

    #[test]
    fn slots_reach_to_the_end_of_a_stretch() {
        let mut course = Course::default();
        course.add(Duration::ZERO, &ONE);
        course.reach(Duration::from_secs(300));
        assert_eq!((course.width, course.slots.len()), (Duration::from_secs(1), 300));
        course.reach(Duration::from_secs(1_024));
        assert_eq!((course.width, course.slots.len()), (Duration::from_secs(2), 512));
        assert_eq!(course.slots.iter().map(|slot| slot.requests).sum::<u64>(), 1);
    }

    #[test]
    fn courses_of_any_widths_merge_to_that_of_all() {
        let seconds = |range: std::ops::Range<u64>| {
            let mut course = Course::default();
            range.for_each(|second| course.add(Duration::from_secs(second), &ONE));
            course
        };
        for cut in [0, 1, 100, 511, 700, 1_999, 2_000] {
            let mut merged = seconds(0..cut);
            merged.merge(&seconds(cut..2_000));
            assert_eq!(merged, seconds(0..2_000), "{cut}");
        }
    }
}
