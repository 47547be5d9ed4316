//! The JSON Schema of how well two runs agree: what each field means, for programs.
//!
//! A test holds it to what is written; `docs/fidelity.schema.json` is its published copy.

use serde_json::{Value, json};

use super::report::Fidelity;
use crate::json::{
    digest, flag, list, number, object, one_of, reference, span, text, verdict, whole,
};

/// The JSON Schema (draft 2020-12) of what `coalmine fidelity --format json` prints.
pub fn fidelity_schema() -> Value {
    let mut schema = object(
        "How well a live run agrees with the simulated one of the same scenario. What is not known \
         is absent.",
        &[
            (
                "schema",
                json!({"const": Fidelity::SCHEMA, "description": "the number of the format"}),
            ),
            ("coalmine", text("the version that held them against each other")),
            ("verdict", finding("what all errors come to: the gravest of them")),
            ("counts", counts()),
            (
                "confidence",
                number(
                    "the probability that all judged errors lie in their intervals \
                                   at once",
                ),
            ),
            (
                "intervals",
                whole(
                    "how many of them there are: each interval has the confidence that \
                                 so many need",
                ),
            ),
            ("simulated", reference("run")),
            ("live", reference("run")),
            ("share_draws", flag("whether both met the same draws, request by request")),
            ("speed", number("how many times as fast as on the wall the live run was")),
            ("tolerances", tolerances()),
            ("versions", list(version())),
            (
                "requests",
                finding("whether the live run sent as many requests, but for a twentieth"),
            ),
        ],
        &[
            ("overheads", list(overhead())),
            ("rollbacks", list(rollback())),
            ("notes", list(text("what is to be known of the errors, a sentence each"))),
        ],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("coalmine fidelity");
    schema["$defs"] = json!({
        "run": run(), "allowed": allowed(), "deviation": deviation(),
        "rolled_back": rolled_back(),
    });
    schema
}

fn finding(about: &str) -> Value {
    json!({"enum": ["unjudged", "within", "undecided", "beyond"], "description": about})
}

fn counts() -> Value {
    object(
        "how often each finding was made, of metrics and of rollbacks",
        &[
            ("within", whole("no more than is allowed")),
            ("beyond", whole("more than is allowed and than chance explains")),
            ("undecided", whole("too little was seen to tell")),
            ("unjudged", whole("only shown")),
        ],
        &[],
    )
}

fn run() -> Value {
    object(
        "a run",
        &[
            ("label", text("how it is called")),
            ("scenario", text("the name of its scenario")),
            ("seed", whole("its seed")),
            ("coalmine", text("the version that made it")),
            ("requests", whole("how many requests were sent")),
            ("sha256", digest()),
        ],
        &[("verdict", verdict("that of its gate"))],
    )
}

fn overhead() -> Value {
    object(
        "what the harness added to latencies, by one cause, in engine time: what was measured on \
         the wall is this, divided by the speed",
        &[
            ("name", text("what it is")),
            ("count", whole("how many delays were measured")),
            ("mean_ns", span("their mean")),
            ("p50_ns", span("their median")),
            ("p90_ns", span("their 90th percentile")),
            ("p99_ns", span("their 99th percentile")),
        ],
        &[],
    )
}

fn allowed() -> Value {
    let mut up_to = object(
        "by so much",
        &[(
            "up_to",
            number(
                "a share of the simulated value; of rates and shares of requests an \
                            absolute difference, 0.01 for a percentage point",
            ),
        )],
        &[],
    );
    up_to["properties"]["up_to"]["minimum"] = json!(0);
    up_to["properties"]["up_to"]["maximum"] = json!(1);
    let sampling = json!({"const": "sampling_error", "description": "as much as chance explains"});
    let mut schema = one_of(&[up_to, sampling]);
    schema["description"] = json!("how far a live value may lie from the simulated one");
    schema
}

fn tolerances() -> Value {
    let allowed = || reference("allowed");
    object(
        "what is allowed",
        &[
            ("mean", allowed()),
            ("p50", allowed()),
            ("p90", allowed()),
            ("p99", allowed()),
            ("error_rate", allowed()),
            ("split", allowed()),
            ("cost", allowed()),
            ("rollback_checks", whole("by how many checks a rollback may come earlier or later")),
        ],
        &[],
    )
}

fn version() -> Value {
    let requests = json!({
        "type": "array", "minItems": 2, "maxItems": 2,
        "description": "requests that it was assigned, in the simulated run and in the live one",
        "items": {"type": "integer", "minimum": 0},
    });
    object(
        "the errors of one version in one phase",
        &[
            ("phase", text("the name of the phase")),
            ("model", text("whose version it is")),
            ("version", text("the version")),
            ("requests", requests),
            ("errors", list(metric_error())),
        ],
        &[],
    )
}

fn metric_error() -> Value {
    object(
        "how far one metric of the live run lies from the simulated one",
        &[
            ("metric", text("its name, as in gates")),
            ("allowed", reference("allowed")),
            ("finding", finding("what the error means")),
        ],
        &[
            (
                "simulated",
                number(
                    "its simulated value, in the metric's base unit: seconds, a share, \
                                  dollars; absent for a quantile of too few values",
                ),
            ),
            ("live", number("its value in the live run, likewise")),
            (
                "overhead",
                number(
                    "by how many seconds of engine time the harness makes the live \
                                 value more",
                ),
            ),
            ("raw", reference("deviation")),
            ("less_overhead", reference("deviation")),
        ],
    )
}

fn deviation() -> Value {
    let interval = object(
        "between which limits the error would lie in the long run; of what is exact both are the \
         error",
        &[],
        &[
            ("low", number("the lower limit; absent where too little was seen to bound it")),
            ("high", number("the upper limit, likewise")),
        ],
    );
    object(
        "an error as it was measured (raw), or without what the harness added (less_overhead), \
         which is judged where it is there",
        &[(
            "error",
            number(
                "of shares of requests the live value less the simulated one, of all \
                            else this as a share of the simulated value",
            ),
        )],
        &[("interval", interval)],
    )
}

fn rollback() -> Value {
    object(
        "a rollback of a version in both runs, or in one of them",
        &[
            ("version", text("the version that was rolled back")),
            ("allowed_checks", whole("how many checks it may come earlier or later")),
            ("finding", finding("what the difference means")),
        ],
        &[
            ("simulated", reference("rolled_back")),
            ("live", reference("rolled_back")),
            ("check_interval_ns", span("how often the trigger of the simulated rollback checks")),
            (
                "checks",
                json!({
                    "type": "integer",
                    "description": "how many checks later the live rollback came, below 0: earlier",
                }),
            ),
        ],
    )
}

fn rolled_back() -> Value {
    object(
        "when and by what a version was rolled back; absent where it was not",
        &[
            ("after_ns", span("how long after the beginning of the run, in engine time")),
            ("trigger", text("the name of the trigger")),
        ],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::super::example::{slower, small, with_overheads};
    use super::*;
    use crate::json::{invalid_places, undescribed_fields};

    fn problems(document: &Value) -> Vec<String> {
        invalid_places(&fidelity_schema(), document)
    }

    #[test]
    fn what_is_written_is_valid_and_read_back() {
        for document in [slower(), small(), with_overheads(10.0), with_overheads(60.0)] {
            let text = document.to_json();
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(problems(&value), [""; 0]);
            assert_eq!(serde_json::from_str::<Fidelity>(&text).unwrap(), document);
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_invalid_at_every_depth() {
        let value = serde_json::to_value(with_overheads(10.0)).unwrap();
        let optional = [
            "overheads",
            "rollbacks",
            "notes",
            "verdict",
            "simulated",
            "live",
            "overhead",
            "raw",
            "less_overhead",
            "interval",
            "low",
            "high",
            "check_interval_ns",
            "checks",
        ];
        for place in [
            "",
            "/counts",
            "/simulated",
            "/overheads/0",
            "/tolerances",
            "/tolerances/mean",
            "/versions/0",
            "/versions/0/errors/0",
            "/versions/0/errors/0/less_overhead",
            "/versions/0/errors/0/less_overhead/interval",
            "/rollbacks/0",
            "/rollbacks/0/live",
        ] {
            let mut unknown = value.clone();
            unknown.pointer_mut(place).unwrap()["wind"] = json!(3);
            assert_ne!(problems(&unknown), [""; 0], "{place}");
            for field in value.pointer(place).unwrap().as_object().unwrap().keys() {
                let mut missing = value.clone();
                let object = missing.pointer_mut(place).unwrap().as_object_mut().unwrap();
                object.remove(field);
                let at_the_head =
                    place.is_empty() && !["overheads", "rollbacks", "notes"].contains(&&field[..]);
                let is_optional = optional.contains(&field.as_str()) && !at_the_head;
                assert_eq!(problems(&missing).is_empty(), is_optional, "{place}/{field}");
            }
        }
    }

    #[test]
    fn every_field_says_what_it_means() {
        assert_eq!(undescribed_fields(&fidelity_schema()), [""; 0]);
    }
}
