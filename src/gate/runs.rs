//! What a gate is judged on: the records of one run or of several, which differ in their seeds.

use crate::record::Record;
use crate::summary::ColumnSpec;
use crate::units::Ratio;

/// The runs of one scenario.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// What each left behind, in the order in which they are told of; no two of one seed.
    pub records: &'a [&'a Record],
    /// The columns that selectors can name.
    pub columns: &'a [ColumnSpec],
    /// What makes requests of one run bear on each other, in words; empty where nothing does.
    pub dependences: &'a [&'a str],
}

/// The runs of a baseline.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// What is stored.
    pub runs: Runs<'a>,
    /// Whether they were made of the scenario that is judged, not of an earlier form of it: then
    /// runs of one seed are the same for certain.
    pub same_scenario: bool,
}

/// How many runs a mean over runs needs, and a value that is the same in all of them. Chosen: with
/// fewer Student's quantile is so large (12.7 for two) that the intervals of the requests tell
/// more.
pub(super) const FEWEST_RUNS: usize = 5;

/// How lines that hold results against a baseline are judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// The smallest effect that matters, as a share of the baseline's value: a value that is worse
    /// than a bare `baseline(...)` by less still holds against it.
    pub smallest_effect: Ratio,
    /// The probability, for all these lines of a gate together, that any fails of which none
    /// should; in (0, 1).
    pub alpha: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { smallest_effect: Ratio::ZERO, alpha: 0.05 }
    }
}

/// Two runs of one seed, by their places: one that is judged, and one of the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pair {
    pub(super) seed: u64,
    pub(super) judged: usize,
    /// None where no baseline is asked for.
    pub(super) baseline: Option<usize>,
}

impl Runs<'_> {
    /// Each run by itself.
    pub(super) fn each(&self) -> Vec<Pair> {
        let seeds = self.records.iter().map(|record| record.seed);
        seeds.enumerate().map(|(judged, seed)| Pair { seed, judged, baseline: None }).collect()
    }

    /// The runs that have one of the same seed in `baseline`, each with that.
    pub(super) fn paired(&self, baseline: &Self) -> Vec<Pair> {
        let with = |pair: Pair| {
            let place = baseline.records.iter().position(|record| record.seed == pair.seed)?;
            Some(Pair { baseline: Some(place), ..pair })
        };
        self.each().into_iter().filter_map(with).collect()
    }
}
