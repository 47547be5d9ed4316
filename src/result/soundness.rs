//! Whether a result that was read can be trusted: that it is one that a run could have written.
//!
//! A file may have been edited, or come from elsewhere. What it names goes to terminals, into files
//! and pages; what it counts with indexes its own lists; what it concludes fails builds. So names
//! are plain, indices lead somewhere, and verdicts follow from what they rest on. Knows not whether
//! the figures are true.

use serde_json::Value;

use super::counts;
use super::file::{ResultFile, ScenarioInfo};
use super::unsound::{Unsound, refuse};
use crate::exchange::VersionIndex;
use crate::gate::Judgement;
use crate::record::{Happening, Order, Record};
use crate::run::TraceReport;
use crate::summary::{TABLE_METRICS, TABLE_METRICS_WITH_CLIENTS};
use crate::units::VersionId;

/// Checks a result against itself; `value` is its file as JSON.
pub(super) fn check(result: &ResultFile, value: &Value) -> Result<(), Unsound> {
    scenario(&result.scenario, &result.traces, value)?;
    record(&result.record)?;
    table(result)?;
    gate(result)
}

/// Checks what was rehearsed; `value` is the whole file as JSON.
fn scenario(scenario: &ScenarioInfo, traces: &[TraceReport], value: &Value) -> Result<(), Unsound> {
    plain_texts("", value)?;
    let name = scenario.name.as_str();
    if name.len() > LONGEST_NAME || name.contains(':') || VersionId::new(name).is_err() {
        let allowed = "allowed are 1 to 64 characters of A-Z a-z 0-9 . _ -, the first a letter or \
                       digit";
        return refuse("scenario.name", format!("{name:?} cannot name a folder: {allowed}"));
    }
    for file in &scenario.files {
        digest("scenario.files", &file.sha256)?;
    }
    for sha256 in traces.iter().filter_map(|trace| trace.sha256.as_ref()) {
        digest("traces", sha256)?;
    }
    Ok(())
}

/// Checks runs that are stored without table and gate; `value` is their whole file as JSON.
///
/// # Errors
/// What no run has written.
pub fn check_runs(
    rehearsed: &ScenarioInfo,
    traces: &[TraceReport],
    records: &[Record],
    value: &Value,
) -> Result<(), Unsound> {
    scenario(rehearsed, traces, value)?;
    records.iter().try_for_each(record)
}

/// Checks what a run left behind.
fn record(record: &Record) -> Result<(), Unsound> {
    indices(record)?;
    counts::check(record)
}

