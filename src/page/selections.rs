//! The columns of the comparison table as selections of a record's requests.

use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Record;
use crate::result::{ColumnInfo, ResultFile};
use crate::summary::{Selected, Selection, Summary};

/// The requests of each column; `None` for one whose phase, model or version the run never saw.
pub(super) fn selections(result: &ResultFile) -> Vec<Option<Selected<'_>>> {
    let record = &result.record;
    let summary = Summary::of(record);
    let columns = result.scenario.columns.iter();
    columns.map(|column| selection(column, record).map(|found| summary.select(found))).collect()
}

fn selection(column: &ColumnInfo, record: &Record) -> Option<Selection> {
    let ColumnInfo { title: _, phase, model, version } = column;
    let mut selection = Selection::default();
    if let Some(name) = phase {
        selection.phase = Some(record.phases.iter().position(|phase| phase.name == *name)?);
    }
    if let Some(name) = model {
        let index = record.models.iter().position(|model| model.id.as_str() == name)?;
        selection.model = Some(ModelIndex(index as u16));
    }
    if let Some(name) = version {
        let index = record.versions().position(|version| version.id.as_str() == name)?;
        selection.version = Some(VersionIndex(index as u16));
    }
    Some(selection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn columns_select_what_they_name() {
        let mut result = rolled_back_result();
        let version = Some("gpt-4-turbo-v2".to_owned());
        let named = |phase: &str| ColumnInfo {
            title: String::new(),
            phase: Some(phase.to_owned()),
            model: Some("gpt-4".to_owned()),
            version: version.clone(),
        };
        let found = selection(&named("canary at 10 %"), &result.record).unwrap();
        assert_eq!(found.phase, Some(1));
        assert_eq!((found.model, found.version), (Some(ModelIndex(0)), Some(VersionIndex(1))));
        assert_eq!(selection(&named("never reached"), &result.record), None);
        result.scenario.columns.push(named("never reached"));
        let found: Vec<bool> = selections(&result).iter().map(Option::is_some).collect();
        assert_eq!(found, [true, true, true, false]);
    }
}
