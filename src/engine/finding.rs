//! What a check of a trigger found.

/// What a check found.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Finding {
    /// Too few requests.
    NoData,
    /// The comparison holds.
    Breach,
    /// It does not.
    Clear,
}
