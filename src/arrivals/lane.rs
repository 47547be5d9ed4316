//! The identities of one process's requests among those of others.
//!
//! Requests are told apart by their process and their number in it, and all draws derive from
//! that. So a process that is superposed on others sends what it would send alone, and a user of a
//! closed process asks the same whatever was answered to the others.

use crate::chance::{Chance, Draws};
use crate::units::{Duration, RequestId};

/// A process among those that are superposed: its place, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    chance: Chance,
    /// The place in the upper bits.
    place: u64,
    next: u64,
}

/// A request that will be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Coming {
    /// When, since the workload began.
    pub(crate) at: Duration,
    /// Its identity.
    pub(crate) id: RequestId,
    /// The draws of that identity.
    pub(crate) draws: Draws,
    /// Who sends it, where the process says so.
    pub(crate) user: Option<u32>,
}

impl Lane {
    /// How many processes can be told apart.
    pub(super) const MOST: usize = 256;

    /// The process at `place`, below [`Lane::MOST`].
    pub(super) const fn new(chance: Chance, place: usize) -> Self {
        Self { chance, place: (place as u64) << PLACE_SHIFT, next: 0 }
    }

    /// The place of the process that sent `id`.
    pub(super) const fn place_of(id: RequestId) -> usize {
        (id.0 >> PLACE_SHIFT) as usize
    }

    /// Request `number` of the process at `place`; numbers beyond 56 bits meet those of others.
    pub(super) const fn id_of(place: usize, number: u64) -> RequestId {
        RequestId(((place as u64) << PLACE_SHIFT) ^ number)
    }

    /// The number within its process of `id`.
    pub(super) const fn number_of(id: RequestId) -> u64 {
        id.0 & ((1 << PLACE_SHIFT) - 1)
    }

    /// The number of the next request of an open process, and its draws.
    #[inline]
    pub(super) fn advance(&mut self) -> (u64, Draws) {
        let number = self.next;
        self.next += 1;
        (number, self.draws(number))
    }

    /// Passes over requests, for tests of what comes late.
    #[cfg(test)]
    pub(super) const fn skip(&mut self, count: u64) {
        self.next += count;
    }

    /// The request of an open process that [`advance`](Self::advance) gave this number and draws.
    #[inline]
    pub(super) fn open(&self, (number, draws): (u64, Draws), at: Duration) -> Coming {
        Coming { at, id: RequestId(self.place | number), draws, user: None }
    }

    /// Request `number` of the process, sent by `user`.
    pub(super) fn of_user(&self, user: u32, number: u64, at: Duration) -> Coming {
        let (id, draws) = (RequestId(self.place | number), self.draws(number));
        Coming { at, id, draws, user: Some(user) }
    }

    /// The draws of request `number`, or of whatever else the process counts: purposes keep them
    /// apart.
    #[inline]
    pub(super) const fn draws(&self, number: u64) -> Draws {
        self.chance.request(RequestId(self.place | number), 0)
    }
}

/// Leaves 2^56 numbers to a process.
const PLACE_SHIFT: u32 = 56;
