//! From a journal to the state that its entries lead to, with the whole chain verified. Knows no
//! database.

use std::num::NonZeroU16;

use super::{Journal, StoreError};
use crate::engine::{BrokenJournal, DurableState, Sealed};

/// The state that the journal's entries lead to: what an engine is restored from. Every entry is
/// verified, and that the last one is the last that was appended; a page at a time is in memory.
///
/// # Errors
/// An entry was changed, left out, put in, moved or cut off, with its place; nothing is skipped. Or
/// the database refuses.
pub async fn fold<J: Journal>(journal: &mut J) -> Result<DurableState, StoreError> {
    walk(journal, |_| Ok(())).await
}

/// As [`fold`], with every entry given to `each` once it has been verified.
///
/// # Errors
/// As [`fold`], or what `each` answers; then the walk ends.
pub async fn walk<J: Journal>(
    journal: &mut J,
    mut each: impl FnMut(&Sealed) -> Result<(), StoreError>,
) -> Result<DurableState, StoreError> {
    let head = journal.head().await?;
    let mut state = DurableState::default();
    loop {
        let page = journal.read(state.entries(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        for sealed in &page {
            let place = state.entries() + 1;
            state.follow(sealed).map_err(|fault| BrokenJournal { place, fault })?;
            if place > head.entries {
                return Err(StoreError::Tail { found: place, stated: head.entries });
            }
            each(sealed)?;
        }
    }
    let (found, stated) = (state.entries(), head.entries);
    if found != stated {
        return Err(StoreError::Tail { found, stated });
    }
    if state.head() != head.hash {
        let (found, stated) = (state.head(), head.hash);
        return Err(StoreError::HeadHash { place: head.entries, found, stated });
    }
    Ok(state)
}

/// How many entries are read at once. Chosen: a query costs some ten microseconds, an entry about
/// as much, so that a longer page gains nothing.
const PAGE: NonZeroU16 = NonZeroU16::new(256).expect("it is above 0");
