//! Results of older formats, made into the present one.
//!
//! An older format is known only by what its files look like, so it is changed as JSON before its
//! fields are read. What it did not tell is worked out from what it tells elsewhere, or left empty
//! where reports say nothing then; no figure of it is changed.
//!
//! - Format 1 knew of one model: name, versions and triggers were fields of the record.
//! - Format 2 lists models, and has one trace at most. While it was written, journal, splits, the
//!   endings of a table's columns and the durations of rules were added.
//! - Format 3 lists traces, and tells of commands, and why they are refused, in words.
//! - Format 4 types them. Its gates know no values that are worked out, so that all it says is said
//!   in the same way now.

use serde_json::{Map, Value, json};

use super::file::ResultFile;
use crate::engine::Entry;
use crate::summary::{Endings, Summary};

/// The file of format `found` as one of the present format, which is numbered `present`.
pub(super) fn upgraded(mut file: Value, found: u64, present: u64) -> Value {
    if found < 2 {
        list_the_model(&mut file);
    }
    if found < 3 {
        list_the_trace(&mut file);
        fill_in(&mut file);
    }
    if found < 4 {
        objects(&mut file, "/record/timeline/events").for_each(keep_words_of_command);
    }
    if let Some(file) = file.as_object_mut() {
        file.insert("schema".to_owned(), present.into());
    }
    file
}

/// Whether a file does not tell how the requests of its columns ended: until then it has counts of
/// nothing, and [`count_endings`] has to follow.
pub(super) fn lacks_endings(file: &Value) -> bool {
    let columns = file.pointer("/table/columns").and_then(Value::as_array);
    columns.into_iter().flatten().any(|column| column.get("endings").is_none())
}

/// Counts from the record how the requests of each column ended.
pub(super) fn count_endings(result: &mut ResultFile) {
    let record = &result.record;
    let summary = Summary::of(record);
    for (column, info) in result.table.columns.iter_mut().zip(&result.scenario.columns) {
        let selection = info.selection(record);
        let selected = selection.map(|selection| summary.select(selection));
        column.endings = selected.as_ref().map(Endings::of).unwrap_or_default();
    }
}

/// Keeps the words that an event of a command has, as words.
fn keep_words_of_command(event: &mut Map<String, Value>) {
    let kind = event.get("kind").and_then(Value::as_str);
    if !matches!(kind, Some("commanded" | "command_refused" | "command_missed")) {
        return;
    }
    for (old, new) in [("what", "order"), ("why", "why")] {
        if let Some(text) = event.remove(old) {
            event.insert(new.to_owned(), json!({"told": text}));
        }
    }
}

/// Format 1 has the fields of its only model in the record itself.
fn list_the_model(file: &mut Value) {
    let Some(record) = object(file, "/record") else { return };
    let moved = [("id", "model"), ("versions", "versions"), ("triggers", "triggers")];
    let moved = moved.map(|(name, old)| (name.to_owned(), record.remove(old)));
    let model: Map<_, _> =
        moved.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    record.insert("models".to_owned(), json!([model]));
    for event in objects(file, "/record/timeline/events") {
        if event.get("kind").is_some_and(|kind| kind == "split_changed") {
            event.insert("model".to_owned(), 0.into());
        }
    }
}

fn list_the_trace(file: &mut Value) {
    let Some(fields) = file.as_object_mut() else { return };
    if let Some(trace) = fields.remove("trace").filter(|trace| !trace.is_null()) {
        fields.insert("traces".to_owned(), json!([trace]));
    }
}

/// What came into being while the format was numbered 2.
fn fill_in(file: &mut Value) {
    for column in objects(file, "/table/columns") {
        absent(column, "endings", || json!({"succeeded": 0, "failed": {}, "uncounted": {}}));
    }
    for model in objects(file, "/record/models") {
        absent(model, "assignment", || json!("random"));
    }
    for health in objects(file, "/record/rules") {
        absent(health, "judge", || json!(false));
    }
    for rollback in objects(file, "/record/rollbacks") {
        rollback.get_mut("evidence").map(fill_in_duration);
    }
    for event in objects(file, "/record/timeline/events") {
        event.get_mut("evidence").map(fill_in_duration);
    }
    let Some(record) = object(file, "/record") else { return };
    absent(record, "splits", || json!([]));
    absent(record, "journal", || json!({"entries": [], "omitted": 0}));
    leave_out_unreadable_entries(&mut record["journal"]);
}

/// For how long a breach had to hold is not told: as long as it has been seen to, since a rule
/// fires at the first check at which that is long enough.
fn fill_in_duration(evidence: &mut Value) {
    let Some(evidence) = evidence.as_object_mut() else { return };
    let held = evidence.get("held").cloned();
    if let Some(held) = held {
        absent(evidence, "duration", || held);
    }
}

