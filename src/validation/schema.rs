//! The JSON Schema of what `validate` tells: what each field means, for programs that read it.
//!
//! A test holds it to what is written; `docs/validation.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::document::Validation;
use crate::json::{Part, flag, list, number, object, reference, text, whole};
use crate::scenario::{ProblemKind, Severity};
use crate::trace::TraceFormat;

/// The JSON Schema (draft 2020-12) of [`Validation`].
pub fn validation_schema() -> Value {
    let name = Validation::schema_name();
    let required: &[Part] = &[
        ("$schema", json!({"const": name, "description": "names this schema"})),
        ("schema", json!({"const": Validation::SCHEMA, "description": "the number of the format"})),
        ("coalmine", text("the version that made it")),
        ("ok", flag("whether every file is valid")),
        ("files", list(reference("file"))),
    ];
    let mut schema = object(
        "What is known of scenario files before any run. What is not known is absent.",
        required,
        &[("left_out", list(reference("part")))],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(name);
    schema["title"] = json!("coalmine validation");
    let parts = [file(), problem(), note(), spot(), contents(), false_alarms(), trace(), part()];
    let named = parts.into_iter().map(|(name, schema)| (name.to_owned(), schema));
    schema["$defs"] = Value::Object(named.collect::<Map<_, _>>());
    schema
}

fn file() -> Part {
    let schema = object(
        "a scenario file, in the order in which they were checked",
        &[
            ("file", text("its path, as it was named or found")),
            ("ok", flag("whether it is valid: it has no error and can be run")),
            ("problems", list(reference("problem"))),
        ],
        &[
            ("more_problems", whole("how many problems more there are; absent: none")),
            ("contents", reference("contents")),
        ],
    );
    ("file", schema)
}

fn problem() -> Part {
    let severities = [Severity::Error, Severity::Warning].map(Severity::name);
    let help = json!({
        "type": "array", "items": text("a remedy"), "description": "what to do about it",
    });
    let schema = object(
        "something that is wrong, or odd",
        &[
            (
                "kind",
                json!({
                    "enum": ProblemKind::ALL,
                    "description": "of which kind it is, by a name that stays",
                }),
            ),
            (
                "severity",
                json!({
                    "enum": severities,
                    "description": "with an error there is no run; with a warning it will not do \
                                    what it seems to",
                }),
            ),
            ("place", reference("place")),
            ("message", text("what was found and what is allowed")),
            ("help", help),
            ("notes", list(reference("note"))),
        ],
        &[],
    );
    ("problem", schema)
}

fn note() -> Part {
    let schema = object(
        "another place that has to do with a problem",
        &[("place", reference("place")), ("message", text("what is there"))],
        &[],
    );
    ("note", schema)
}

fn spot() -> Part {
    let one = |about: &str| json!({"type": "integer", "minimum": 1, "description": about});
    let mut schema = object(
        "a place in a file or in a setting of the command line",
        &[],
        &[
            ("file", text("the file, by the path that it was read by; absent for a setting")),
            ("setting", text("PATH of --set PATH=VALUE; absent for a file")),
            ("line", one("from 1; absent for a whole file and for a setting")),
            (
                "column",
                one("from 1, in Unicode code points, of the line or of the setting's value; \
                     absent for a whole line"),
            ),
            ("length", one("how many code points from there on; absent where the column is")),
        ],
    );
    schema["oneOf"] = json!([{"required": ["file"]}, {"required": ["setting"]}]);
    ("place", schema)
}

fn contents() -> Part {
    let models = json!({
        "type": "array", "items": text("a model"), "description": "the models, in their order",
    });
    let schema = object(
        "what a valid scenario holds",
        &[
            ("name", text("its name")),
            ("title", text("what it shows, in a line")),
            ("models", models),
            ("phases", whole("how many phases there are")),
            ("versions", whole("how many versions there are, of all models")),
            ("rules", whole("how many rules there are, of all models")),
            ("gate_lines", whole("how many lines the gate has")),
        ],
        &[("false_alarms", reference("false_alarms")), ("traces", list(reference("trace")))],
    );
    ("contents", schema)
}

fn false_alarms() -> Part {
    let bound = || {
        let about = "the most that the probability of a firing can be";
        json!({"type": "number", "minimum": 0, "maximum": 1, "description": about})
    };
    let model = object(
        "a model with judges that look at something",
        &[
            ("model", text("its name")),
            ("probability_at_most", bound()),
            (
                "shares",
                list(number("a part of it, for each time that a judge begins to look at a canary")),
            ),
        ],
        &[],
    );
    let schema = object(
        "how often judges fire by chance on canaries that are no worse, over the run as planned; \
         absent without judges that look at something",
        &[("probability_at_most", bound()), ("models", list(model))],
        &[],
    );
    ("false_alarms", schema)
}

fn trace() -> Part {
    let tokens = |about: &str| {
        object(
            about,
            &[
                ("mean", number("their mean")),
                ("p50", number("half of them are at most this")),
                ("p99", number("99 of 100 are at most this")),
            ],
            &[],
        )
    };
    let formats = json!({"enum": TraceFormat::ALL, "description": "how its rows are written"});
    let schema = object(
        "a trace that is replayed, in the order of the scenario; figures are absent where there \
         is too little of it",
        &[
            ("file", text("its path")),
            ("format", formats),
            ("time_unit", text("the unit that its times were taken to be in")),
            ("rows_read", whole("rows that were read, all of them sound")),
            ("rows_replayed", whole("those of them that are replayed in one turn")),
            ("requests", whole("the requests of one turn")),
            ("span_seconds", number("from the start to the last request, in seconds")),
        ],
        &[
            ("requests_per_second", number("requests over span")),
            ("gap_cv", number("standard deviation over mean of the gaps between requests")),
            ("dispersion_1s", number("variance over mean of the requests in windows of 1 s")),
            ("dispersion_10s", number("the same of 10 s")),
            ("dispersion_60s", number("the same of 60 s")),
            ("input_tokens", tokens("tokens of the prompts")),
            ("output_tokens", tokens("tokens of the answers")),
        ],
    );
    ("trace", schema)
}

fn part() -> Part {
    let lacks = json!({
        "type": "array", "items": text("a key"),
        "description": "the keys that every scenario has and it lacks",
    });
    let schema = object(
        "a file that was found and not checked: it is only a part of others",
        &[
            ("file", text("its path, as it was found")),
            ("part_of", text("a file that it is a part of")),
            ("lacks", lacks),
        ],
        &[],
    );
    ("part", schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_one() {
        assert!(jsonschema::draft202012::meta::is_valid(&validation_schema()));
    }
}
