//! The queue of requests that are to end: earliest first, ties in the order of their entry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::Timestamp;

/// Pending items by the time at which they are due.
///
/// Small keys are ordered; the items stay where they are until they are taken. The soonest keys
/// stand in a short sorted list, which few requests in flight never leave; a heap takes the rest.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// The soonest first, at the places from `start` to before `end`. Empty only where `far` is
    /// too.
    near: Box<[Key; ROOM]>,
    start: usize,
    end: usize,
    /// None is sooner than any of `near`.
    far: BinaryHeap<Reverse<Key>>,
    /// Indexed by a key's place.
    items: Vec<Option<T>>,
    free: Vec<u32>,
    /// How many keys there are whose item was taken before its time. None is the first.
    stale: u32,
    entered: u64,
}

/// An item whose time has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Popped<T> {
    /// Where it stood.
    pub(super) place: u32,
    /// What it is.
    pub(super) item: T,
}

/// Time, order of entry and place in one number, highest first: it orders as the three do, and one
/// comparison tells the order.
type Key = u128;

impl<T> Queue<T> {
    /// How many items can be pending at once.
    pub(super) const CAPACITY: usize = MOST_ITEMS as usize;

    pub(super) fn new() -> Self {
        Self {
            near: Box::new([0; ROOM]),
            start: 0,
            end: 0,
            far: BinaryHeap::new(),
            items: Vec::new(),
            free: Vec::new(),
            stale: 0,
            entered: 0,
        }
    }

    /// When the first item is due; [`Timestamp::MAX`] where there is none.
    #[inline]
    pub(super) fn next_due(&self) -> Timestamp {
        self.near().first().map_or(Timestamp::MAX, |key| time_of(*key))
    }

    /// Adds an item that is due at `at`, and says at which place it stands until it is taken.
    ///
    /// # Panics
    /// 2^24 items are pending.
    #[inline(always)]
    pub(super) fn push(&mut self, at: Timestamp, item: T) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| self.add_place());
        // Written once, on every path: so the item is made in its place and not moved there.
        self.items[place as usize] = Some(item);
        let key = key(at, self.entered, place);
        self.entered += 1;
        if self.end == ROOM {
            self.make_room();
        }
        if !self.far.is_empty() && self.near().last().is_some_and(|latest| key > *latest) {
            self.far.push(Reverse(key));
        } else {
            self.insert_near(key);
        }
        place
    }

    /// Whether there is no room for another item.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.free.is_empty() && self.items.len() == Self::CAPACITY
    }

    /// The first item, and where it stood: no other comes to stand there until the place is
    /// [vacated](Self::vacate).
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Popped<T>> {
        let key = *self.near().first()?;
        self.pop_key();
        let item = self.items[place_of(key) as usize].take();
        if self.stale > 0 {
            self.drop_stale();
        }
        let item = item.expect("the place of the first key holds its item");
        Some(Popped { place: place_of(key), item })
    }

    /// The item at `place`, before its time.
    ///
    /// # Panics
    /// There is none.
    pub(super) fn take(&mut self, place: u32) -> T {
        let item = self.items[place as usize].take().expect("an item that is pending");
        self.stale += 1;
        self.drop_stale();
        item
    }

    /// Lets another item have the place of one that was popped.
    #[inline]
    pub(super) fn vacate(&mut self, place: u32) {
        self.free.push(place);
    }

    /// Takes the first key away.
    #[inline]
    fn pop_key(&mut self) {
        self.start += 1;
        if self.start == self.end {
            self.bring_near();
        }
    }

    /// Takes the first keys away whose items were taken before their time.
    #[cold]
    fn drop_stale(&mut self) {
        while let Some(key) = self.near().first().copied()
            && self.items[place_of(key) as usize].is_none()
        {
            self.pop_key();
            self.vacate(place_of(key));
            self.stale -= 1;
        }
    }

    #[inline]
    fn near(&self) -> &[Key] {
        &self.near[self.start..self.end]
    }

    #[cold]
    fn add_place(&mut self) -> u32 {
        let place = self.items.len() as u32;
        assert!(place < MOST_ITEMS, "at most {MOST_ITEMS} items can be pending");
        self.items.push(None);
        place
    }

    /// Inserts a key where it belongs. Most are later than nearly all others.
    #[inline]
    fn insert_near(&mut self, key: Key) {
        let mut hole = self.end;
        while hole > self.start && self.near[hole - 1] > key {
            self.near[hole] = self.near[hole - 1];
            hole -= 1;
        }
        self.near[hole] = key;
        self.end += 1;
    }

    /// Moves the list back to the beginning of its room, and its later half to the heap if it is
    /// long.
    #[cold]
    fn make_room(&mut self) {
        if self.near().len() > MOST_NEAR {
            let kept = self.start + MOST_NEAR / 2;
            self.far.extend(self.near[kept..self.end].iter().copied().map(Reverse));
            self.end = kept;
        }
        self.near.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
    }

    /// Fills the list, which is empty, with the soonest of the heap.
    #[inline(never)]
    fn bring_near(&mut self) {
        (self.start, self.end) = (0, 0);
        while self.end < MOST_NEAR / 2 {
            let Some(Reverse(key)) = self.far.pop() else { break };
            self.near[self.end] = key;
            self.end += 1;
        }
    }
}

