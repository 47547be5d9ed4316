//! From the names in a selector to the indices of a record.

use crate::assertion::{self, Selector};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{Arm, Record, VersionInfo};
use crate::summary::{ColumnSpec, Selection};

/// The selection that `selector` names; `None` where the record holds no such thing: a phase that
/// was never reached, or names of another scenario.
pub(super) fn resolve(
    selector: &Selector,
    record: &Record,
    columns: &[ColumnSpec],
) -> Option<Selection> {
    let mut selection = match selector.column() {
        Some(title) => columns.iter().find(|column| column.title == title)?.selection,
        None => Selection::default(),
    };
    if let Some(name) = selector.phase() {
        selection.phase = Some(record.phases.iter().position(|phase| phase.name == name)?);
    }
    if let Some(name) = selector.model() {
        let place = record.models.iter().position(|model| model.id.as_str() == name)?;
        selection.model = Some(ModelIndex(u16::try_from(place).ok()?));
    }
    if let Some(name) = selector.version() {
        selection.version = Some(version(name, record, selection.model)?);
    }
    if let Some(arm) = selector.arm() {
        selection.arm = Some(match arm {
            assertion::Arm::Stable => Arm::Stable,
            assertion::Arm::Canary => Arm::Canary,
            assertion::Arm::Pinned => Arm::Pinned,
        });
    }
    selection.within = selector.within();
    Some(selection)
}

/// The version of this id, or else the one that this tag named at the start, of `model` where one
/// is given.
fn version(name: &str, record: &Record, model: Option<ModelIndex>) -> Option<VersionIndex> {
    let all = (0..).map(VersionIndex).zip(record.versions());
    let mut own = all.filter(|(index, _)| {
        model.is_none_or(|model| record.versions_of(model).contains(&index.0))
    });
    let has_tag = |version: &VersionInfo| version.tags.iter().any(|tag| tag.as_str() == name);
    let of_id = own.clone().find(|(_, version)| version.id.as_str() == name);
    of_id.or_else(|| own.find(|(_, version)| has_tag(version))).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertion::Assertion;
    use crate::summary::fixture::{NEW, OLD, record};

    fn selection(selector: &str) -> Option<Selection> {
        let columns = [ColumnSpec {
            title: "The canary".to_owned(),
            selection: Selection { phase: Some(1), version: Some(NEW), ..Selection::default() },
        }];
        let assertion = Assertion::parse(&format!("error_rate{{{selector}}} < 1%")).unwrap();
        let reading = assertion.readings().next().unwrap();
        resolve(&reading.selector, &record(), &columns)
    }

    #[test]
    fn names_become_indices_and_tags_serve_for_versions() {
        let of =
            |phase, version, arm| Some(Selection { phase, version, arm, ..Selection::default() });
        let model = Some(ModelIndex(0));
        assert_eq!(selection(""), of(None, None, None));
        assert_eq!(selection("phase='after rollback'"), of(Some(3), None, None));
        assert_eq!(selection("version=gpt-4-v1"), of(None, Some(OLD), None));
        let of_model = Selection { model, version: Some(NEW), ..Selection::default() };
        assert_eq!(selection("version=beta, model=gpt-4"), Some(of_model));
        assert_eq!(selection("column='The canary'"), of(Some(1), Some(NEW), None));
        assert_eq!(selection("arm=stable"), of(None, None, Some(Arm::Stable)));
    }

    #[test]
    fn what_the_record_does_not_hold_selects_nothing() {
        for selector in ["phase=later", "version=gpt-5", "model=claude", "column=Other"] {
            assert_eq!(selection(selector), None, "{selector}");
        }
    }
}
