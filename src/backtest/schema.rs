//! The JSON Schema of what a backtest found: what each field means, for programs.
//!
//! A test holds it to what is written; `docs/backtest.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::identity::Finding;
use super::report::BacktestReport;
use crate::json::{Part, flag, instant, list, number, object, reference, span, text, whole};
use crate::result::{evidence_schema, gate_definitions, gate_schema};

/// The JSON Schema (draft 2020-12) of what `coalmine backtest --format json` prints.
pub fn backtest_schema() -> Value {
    let own = [("gate", gate_schema()), ("evidence", evidence_schema()), ("firing", firing())];
    let definitions = gate_definitions().into_iter().chain(own).chain([("end", end())]);
    let definitions: Map<_, _> =
        definitions.map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required = required();
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let optional = [
        ("incident_from", since("from when on the canary was bad")),
        ("incident_to", since("until when the canary was bad")),
    ];
    let properties: Map<_, _> = required
        .iter()
        .chain(&optional)
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "coalmine backtest",
        "description": "What rollback rules would have made of recorded traffic. Equal bytes for \
                        equal traces, rules, options and build. What is not known is absent.",
        "type": "object",
        "required": names,
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn required() -> Vec<Part> {
    vec![
        ("schema", {
            json!({"const": BacktestReport::SCHEMA, "description": "the number of the format"})
        }),
        ("coalmine", text("the version of coalmine")),
        ("trace", trace()),
        ("versions", list(version())),
        ("stable", text("the version that was the stable")),
        ("stable_said", flag("whether the user says so; else it was there before any other")),
        ("splits", list(split())),
        ("pinned", {
            whole("requests of versions to which the split in force gave nothing: no evidence")
        }),
        ("ends", list(reference("end"))),
        ("identity", identity()),
        ("candidates", list(candidate())),
        ("notes", list(text("what is odd about the recording, in a sentence"))),
    ]
}

fn since(about: &str) -> Value {
    span(&format!("{about}, since the trace began"))
}

fn trace() -> Value {
    let unusable = object(
        "requests that could not be used, each for what it lacks first",
        &[
            ("without_version", whole("the version that answered")),
            ("without_duration", whole("how long it took")),
            ("without_ending", whole("how it ended")),
        ],
        &[],
    );
    object(
        "what was recorded",
        &[
            ("file", text("the file")),
            ("sha256", text("its SHA-256 in hexadecimal digits")),
            ("requests", whole("requests that were used")),
            ("unusable", unusable),
            ("others", whole("requests of other models")),
            ("end", since("the last request that was used")),
        ],
        &[("began", instant()), ("model", text("the model whose requests were looked at"))],
    )
}

fn version() -> Value {
    object(
        "a version in the recording",
        &[
            ("id", text("its name")),
            ("requests", whole("requests")),
            ("failed", whole("those that failed, as the rules of the day count it")),
            ("first", since("its first request")),
            ("last", since("its last request")),
        ],
        &[],
    )
}

fn split() -> Value {
    let share = json!({
        "type": "array", "prefixItems": [text("the version"), number("its weight")],
        "items": false, "minItems": 2,
    });
    object(
        "a split that requests were played back under",
        &[("from", since("from when on")), ("shares", list(share))],
        &[("observed", whole("in how many requests it was observed; absent where it is said"))],
    )
}

fn end() -> Value {
    object(
        "when a version lost its traffic",
        &[
            ("version", text("which")),
            ("earliest", since("the earliest: its last request, or what is said")),
            ("latest", since("the latest: no chance explains that it got none until then")),
            ("requests_after", whole("requests of other versions after its last")),
            ("said", flag("whether it is what the user says")),
        ],
        &[],
    )
}

fn identity() -> Value {
    let findings: Vec<Value> = Finding::ALL.iter().map(|finding| json!(finding)).collect();
    object(
        "whether the rules of the day come to what the recording shows",
        &[
            ("holds", flag("whether they do")),
            ("finding", {
                json!({"enum": findings, "description": "how they compare with the recording"})
            }),
            ("reasons", list(text("why they do not, in a sentence"))),
        ],
        &[
            ("recorded", reference("end")),
            ("tolerance", span("how far beside the recorded end the check may lie")),
        ],
    )
}

fn firing() -> Value {
    object(
        "a trigger that fired",
        &[
            ("at", since("the check at which it did")),
            ("version", text("on which version")),
            ("action", text("what its action is")),
            ("first_breach", since("the check at which the breach began")),
            ("evidence", reference("evidence")),
        ],
        &[
            ("target", text("where the traffic would have gone, where it would have moved")),
            ("false_alarm", {
                flag("whether it would have taken traffic from a version that was not bad")
            }),
        ],
    )
}

fn moved() -> Value {
    let expected = object(
        "had the target served them as it served its own, with the limits at 95 %",
        &[
            ("value", number("the failures that would have been spared")),
            ("low", number("the lower limit")),
            ("high", number("the upper limit")),
        ],
        &[],
    );
    let least = json!({
        "type": "integer",
        "description": "the least: the target would have failed all; negative: so many more",
    });
    let spared = object(
        "how many failures would have been spared: unknown, within bounds",
        &[("least", least), ("most", whole("the most: it would have failed none"))],
        &[("expected", expected)],
    );
    object(
        "the requests that the rollback would have moved",
        &[
            ("target", text("where they would have gone")),
            ("requests", whole("how many")),
            ("failed", whole("those that failed in the recording")),
            ("target_requests", whole("requests that the target had while they came")),
            ("target_failed", whole("those of them that failed")),
            ("spared", spared),
        ],
        &[],
    )
}

fn candidate() -> Value {
    let earlier = json!({
        "type": "integer",
        "description": "nanoseconds before the recorded end of the version's traffic",
    });
    let rolled_back = object(
        "the rollback that would have been carried out",
        &[("firing", reference("firing")), ("moved", moved())],
        &[("earlier", earlier)],
    );
    let blind = json!({
        "type": "array", "prefixItems": [text("its name"), text("what the trace does not hold")],
        "items": false, "minItems": 2,
    });
    object(
        "what came of a rule set",
        &[
            ("rules", text("the file of its rules")),
            ("sha256", text("the SHA-256 of the file in hexadecimal digits")),
            ("harmed_requests", whole("requests of canaries until then, while they were bad")),
            ("harmed_failed", whole("those of them that failed")),
            ("firings", list(reference("firing"))),
            ("more_firings", whole("how many more there were")),
            ("health", list(health())),
            ("blind", list(blind)),
        ],
        &[
            ("disabled", flag("that its file switches the rules off: none is checked")),
            ("rolled_back", rolled_back),
            ("time_to_rollback", span("from the incident's beginning to the rollback")),
            ("time_to_detect", span("from the incident's beginning to the breach before it")),
            ("false_alarms", whole("firings that would have taken traffic without need")),
            ("judgement", reference("gate")),
        ],
    )
}

fn health() -> Value {
    object(
        "how a trigger fared on a version",
        &[
            ("trigger", text("its name")),
            ("version", text("the version that it watched")),
            ("judge", flag("whether it is a judge")),
            ("checks", whole("checks made")),
            ("no_data", whole("those of them that had too little data")),
            ("breaches", whole("those of them at which it held")),
            ("firings", whole("firings")),
        ],
        &[(
            "progress",
            number(
                "how far a judge had come on the way to a breach when it ceased to watch, 1 of one \
                 that found one; absent of conditions",
            ),
        )],
    )
}
