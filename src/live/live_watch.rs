//! Who watches a live run from outside.

use crate::record::Outcome;

/// Who watches a live run.
pub struct LiveWatch<'a> {
    /// Whether somebody asks for its end.
    pub is_asked_to_stop: &'a dyn Fn() -> bool,
    /// Is told how many requests have ended, several times a second.
    pub tick: &'a mut dyn FnMut(u64),
    /// Is told of each request that has ended.
    pub sink: &'a mut dyn FnMut(&Outcome),
}
