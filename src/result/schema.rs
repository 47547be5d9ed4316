//! The JSON Schema of the result file: what each field means, for programs that read results.
//!
//! A test holds it to what is written; `docs/result.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::file::ResultFile;
use super::schema_gate::{definitions as gate_definitions, gate, place};
use super::schema_history::{
    history_fields, journal_parts, lockout, recipients, rollout_events, split_events,
};
use super::schema_live::live_parts;
use super::schema_orders::command_events;
use super::schema_readings;
use super::schema_requests::{cell, histogram, series, tally};
use crate::json::{
    Part, digest, flag, instant, list, number, object, one_of, reference, span, text, verdict,
    version_index, whole,
};
use crate::trace::TraceFormat;

/// The JSON Schema (draft 2020-12) of result files.
pub fn result_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ResultFile::schema_name(),
        "title": "coalmine result",
        "description": "All that is known of one run. Equal bytes for equal scenario, seed and \
                        build. What is not known is absent.",
        "type": "object",
        "required": ["schema", "coalmine", "scenario", "gate", "table", "record"],
        "properties": {
            "$schema": {"const": ResultFile::schema_name(), "description": "names this schema"},
            "about": {"const": ResultFile::ABOUT, "description": "what the file is"},
            "schema": {"const": ResultFile::SCHEMA, "description": "the number of the format"},
            "coalmine": {"type": "string", "description": "the version that wrote the file"},
            "scenario": reference("scenario"),
            "traces": list(reference("trace")),
            "live": reference("live"),
            "gate": reference("gate"),
            "table": reference("table"),
            "record": reference("record"),
        },
        "additionalProperties": false,
        "$defs": definitions(),
    })
}

fn definitions() -> Value {
    let parts = [
        scenario_parts(),
        judged_parts(),
        record_parts(),
        timeline_parts(),
        journal_parts(),
        harm_parts(),
        basic_parts(),
        live_parts(),
    ];
    let named = parts.into_iter().flatten().map(|(name, schema)| (name.to_owned(), schema));
    Value::Object(named.collect::<Map<_, _>>())
}

fn column_info() -> Value {
    object(
        "a column of the comparison table",
        &[("title", text("its heading"))],
        &[
            ("phase", text("the phase that it shows; absent: all")),
            ("model", text("the model that it shows; absent: all")),
            ("version", text("the version that it shows; absent: all")),
        ],
    )
}

fn scenario_parts() -> Vec<Part> {
    let file = object(
        "a file and what was in it",
        &[("path", text("as named on the command line")), ("sha256", digest())],
        &[],
    );
    let published = object(
        "a published figure",
        &[
            ("column", whole("the column that it is for, from 0")),
            ("metric", text("the name of the metric")),
            ("value", number("in the metric's base unit")),
        ],
        &[],
    );
    let line = object("a line of the gate", &place(), &[]);
    let scenario = object(
        "what was rehearsed",
        &[
            ("name", text("its name")),
            ("title", text("what it shows, in a line")),
            ("files", list(file)),
            ("seed", whole("the seed of the run")),
            ("columns", list(column_info())),
            ("resolved", json!({"description": "the scenario with every default spelled out"})),
        ],
        &[
            ("references", list(published)),
            ("gate", list(line)),
            ("closed_users", whole("users who waited for each answer before they sent on")),
            ("expect", verdict("the verdict that is expected instead of a pass")),
        ],
    );
    vec![("scenario", scenario), ("trace", trace())]
}

fn trace() -> Value {
    let dropped = object(
        "rows that were dropped for one reason",
        &[("count", whole("how many")), ("lines", list(whole("the lines of the first few")))],
        &[],
    );
    let accounting = object(
        "what became of the trace's rows: read = emitted + dropped",
        &[
            (
                "format",
                json!({"enum": TraceFormat::ALL, "description": "how its rows are written"}),
            ),
            ("unit", text("the unit that its times were taken to be in")),
            ("read", whole("rows that were read")),
            ("emitted", whole("rows that were sent")),
            (
                "dropped",
                object(
                    "by reason",
                    &[],
                    &["malformed", "out_of_order", "outside_window", "not_sampled", "replaced"]
                        .map(|reason| (reason, dropped.clone())),
                ),
            ),
        ],
        &[],
    );
    let answered = object(
        "how a version did that answers as recorded; with the first trace, for all",
        &[
            ("version", text("the version")),
            ("own", whole("requests that got the answer which they had in the recording")),
            ("lent", whole("requests that got an answer which another request had")),
        ],
        &[],
    );
    object(
        "a trace that was replayed, in the order of the scenario",
        &[("accounting", accounting)],
        &[
            ("file", text("its path, relative to the working directory if the scenario's own is")),
            ("sha256", digest()),
            ("turns", whole("how often it was begun; absent: once")),
            ("answered", list(answered)),
        ],
    )
}

