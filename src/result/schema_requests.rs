//! The JSON Schema of requests as the record has them: counted, timed, and over time.

use serde_json::{Value, json};

use crate::json::{instant, list, object, reference, span, version_index, whole};

pub(super) fn series() -> Value {
    let first = "the first step: step 4 k + j begins at 2^(k + 5) (1 + j / 4) nanoseconds";
    let spread = object(
        "how the latencies of its successes are spread over quarters of octaves",
        &[("first", whole(first)), ("counts", list(whole("successes in each step from it on")))],
        &[],
    );
    let point = object(
        "a version's traffic in one slot",
        &[
            ("assigned", whole("requests assigned")),
            ("completed", whole("requests that ended and count")),
            ("failed", whole("those of them that failed")),
        ],
        &[
            ("p50", span("median latency of successes")),
            ("p99", span("their 99th percentile")),
            ("spread", spread),
        ],
    );
    object(
        "traffic over time",
        &[
            ("start", instant()),
            ("width", span("the width of a slot")),
            ("versions", list(list(point))),
        ],
        &[],
    )
}

pub(super) fn tally() -> Value {
    object(
        "counts and histograms",
        &[
            ("assigned", whole("requests assigned")),
            ("succeeded", whole("requests that succeeded")),
            ("failed", reference("endings")),
            ("uncounted", reference("endings")),
            ("input_tokens", whole("of the successes")),
            ("output_tokens", whole("of the successes")),
            ("output_tokens_squared", whole("the sum of squares over the successes")),
            ("latency", reference("histogram")),
            ("latency_other", reference("histogram")),
            ("first_token", reference("histogram")),
        ],
        &[
            ("empty", whole("successes without a single output token")),
            ("cut_off", whole("successes cut off at the largest number of tokens")),
            ("repeated", whole("successes whose stream had a chunk twice")),
            ("input_tokens_squared", whole("the sum of squares over the successes")),
            ("input_by_output_tokens", whole("the sum of products over the successes")),
        ],
    )
}

pub(super) fn cell() -> Value {
    let arm = json!({
        "enum": ["stable", "canary", "pinned"],
        "description": "whether its version was the stable or a canary when they were assigned, or \
                        whether their clients pinned it",
    });
    object(
        "the requests of one phase, version and arm: `tally` those that took one attempt, \
         `attempts` each attempt at this version at those that took several, `finals` those \
         assigned to it that took several as their clients saw them",
        &[
            ("phase", whole("the phase, from 0")),
            ("version", version_index()),
            ("arm", arm),
            ("tally", reference("tally")),
        ],
        &[("attempts", reference("tally")), ("finals", reference("tally"))],
    )
}

pub(super) fn histogram() -> Value {
    let halves = |about: &str| {
        json!({
            "type": "array", "prefixItems": [whole("high 64 bits"), whole("low 64 bits")],
            "items": false, "description": about,
        })
    };
    let bin = json!({
        "type": "array", "items": false,
        "prefixItems": [whole("its lowest microsecond"), whole("how many durations")],
    });
    object(
        "durations by microsecond with three significant digits; mergeable",
        &[
            ("count", whole("how many")),
            ("sum_ns", halves("their sum in nanoseconds")),
            ("sum_of_squares_ns2", halves("the sum of their squares")),
            ("min_ns", span("the smallest")),
            ("max_ns", span("the largest")),
            ("bins_us", list(bin)),
        ],
        &[],
    )
}
