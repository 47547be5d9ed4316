//! An observer that keeps everything, and holds what must hold of any run against it.

use std::collections::BTreeSet;

use coalmine::chance::Chance;
use coalmine::engine::Slot;
use coalmine::engine::{Evidence, Reading, Sealed};
use coalmine::exchange::{ModelIndex, VersionIndex};
use coalmine::math;
use coalmine::metric::Measure;
use coalmine::record::{Arm, Attempt, Happening, Observer, Outcome};
use coalmine::scenario::{Scenario, Traffic};
use coalmine::simulator::simulate;
use coalmine::units::{Ratio, Timestamp};
use coalmine::workload::Source;

/// Everything that happened in a run, checked while it happens.
pub(crate) struct Witness<'a> {
    scenario: &'a Scenario,
    weights: Vec<Ratio>,
    /// The phase that began last, and when.
    phase: Option<(u16, Timestamp)>,
    /// Versions that were rolled back and not deployed again.
    banned: BTreeSet<VersionIndex>,
    /// What fired last.
    fired: Option<(Timestamp, VersionIndex)>,
    pub(crate) assigned: u64,
    pub(crate) rollbacks: u64,
    pub(crate) keys_rejected: u64,
    /// When the last rollback was.
    pub(crate) rolled_back_at: Option<Timestamp>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Those at requests that took several.
    pub(crate) attempts: Vec<Attempt>,
}

impl<'a> Witness<'a> {
    /// Plays `scenario` under `seed` and tells what was seen.
    pub(crate) fn of(scenario: &'a Scenario, seed: u64) -> Self {
        let Traffic::Generated(workload) = &scenario.traffic else { panic!("no trace expected") };
        let chance = Chance::new(seed, 0);
        let mut witness = Self {
            scenario,
            weights: Vec::new(),
            phase: None,
            banned: BTreeSet::new(),
            fired: None,
            assigned: 0,
            rollbacks: 0,
            keys_rejected: 0,
            rolled_back_at: None,
            outcomes: Vec::new(),
            attempts: Vec::new(),
        };
        let source = Source::generate(workload, chance);
        let finished = simulate(scenario, chance, source, &mut witness).unwrap();
        let catalog = finished.engine.catalog(ModelIndex(0)).unwrap();
        for (index, version) in scenario.versions().enumerate() {
            for tag in &version.tags {
                let holder = catalog.holder(tag.as_str());
                assert_eq!(holder, Some(Slot(index as u16)), "{tag} has moved");
            }
        }
        let tags: usize = scenario.versions().map(|version| version.tags.len()).sum();
        assert_eq!(catalog.tags().count(), tags);
        witness
    }

    /// Whether the plan of the phase that begins at `at` gives traffic to `version`.
    fn is_redeployed(&self, at: Timestamp, version: VersionIndex) -> bool {
        let Some((phase, began)) = self.phase else { return false };
        let split = &self.scenario.phases[usize::from(phase)].split;
        let gives = |share: &(VersionIndex, Ratio)| share.0 == version && share.1.get() > 0.0;
        began == at && split.as_ref().is_some_and(|split| split.iter().any(gives))
    }

    fn split_changed(&mut self, at: Timestamp, weights: Vec<Ratio>) {
        let sum: f64 = weights.iter().map(|weight| weight.get()).sum();
        assert!((sum - 1.0).abs() <= 1e-9, "weights sum to {sum}");
        for version in (0..weights.len() as u16).map(VersionIndex) {
            if weights[usize::from(version.0)].get() > 0.0 && self.banned.contains(&version) {
                assert!(self.is_redeployed(at, version), "{version:?} is back at {at}");
                self.banned.remove(&version);
            }
        }
        self.weights = weights;
    }
}

impl Observer for Witness<'_> {
    fn assigned(&mut self, at: Timestamp, _: u16, version: VersionIndex, arm: Arm) {
        self.assigned += 1;
        if arm == Arm::Pinned {
            return;
        }
        assert!(self.weights[usize::from(version.0)].get() > 0.0, "{version:?} at weight 0, {at}");
        assert!(!self.banned.contains(&version), "{version:?} was rolled back before {at}");
    }

    fn completed(&mut self, outcome: &Outcome) {
        self.outcomes.push(*outcome);
    }

    fn attempted(&mut self, attempt: &Attempt) {
        self.attempts.push(*attempt);
    }

    fn key_rejected(&mut self, _: u16, _: ModelIndex) {
        self.keys_rejected += 1;
    }

    fn journalled(&mut self, _: &Sealed) {}

    fn became_bad(&mut self, _: Timestamp, _: VersionIndex) {}

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        match happening {
            Happening::PhaseBegan { phase } => self.phase = Some((phase, at)),
            Happening::SplitChanged { weights, .. } => self.split_changed(at, weights),
            Happening::Fired { version, evidence, .. } => {
                assert_eq!(evidence.check, at);
                assert_holds(&evidence);
                self.fired = Some((at, version));
            }
            Happening::RolledBack { version, target } => {
                let version = version.unwrap();
                assert_eq!(self.fired, Some((at, version)), "a rollback without a firing");
                assert_ne!(version, target);
                assert!(!self.banned.contains(&target), "{target:?} was rolled back itself");
                self.banned.insert(version);
                self.rollbacks += 1;
                self.rolled_back_at = Some(at);
            }
            _ => (),
        }
    }
}

/// Evaluates `evidence` again, from its numbers alone.
fn assert_holds(evidence: &Evidence) {
    let holds = match &evidence.reading {
        Reading::Share { hits, requests, operator, threshold, .. } => {
            compare(operator.symbol(), *hits as f64 / *requests as f64, threshold.get())
        }
        Reading::Time { metric, value, above, requests, operator, threshold, .. } => {
            match (metric.measure(), above) {
                // The quantile is above the threshold exactly if too few values are not above it.
                (Measure::Quantile(_, quantile), Some(above)) => {
                    let beyond = requests - above < quantile.rank(*requests);
                    beyond == operator.symbol().starts_with('>')
                }
                _ => compare(
                    operator.symbol(),
                    value.unwrap().as_secs_f64(),
                    threshold.as_secs_f64(),
                ),
            }
        }
        Reading::Count { requests, operator, threshold, .. } => {
            compare(operator.symbol(), *requests as f64, *threshold as f64)
        }
        Reading::Amount { value, operator, threshold, .. } => {
            compare(operator.symbol(), *value, *threshold)
        }
        Reading::Compared(seen) => match (seen.metric.measure(), seen.above) {
            (Measure::Quantile(_, quantile), Some(above)) => {
                let beyond = seen.requests - above < quantile.rank(seen.requests);
                beyond == seen.operator.symbol().starts_with('>')
            }
            _ => compare(seen.operator.symbol(), seen.value.unwrap(), seen.limit),
        },
        Reading::NoData { requests, min_requests, .. } => requests < min_requests,
        Reading::Sequential(shares) => shares.ln_evidence >= -math::ln(shares.alpha.get()),
    };
    assert!(holds && evidence.holds(), "{evidence:?}");
}

fn compare(operator: &str, left: f64, right: f64) -> bool {
    match operator {
        ">" => left > right,
        ">=" => left >= right,
        "<" => left < right,
        "<=" => left <= right,
        other => panic!("operator {other}"),
    }
}
