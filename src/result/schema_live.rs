//! The part of the result's schema that is about runs over HTTP.

use serde_json::Value;

use crate::json::{Part, list, number, object, reference, span, text, whole};

/// What is known of a run over HTTP beside what happened in it.
pub(super) fn live_parts() -> Vec<Part> {
    let overhead = object(
        "how much later than it should have been something was, on the wall; times the speed it is \
         in the run's own time",
        &[("count", whole("how often it was measured"))],
        &[
            ("mean_ns", span("the mean")),
            ("p50_ns", span("the median")),
            ("p99_ns", span("the 99th percentile")),
            ("max_ns", span("the largest")),
            ("times", reference("histogram")),
        ],
    );
    vec![("overhead", overhead), ("live", live()), ("far_gateway", far_gateway())]
}

fn live() -> Value {
    object(
        "what is known of a run over HTTP beside what happened in it: how late the harness made \
         things",
        &[
            ("speed", number("how many times as fast as on the wall its time ran")),
            ("dispatch_lag", reference("overhead")),
            ("upstream_lateness", reference("overhead")),
            ("overhead", reference("overhead")),
            ("service_overhead", reference("overhead")),
            (
                "lag_limit_ns",
                span("above which P99 of the lag, in its own time, the run shows nothing"),
            ),
            ("lost", whole("requests that never reached the gateway, or whose end it never told")),
        ],
        &[("gateway", reference("far_gateway"))],
    )
}

fn far_gateway() -> Value {
    let own = object(
        "requests that it ended by itself in one way, so that they reached no version",
        &[("ending", text("a status, or `timeout`")), ("count", whole("how many there were"))],
        &[],
    );
    object(
        "a gateway that ran elsewhere and served the run in place of the harness's own",
        &[
            ("url", text("where it was")),
            ("clock_within_ns", span("how far its clock and that of the run may have been apart")),
            ("strangers", whole("requests of others that it sent to the mock")),
            (
                "contradicted",
                whole("answers that named another version than the mock was asked for, or none"),
            ),
        ],
        &[
            ("own_answers", list(own)),
            ("notes", list(text("what is missing of what it told, in a sentence"))),
            ("left", list(text("how a model of the run was left, in a sentence"))),
            ("doubts", list(text("what else speaks against the run, in a sentence"))),
            (
                "keys_left",
                list(text("an access key that was made for the run and that it may still have")),
            ),
        ],
    )
}
