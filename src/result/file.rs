//! The result file: all that is known of a run, from which every other output can be made again.
//!
//! Two runs of one scenario under one seed and one build give the same bytes: when, how long and
//! where the run was made stands elsewhere. What a field means is said in its JSON Schema,
//! [`result_schema`](super::schema::result_schema).

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::exchange::{ModelIndex, VersionIndex};
use crate::gate::{Judgement, Verdict};
use crate::json::outline;
use crate::record::Record;
use crate::run::{LiveFacts, TraceReport};
use crate::scenario::{Expectation, Scenario};
use crate::summary::{Selection, Table};

/// All that is known of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResultFile {
    /// Where it is described what each field means.
    #[serde(rename = "$schema", default)]
    pub(crate) description: SchemaName,
    /// What it is, for who finds it.
    #[serde(default)]
    pub(crate) about: About,
    /// The number of the format: [`ResultFile::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that wrote it.
    pub coalmine: String,
    /// What was rehearsed.
    pub scenario: ScenarioInfo,
    /// The traces that were replayed, in the order of the scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceReport>,
    /// What is known of the run beside what happened in it, where its requests went over HTTP;
    /// absent: it was simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveFacts>,
    /// What the gate found.
    pub gate: Judgement,
    /// The comparison table.
    pub table: Table,
    /// What happened.
    pub record: Record,
}

/// The name of the JSON Schema of this format: the same in every file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SchemaName;

/// A sentence on the file: the same in every file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct About;

/// What was rehearsed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Its name.
    pub name: String,
    /// What it shows, in a line.
    pub title: String,
    /// The files that it was read from.
    pub files: Vec<FileDigest>,
    /// The seed of the run.
    pub seed: u64,
    /// The columns of the comparison table.
    pub columns: Vec<ColumnInfo>,
    /// Published figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceInfo>,
    /// What had to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate: Vec<GateInfo>,
    /// How many users waited for each answer before they sent on, where some did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_users: Option<u64>,
    /// The verdict that its author expects instead of a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Verdict>,
    /// The whole scenario with every default spelled out.
    pub resolved: Value,
}

/// A file and what was in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its path, as named on the command line or relative to that.
    pub path: String,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// A column of the comparison table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its heading.
    pub title: String,
    /// The name of the phase that it shows; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The name of the model that it shows; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The name of the version that it shows; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A published figure.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReferenceInfo {
    /// The column that it is for (an index).
    pub column: usize,
    /// The name of the metric.
    pub metric: String,
    /// The figure in the metric's base unit.
    pub value: f64,
}

/// A line of the gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateInfo {
    /// As written.
    pub text: String,
    /// The file that it stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u32,
}

impl ResultFile {
    /// The number of the format that this version writes; it reads all before it too.
    pub const SCHEMA: u64 = 5;

    /// What stands at the head of every file for who finds it.
    pub(super) const ABOUT: &str = "The result of a rehearsal with coalmine: all that is known of \
                                    it, and all that its reports are made from. `coalmine schema \
                                    result` prints what each field means and its unit, `coalmine \
                                    report` makes the reports again.";

    /// The name of the JSON Schema of this format.
    pub(super) fn schema_name() -> String {
        format!("urn:coalmine:result:{}", Self::SCHEMA)
    }

    /// The result of a run, marked with the format's number and this version of coalmine.
    pub fn new(
        scenario: ScenarioInfo,
        traces: Vec<TraceReport>,
        gate: Judgement,
        table: Table,
        record: Record,
    ) -> Self {
        let coalmine = env!("CARGO_PKG_VERSION").to_owned();
        let (description, about, schema) = (SchemaName, About, Self::SCHEMA);
        let live = None;
        Self { description, about, schema, coalmine, scenario, traces, live, gate, table, record }
    }

    /// The file's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }
}

impl Serialize for SchemaName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&ResultFile::schema_name())
    }
}

impl<'de> Deserialize<'de> for SchemaName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl Serialize for About {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ResultFile::ABOUT)
    }
}

impl<'de> Deserialize<'de> for About {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl ScenarioInfo {
    /// What `scenario` says, read from `files`, run under `seed`; `resolved` is its resolved form.
    pub fn of(scenario: &Scenario, files: Vec<FileDigest>, seed: u64, resolved: Value) -> Self {
        let phase = |index: usize| scenario.phases[index].name.clone();
        let model = |index: ModelIndex| scenario.models[usize::from(index.0)].id.to_string();
        let columns = scenario.columns.iter().map(|column| ColumnInfo {
            title: column.title.clone(),
            phase: column.phase.map(phase),
            model: column.model.map(model),
            version: column.version.map(|index| scenario.version(index).id.to_string()),
        });
        let references = scenario.references.iter().map(|reference| ReferenceInfo {
            column: reference.column,
            metric: reference.metric.name().to_owned(),
            value: reference.value,
        });
        let gate = scenario.gate.iter().map(|line| GateInfo {
            text: line.text.clone(),
            file: line.file.clone(),
            line: line.line,
        });
        let expect = scenario.expect.map(|expectation| match expectation {
            Expectation::Fail => Verdict::Fail,
            Expectation::Inconclusive => Verdict::Inconclusive,
        });
        let closed_users = scenario.closed_users();
        Self {
            closed_users: (closed_users > 0).then_some(closed_users),
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            files,
            seed,
            columns: columns.collect(),
            references: references.collect(),
            gate: gate.collect(),
            expect,
            resolved,
        }
    }
}

impl ColumnInfo {
    /// The requests of a run that it shows; `None` where it names a phase that was never reached,
    /// or what is not there.
    pub fn selection(&self, record: &Record) -> Option<Selection> {
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
            phase: found(self.phase.as_ref(), phase)?,
            model: found(self.model.as_ref(), model)?,
            version: found(self.version.as_ref(), version)?,
            ..Selection::default()
        })
    }
}

/// The place of a name, if there is a name; `None` where there is one that has no place.
fn found<T>(name: Option<&String>, place: impl Fn(&String) -> Option<T>) -> Option<Option<T>> {
    match name {
        Some(name) => place(name).map(Some),
        None => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::rolled_back_result;
    use super::*;

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
        let found = named("canary at 10 %").selection(&result.record).unwrap();
        assert_eq!(found.phase, Some(1));
        assert_eq!((found.model, found.version), (Some(ModelIndex(0)), Some(VersionIndex(1))));
        assert_eq!(named("never reached").selection(&result.record), None);
    }
}
