//! The looks that tell several runs, or several columns of one, apart in a chart.

use crate::chart::{Dash, Look, version_look};
use crate::units::format_counted;

/// The look of the `n`-th of several, counted from 0: the others are held against the first.
pub(super) fn nth_look(index: usize) -> (Look, Dash) {
    let dash = if index.is_multiple_of(2) { Dash::Solid } else { Dash::Dashed };
    (version_look(index.checked_sub(1)), dash)
}

/// Those of the first [`MOST_RUNS`] runs by their labels.
pub(super) fn legend<T: AsRef<str>>(labels: &[T]) -> Vec<(String, Look, Dash)> {
    let entry = |(index, label): (usize, &T)| {
        let (look, dash) = nth_look(index);
        (label.as_ref().to_owned(), look, dash)
    };
    labels.iter().take(MOST_RUNS).enumerate().map(entry).collect()
}

/// What is said of runs for which a chart has no room.
pub(super) fn runs_left_out(runs: usize) -> Option<String> {
    let left_out = runs.saturating_sub(MOST_RUNS);
    let count = format_counted(left_out as u64, "more run", "more runs");
    (left_out > 0).then(|| format!("not drawn: {count}"))
}

/// Chosen: as many as columns of one run; more curves in one panel cannot be told apart.
pub(super) const MOST_RUNS: usize = 8;
