//! Values that were read of runs whose records are not kept.

use serde::{Deserialize, Serialize};

use super::read::estimate;
use crate::assertion::Reading;
use crate::metric::Metric;
use crate::record::Record;
use crate::summary::{ColumnSpec, Estimate};

/// The value of a metric in one run.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunValue {
    /// In the metric's base unit.
    Known(f64),
    /// A time until something that never came.
    Never,
    /// There is no data of it.
    NoData,
}

/// Values that were read of several runs: enough to judge lines on exact values and on what is over
/// runs, without any record.
#[derive(Clone, PartialEq, Debug)]
pub struct RunValues {
    seeds: Vec<u64>,
    readings: Vec<(Reading, Vec<RunValue>)>,
}

impl RunValue {
    /// What `reading` is in the run that left `record` behind; selectors can name these columns.
    pub fn read(reading: &Reading, record: &Record, columns: &[ColumnSpec]) -> Self {
        let read = estimate(reading, record, columns);
        match read.value {
            Some(value) => Self::Known(value),
            None if read.infinite => Self::Never,
            None => Self::NoData,
        }
    }

    pub(super) fn estimate(self, metric: Metric) -> Estimate {
        let absent = Estimate::absent(metric);
        match self {
            Self::Known(value) => Estimate { value: Some(value), ..absent },
            Self::Never => Estimate { infinite: true, ..absent },
            Self::NoData => absent,
        }
    }
}

impl RunValues {
    /// Of runs of these seeds, no two the same. Each reading comes with its value in each of them,
    /// in their order.
    ///
    /// # Panics
    /// A reading has not as many values as there are runs.
    pub fn new(seeds: Vec<u64>, readings: Vec<(Reading, Vec<RunValue>)>) -> Self {
        for (reading, values) in &readings {
            assert_eq!(values.len(), seeds.len(), "values of {reading}");
        }
        Self { seeds, readings }
    }

    pub(super) fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// The values of a reading, of whatever results it is asked.
    pub(super) fn of(&self, reading: &Reading) -> Option<&[RunValue]> {
        let found = self.readings.iter().find(|(known, _)| known.is_like(reading));
        found.map(|(_, values)| &values[..])
    }
}
