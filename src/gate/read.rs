//! A metric as it is read from one run.

use super::resolve::resolve;
use crate::assertion::Reading;
use crate::record::Record;
use crate::summary::{Basis, ColumnSpec, Estimate, Method, Selected, Summary};

/// The requests of one run that a metric is read of; `None` where the run holds no such requests.
fn selected<'a>(
    reading: &Reading,
    record: &'a Record,
    columns: &[ColumnSpec],
) -> Option<Selected<'a>> {
    let selection = resolve(&reading.selector, record, columns)?;
    Some(Summary::of(record).select(selection))
}

/// Reads a metric from one run.
pub(super) fn estimate(reading: &Reading, record: &Record, columns: &[ColumnSpec]) -> Estimate {
    let selected = selected(reading, record, columns);
    selected.map_or_else(
        || Estimate::absent(reading.metric),
        |requests| requests.estimate(reading.metric, Method::Display),
    )
}

/// What a metric of one run is made from: much more than its estimate.
pub(super) fn basis(
    reading: &Reading,
    record: &Record,
    columns: &[ColumnSpec],
) -> Option<Basis<'static>> {
    Some(selected(reading, record, columns)?.basis(reading.metric).into_owned())
}
