//! Identities of things that are counted.

/// Which request of its source this is, counted from 0. All draws of a request derive from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);
