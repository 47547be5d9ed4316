//! What a gate is judged on: one run or several, which differ in their seeds.

use std::collections::BTreeMap;

use super::figures::Figures;
use super::run_values::RunValues;
use crate::record::Record;
use crate::summary::ColumnSpec;
use crate::units::Ratio;

/// The runs of one scenario.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// What is read of each, in the order in which they are told of; no two of one seed.
    pub(super) figures: Figures<'a>,
    /// What makes requests of one run bear on each other, in words; empty where nothing does.
    pub(super) dependences: &'a [&'a str],
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

impl<'a> Runs<'a> {
    /// Runs by what each left behind, in the order in which they are told of; no two of one seed.
    /// Selectors can name these `columns`. `dependences`: what makes requests of one run bear on
    /// each other, in words; empty where nothing does.
    pub const fn of_records(
        records: &'a [&'a Record],
        columns: &'a [ColumnSpec],
        dependences: &'a [&'a str],
    ) -> Self {
        Self { figures: Figures::Records { records, columns }, dependences }
    }

    /// Runs by what was read of each: they can be judged on exact values and on what is over runs,
    /// and not on the requests of all of them together.
    pub const fn of_values(values: &'a RunValues) -> Self {
        Self { figures: Figures::Values(values), dependences: &[] }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.figures.seeds().len()
    }

    /// Each run by itself.
    pub(super) fn each(&self) -> Vec<Pair> {
        let seeds = self.figures.seeds().into_iter();
        seeds.enumerate().map(|(judged, seed)| Pair { seed, judged, baseline: None }).collect()
    }

    /// The runs that have one of the same seed in `baseline`, each with that.
    pub(super) fn paired(&self, baseline: &Self) -> Vec<Pair> {
        // Runs of a study are many: their seeds are not looked for one by one.
        let seeds = baseline.figures.seeds().into_iter().zip(0..);
        let places: BTreeMap<u64, usize> = seeds.collect();
        let with = |pair: Pair| {
            let place = places.get(&pair.seed)?;
            Some(Pair { baseline: Some(*place), ..pair })
        };
        self.each().into_iter().filter_map(with).collect()
    }
}
