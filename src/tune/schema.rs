//! The JSON Schema of what a search for rules found: what each field means, for programs.
//!
//! A test holds it to what is written; `docs/tune.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::report::TuneReport;
use crate::json::{Part, digest, flag, list, number, object, reference, span, text, whole};
use crate::study::sweep_schema;

/// The JSON Schema (draft 2020-12) of `tune.json`.
pub fn tune_schema() -> Value {
    let mut schema = object(
        "Rules that were sought for a canary. Equal bytes for equal scenarios, faults, seeds and \
         build, on any number of threads. Two-sided intervals are at 95 %; what is not known is \
         absent.",
        &required(),
        &[("best", whole("the combination whose recommended rules do the least harm, from 0"))],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("coalmine tune");
    schema["$defs"] = definitions().into();
    schema
}

/// Those of a sweep that are meant here too, and some of our own.
fn definitions() -> Map<String, Value> {
    let of_sweep = sweep_schema();
    let shared = ["share", "time", "time_quantile", "mean"];
    let shared = shared.map(|name| (name.to_owned(), of_sweep["$defs"][name].clone()));
    let own = [("tried", tried()), ("ratio", ratio())];
    let own = own.map(|(name, schema)| (name.to_owned(), schema));
    shared.into_iter().chain(own).collect()
}

fn required() -> Vec<Part> {
    let of_sweep = sweep_schema();
    let shared = |name: &str| of_sweep["properties"][name].clone();
    let fault = object(
        "a bad release",
        &[
            ("name", text("what it is called")),
            ("weight", number("how often it is expected beside the others")),
            ("held_out", flag("whether the search has not seen it")),
        ],
        &[],
    );
    let combination = object(
        "what was found under one value of each variation",
        &[("values", list(text("the value of a variation"))), ("tuned", tuned())],
        &[],
    );
    vec![
        ("schema", {
            json!({"const": TuneReport::SCHEMA, "description": "the number of the format"})
        }),
        ("coalmine", text("the version of coalmine")),
        ("scenario", shared("scenario")),
        ("model", text("the model whose rules were sought")),
        ("limit", number("the probability of a false rollback that was allowed")),
        ("seeds", shared("seeds")),
        ("healthy", whole("runs of the healthy release in each check; 0: as many as needed")),
        ("settings", list(text("a setting of the command line"))),
        ("against", list(digest_of("a list of faults"))),
        ("faults", list(fault)),
        ("variations", shared("variations")),
        ("combinations", list(combination)),
    ]
}

fn digest_of(about: &str) -> Value {
    object(about, &[("path", text("its file")), ("sha256", digest())], &[])
}

fn tuned() -> Value {
    let normal = |about| {
        object(
            about,
            &[("error_rate", number("the share of its requests that fail"))],
            &[
                ("latency_p50_ns", span("the median latency of its successes")),
                ("latency_p99_ns", span("their 99th percentile")),
            ],
        )
    };
    let round = object(
        "a round of the search",
        &[
            ("triggers", whole("how many triggers were tried")),
            ("seeds", whole("in how many runs of each fault so far")),
            ("healthy", whole("in how many runs of the healthy release so far")),
        ],
        &[],
    );
    let failed = object(
        "a set that a check disproved",
        &[("triggers", list(text("one of its triggers"))), ("alarms", alarms())],
        &[],
    );
    let shortfall = object(
        "why the present rules do not see a fault, or see it late",
        &[
            ("fault", whole("which, from 0")),
            ("why", why()),
            ("found", reference("share")),
            ("more_harm", number("requests harmed beyond those under the recommended rules")),
        ],
        &[],
    );
    object(
        "what a search has found",
        &[
            ("normal", normal("what is normal for the stable version, measured")),
            ("normal_canary", normal("the same of the canary without a fault of its own")),
            ("rounds", list(round)),
            ("checks", whole("how many checks it took to prove a set, or to give up")),
            ("tried", list(reference("tried"))),
            ("shortfalls", list(shortfall)),
        ],
        &[
            ("present", reference("tried")),
            ("failed", list(failed)),
            ("recommended", text("the name of the recommended rules")),
            ("against_present", reference("ratio")),
            ("against_present_held_out", reference("ratio")),
        ],
    )
}

fn why() -> Value {
    let with = |name: &'static str, about| object(about, &[(name, number("of all checks"))], &[]);
    json!({"oneOf": [
        with("no_data", "at this share of checks there were too few requests"),
        with("not_for_long", "in breach at this share of checks, and not long enough"),
        {"enum": ["never_in_breach", "late"]},
    ]})
}

fn alarms() -> Value {
    object(
        "how often a healthy release was rolled back",
        &[
            ("hits", whole("in how many runs")),
            ("n", whole("of how many")),
            ("upper", number("the one-sided upper limit (Clopper and Pearson)")),
            ("confidence", number("the confidence of that")),
        ],
        &[],
    )
}

fn tried() -> Value {
    let fault = object(
        "what it did to one fault",
        &[
            ("found", reference("share")),
            ("time_to_rollback", reference("time_quantile")),
            ("harm", reference("mean")),
        ],
        &[],
    );
    object(
        "a rule set and what it was found to do, in runs that no search has used",
        &[
            ("name", text("its name: present, or a letter")),
            ("triggers", list(text("a trigger that can take the canary's traffic away"))),
            ("rules", json!({"type": "object", "description": "as a gateway takes them"})),
            ("missed", reference("share")),
            ("alarms", alarms()),
            ("harm", reference("mean")),
            ("faults", list(fault)),
        ],
        &[
            ("promised", number("the probability of a false rollback that its judges promise")),
            ("harm_held_out", reference("mean")),
        ],
    )
}

fn ratio() -> Value {
    object(
        "a harm as a share of another, of the same faults and seeds",
        &[
            ("n", whole("over how many seeds")),
            ("value", number("the ratio")),
            ("low", number("the lower limit")),
            ("high", number("the upper limit")),
        ],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::super::example::report;
    use super::*;

    #[test]
    fn the_schema_is_that_of_what_is_written() {
        let report = report();
        let problems = |value: &Value| -> Vec<String> {
            let validator = jsonschema::validator_for(&tune_schema()).unwrap();
            validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
        };
        let written: Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(problems(&written), [""; 0]);
        let mut unknown = written.clone();
        unknown["combinations"][0]["tuned"]["wind"] = json!(3);
        assert!(!problems(&unknown).is_empty());
        let mut missing = written;
        let tried = &mut missing["combinations"][0]["tuned"]["tried"][0];
        tried.as_object_mut().unwrap().remove("alarms");
        assert!(!problems(&missing).is_empty());
        assert_eq!(TuneReport::from_json(&report.to_json()), Ok(report));
    }
}
