//! What the charts of a sweep have in common.

use super::run_looks::{MOST_RUNS, nth_look};
use crate::chart::{Axis, Dash, Frame, Look, Sheet};

/// A frame without phases and lanes.
pub(super) const fn frame(axis: Axis, caption: String) -> Frame {
    Frame { columns: Sheet::COLUMNS, axis, caption, phases: Vec::new(), lanes: Vec::new() }
}

/// The looks of series of these names: as many as can be told apart.
pub(super) fn looks(names: &[String]) -> Vec<(String, Look, Dash)> {
    let entry = |(place, name): (usize, &String)| {
        let (look, dash) = nth_look(place);
        (name.clone(), look, dash)
    };
    names.iter().take(MOST_RUNS).enumerate().map(entry).collect()
}
