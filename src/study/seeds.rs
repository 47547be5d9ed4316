//! The seeds of a study: so many in a row, the same for all cells.

use serde::{Deserialize, Serialize};

/// Seeds that follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many, at least 1. After the greatest there is comes 0.
    pub count: u64,
}

impl Seeds {
    /// The seed of this index, from 0.
    pub const fn at(self, index: u64) -> u64 {
        self.first.wrapping_add(index)
    }

    /// As many from another first one on.
    #[must_use]
    pub const fn from(self, first: u64) -> Self {
        Self { first, ..self }
    }

    /// The index of `seed`; `None` where it is none of these.
    pub fn index_of(self, seed: u64) -> Option<u64> {
        Some(seed.wrapping_sub(self.first)).filter(|index| *index < self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_their_indices_tell_each_other_past_the_greatest() {
        let seeds = Seeds { first: u64::MAX, count: 3 };
        assert_eq!((0..3).map(|index| seeds.at(index)).collect::<Vec<_>>(), [u64::MAX, 0, 1]);
        assert_eq!(seeds.index_of(1), Some(2));
        assert_eq!(seeds.index_of(2), None);
        assert_eq!(seeds.index_of(u64::MAX - 1), None);
    }
}