fn judged_parts() -> Vec<Part> {
    let mut parts = gate_definitions();
    parts.extend([("table", table()), ("gate", gate())]);
    parts
}

fn table() -> Value {
    let cell = object(
        "a metric in a column",
        &[("estimate", reference("estimate"))],
        &[
            ("change_percent", number("difference from its model's first column in percent")),
            (
                "change_is_clear",
                flag("the 95 % intervals of the two have nothing in common, or both are exact"),
            ),
        ],
    );
    let endings = object(
        "how its requests ended, as their clients saw it",
        &[
            ("succeeded", whole("with a complete answer")),
            ("failed", reference("endings")),
            ("uncounted", reference("endings")),
        ],
        &[("key_refused", whole("refused for their key, before any version saw them"))],
    );
    let column = object(
        "a column",
        &[("title", text("its heading")), ("cells", list(cell)), ("endings", endings)],
        &[],
    );
    let check = object(
        "a published figure beside the measured one",
        &[
            ("column", whole("the column, from 0")),
            ("published", number("in the metric's base unit")),
            ("measured", reference("estimate")),
        ],
        &[
            ("difference_percent", number("difference of the measured from the published")),
            ("inside", flag("whether the published figure lies in the measured interval")),
        ],
    );
    object("the comparison table", &[("columns", list(column)), ("references", list(check))], &[])
}

fn record_parts() -> Vec<Part> {
    let price = object(
        "what it charges per 1,000 tokens, in pico-dollars (1e-12)",
        &[
            ("input_per_1k", whole("for 1,000 input tokens")),
            ("output_per_1k", whole("for 1,000 output tokens")),
        ],
        &[],
    );
    let version = object(
        "a version",
        &[("id", text("its name")), ("tags", list(text("a tag at the start")))],
        &[("price", price)],
    );
    let model = object(
        "a model",
        &[
            ("id", text("its name")),
            ("assignment", json!({"description": "how its split chooses at the start"})),
            ("versions", list(version)),
            ("triggers", list(text("a trigger's name, in the order of the rule set"))),
        ],
        &[],
    );
    let phase = object(
        "a phase",
        &[("name", text("its name")), ("start", instant()), ("end", instant())],
        &[],
    );
    let health = object(
        "how a trigger fared on a version",
        &[
            ("trigger", text("its name")),
            ("version", version_index()),
            ("judge", flag("whether it is a judge")),
            ("checks", whole("checks made")),
            ("no_data", whole("checks with too little data")),
            ("breaches", whole("checks at which the comparison held")),
            ("firings", whole("firings")),
            ("longest_timer", span("the longest that the timer grew")),
        ],
        &[(
            "progress",
            number(
                "how far a judge had come on the way to a breach when it ceased to watch, 1 of one \
                 that found one; absent of conditions",
            ),
        )],
    );
    let record = object(
        "what happened",
        &[
            ("seed", whole("the seed of all draws")),
            ("start", instant()),
            ("end", instant()),
            ("models", list(model)),
            ("phases", list(phase)),
            ("cells", list(reference("cell"))),
            ("series", series()),
            ("timeline", reference("timeline")),
            ("rollbacks", list(reference("rollback"))),
            ("blasts", list(reference("blast"))),
            ("rules", list(health)),
            ("journal", reference("journal")),
        ],
        &history_fields(),
    );
    vec![("record", record), ("cell", cell()), ("tally", tally()), ("histogram", histogram())]
}

