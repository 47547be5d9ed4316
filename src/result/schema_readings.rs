//! The JSON Schema of what a trigger read when it fired: the kinds of evidence.

use serde_json::{Value, json};

use crate::json::{Part, number, object, one_of, span, text, whole};

/// What a trigger read at a check: exactly one of the kinds.
pub(super) fn reading() -> Value {
    one_of(&[share(), time(), count(), amount(), compared(), no_data(), sequential()])
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
            ("ln_evidence", number("the natural logarithm of the evidence")),
            ("alpha", number("the allowed probability of a false alarm")),
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
