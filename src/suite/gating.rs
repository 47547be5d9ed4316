//! One scenario of a suite: its runs, its gate on them, its baseline.

use super::baseline::Baseline;
use super::outcome::Outcome;
use super::suite_report::{AgainstStored, GatedScenario};
use crate::compare::ScenarioDifference;
use crate::gate::{Judgement, Runs, Stored};
use crate::record::Record;
use crate::result::{FileDigest, ScenarioInfo, distrust, judge};
use crate::run::TraceReport;
use crate::scenario::{Loaded, dependences};

/// The runs of a scenario, in the order of their seeds.
#[derive(Debug)]
pub struct Played<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// The files that it was read from.
    pub files: &'a [FileDigest],
    /// What each run left behind; at least one.
    pub records: &'a [Record],
    /// The traces that each replayed, the same for all.
    pub traces: &'a [TraceReport],
}

/// What a scenario's gate found.
#[derive(Clone, PartialEq, Debug)]
pub struct Gated {
    /// What it found.
    pub judgement: Judgement,
    /// What it was held against.
    pub against: Option<AgainstStored>,
}

impl Played<'_> {
    /// Judges the gate, against the runs that are stored in a file, where there are any and the
    /// gate asks for them.
    ///
    /// # Panics
    /// There is no run.
    pub fn gate(&self, stored: Option<(&str, &Baseline)>) -> Gated {
        let records: Vec<&Record> = self.records.iter().collect();
        let mut doubts = self.distrust();
        let needed = self.loaded.scenario.needs_baseline();
        let Some((file, baseline)) = stored.filter(|_| needed) else {
            return Gated { judgement: judge(self.loaded, &records, None, &doubts), against: None };
        };
        let differences = baseline.differences(&self.info(), self.traces);
        doubts.extend(self.incomparable(file, baseline, &differences));
        let columns = baseline.columns();
        let of_baseline: Vec<&Record> = baseline.runs.iter().collect();
        let closed = baseline.scenario.closed_users.is_some();
        let dependences = dependences(&baseline.scenario.resolved, closed);
        let runs = Runs::of_records(&of_baseline, &columns, &dependences);
        let stored = Stored { runs, same_scenario: differences.is_empty() };
        let paired = |record: &&Record| baseline.runs.iter().any(|run| run.seed == record.seed);
        let against = AgainstStored {
            file: file.to_owned(),
            runs: baseline.runs.len() as u64,
            pairs: self.records.iter().filter(paired).count() as u64,
            differing: differences.iter().map(|one| one.told()).collect(),
        };
        let judgement = judge(self.loaded, &records, Some(&stored), &doubts);
        Gated { judgement, against: Some(against) }
    }

    /// Whether its runs are something to hold later ones against: its gate holds, or is open for
    /// want of a baseline only; so is one of other traffic than the baseline's, which is of no use
    /// any more. What fails does not become what the next change is held against.
    pub fn is_worth_storing(&self, gated: &GatedScenario) -> bool {
        match gated.outcome {
            Outcome::Pass => true,
            Outcome::Inconclusive | Outcome::NothingToEvaluate => gated.baseline.is_none(),
            Outcome::Invalid => gated.baseline.is_some() && self.distrust().is_empty(),
            Outcome::Fail | Outcome::Unreadable => false,
        }
    }

    /// Its runs, to be stored for later gates.
    pub fn baseline(&self) -> Baseline {
        Baseline::of(self.info(), self.traces.to_vec(), self.records.to_vec())
    }

    fn info(&self) -> ScenarioInfo {
        let Loaded { scenario, resolved, .. } = self.loaded;
        let seed = self.records[0].seed;
        ScenarioInfo::of(scenario, self.files.to_vec(), seed, resolved.clone())
    }

    /// Why the runs cannot be trusted: what holds for all, and what for some.
    fn distrust(&self) -> Vec<String> {
        let mut found: Vec<(String, Vec<u64>)> = Vec::new();
        for record in self.records {
            for doubt in distrust(&self.loaded.scenario, record) {
                match found.iter_mut().find(|(known, _)| *known == doubt) {
                    Some((_, seeds)) => seeds.push(record.seed),
                    None => found.push((doubt, vec![record.seed])),
                }
            }
        }
        let runs = self.records.len();
        let told = |(doubt, seeds): (String, Vec<u64>)| match seeds.len() == runs {
            true => doubt,
            false => format!("{doubt} (in {} of {runs} runs, seed {})", seeds.len(), seeds[0]),
        };
        found.into_iter().map(told).collect()
    }

    /// Why nothing can be held against the baseline: it is of another scenario, or of other
    /// traffic.
    fn incomparable(
        &self,
        file: &str,
        baseline: &Baseline,
        differences: &[ScenarioDifference],
    ) -> Vec<String> {
        let (name, stored) = (&self.loaded.scenario.name, &baseline.scenario.name);
        if name != stored {
            return vec![format!("the baseline {file} is of another scenario, {stored:?}")];
        }
        let traffic = differences.iter().filter(|one| is_of_traffic(&one.path));
        let told: Vec<String> = traffic.map(|one| one.told()).collect();
        match told.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "the baseline {file} is of other traffic: {}; store it anew with --save-baseline",
                told.join(", ")
            )],
        }
    }
}

/// Whether what differs decides what is asked: two runs are compared under the same requests.
fn is_of_traffic(path: &str) -> bool {
    let under = |key: &str| path == key || path.starts_with(&format!("{key}."));
    let of_phase = path.starts_with("phases.") && path.contains(".workload.");
    under("workload") || under("start") || of_phase || path.starts_with("trace ")
}
