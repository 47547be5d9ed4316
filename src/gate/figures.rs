//! What the figures of runs are read from: the records of the runs, or values that were read of
//! them before they were given up.

use super::read::{basis, estimate};
use super::run_values::RunValues;
use crate::assertion::Reading;
use crate::record::Record;
use crate::summary::{Basis, ColumnSpec, Estimate};

/// What the figures of runs are read from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Figures<'a> {
    /// What each run left behind, and the columns that selectors can name.
    Records { records: &'a [&'a Record], columns: &'a [ColumnSpec] },
    /// What was read of each.
    Values(&'a RunValues),
}

impl Figures<'_> {
    /// The seeds of the runs, in their order.
    pub(super) fn seeds(self) -> Vec<u64> {
        match self {
            Self::Records { records, .. } => records.iter().map(|record| record.seed).collect(),
            Self::Values(values) => values.seeds().to_vec(),
        }
    }

    /// A metric in each run.
    pub(super) fn estimates(self, reading: &Reading) -> Vec<Estimate> {
        match self {
            Self::Records { records, columns } => {
                records.iter().map(|record| estimate(reading, record, columns)).collect()
            }
            Self::Values(values) => {
                let absent = || vec![Estimate::absent(reading.metric); values.seeds().len()];
                let known = values.of(reading);
                known.map_or_else(absent, |known| {
                    known.iter().map(|value| value.estimate(reading.metric)).collect()
                })
            }
        }
    }

    /// What a metric is made from in the requests of all runs together.
    pub(super) fn pooled(self, reading: &Reading, estimates: &[Estimate]) -> Basis<'static> {
        let nothing = Basis::Exact { value: None, n: 0 };
        let Self::Records { records, columns } = self else { return nothing };
        // Without a value there is nothing to add.
        let all = records.iter().zip(estimates).filter(|(_, estimate)| estimate.has_data());
        let all = all.filter_map(|(record, _)| basis(reading, record, columns));
        all.reduce(|sum, one| sum.merged(&one)).unwrap_or(nothing)
    }

    /// What a metric is in one run, and what it is made from as far as that is known.
    fn made_of(self, reading: &Reading, run: usize) -> Option<(Estimate, Basis<'static>)> {
        match self {
            Self::Records { records, columns } => {
                let record = records.get(run)?;
                let basis = basis(reading, record, columns)?;
                Some((estimate(reading, record, columns), basis))
            }
            Self::Values(values) => {
                let value = values.of(reading)?.get(run)?;
                Some((value.estimate(reading.metric), Basis::Exact { value: None, n: 0 }))
            }
        }
    }
}

/// Whether what a reading is made from came out exactly the same in two runs.
pub(super) fn is_unchanged(
    reading: &Reading,
    (runs, judged): (Figures<'_>, usize),
    (baseline, stored): (Figures<'_>, Option<usize>),
) -> bool {
    let one = runs.made_of(reading, judged);
    let other = stored.and_then(|stored| baseline.made_of(reading, stored));
    one.is_some() && one == other
}