/// Refuses characters that steer a terminal or a log.
fn plain_texts(place: &str, value: &Value) -> Result<(), Unsound> {
    let plain = |place: &str, text: &str| match text.chars().find(|c| c.is_control()) {
        Some(c) => refuse(place, format!("holds the control character U+{:04X}", u32::from(c))),
        None => Ok(()),
    };
    match value {
        Value::String(text) => plain(place, text),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| plain_texts(&format!("{place}[{index}]"), item))
        }
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            plain("a key", key)?;
            plain_texts(&place, value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn digest(place: &str, sha256: &str) -> Result<(), Unsound> {
    let hexadecimal = sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if sha256.len() == 64 && hexadecimal {
        return Ok(());
    }
    refuse(place, format!("has {sha256:?}, which is no SHA-256 in hexadecimal digits"))
}

/// Refuses indices that lead nowhere, and lists that do not fit each other.
fn indices(record: &Record) -> Result<(), Unsound> {
    let versions = record.versions().count();
    let of_version = |place: &str, version: VersionIndex| {
        within(place, "version", usize::from(version.0), versions)
    };
    let of_phase =
        |place: &str, phase: u16| within(place, "phase", usize::from(phase), record.phases.len());
    if record.phases.iter().any(|phase| phase.end < phase.start) || record.end < record.start {
        return refuse("record.phases", "end before they begin".to_owned());
    }
    let slots = record.series.versions.first().map_or(0, Vec::len);
    let rows = record.series.versions.len();
    if rows != versions || record.series.versions.iter().any(|row| row.len() != slots) {
        let problem = format!("has {rows} rows for {versions} versions, or rows that differ");
        return refuse("record.series", problem);
    }
    for cell in &record.cells {
        of_phase("record.cells", cell.phase)?;
        of_version("record.cells", cell.version)?;
    }
    for event in &record.timeline.events {
        happening(record, &event.happening)?;
    }
    for rollback in &record.rollbacks {
        of_phase("record.rollbacks", rollback.phase)?;
        of_version("record.rollbacks", rollback.version)?;
        of_version("record.rollbacks", rollback.target)?;
    }
    for blast in &record.blasts {
        of_version("record.blasts", blast.version)?;
    }
    for bursts in &record.bursts {
        of_version("record.bursts", bursts.version)?;
        let kept = bursts.stretches.len() as u64;
        if kept > bursts.count || bursts.stretches.iter().any(|one| one.until < one.from) {
            return refuse("record.bursts", "end before they begin, or are not so many".to_owned());
        }
    }
    for health in &record.rules {
        of_version("record.rules", health.version)?;
    }
    for span in &record.splits {
        of_phase("record.splits", span.phase)?;
        within("record.splits", "model", usize::from(span.model.0), record.models.len())?;
    }
    for promotion in &record.promotions {
        of_phase("record.promotions", promotion.phase)?;
        of_version("record.promotions", promotion.version)?;
    }
    for undone in &record.undone_commands {
        of_phase("record.undone_commands", undone.phase)?;
        if let Some(model) = undone.model {
            let (place, models) = ("record.undone_commands", record.models.len());
            within(place, "model", usize::from(model.0), models)?;
        }
    }
    for lost in &record.lost_tags {
        of_phase("record.lost_tags", lost.phase)?;
        of_version("record.lost_tags", lost.version)?;
    }
    for rejections in &record.key_rejections {
        let place = "record.key_rejections";
        of_phase(place, rejections.phase)?;
        within(place, "model", usize::from(rejections.model.0), record.models.len())?;
        if let Some(client) = rejections.client {
            within(place, "client", usize::from(client), record.clients.len())?;
        }
    }
    Ok(())
}

/// Refuses a happening that concerns what the record does not have.
fn happening(record: &Record, happening: &Happening) -> Result<(), Unsound> {
    let place = "record.timeline";
    let of_version = |version: VersionIndex| {
        within(place, "version", usize::from(version.0), record.versions().count())
    };
    let of_phase = |phase: u16| within(place, "phase", usize::from(phase), record.phases.len());
    let of_trigger = |version: VersionIndex, trigger: usize| {
        let model = record.model_of(version).map(|model| &record.models[usize::from(model.0)]);
        within(place, "trigger", trigger, model.map_or(0, |model| model.triggers.len()))
    };
    match happening {
        Happening::PhaseBegan { phase } | Happening::WaitEnded { phase, .. } => of_phase(*phase),
        Happening::SplitChanged { model, weights } => {
            within(place, "model", usize::from(model.0), record.models.len())?;
            let versions = record.models[usize::from(model.0)].versions.len();
            if weights.len() == versions {
                return Ok(());
            }
            refuse(place, format!("has {} weights for {versions} versions", weights.len()))
        }
        Happening::BreachBegan { trigger, version }
        | Happening::BreachEnded { trigger, version }
        | Happening::Fired { trigger, version, .. }
        | Happening::Notified { trigger, version, .. } => of_trigger(*version, *trigger),
        Happening::RolledBack { version, target } => {
            of_version(*target)?;
            version.map_or(Ok(()), of_version)
        }
        Happening::SplitSkew { arms, .. } => {
            arms.iter().try_for_each(|arm| of_version(arm.version))
        }
        Happening::PinShare { model, .. } => {
            within(place, "model", usize::from(model.0), record.models.len())
        }
        Happening::Commanded { model, order }
        | Happening::CommandIdle { model, order }
        | Happening::CommandRefused { model, order, .. }
        | Happening::CommandMissed { model, order } => match model {
            _ if matches!(order, Order::Begin { phase, .. } if of_phase(*phase).is_err()) => {
                refuse(place, "has a command to begin a phase that there is not".to_owned())
            }
            Some(model) => within(place, "model", usize::from(model.0), record.models.len()),
            None if order.is_of_keys() || matches!(order, Order::Told(_)) => Ok(()),
            None => refuse(place, "has a command for no model that is not about keys".to_owned()),
        },
        Happening::LockedOut { client, .. } => {
            within(place, "client", usize::from(*client), record.clients.len())
        }
        Happening::WorkloadChanged { .. } => Ok(()),
        Happening::FaultBegan { version, .. }
        | Happening::FaultEnded { version, .. }
        | Happening::FaultMissed { version, .. }
        | Happening::RollbackRefused { version, .. }
        | Happening::Drained { version }
        | Happening::RolloutMoved { version, .. }
        | Happening::StepWaits { version, .. }
        | Happening::KeysInvalidated { version, .. }
        | Happening::TagLost { version, .. } => of_version(*version),
    }
}

/// Refuses a table that is not that of the scenario's columns.
fn table(result: &ResultFile) -> Result<(), Unsound> {
    let wanted: Vec<_> = result.scenario.columns.iter().map(|column| &column.title).collect();
    let found: Vec<_> = result.table.columns.iter().map(|column| &column.title).collect();
    if wanted != found {
        return refuse("table.columns", "are not the columns of the scenario".to_owned());
    }
    for column in &result.table.columns {
        let metrics = || column.cells.iter().map(|cell| cell.estimate.metric);
        if !metrics().eq(TABLE_METRICS) && !metrics().eq(TABLE_METRICS_WITH_CLIENTS) {
            return refuse("table.columns", format!("{:?} lacks rows", column.title));
        }
    }
    for reference in &result.table.references {
        within("table.references", "column", reference.column, wanted.len())?;
    }
    Ok(())
}

/// Refuses a verdict that does not follow from what it rests on.
fn gate(result: &ResultFile) -> Result<(), Unsound> {
    let lines = match &result.gate {
        Judgement::NothingToEvaluate => &[][..],
        Judgement::Judged(judged) => {
            if judged.expected != result.scenario.expect {
                let problem = "expects another verdict than the scenario".to_owned();
                return refuse("gate", problem);
            }
            &judged.lines
        }
    };
    let wanted = result.scenario.gate.iter().map(|line| (&line.text, &line.file, line.line));
    if !wanted.eq(lines.iter().map(|line| (&line.text, &line.file, line.line))) {
        return refuse("gate.lines", "are not the lines of the scenario's gate".to_owned());
    }
    let contradiction = result.gate.contradiction();
    contradiction.map_or(Ok(()), |contradiction| refuse("gate", contradiction.to_string()))
}

fn within(place: &str, what: &str, index: usize, count: usize) -> Result<(), Unsound> {
    if index < count {
        return Ok(());
    }
    refuse(place, format!("names {what} {index} (from 0) of {count}"))
}

/// That of a scenario's name.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::example::{eventful, rolled_back_result, without_gate};
    use super::*;

    /// What is said of the result in which `pointer` has become `value`.
    fn found(result: &ResultFile, pointer: &str, value: Value) -> String {
        let mut json = serde_json::to_value(result).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        let text = json.to_string();
        ResultFile::from_json(&text).map_or_else(|error| error.to_string(), |_| String::new())
    }

    fn in_gate(pointer: &str, value: Value) -> String {
        found(&rolled_back_result(), pointer, value)
    }

    #[test]
    fn names_that_steer_a_terminal_or_leave_a_folder_are_refused() {
        let escape = in_gate("/scenario/title", json!("\u{1b}[2J"));
        assert_eq!(
            escape,
            "no run has written this result: scenario.title: holds the control character U+001B"
        );
        let phase = in_gate("/record/phases/1/name", json!("a\nb"));
        assert!(phase.contains("record.phases[1].name: holds the control character U+000A"));
        for name in ["../elsewhere", "", "a:b", "/tmp"] {
            assert!(
                in_gate("/scenario/name", json!(name)).contains("cannot name a folder"),
                "{name}"
            );
        }
        let digest = in_gate("/scenario/files/0/sha256", json!("00"));
        assert!(digest.contains("no SHA-256"), "{digest}");
    }

    #[test]
    fn indices_lead_somewhere() {
        let result = ResultFile { record: eventful(), ..without_gate() };
        let fails = |pointer: &str, value: Value| {
            let found = found(&result, pointer, value);
            assert!(found.starts_with("no run has written this result"), "{pointer}: {found}");
        };
        fails("/record/cells/0/version", json!(2));
        fails("/record/cells/0/phase", json!(4));
        fails("/record/series/versions/0", json!([]));
        fails("/record/timeline/events/0/phase", json!(9));
        fails("/record/timeline/events/4/trigger", json!(1));
        fails("/record/rollbacks/0/target", json!(7));
        fails("/record/blasts/0/version", json!(7));
        fails("/record/rules/0/version", json!(7));
        fails("/record/bursts/0/version", json!(7));
        fails("/record/bursts/0/count", json!(1));
        fails("/record/bursts/0/stretches/0/until", json!(0));
        fails("/record/promotions/0/version", json!(7));
        fails("/record/lost_tags/0/version", json!(7));
        fails("/record/key_rejections/0/model", json!(7));
        fails("/record/key_rejections/0/client", json!(2));
        let commanded = result
            .record
            .timeline
            .events
            .iter()
            .position(|event| matches!(event.happening, Happening::Commanded { .. }));
        let commanded = format!("/record/timeline/events/{}", commanded.unwrap());
        fails(&format!("{commanded}/model"), json!(1));
        fails(&format!("{commanded}/model"), Value::Null);
        fails("/record/phases/0/end", json!(0));
        fails("/table/columns/0/title", json!("Another"));
    }

    #[test]
    fn a_verdict_follows_from_what_it_rests_on() {
        let verdict = in_gate("/gate/verdict", json!("pass"));
        assert_eq!(
            verdict,
            "no run has written this result: gate: the verdict says pass, and fail follows from \
             the lines"
        );
        let lines = in_gate("/gate/lines/2/verdict", json!("pass"));
        assert!(lines.contains("says pass, and fail follows from its figures"), "{lines}");
        let value = in_gate("/gate/lines/2/left/measured/value", json!(1.0));
        assert!(value.contains("says fail, and pass follows from its figures"), "{value}");
        let text = in_gate("/gate/lines/2/text", json!("blast_radius.failed < 500"));
        assert!(text.contains("are not the lines of the scenario's gate"), "{text}");
    }
}
