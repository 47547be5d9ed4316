//! The columns of the comparison table as charts show them: their requests and their looks.

use crate::chart::{Dash, Look, version_look};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Record;
use crate::result::{ColumnInfo, ResultFile};
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
        let selection = column_selection(&result.record, info)?;
        let selected = summary.select(selection);
        let look = version_look(index.checked_sub(1));
        let dash = if index % 2 == 0 { Dash::Solid } else { Dash::Dashed };
        let busy = selected.attempts().completed() > 0;
        busy.then_some(Column { title: &info.title, selection, selected, look, dash })
    });
    columns.take(MOST_COLUMNS).collect()
}

/// What a column shows; `None` where it names a phase, a model or a version that the run never saw.
pub(crate) fn column_selection(record: &Record, info: &ColumnInfo) -> Option<Selection> {
    let phase = |name: &String| record.phases.iter().position(|phase| phase.name == *name);
    let model = |name: &String| {
        let place = record.models.iter().position(|model| model.id.as_str() == name)?;
        u16::try_from(place).ok().map(ModelIndex)
    };
    let version = |name: &String| {
        let place = record.versions().position(|version| version.id.as_str() == name)?;
        u16::try_from(place).ok().map(VersionIndex)
    };
    Some(Selection {
        phase: found(info.phase.as_ref(), phase)?,
        model: found(info.model.as_ref(), model)?,
        version: found(info.version.as_ref(), version)?,
        ..Selection::default()
    })
}

/// The place of a name, if there is a name; `None` where there is one that has no place.
fn found<T>(name: Option<&String>, place: impl Fn(&String) -> Option<T>) -> Option<Option<T>> {
    match name {
        Some(name) => place(name).map(Some),
        None => Some(None),
    }
}

/// Chosen: more curves in one chart cannot be told apart.
const MOST_COLUMNS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn columns_select_what_they_name() {
        let result = rolled_back_result();
        let version = Some("gpt-4-turbo-v2".to_owned());
        let named = |phase: &str| ColumnInfo {
            title: String::new(),
            phase: Some(phase.to_owned()),
            model: Some("gpt-4".to_owned()),
            version: version.clone(),
        };
        let found = column_selection(&result.record, &named("canary at 10 %")).unwrap();
        assert_eq!(found.phase, Some(1));
        assert_eq!((found.model, found.version), (Some(ModelIndex(0)), Some(VersionIndex(1))));
        assert_eq!(column_selection(&result.record, &named("never reached")), None);
    }
}
