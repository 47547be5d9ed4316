//! Which versions are bad, and since when: the truth that rollbacks are held against.

use crate::exchange::VersionIndex;
use crate::scenario::Truth;
use crate::units::Timestamp;

/// The truth about each version of a model.
#[derive(Clone, Debug)]
pub(super) struct TruthKeeper {
    versions: Vec<VersionTruth>,
}

#[derive(Clone, Debug)]
struct VersionTruth {
    truth: Truth,
    /// Whether it gets traffic.
    active: bool,
    /// How many faults are on it.
    faults: u32,
    /// When it became bad, or was activated, if later.
    onset: Option<Timestamp>,
}

impl TruthKeeper {
    pub(super) fn new(truths: impl IntoIterator<Item = Truth>) -> Self {
        let version = |truth| VersionTruth { truth, active: false, faults: 0, onset: None };
        Self { versions: truths.into_iter().map(version).collect() }
    }

    pub(super) fn fault_began(&mut self, version: VersionIndex) {
        self.versions[usize::from(version.0)].faults += 1;
    }

    pub(super) fn fault_ended(&mut self, version: VersionIndex) {
        self.versions[usize::from(version.0)].faults -= 1;
    }

    /// Whether the version gets traffic from now on. Without traffic an onset is forgotten: the
    /// next activation is a matter of its own.
    pub(super) fn set_active(&mut self, version: VersionIndex, active: bool) {
        let version = &mut self.versions[usize::from(version.0)];
        version.active = active;
        if !active {
            version.onset = None;
        }
    }

    /// The versions that have become bad by `now`; to be called once all changes of one instant are
    /// in. Faults that hit every version make none of them bad.
    pub(super) fn new_onsets(&mut self, now: Timestamp) -> Vec<VersionIndex> {
        let everywhere = self.versions.iter().all(|version| version.faults > 0);
        let mut onsets = Vec::new();
        for (index, version) in self.versions.iter_mut().enumerate() {
            let bad = match version.truth {
                Truth::Healthy => false,
                Truth::Bad => true,
                Truth::DuringFaults => version.faults > 0 && !everywhere,
            };
            if version.active && bad && version.onset.is_none() {
                version.onset = Some(now);
                onsets.push(VersionIndex(index as u16));
            }
        }
        onsets
    }

    pub(super) fn onset(&self, version: VersionIndex) -> Option<Timestamp> {
        self.versions[usize::from(version.0)].onset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STABLE: VersionIndex = VersionIndex(0);
    const CANARY: VersionIndex = VersionIndex(1);

    fn keeper(truths: [Truth; 2]) -> TruthKeeper {
        let mut keeper = TruthKeeper::new(truths);
        keeper.set_active(STABLE, true);
        keeper.set_active(CANARY, true);
        keeper
    }

    #[test]
    fn a_fault_makes_its_version_bad_from_its_onset_on() {
        let mut keeper = keeper([Truth::DuringFaults; 2]);
        let (early, late) = (Timestamp::from_second(5), Timestamp::from_second(9));
        assert_eq!(keeper.new_onsets(early), []);
        keeper.fault_began(CANARY);
        assert_eq!(keeper.new_onsets(early), [CANARY]);
        keeper.fault_ended(CANARY);
        assert_eq!(keeper.new_onsets(late), []);
        assert_eq!(keeper.onset(CANARY), Some(early), "it was bad since its activation");
        keeper.set_active(CANARY, false);
        assert_eq!(keeper.onset(CANARY), None);
    }

    #[test]
    fn a_fault_on_every_version_makes_none_bad() {
        let mut keeper = keeper([Truth::DuringFaults; 2]);
        keeper.fault_began(CANARY);
        keeper.fault_began(STABLE);
        assert_eq!(keeper.new_onsets(Timestamp::EPOCH), []);
    }

    #[test]
    fn stated_truths_stand_whatever_the_faults() {
        let mut keeper = keeper([Truth::Healthy, Truth::Bad]);
        keeper.fault_began(STABLE);
        assert_eq!(keeper.new_onsets(Timestamp::EPOCH), [CANARY]);
    }
}
