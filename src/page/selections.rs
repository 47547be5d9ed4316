//! The columns of the comparison table as selections of a record's requests.

use crate::result::ResultFile;
use crate::summary::{Selected, Summary};

/// The requests of each column; `None` for one whose phase, model or version the run never saw.
pub(super) fn selections(result: &ResultFile) -> Vec<Option<Selected<'_>>> {
    let record = &result.record;
    let summary = Summary::of(record);
    let selections = result.scenario.columns.iter().map(|column| column.selection(record));
    selections.map(|selection| selection.map(|found| summary.select(found))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn a_column_whose_phase_was_never_reached_stays_in_its_place() {
        let mut result = rolled_back_result();
        result.scenario.columns[1].phase = Some("never reached".to_owned());
        let found: Vec<bool> = selections(&result).iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false, true]);
    }
}
