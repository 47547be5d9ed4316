//! Which version was the stable of a model, and when.

use crate::exchange::VersionIndex;
use crate::units::Timestamp;

/// The stables of a model, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Stables(Vec<(Timestamp, Option<VersionIndex>)>);

impl Stables {
    /// From `at` on it is this one; what was told before stays.
    pub(super) fn set(&mut self, at: Timestamp, stable: Option<VersionIndex>) {
        if self.0.last().is_none_or(|(_, last)| *last != stable) {
            self.0.push((at, stable));
        }
    }

    /// Which it was at a time; `None`: none was.
    pub(super) fn at(&self, time: Timestamp) -> Option<VersionIndex> {
        let since = self.0.iter().rev().find(|(since, _)| *since <= time);
        since.and_then(|(_, stable)| *stable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_the_stable_at_a_time_is_known_after_it_has_changed() {
        let at = Timestamp::from_second;
        let mut stables = Stables::default();
        assert_eq!(stables.at(at(1)), None);
        stables.set(at(10), Some(VersionIndex(0)));
        stables.set(at(15), Some(VersionIndex(0)));
        stables.set(at(20), Some(VersionIndex(1)));
        stables.set(at(30), None);
        let all = [9, 10, 19, 20, 29, 30].map(|second| stables.at(at(second)));
        let [old, new] = [0, 1].map(|version| Some(VersionIndex(version)));
        assert_eq!(all, [None, old, old, new, new, None]);
    }
}
