//! Since when versions are bad: what tells a false rollback from a right one.

use crate::exchange::VersionIndex;
use crate::units::{Ratio, Timestamp};

/// By version, when it became bad; forgotten when it loses its traffic, as its next activation
/// begins anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Onsets(Vec<Option<Timestamp>>);

impl Onsets {
    /// Of so many versions, none of which is bad.
    pub fn new(versions: usize) -> Self {
        Self(vec![None; versions])
    }

    /// When a version became bad; `None`: it is not.
    ///
    /// # Panics
    /// There is no such version.
    pub fn of(&self, version: VersionIndex) -> Option<Timestamp> {
        self.0[usize::from(version.0)]
    }

    /// A version became bad, or one that is was activated.
    ///
    /// # Panics
    /// There is no such version.
    pub fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        self.0[usize::from(version.0)] = Some(at);
    }

    /// The versions from `first` on have these weights now.
    pub fn split_changed(&mut self, first: VersionIndex, weights: &[Ratio]) {
        for (onset, weight) in self.0.iter_mut().skip(usize::from(first.0)).zip(weights) {
            onset.take_if(|_| weight.get() == 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_traffic_is_forgotten_and_others_are_not() {
        let (at, mut onsets) = (Timestamp::from_second(7), Onsets::new(4));
        (0..4).for_each(|version| onsets.became_bad(at, VersionIndex(version)));
        let ratio = |value| Ratio::new(value).unwrap();
        onsets.split_changed(VersionIndex(1), &[ratio(0.0), ratio(1.0)]);
        let bad = (0..4).map(|version| onsets.of(VersionIndex(version)));
        assert_eq!(bad.collect::<Vec<_>>(), [Some(at), None, Some(at), Some(at)]);
    }
}
