//! The queue of requests that are to end: earliest first, ties in the order of their entry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::Timestamp;

/// Pending items by the time at which they are due.
///
/// The heap orders small keys; the items stay where they are until they are taken.
#[derive(Debug)]
pub(super) struct Queue<T> {
    heap: BinaryHeap<Reverse<Key>>,
    /// Indexed by a key's place.
    items: Vec<Option<T>>,
    free: Vec<u32>,
    entered: u64,
}

/// Ordered by time, then by the order of entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    at: Timestamp,
    entered: u64,
    place: u32,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), items: Vec::new(), free: Vec::new(), entered: 0 }
    }

    /// When the first item is due; [`Timestamp::MAX`] where there is none.
    #[inline]
    pub(super) fn next_due(&self) -> Timestamp {
        self.heap.peek().map_or(Timestamp::MAX, |Reverse(key)| key.at)
    }

    #[inline]
    pub(super) fn push(&mut self, at: Timestamp, item: T) {
        let place = match self.free.pop() {
            Some(place) => {
                self.items[place as usize] = Some(item);
                place
            }
            None => {
                self.items.push(Some(item));
                (self.items.len() - 1) as u32
            }
        };
        self.heap.push(Reverse(Key { at, entered: self.entered, place }));
        self.entered += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<(Timestamp, T)> {
        let Reverse(key) = self.heap.pop()?;
        self.free.push(key.place);
        let item = self.items[key.place as usize].take();
        Some((key.at, item.expect("a key's place holds its item until the key is taken")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn items_come_out_by_time_and_ties_by_entry(
            steps in proptest::collection::vec(proptest::option::of(0_i64..20), 0..200),
        ) {
            let mut queue = Queue::new();
            let mut model: Vec<(Timestamp, usize)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Some(second) => {
                        let at = Timestamp::from_second(second);
                        queue.push(at, number);
                        model.push((at, number));
                    }
                    None => {
                        model.sort_unstable();
                        let expected = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(queue.pop(), expected);
                    }
                }
            }
        }
    }
}
