//! The JSON Schema of what a trigger read when it fired: the kinds of evidence.

use serde_json::{Value, json};

use crate::json::{Part, number, object, one_of, span, text, whole};

/// What a trigger read at a check: exactly one of the kinds.
pub(super) fn reading() -> Value {
    one_of(&[
        share(),
        time(),
        count(),
        amount(),
        compared(),
        no_data(),
        sequential(),
        event_ratio(),
        objective(),
        ranks(),
    ])
}

fn share() -> Value {
    let threshold = ("threshold", number("a share, 0 to 1"));
    let hits = ("hits", whole("requests with the property"));
    kind("share", &[metric(), hits, requests(), operator(), threshold, window()], &[])
}

fn time() -> Value {
    let threshold = ("threshold", span("a latency"));
    kind(
        "time",
        &[metric(), requests(), in_flight(), operator(), threshold, window()],
        &[("value", span("the metric's value")), above()],
    )
}

fn count() -> Value {
    let threshold = ("threshold", whole("a number of requests"));
    kind("count", &[metric(), requests(), operator(), threshold, window()], &[])
}

fn amount() -> Value {
    let value = ("value", number("tokens, tokens per second, or dollars"));
    let threshold = ("threshold", number("in the same unit"));
    kind("amount", &[metric(), value, requests(), operator(), threshold, window()], &[])
}

fn compared() -> Value {
    let threshold = json!({
        "description": "how the limit is made from the stable's value",
        "oneOf": [
            object("a multiple of it", &[("times", number("the factor"))], &[]),
            object("more than it", &[("plus", number("how much, in the metric's unit"))], &[]),
        ],
    });
    kind(
        "compared",
        &[
            metric(),
            requests(),
            in_flight(),
            operator(),
            ("threshold", threshold),
            ("stable", level()),
            ("limit", number("what the value was compared with; nanoseconds for times")),
            window(),
        ],
        &[("value", number("the metric's value; nanoseconds for times")), above()],
    )
}

fn no_data() -> Value {
    let needed = ("min_requests", whole("how many it needs"));
    kind("no_data", &[metric(), requests(), needed, window()], &[("stable", level())])
}

fn sequential() -> Value {
    kind(
        "sequential",
        &[
            ("canary_errors", whole("errors of the canary")),
            ("stable_errors", whole("errors of the stable over the same time")),
            ("expected_share", number("the canary's share of the requests")),
            ("excess", number("the canary's errors less its share of all errors")),
            ln_evidence(),
            alpha(),
        ],
        &[],
    )
}

fn event_ratio() -> Value {
    kind(
        "event_ratio",
        &[
            metric(),
            ("canary_events", whole("errors, or slow requests, of the canary that counted")),
            ("stable_events", whole("those of the stable over the same time")),
            ("expected_share", number("the canary's share of the requests")),
            (
                "allowed_excess",
                number("by how much of the stable's rate the canary's may be higher"),
            ),
            ("burst_block", span("of each such stretch only the first event counted; 0: all did")),
            ln_evidence(),
            alpha(),
        ],
        &[("slow_above", span("above what a request is slow; absent for errors"))],
    )
}

fn objective() -> Value {
    kind(
        "objective",
        &[
            metric(),
            ("hits", whole("requests with what the metric counts")),
            requests(),
            ("objective", number("the share that hits were to stay below, 0 to 1")),
            ln_evidence(),
            alpha(),
        ],
        &[("limit", span("of a quantile: its limit"))],
    )
}

fn ranks() -> Value {
    kind(
        "ranks",
        &[
            metric(),
            ("canary_buckets", whole("stretches of time in which the canary had a value")),
            ("stable_buckets", whole("stretches in which the stable had one")),
            ("bucket", span("how long a stretch is")),
            ("shift", number("how much higher the canary's values are; nanoseconds for times")),
            ("low", number("the least that it is, with the confidence")),
            ("high", number("the most that it is, with the confidence")),
            ("confidence", number("of both bounds together, for one look, 0 to 1")),
            ("tolerance", number("what a bound must be beyond; nanoseconds for times")),
        ],
        &[],
    )
}

fn level() -> Value {
    object(
        "the stable's side of a comparison",
        &[requests()],
        &[("value", number("its value; nanoseconds for times"))],
    )
}

fn kind(name: &'static str, required: &[Part], optional: &[Part]) -> Value {
    object(name, &[(name, object(name, required, optional))], &[])
}

fn ln_evidence() -> Part {
    ("ln_evidence", number("the natural logarithm of the evidence"))
}

fn alpha() -> Part {
    ("alpha", number("the allowed probability of a false alarm"))
}

fn metric() -> Part {
    ("metric", text("the metric's name"))
}

fn requests() -> Part {
    ("requests", whole("requests that count"))
}

fn in_flight() -> Part {
    ("in_flight", whole("requests in flight beyond the threshold"))
}

fn above() -> Part {
    ("above", whole("requests beyond the threshold"))
}

fn operator() -> Part {
    ("operator", text("the comparison that held"))
}

fn window() -> Part {
    ("window", span("the window's length"))
}