/// Entries had several forms, of which reports show no more than the number: those that are no
/// longer read are counted as left out, and so is all that follows them in the chain.
fn leave_out_unreadable_entries(journal: &mut Value) {
    let Some(journal) = journal.as_object_mut() else { return };
    let Some(Value::Array(entries)) = journal.get_mut("entries") else { return };
    let is_read = |entry: &&Value| serde_json::from_value::<Entry>((*entry).clone()).is_ok();
    let read = entries.iter().take_while(is_read).count();
    let lost = (entries.len() - read) as u64;
    if lost == 0 {
        return;
    }
    entries.truncate(read);
    journal.remove("head");
    let omitted = journal.get("omitted").and_then(Value::as_u64).unwrap_or(0);
    journal.insert("omitted".to_owned(), (omitted + lost).into());
}

fn object<'a>(file: &'a mut Value, pointer: &str) -> Option<&'a mut Map<String, Value>> {
    file.pointer_mut(pointer).and_then(Value::as_object_mut)
}

/// The objects of a list; none where there is no list.
fn objects<'a>(
    file: &'a mut Value,
    pointer: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let items = file.pointer_mut(pointer).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Gives an object a field that it does not have.
fn absent(object: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
    object.entry(name.to_owned()).or_insert_with(value);
}

#[cfg(test)]
mod tests {
    use super::super::example::{rolled_back_result, without_gate};
    use super::*;

    /// A result as format 2 wrote it last.
    fn of_format_two(result: &ResultFile) -> Value {
        let mut file = serde_json::to_value(result).unwrap();
        let fields = file.as_object_mut().unwrap();
        fields.insert("schema".to_owned(), 2.into());
        fields.remove("$schema");
        fields.remove("about");
        if let Some(mut traces) = fields.remove("traces") {
            let mut trace = traces[0].take();
            trace.as_object_mut().unwrap().remove("file");
            fields.insert("trace".to_owned(), trace);
        }
        file
    }

    /// The same as format 1 wrote it.
    fn of_format_one(result: &ResultFile) -> Value {
        let mut file = of_format_two(result);
        file["schema"] = 1.into();
        for column in objects(&mut file, "/table/columns") {
            column.remove("endings");
        }
        for part in ["rollbacks", "timeline/events"] {
            for event in objects(&mut file, &format!("/record/{part}")) {
                if let Some(Value::Object(evidence)) = event.get_mut("evidence") {
                    evidence.remove("duration");
                }
            }
        }
        for health in objects(&mut file, "/record/rules") {
            health.remove("judge");
        }
        let record = object(&mut file, "/record").unwrap();
        record.remove("journal");
        record.remove("splits");
        let models = record.remove("models").unwrap();
        record.insert("model".to_owned(), models[0]["id"].clone());
        record.insert("versions".to_owned(), models[0]["versions"].clone());
        record.insert("triggers".to_owned(), models[0]["triggers"].clone());
        file
    }

    /// What an older file of `result` could not tell.
    fn without_files_of_traces(result: &ResultFile) -> ResultFile {
        let mut expected = result.clone();
        expected.traces.iter_mut().for_each(|trace| trace.file = None);
        expected
    }

    #[test]
    fn a_file_of_format_two_is_read_with_its_one_trace() {
        for result in [rolled_back_result(), without_gate()] {
            let read = ResultFile::from_json(&of_format_two(&result).to_string()).unwrap();
            assert_eq!(read, without_files_of_traces(&result));
        }
    }

    #[test]
    fn a_file_of_format_one_is_read_with_its_one_model() {
        for result in [rolled_back_result(), without_gate()] {
            let read = ResultFile::from_json(&of_format_one(&result).to_string()).unwrap();
            let mut expected = without_files_of_traces(&result);
            expected.record.splits.clear();
            assert_eq!(read, expected, "the breach held for as long as it had to");
        }
    }

    #[test]
    fn entries_of_a_form_that_is_no_longer_read_are_counted_as_left_out() {
        let mut file = of_format_two(&without_gate());
        file["record"]["journal"] = json!({
            "entries": [{"number": 1, "change": {"rules": {"enabled": true}}}, {"number": 2}],
            "head": "00".repeat(32),
            "omitted": 3,
        });
        let read = ResultFile::from_json(&file.to_string()).unwrap();
        let journal = read.record.journal;
        assert_eq!((journal.entries.len(), journal.head, journal.omitted), (0, None, 5));
    }

    #[test]
    fn what_is_no_result_stays_as_it_is() {
        for file in [json!({}), json!({"record": 3, "table": []}), json!({"record": {"cells": 1}})]
        {
            let upgraded = upgraded(file, 1, 9);
            assert_eq!(upgraded["schema"], 9);
        }
        assert_eq!(upgraded(json!([1]), 1, 9), json!([1]));
    }
}
