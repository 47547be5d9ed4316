//! The JSON Schema of what `load` tells: what each field means, for programs that read it.
//!
//! A test holds it to what is written; `docs/load.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::report::LoadReport;
use crate::json::{Part, flag, list, number, object, reference, span, text, whole};

/// The JSON Schema (draft 2020-12) of [`LoadReport`].
pub fn load_schema() -> Value {
    let name = LoadReport::schema_name();
    let parts = [requests(), rates(), times(), tokens(), version(), spread()];
    let definitions: Map<_, _> =
        parts.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let about = "What came of a load: requests that were sent to a server, and what became of \
                 them. Times are nanoseconds. What nothing was recorded of is absent.";
    let mut fields = json!({
        "$schema": {"const": name, "description": "names this schema"},
        "schema": {"const": LoadReport::SCHEMA, "description": "the number of the format"},
    });
    let (required, optional) = top();
    let mut names = vec!["$schema", "schema"];
    names.extend(required.iter().map(|(name, _)| *name));
    for (name, schema) in required.iter().chain(&optional) {
        fields[*name] = schema.clone();
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": name,
        "title": "coalmine load",
        "description": about,
        "type": "object",
        "required": names,
        "properties": fields,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn top() -> (Vec<Part>, Vec<Part>) {
    let required = vec![
        ("coalmine", text("the version that made it")),
        ("target", text("where requests went, without a query")),
        ("http", json!({"enum": ["1.1", "2"], "description": "the version of HTTP"})),
        ("workload", text("what was sent, in words")),
        (
            "closed_loop",
            flag(
                "whether requests waited for answers to others, all or some: then latencies leave \
                 out who would have come while the server stood still",
            ),
        ),
        ("cut_short", flag("whether it was stopped before its end")),
        ("valid", flag("whether its figures can be trusted")),
        ("reasons", list(text("why its figures cannot be trusted"))),
        (
            "began",
            json!({
                "type": "string", "format": "date-time",
                "description": "what the times of the workload count from",
            }),
        ),
        ("duration_ns", span("from then to the end of the last request, or to where it was cut")),
        (
            "lag_limit_ns",
            span("above which P99 of the lag it is not valid, unless all requests waited"),
        ),
        ("limits_ns", limits()),
        ("requests", reference("requests")),
        ("rates", reference("rates")),
        ("times", reference("times")),
        ("tokens", reference("tokens")),
        ("versions", list(reference("version"))),
    ];
    let optional = vec![("concurrency", whole("how many sent at once, where all requests waited"))];
    (required, optional)
}

fn limits() -> Value {
    let limits = [
        ("latency", span("from the intended time to the end, at most")),
        ("ttft", span("from the intended time to the first content, at most")),
        ("tpot", span("the mean time of a token after the first, at most")),
        ("gap", span("between two pieces of a stream, at most")),
    ];
    object("what a success must keep to for goodput", &[], &limits)
}

fn requests() -> Part {
    let endings = json!({
        "type": "object", "additionalProperties": whole("how many ended so"),
        "description": "by how they ended: success, a status, timeout, refused, reset, malformed, \
                        truncated, error_in_stream",
    });
    let causes = json!({
        "type": "object", "additionalProperties": text("what was said"),
        "description": "what was said of the first request that ended so, where anything was",
    });
    let fields = [
        ("sent", whole("how many were sent")),
        ("ended", whole("how many of them ended")),
        ("unfinished", whole("how many of them were cut off when the load was stopped")),
        ("succeeded", whole("how many succeeded")),
        ("good", whole("how many succeeded within all limits")),
        ("streamed", whole("how many were asked to be streamed, of those that ended")),
        ("endings", endings),
        ("causes", causes),
        ("local_failures", whole("how many failed for want of something on this machine")),
        ("connections", whole("how many new connections were made")),
        ("bytes_sent", whole("bytes of the bodies that were sent")),
        ("bytes_received", whole("bytes of the bodies that came")),
    ];
    ("requests", object("how many requests there were, and how they ended", &fields, &[]))
}

fn rates() -> Part {
    let fields = [
        ("ended", number("requests that ended")),
        ("succeeded", number("requests that succeeded")),
        ("good", number("requests that succeeded within all limits: goodput")),
        ("input_tokens", number("tokens of the prompts of successes, as far as they were counted")),
        ("output_tokens", number("tokens of successful answers")),
    ];
    let about = "requests that were to be sent, from the first intended time to the last";
    let optional = [("offered", number(about))];
    ("rates", object("how many a second, over the whole duration", &fields, &optional))
}

fn times() -> Part {
    let of = |about: &str| {
        let mut schema = reference("spread");
        schema["description"] = about.into();
        schema
    };
    let optional = [
        ("latency", of("from the intended time to the end, of successes")),
        ("latency_from_send", of("from the send to the end, of successes")),
        ("latency_all", of("from the intended time to the end, of all")),
        ("ttft", of("from the intended time to the first content, of streamed successes")),
        ("ttft_from_send", of("from the send to the first content, of streamed successes")),
        ("itl", of("between two pieces with content, of streamed successes")),
        ("tpot", of("the mean time of a token after the first, of each streamed success")),
        ("lag", of("from the intended time to the send, of all: the dispatch lag")),
        ("connect", of("to connect, of each new connection")),
    ];
    ("times", object("how long requests took", &[], &optional))
}

fn tokens() -> Part {
    let fields = [
        ("input", whole("of prompts, as far as they were counted")),
        ("output", whole("of answers; estimated where they were not counted")),
        ("uncounted", whole("how many successes did not say how many tokens they have")),
    ];
    let optional = [
        (
            "per_second_of_stream_p50",
            number("the median of the tokens per second of a stream after its first token"),
        ),
        ("per_second_of_stream_p1", number("what 99 % of the streams are at least as fast as")),
    ];
    ("tokens", object("how many tokens successes had", &fields, &optional))
}

fn version() -> Part {
    let about = "its name, as the gateway says it; null for all beyond those that are told apart";
    let fields = [
        ("version", json!({"type": ["string", "null"], "description": about})),
        ("requests", whole("how many requests it answered")),
        ("succeeded", whole("how many of them succeeded")),
    ];
    let optional = [("latency", reference("spread")), ("ttft", reference("spread"))];
    ("version", object("what answered with the name of one version", &fields, &optional))
}

fn spread() -> Part {
    let fields = [
        ("count", whole("how many were recorded")),
        ("mean_ns", span("their mean")),
        ("min_ns", span("the smallest")),
        ("p50_ns", span("the median")),
        ("p90_ns", span("the 90th percentile")),
        ("p95_ns", span("the 95th percentile")),
        ("p99_ns", span("the 99th percentile")),
        ("p999_ns", span("the 99.9th percentile")),
        ("max_ns", span("the largest")),
    ];
    let about = "a distribution of times: mean, smallest and largest are exact, quantiles within \
                 0.1 %";
    ("spread", object(about, &fields, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{invalid_places, undescribed_fields};
    use crate::load::report::tests::{facts, load, meter};
    use crate::load::{LoadFacts, LoadMeter};

    fn problems(value: &Value) -> Vec<String> {
        invalid_places(&load_schema(), value)
    }

    fn written(is_closed: bool, meter: &LoadMeter) -> Value {
        let facts = LoadFacts { concurrency: is_closed.then_some(3), ..facts() };
        let text = LoadReport::new(facts, &load(is_closed), meter).to_json();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_written_is_valid() {
        for value in [written(false, &meter()), written(true, &LoadMeter::default())] {
            assert_eq!(problems(&value), [""; 0]);
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_invalid_at_every_depth() {
        let value = written(false, &meter());
        let optional = |field: &str| {
            let schema = load_schema();
            let defs = schema["$defs"].as_object().unwrap().values();
            let required = defs.chain([&schema]).flat_map(|part| part["required"].as_array());
            !required.flatten().any(|name| name == field)
        };
        for place in ["", "/requests", "/rates", "/times", "/times/lag", "/tokens", "/versions/0"] {
            let mut unknown = value.clone();
            unknown.pointer_mut(place).unwrap()["wind"] = json!(3);
            assert_ne!(problems(&unknown), [""; 0], "{place}");
            for field in value.pointer(place).unwrap().as_object().unwrap().keys() {
                let mut missing = value.clone();
                missing.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(field);
                assert!(!problems(&missing).is_empty() || optional(field), "{place}/{field}");
            }
        }
    }

    #[test]
    fn every_field_says_what_it_means() {
        assert_eq!(undescribed_fields(&load_schema()), [""; 0]);
    }
}