fn timeline_parts() -> Vec<Part> {
    let timeline = object(
        "what happened beside requests, in order",
        &[("events", list(reference("event"))), ("omitted", whole("events left out"))],
        &[],
    );
    let event = |kind: &str, required: &[Part], optional: &[Part]| {
        let name = json!({"const": kind, "description": "what happened"});
        let head = [("at", instant()), ("kind", name)];
        object(kind, &[&head[..], required].concat(), optional)
    };
    let version = || ("version", version_index());
    let trigger = || ("trigger", whole("the trigger of the version's model, from 0"));
    let model = || ("model", whole("the model, from 0"));
    let target = || ("target", version_index());
    let phase = || ("phase", whole("the phase, from 0"));
    let fault = || [version(), ("what", text("the fault in words"))];
    let weights = ("weights", list(number("the share of each of its versions, 0 to 1")));
    let fired = [trigger(), version(), ("evidence", reference("evidence"))];
    let why = json!({
        "enum": ["missing", "at_fault", "rolled_back"],
        "description": "what is wrong with the only version that it could have gone to",
    });
    let why = ("why", why);
    let events = [
        event("phase_began", &[phase()], &[]),
        event("workload_changed", &[("what", text("what is different about it, in words"))], &[]),
        event("wait_ended", &[phase(), ("what", text("what it had waited for"))], &[]),
        event("split_changed", &[model(), weights], &[]),
        event("fault_began", &fault(), &[]),
        event("fault_ended", &fault(), &[]),
        event("fault_missed", &fault(), &[]),
        event("breach_began", &[trigger(), version()], &[]),
        event("breach_ended", &[trigger(), version()], &[]),
        event("fired", &fired, &[]),
        event("notified", &[trigger(), version(), ("recipients", recipients())], &[]),
        event("rolled_back", &[target()], &[version()]),
        event("locked_out", &lockout(), &[("until", instant())]),
        event("rollback_refused", &[version()], &[why]),
        event("drained", &[version()], &[]),
    ];
    let others = [rollout_events(), split_events()].concat();
    let others = others.iter().map(|(kind, fields)| event(kind, fields, &[]));
    let commands = command_events();
    let commands = commands.iter().map(|(kind, fields)| event(kind, fields, &[model()]));
    let events: Vec<_> = events.into_iter().chain(others).chain(commands).collect();
    vec![("timeline", timeline), ("event", one_of(&events))]
}

fn harm_parts() -> Vec<Part> {
    let version = || ("version", version_index());
    let onset = json!({
        "type": "integer",
        "description": "when the version became bad, in nanoseconds since 1970-01-01T00:00:00Z; \
                        absent: a false rollback",
    });
    let rollback = object(
        "a rollback that a trigger carried out",
        &[
            ("at", instant()),
            ("phase", whole("the phase, from 0")),
            version(),
            ("target", version_index()),
            ("evidence", reference("evidence")),
        ],
        &[("onset", onset)],
    );
    let blast = object(
        "the harm that a bad version did",
        &[
            version(),
            ("onset", instant()),
            ("requests", whole("requests from the onset on")),
            ("failed", whole("those of them that failed")),
            ("failed_anyway", whole("those that the stable would have failed too")),
            ("slowed", whole("those more than 20 % slower than on the stable")),
        ],
        &[("drained", instant())],
    );
    vec![("rollback", rollback), ("blast", blast), ("evidence", evidence())]
}

/// What a trigger saw when it fired.
pub(crate) fn evidence() -> Value {
    object(
        "what a trigger saw when it fired",
        &[
            ("trigger", text("its name")),
            ("version", text("the version's name")),
            ("check", instant()),
            ("first_breach", instant()),
            ("held", span("for how long the breach has been seen to hold")),
            ("duration", span("for how long it had to hold")),
            ("reading", schema_readings::reading()),
        ],
        &[],
    )
}

fn basic_parts() -> Vec<Part> {
    let endings = json!({
        "type": "object", "additionalProperties": whole("how many"),
        "description": "requests by how they ended: a status, timeout or client_closed",
    });
    vec![("endings", endings)]
}

#[cfg(test)]
mod tests {
    use super::super::example::{eventful, rolled_back_result, without_gate};
    use super::*;
    use crate::json::{invalid_places, undescribed_fields};

    fn problems(result: &Value) -> Vec<String> {
        invalid_places(&result_schema(), result)
    }

    #[test]
    fn what_is_written_is_valid() {
        let eventful = ResultFile { record: eventful(), ..without_gate() };
        for result in [rolled_back_result(), without_gate(), eventful] {
            let value: Value = serde_json::from_str(&result.to_json()).unwrap();
            assert_eq!(problems(&value), [""; 0]);
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_invalid() {
        let value = serde_json::to_value(rolled_back_result()).unwrap();
        let mut unknown = value.clone();
        unknown["record"]["wind"] = json!(3);
        assert_eq!(problems(&unknown).len(), 1);
        let mut missing = value;
        missing["record"].as_object_mut().unwrap().remove("cells");
        assert_eq!(problems(&missing).len(), 1);
    }

    #[test]
    fn every_field_says_what_it_means() {
        assert_eq!(undescribed_fields(&result_schema()), [""; 0]);
    }

    #[test]
    fn the_published_schema_is_this_one() {
        let published = include_str!("../../docs/result.schema.json");
        let expected = format!("{:#}\n", result_schema());
        assert_eq!(
            published, expected,
            "write `coalmine schema result` to docs/result.schema.json"
        );
    }
}
