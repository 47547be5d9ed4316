//! Room for a number of requests at once. Knows nothing of who they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Room for so many at once; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    taken: Arc<AtomicU32>,
    most: u32,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicU32>);

impl Room {
    /// Room for `most`; `None`: for any number.
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { taken: Arc::default(), most: most.unwrap_or(u32::MAX) }
    }

    /// The same with room for `most`: those who are seated are counted on.
    pub(super) fn with(&self, most: Option<u32>) -> Self {
        Self { taken: Arc::clone(&self.taken), most: most.unwrap_or(u32::MAX) }
    }

    /// A seat, if one is free.
    pub(super) fn enter(&self) -> Option<Seat> {
        let more = |taken: u32| (taken < self.most).then(|| taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Seat(Arc::clone(&self.taken)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_as_many_as_were_promised() {
        let room = Room::new(Some(2));
        let (first, second) = (room.enter(), room.enter());
        assert!(first.is_some() && second.is_some() && room.enter().is_none());
        drop(first);
        assert!(room.enter().is_some());
    }

    #[test]
    fn who_is_seated_counts_also_where_the_room_becomes_another() {
        let room = Room::new(None);
        let seats = [room.enter(), room.enter()];
        let smaller = room.with(Some(2));
        assert!(smaller.enter().is_none());
        drop(seats);
        assert!(smaller.enter().is_some());
    }

    #[test]
    fn room_for_none_refuses_all() {
        assert!(Room::new(Some(0)).enter().is_none());
    }
}
