//! What a store of journal entries can do, whatever keeps them. Knows no database.

use std::num::NonZeroU16;

use super::{Reply, StoreError};
use crate::engine::{BrokenJournal, Digest, JournalFault, Sealed};
use crate::units::{ModelId, Timestamp};

/// Keeps the engine's journal, and the replies to the commands that made it.
///
/// Every entry that it gives back has been checked against its hash and against the columns kept
/// beside it; that each follows on the one before is for [`fold`](super::fold) to say.
pub trait Journal: Send {
    /// Appends entries in their order, and keeps the reply to the command that led to them. All of
    /// it is on disk when this returns, or none of it is kept. Replies older than
    /// [`REPLY_LIFETIME`](super::REPLY_LIFETIME) at the reply's time are forgotten.
    ///
    /// Without entries and reply it tries whether there is room to write.
    ///
    /// Where it is dropped before it returns, or the database fails while it commits, the entries
    /// may be kept all the same: [`Journal::head`] tells.
    ///
    /// # Errors
    /// The first entry does not follow on the journal's last, or the others not on each other; a
    /// reply is kept under the same key; the journal is open for reading only; the disk refuses.
    fn append(
        &mut self,
        entries: &[&Sealed],
        reply: Option<&Reply>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether what is appended would be found again: not where its file was deleted or replaced.
    ///
    /// # Errors
    /// It would not.
    fn check_place(&mut self) -> Result<(), StoreError>;

    /// The entries of a model after number `after`, oldest first: at most `limit`, and fewer where
    /// they are large. Only an empty page says that there are no more.
    ///
    /// # Errors
    /// An entry of the page cannot be trusted, or the database refuses.
    fn read_of(
        &mut self,
        model: &ModelId,
        after: u64,
        limit: NonZeroU16,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// The entries after number `after`, oldest first: at most `limit`, and fewer where they are
    /// large. Only an empty page says that there are no more. A page ends before an entry that
    /// cannot be trusted; the reading that begins with it is refused.
    ///
    /// # Errors
    /// The first entry of the page cannot be trusted, or the database refuses.
    fn read(
        &mut self,
        after: u64,
        limit: NonZeroU16,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// Where the journal ends.
    ///
    /// # Errors
    /// The database refuses, or what it holds is no head.
    fn head(&mut self) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// The reply that is kept under `key`, if it is younger at `now` than
    /// [`REPLY_LIFETIME`](super::REPLY_LIFETIME).
    ///
    /// # Errors
    /// The database refuses, or what it holds is no reply.
    fn reply(
        &mut self,
        key: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Reply>, StoreError>> + Send;

    /// Closes the journal, so that all of it is in one place: of a file, without files beside it. A
    /// journal that is dropped instead loses nothing.
    ///
    /// # Errors
    /// The database refuses; nothing that was appended is lost.
    fn close(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Where a journal ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// How many entries it has: the number of the last one.
    pub entries: u64,
    /// The hash of the last entry; zeros before the first.
    pub hash: Digest,
}

impl Head {
    /// The head that `first` follows on.
    pub(super) fn before(first: &Sealed) -> Self {
        let entry = first.entry();
        Self { entries: entry.number.saturating_sub(1), hash: entry.previous }
    }

    /// The head after `entries`.
    ///
    /// # Errors
    /// One of them does not follow on the one before it, or the first not on this head.
    pub(super) fn after(self, entries: &[&Sealed]) -> Result<Self, BrokenJournal> {
        entries.iter().try_fold(self, |head, sealed| {
            let entry = sealed.entry();
            let place = head.entries + 1;
            let broken = |fault| Err(BrokenJournal { place, fault });
            if entry.number != place {
                return broken(JournalFault::Number { found: entry.number, expected: place });
            }
            if entry.previous != head.hash {
                let (found, expected) = (entry.previous, head.hash);
                return broken(JournalFault::Previous { found, expected });
            }
            Ok(Self { entries: entry.number, hash: sealed.hash() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimen::sealed;
    use super::*;

    #[test]
    fn a_head_moves_over_a_chain_and_refuses_a_gap_and_another_order() {
        let chain = sealed(4);
        let all: Vec<_> = chain.iter().collect();
        let end = Head::default().after(&all).unwrap();
        assert_eq!(end, Head { entries: 4, hash: chain[3].hash() });
        assert_eq!(Head::before(&chain[2]), Head { entries: 2, hash: chain[1].hash() });
        for wrong in [vec![&chain[1]], vec![&chain[0], &chain[2]], vec![&chain[0], &chain[0]]] {
            let broken = Head::default().after(&wrong).unwrap_err();
            assert_eq!(broken.place, wrong.len() as u64);
            assert!(matches!(broken.fault, JournalFault::Number { .. }));
        }
        let stray = Head { entries: 1, hash: chain[2].hash() };
        let broken = stray.after(&[&chain[1]]).unwrap_err();
        assert!(matches!(broken.fault, JournalFault::Previous { .. }));
    }
}
