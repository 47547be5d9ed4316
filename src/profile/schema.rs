//! The JSON Schema of what `trace stats` tells: what each field means, for programs that read it.
//!
//! A test holds it to what is written; `docs/trace-stats.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::document::TraceStats;
use crate::json::{Part, digest, list, number, object, reference, span, text, whole};
use crate::trace::TraceFormat;

/// The JSON Schema (draft 2020-12) of [`TraceStats`].
pub fn stats_schema() -> Value {
    let name = TraceStats::schema_name();
    let parts = [
        source(),
        rows(),
        profile(),
        times(),
        tokens(),
        window(),
        distinct(),
        identities(),
        group(),
        outcomes(),
    ];
    let definitions: Map<_, _> =
        parts.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": name,
        "title": "coalmine trace stats",
        "description": "What describes a recorded trace. What the trace does not have is absent.",
        "type": "object",
        "required": ["$schema", "schema", "coalmine", "source", "profile"],
        "properties": {
            "$schema": {"const": name, "description": "names this schema"},
            "schema": {"const": TraceStats::SCHEMA, "description": "the number of the format"},
            "coalmine": text("the version that made it"),
            "source": reference("source"),
            "profile": reference("profile"),
        },
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn source() -> Part {
    let late = json!({
        "description": "rows after one that was sent later, where any order is allowed",
        "$ref": "#/$defs/rows",
    });
    let by_reason = json!({
        "type": "object", "description": "rows that were left out, by reason",
        "additionalProperties": reference("rows"),
    });
    let formats = json!({"enum": TraceFormat::ALL, "description": "how its rows are written"});
    let accounting = object(
        "what became of the trace's rows: read = emitted + dropped",
        &[
            ("format", formats),
            ("unit", text("the unit that its times were taken to be in")),
            ("read", whole("rows that were read")),
            ("emitted", whole("rows that are described")),
            ("dropped", by_reason),
        ],
        &[("late", late)],
    );
    let date = json!({
        "type": "string", "format": "date-time",
        "description": "when the trace began, where it has dates",
    });
    let window = json!({
        "description": "the stretch that was asked for: its beginning and length in nanoseconds",
        "type": "array", "prefixItems": [span("the beginning"), span("the length")], "items": false,
    });
    let schema = object(
        "the trace, and how it was read",
        &[("file", text("its path")), ("accounting", accounting)],
        &[
            ("sha256", digest()),
            ("began", date),
            ("dequantized_ns", span("over what rows of one time were spread at random")),
            ("window_ns", window),
        ],
    );
    ("source", schema)
}

fn rows() -> Part {
    let schema = object(
        "rows that have something in common",
        &[("count", whole("how many")), ("lines", list(whole("the lines of the first few")))],
        &[],
    );
    ("rows", schema)
}

fn profile() -> Part {
    let correlation = object(
        "Spearman's rank correlation of input and output tokens",
        &[
            ("requests", whole("requests with both")),
            ("value", number("from -1 to 1")),
            ("error", number("how far it may be off at worst; 0: exact")),
        ],
        &[],
    );
    let streamed = object(
        "streamed answers",
        &[("count", whole("how many")), ("of", whole("of how many of which it is known"))],
        &[],
    );
    let prefixes = object(
        "the blocks that prompts are made of",
        &[
            ("requests", whole("requests of which they are known")),
            ("block_tokens", whole("tokens of a block, the largest where they differ")),
            ("blocks", whole("how many blocks there are")),
            ("distinct", reference("distinct")),
            ("reused", number("the share of blocks that have come before, from 0 to 1")),
        ],
        &[],
    );
    let schema = object(
        "what describes the trace",
        &[
            ("requests", whole("how many requests")),
            ("span_ns", span(SPAN)),
            ("windows", list(reference("window"))),
            ("total", reference("group")),
        ],
        &[
            ("requests_per_second", number("requests over span")),
            ("gaps", reference("times")),
            ("input_tokens", reference("tokens")),
            ("output_tokens", reference("tokens")),
            ("token_correlation", correlation),
            ("streamed", streamed),
            ("users", reference("identities")),
            ("sessions", reference("identities")),
            ("prefixes", prefixes),
            ("models", list(reference("group"))),
            ("versions", list(reference("group"))),
        ],
    );
    ("profile", schema)
}

fn times() -> Part {
    let quantiles = pairs("a share, and what so many are at most in nanoseconds");
    let schema = object(
        "lengths of time; all but the quantiles are exact",
        &[
            ("count", whole("how many")),
            ("mean_ns", span("their mean")),
            ("min_ns", span("the shortest")),
            ("p50_ns", span("the median")),
            ("p90_ns", span("the 90th percentile")),
            ("p95_ns", span("the 95th percentile")),
            ("p99_ns", span("the 99th percentile")),
            ("max_ns", span("the longest")),
            ("relative_error", number("how far a quantile may be off, as a share of it")),
            ("quantiles_ns", quantiles),
        ],
        &[("cv", number("sample standard deviation over mean"))],
    );
    ("times", schema)
}

fn tokens() -> Part {
    let schema = object(
        "numbers of tokens; all but the quantiles are exact",
        &[
            ("requests", whole("requests of which it is known")),
            ("mean", number("their mean")),
            ("min", whole("the fewest")),
            ("p50", number("the median")),
            ("p90", number("the 90th percentile")),
            ("p95", number("the 95th percentile")),
            ("p99", number("the 99th percentile")),
            ("max", whole("the most")),
            ("relative_error", number("how far a quantile may be off, as a share of it; 0: exact")),
            ("quantiles", pairs("a share, and what so many are at most")),
        ],
        &[("cv", number("sample standard deviation over mean"))],
    );
    ("tokens", schema)
}

fn window() -> Part {
    let schema = object(
        "requests by windows of one width, from the beginning of the trace on",
        &[
            ("width_ns", span("how long a window is")),
            ("windows", whole("full windows: all that are over when the span is")),
            ("most", whole("the most requests in any window")),
            ("empty", whole("full windows without any request")),
        ],
        &[
            (
                "dispersion",
                number("sample variance over mean of the full windows' requests: 1 for Poisson"),
            ),
            ("peak_over_mean", number("the most over what the mean rate gives a window")),
        ],
    );
    ("window", schema)
}

fn distinct() -> Part {
    let schema = object(
        "how many different ones there are",
        &[
            ("count", whole("so many")),
            (
                "relative_deviation",
                number("the standard deviation of an estimate, as a share of it; 0: counted"),
            ),
        ],
        &[],
    );
    ("distinct", schema)
}

fn identities() -> Part {
    let schema = object(
        "numbers that requests share",
        &[
            ("requests", whole("requests that have one")),
            ("distinct", reference("distinct")),
            ("requests_each", number("requests over different numbers")),
        ],
        &[],
    );
    ("identities", schema)
}

fn group() -> Part {
    let cost = object(
        "what the requests cost",
        &[
            ("requests", whole("requests of which it is known")),
            ("total_usd", number("the sum in dollars")),
            ("usd_each", number("the sum over these requests")),
        ],
        &[],
    );
    let slot = object(
        "the requests that were sent in a slot",
        &[
            ("requests", whole("how many")),
            ("judged", whole("those that succeeded or failed")),
            ("failed", whole("those that failed")),
            ("timed", whole("those whose duration counts for latency")),
            ("duration_ns", span("the sum of these durations")),
        ],
        &[],
    );
    let course = object(
        "all of it over time",
        &[("width_ns", span("how long a slot is")), ("slots", list(slot))],
        &[],
    );
    let schema = object(
        "the requests of a model or version, or all; without a name those that have no room",
        &[("requests", whole("how many")), ("course", course)],
        &[
            ("model", text("the model")),
            ("version", text("the version")),
            ("outcomes", reference("outcomes")),
            ("latency", reference("times")),
            ("first_token", reference("times")),
            ("failure_latency", reference("times")),
            ("tokens_per_second", number("output tokens by the sum of the durations of `latency`")),
            ("cost", cost),
        ],
    );
    ("group", schema)
}

fn outcomes() -> Part {
    let rate = object(
        "failed over failed and succeeded, with Wilson's 95 % interval",
        &[
            ("value", number("from 0 to 1")),
            ("low", number("the lower end")),
            ("high", number("the upper end")),
        ],
        &[],
    );
    let ending = text("success, an HTTP status, timeout, refused, reset and the like");
    let counted = object(
        "an ending",
        &[("ending", ending), ("requests", whole("how many requests ended so"))],
        &[],
    );
    let clustering = object(
        "how failures are spread over windows of 10 s",
        &[
            ("windows", whole("windows with requests that succeeded or failed")),
            (
                "value",
                number("Pearson's chi-squared over its degrees of freedom: 1 where independent"),
            ),
        ],
        &[],
    );
    let schema = object(
        "how requests ended",
        &[
            ("observed", whole("requests of which it is known")),
            ("succeeded", whole("those that succeeded")),
            ("failed", whole("those that failed")),
            ("endings", list(counted)),
        ],
        &[("error_rate", rate), ("clustering", clustering)],
    );
    ("outcomes", schema)
}

const SPAN: &str = "from the beginning of the trace to the last request, or to the end of the \
     stretch where rows came later";

fn pairs(about: &str) -> Value {
    let pair = json!({
        "type": "array", "description": about, "items": {"type": "number"},
        "minItems": 2, "maxItems": 2,
    });
    list(pair)
}

#[cfg(test)]
mod tests {
    use super::super::example::{observed_stats, plain_stats};
    use super::*;
    use crate::json::{invalid_places, undescribed_fields};

    fn problems(stats: &Value) -> Vec<String> {
        invalid_places(&stats_schema(), stats)
    }

    #[test]
    fn what_is_written_is_valid() {
        for stats in [observed_stats(), plain_stats()] {
            let value: Value = serde_json::from_str(&stats.to_json()).unwrap();
            assert_eq!(problems(&value), [""; 0]);
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_invalid_at_every_depth() {
        let value = serde_json::to_value(observed_stats()).unwrap();
        let optional = |field: &str| {
            let object = stats_schema();
            let defs = object["$defs"].as_object().unwrap().values();
            let required = defs.chain([&object]).flat_map(|part| part["required"].as_array());
            !required.flatten().any(|name| name == field)
        };
        for place in [
            "",
            "/source",
            "/source/accounting",
            "/profile",
            "/profile/gaps",
            "/profile/windows/0",
            "/profile/input_tokens",
            "/profile/users",
            "/profile/users/distinct",
            "/profile/versions/0",
            "/profile/versions/0/outcomes",
            "/profile/versions/0/outcomes/error_rate",
            "/profile/versions/0/course/slots/0",
        ] {
            let mut unknown = value.clone();
            unknown.pointer_mut(place).unwrap()["wind"] = json!(3);
            assert_ne!(problems(&unknown), [""; 0], "{place}");
            for field in value.pointer(place).unwrap().as_object().unwrap().keys() {
                let mut missing = value.clone();
                missing.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(field);
                let is_fine = problems(&missing).is_empty();
                assert!(!is_fine || optional(field), "{place}/{field}");
            }
        }
    }

    #[test]
    fn every_field_says_what_it_means() {
        assert_eq!(undescribed_fields(&stats_schema()), [""; 0]);
    }
}
