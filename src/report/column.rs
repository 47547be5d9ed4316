//! The columns of the comparison table as charts show them: their requests and their looks.

use super::run_looks::nth_look;
use crate::chart::{Dash, Look};
use crate::result::ResultFile;
use crate::summary::{Selected, Selection, Summary};

/// A column that has requests.
pub(super) struct Column<'a> {
    pub(super) title: &'a str,
    pub(super) selection: Selection,
    pub(super) selected: Selected<'a>,
    pub(super) look: Look,
    pub(super) dash: Dash,
}

/// The columns that have requests, at most [`MOST_COLUMNS`].
pub(super) fn columns(result: &ResultFile) -> Vec<Column<'_>> {
    let summary = Summary::of(&result.record);
    let infos = result.scenario.columns.iter().enumerate();
    let columns = infos.filter_map(|(index, info)| {
        let selection = info.selection(&result.record)?;
        let selected = summary.select(selection);
        let (look, dash) = nth_look(index);
        let busy = selected.attempts().completed() > 0;
        busy.then_some(Column { title: &info.title, selection, selected, look, dash })
    });
    columns.take(MOST_COLUMNS).collect()
}

/// Chosen: more curves in one chart cannot be told apart.
const MOST_COLUMNS: usize = 8;