#[inline]
fn key(at: Timestamp, entered: u64, place: u32) -> Key {
    // A flipped sign lets times before 1970 come first.
    let time = at.as_nanos() as u64 ^ SIGN;
    Key::from(time) << 64 | Key::from(entered << PLACE_BITS | u64::from(place))
}

#[inline]
fn place_of(key: Key) -> u32 {
    key as u32 & (MOST_ITEMS - 1)
}

#[inline]
fn time_of(key: Key) -> Timestamp {
    Timestamp::from_nanos(((key >> 64) as u64 ^ SIGN) as i64)
}

/// Chosen: up to here moving keys costs less than a heap's branches, which no processor foresees.
const MOST_NEAR: usize = 32;
/// Twice as much, so that the list need be moved back only once in as many pushes.
const ROOM: usize = 2 * MOST_NEAR;
/// Leaves 40 bits for the order of entry: 10^12 items in a run.
const PLACE_BITS: u32 = 24;
const MOST_ITEMS: u32 = 1 << PLACE_BITS;
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(i64),
        Take(usize),
        Pop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            5 => (-9_i64..20).prop_map(Step::Push),
            1 => (0_usize..400).prop_map(Step::Take),
            3 => Just(Step::Pop),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn items_come_out_by_time_and_ties_by_entry(steps in steps()) {
            let mut queue = Queue::new();
            let mut model: Vec<(Timestamp, usize, u32)> = Vec::new();
            let drained = std::iter::repeat_n(Step::Pop, 400);
            for (number, step) in steps.into_iter().chain(drained).enumerate() {
                match step {
                    Step::Push(second) => {
                        let at = Timestamp::from_second(second);
                        model.push((at, number, queue.push(at, number)));
                    }
                    Step::Take(any) if !model.is_empty() => {
                        let (_, number, place) = model.remove(any % model.len());
                        prop_assert_eq!(queue.take(place), number);
                    }
                    Step::Take(_) => (),
                    Step::Pop => {
                        model.sort_unstable();
                        let expected = (!model.is_empty()).then(|| model.remove(0));
                        let due = queue.next_due();
                        let popped = queue.pop();
                        if let Some(Popped { place, .. }) = popped {
                            queue.vacate(place);
                        }
                        let popped = popped.map(|popped| (due, popped.item, popped.place));
                        prop_assert_eq!(popped, expected);
                    }
                }
                let places: BTreeSet<_> = model.iter().map(|(.., place)| place).collect();
                prop_assert_eq!(places.len(), model.len(), "a place is one item's");
                let first = model.iter().map(|(at, ..)| *at).min();
                prop_assert_eq!(queue.next_due(), first.unwrap_or(Timestamp::MAX));
            }
        }
    }

    #[test]
    fn a_place_is_another_items_only_when_it_is_vacated() {
        let mut queue = Queue::new();
        let at = Timestamp::from_second(1);
        let first = queue.push(at, "first");
        assert_eq!(queue.pop().map(|popped| popped.place), Some(first));
        assert_ne!(queue.push(at, "second"), first);
        queue.vacate(first);
        assert_eq!(queue.push(at, "third"), first);
    }
}
