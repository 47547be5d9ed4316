//! The JSON Schema of what a study found: what each field means, for programs.
//!
//! A test holds it to what is written; `docs/sweep.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::report::SweepReport;
use crate::json::{Part, digest, flag, list, number, object, reference, span, text, whole};
use crate::result::{gate_definitions, gate_schema};

/// The JSON Schema (draft 2020-12) of `sweep.json`.
pub fn sweep_schema() -> Value {
    let own = [
        ("gate", gate_schema()),
        ("share", share()),
        ("time", time()),
        ("time_quantile", time_quantile()),
        ("count_quantile", count_quantile()),
        ("mean", mean()),
        ("count", count()),
    ];
    let definitions = gate_definitions().into_iter().chain(own);
    let definitions: Map<_, _> =
        definitions.map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut schema = object(
        "What many runs of a scenario come to. Equal bytes for equal scenarios, variations, seeds \
         and build, on any number of threads and machines. Intervals are at 95 %; what is not \
         known is absent.",
        &required(),
        &[("precision", number("half the width of the interval at which a cell was stopped"))],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("coalmine sweep");
    schema["$defs"] = definitions.into();
    schema
}

fn required() -> Vec<Part> {
    let seeds = object(
        "the seeds of each cell, the same for all",
        &[("first", whole("the first")), ("count", whole("how many follow each other, at most"))],
        &[],
    );
    let variation = object(
        "a path of the scenario and the values that it takes",
        &[("path", text("the path, as --set takes it")), ("values", list(text("a value")))],
        &[],
    );
    vec![
        ("schema", {
            json!({"const": SweepReport::SCHEMA, "description": "the number of the format"})
        }),
        ("coalmine", text("the version of coalmine")),
        ("scenario", scenario()),
        ("plan", digest()),
        ("variations", list(variation)),
        ("seeds", seeds),
        ("block", whole("after how many runs it was looked at whether a cell was to be stopped")),
        ("cells", list(cell())),
        ("lines_left_out", whole("lines of the scenario's gate that are of single runs")),
    ]
}

fn scenario() -> Value {
    let trace = object(
        "a trace that was replayed",
        &[("path", text("its file")), ("sha256", digest())],
        &[],
    );
    object(
        "what was rehearsed",
        &[
            ("file", text("its file, as named")),
            ("name", text("its name")),
            ("title", text("what it shows, in a line")),
        ],
        &[("traces", list(trace))],
    )
}

fn cell() -> Value {
    let (share, mean, count) = (|| reference("share"), || reference("mean"), || reference("count"));
    let within = object(
        "runs in which a bad version was rolled back within some time from the onset",
        &[("share", share())],
        &[("within", span("the time; absent for any"))],
    );
    let pair = |first: Value, second: Value| {
        json!({
            "type": "array", "prefixItems": [first, second], "items": false, "minItems": 2,
        })
    };
    let against = object(
        "how the cell differs from the first: this less that, runs of one seed each",
        &[
            ("rollback", mean()),
            ("false_rollback", mean()),
            ("time_to_rollback_seconds", mean()),
            ("blast_failed", mean()),
            ("blast_requests", mean()),
        ],
        &[],
    );
    object(
        "what the runs under one value of each variation come to",
        &[
            ("values", list(text("the value of a variation, in their order"))),
            ("runs", whole("how many runs were made")),
            ("stopped", flag("whether it was stopped as its precision was reached")),
            ("requests", whole("requests of all of them")),
            ("failed", whole("those of them that failed for their clients")),
            ("rollback", share()),
            ("false_rollback", share()),
            ("promotion", share()),
            ("within", list(within)),
            ("time_to_detect", list(reference("time_quantile"))),
            ("time_to_rollback", list(reference("time_quantile"))),
            ("blast_failed", count()),
            ("blast_requests", count()),
            ("blast_slowed", count()),
            ("open_ended", whole("runs in which the harm went on to the end")),
            ("triggers", list(pair(text("what rolled back first"), whole("in how many runs")))),
            (
                "rolled_back_by",
                list(pair(span("from the onset"), whole("runs rolled back by then"))),
            ),
            ("cut_short", whole("runs in which the traffic ended before a phase or fault began")),
        ],
        &[
            (
                "watched",
                span("the shortest time from the onset to the end of a run without a rollback"),
            ),
            ("against_first", against),
            ("judgement", reference("gate")),
            ("rare", rare()),
        ],
    )
}

fn rare() -> Value {
    object(
        "the probability of a false rollback, where the sweep was asked for that; shares, times \
         and harm of such runs mean nothing and are those of no run",
        &[
            (
                "method",
                json!({
                    "enum": ["weighted", "splitting"],
                    "description": "by weighted runs or by replicates of multilevel splitting",
                }),
            ),
            ("runs", whole("how many runs, or replicates, were made")),
            ("hits", whole("in how many a version was falsely rolled back, tilted as they were")),
            ("effective", number("how many of equal weight those are worth")),
        ],
        &[
            ("mean_weight", number("the mean weight of all weighted runs: 1 but for chance")),
            ("value", number("the probability; absent where the runs do not tell it")),
            ("low", number("the lower limit, likewise")),
            ("high", number("the upper limit, likewise")),
        ],
    )
}

fn share() -> Value {
    object(
        "the share of runs in which something happened, with Wilson's interval",
        &[
            ("hits", whole("in how many it did")),
            ("n", whole("of how many")),
            ("low", number("the lower limit")),
            ("high", number("the upper limit")),
        ],
        &[("value", number("the share; absent without runs"))],
    )
}

fn time() -> Value {
    let at = object("after so long", &[("at", span("since the onset"))], &[]);
    let never = json!({"const": "never", "description": "later than any time"});
    json!({"oneOf": [at, never], "description": "the time until something"})
}

fn time_quantile() -> Value {
    object(
        "a quantile over all runs, those in which it never came the last, between order statistics",
        &[("per_mille", whole("which, in thousandths")), ("n", whole("of how many runs"))],
        &[("value", reference("time")), ("low", reference("time")), ("high", reference("time"))],
    )
}

fn count_quantile() -> Value {
    object(
        "a quantile over runs, between order statistics; a limit is absent where so few runs do \
         not bound it",
        &[("per_mille", whole("which, in thousandths")), ("n", whole("of how many runs"))],
        &[
            ("value", whole("the quantile")),
            ("low", whole("the lower limit")),
            ("high", whole("the upper limit")),
        ],
    )
}

fn mean() -> Value {
    object(
        "a mean over runs or pairs of runs, with Student's interval, or that of Bonett and Price \
         for differences of shares",
        &[("n", whole("of how many"))],
        &[
            ("value", number("the mean")),
            ("low", number("the lower limit; absent where there are fewer than two")),
            ("high", number("the upper limit, likewise")),
        ],
    )
}

fn count() -> Value {
    object(
        "requests of bad versions in each run, from the onset to the last drained",
        &[("mean", reference("mean")), ("quantiles", list(reference("count_quantile")))],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    fn problems(value: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(&sweep_schema()).unwrap();
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
    }

    #[test]
    fn the_schema_is_that_of_what_is_written() {
        let report = report(30);
        let written: Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(problems(&written), [""; 0]);
        let mut unknown = written.clone();
        unknown["cells"][0]["wind"] = json!(3);
        assert!(!problems(&unknown).is_empty());
        let mut missing = written;
        missing["cells"][1]["rollback"].as_object_mut().unwrap().remove("low");
        assert!(!problems(&missing).is_empty());
        assert_eq!(SweepReport::from_json(&report.to_json()), Ok(report));
    }
}
