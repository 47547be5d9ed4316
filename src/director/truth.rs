//! Which versions are bad, and since when: the truth that rollbacks are held against.

use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::Truth;
use crate::units::Timestamp;

/// The truth about each version of all models.
#[derive(Clone, Debug)]
pub(super) struct TruthKeeper {
    versions: Vec<VersionTruth>,
}

#[derive(Clone, Debug)]
struct VersionTruth {
    truth: Truth,
    model: ModelIndex,
    /// Whether it gets traffic.
    active: bool,
    /// How many faults are on it.
    faults: u32,
    /// When it became bad, or was activated, if later.
    onset: Option<Timestamp>,
}

impl TruthKeeper {
    /// Of versions by their model and their own truth, those of one model side by side.
    pub(super) fn new(truths: impl IntoIterator<Item = (ModelIndex, Truth)>) -> Self {
        let version =
            |(model, truth)| VersionTruth { truth, model, active: false, faults: 0, onset: None };
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
    /// in. Faults that hit every version of a model make none of them bad.
    pub(super) fn new_onsets(&mut self, now: Timestamp) -> Vec<VersionIndex> {
        let mut onsets = Vec::new();
        let mut first = 0;
        for model in self.versions.chunk_by_mut(|one, next| one.model == next.model) {
            let everywhere = model.iter().all(|version| version.faults > 0);
            for (index, version) in (first..).zip(model.iter_mut()) {
                let bad = match version.truth {
                    Truth::Healthy => false,
                    Truth::Bad => true,
                    Truth::DuringFaults => version.faults > 0 && !everywhere,
                };
                if version.active && bad && version.onset.is_none() {
                    version.onset = Some(now);
                    onsets.push(VersionIndex(index));
                }
            }
            first += model.len() as u16;
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
        let mut keeper = TruthKeeper::new(truths.map(|truth| (ModelIndex(0), truth)));
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
    fn what_hits_all_of_one_model_is_no_matter_of_another() {
        let models = [ModelIndex(0), ModelIndex(1), ModelIndex(1)];
        let mut keeper = TruthKeeper::new(models.map(|model| (model, Truth::DuringFaults)));
        for version in [0, 1, 2].map(VersionIndex) {
            keeper.set_active(version, true);
        }
        keeper.fault_began(VersionIndex(0));
        assert_eq!(keeper.new_onsets(Timestamp::EPOCH), [], "the only version of its model");
        keeper.fault_began(VersionIndex(2));
        assert_eq!(keeper.new_onsets(Timestamp::EPOCH), [VersionIndex(2)]);
    }

    #[test]
    fn stated_truths_stand_whatever_the_faults() {
        let mut keeper = keeper([Truth::Healthy, Truth::Bad]);
        keeper.fault_began(STABLE);
        assert_eq!(keeper.new_onsets(Timestamp::EPOCH), [CANARY]);
    }
}
