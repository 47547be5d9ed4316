//! Which owners of requests were counted already: bounded memory, at the price of some that are
//! never counted.
//!
//! Where requests of one owner stick to a version, chance has drawn the owners and not the
//! requests: an owner's second error follows from its first, so that its first request alone
//! counts. Owners are told apart by the last 16 bits of their place, which have no part in the
//! choice of a version; one whose bit another has set already is not counted, on whichever version
//! it is.

/// A bit for each owner; no memory before the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Vec<u64>);

impl Owners {
    /// Whether `owner` is seen for the first time.
    pub(super) fn is_new(&mut self, owner: u16) -> bool {
        if self.0.is_empty() {
            self.0 = vec![0; WORDS];
        }
        let word = &mut self.0[usize::from(owner / 64)];
        let bit = 1 << (owner % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// A bit for each of 2^16 owners: 8 KiB.
const WORDS: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_is_new_once() {
        let mut owners = Owners::default();
        for owner in [0, 63, 64, u16::MAX] {
            assert!(owners.is_new(owner));
            assert!(!owners.is_new(owner));
        }
    }
}
