//! The format of rollback rules: the seed's JSON, and the same inline.

use super::shape::Literal as L;
use super::shape::Shape::{List, One, Record as RecordOf};
use super::shape::{Record, Shape, defaulted, optional, required};

/// A file of rollback rules, or the same inline.
pub(crate) static RULES: Record = Record {
    name: "rules",
    fields: &[
        defaulted("enable", One(L::Bool), "true", "whether the rules are checked at all"),
        defaulted(
            "rate_limited_is_error",
            One(L::Bool),
            "true",
            "whether a request answered 429 counts as an error; otherwise it counts neither way",
        ),
        defaulted(
            "alpha",
            One(L::Number(1e-12, 0.5)),
            "0.001",
            "the probability that any judge ever fires on canaries that are no worse, shared by \
             the judges and by the canaries that are deployed together",
        ),
        required(
            "conditions",
            List(&RecordOf(&CONDITION)),
            "conditions and judges; at one check the first that fires wins",
        ),
        optional("notification", RecordOf(&NOTIFICATION), "where firings are told"),
    ],
};

const ANY_NUMBER: Shape = One(L::Number(f64::NEG_INFINITY, f64::INFINITY));

/// A condition or a judge.
pub(crate) static CONDITION: Record = Record {
    name: "condition",
    fields: &[
        optional(
            "id",
            One(L::Text),
            "its name in events and evidence (default: made from what it watches)",
        ),
        optional(
            "judge",
            One(L::Word(&["sequential", "objective", "mann_whitney"])),
            "makes it a judge, a statistical test, instead of a threshold: sequential compares the \
             canary's errors, or slow requests, with the stable's; objective holds a version to a \
             share of its own; mann_whitney compares stretches of time by their ranks",
        ),
        optional(
            "metric",
            One(L::Text),
            "the metric that is compared, such as error_rate or latency_p99",
        ),
        optional(
            "operator",
            One(L::Word(&[">", ">=", "<", "<="])),
            "how it is compared with the threshold",
        ),
        optional(
            "threshold",
            ANY_NUMBER,
            "the threshold of a share (0 to 1), of a count, of tokens, of tokens per second, of \
             dollars per 1,000 tokens, or of a ratio to the stable",
        ),
        optional(
            "threshold_ms",
            ANY_NUMBER,
            "the threshold of a time, in milliseconds, more than 0",
        ),
        optional(
            "compare_to",
            One(L::Word(&["stable"])),
            "compares with the stable's value over the same window instead of a fixed threshold",
        ),
        optional(
            "as",
            One(L::Word(&["ratio", "difference"])),
            "how compare_to compares: the threshold is a multiple of the stable's value, or is \
             added to it (default: ratio)",
        ),
        optional(
            "duration_seconds",
            ANY_NUMBER,
            "how long the comparison must hold, 0 to 86400 seconds; 0 fires at the first breach",
        ),
        optional(
            "check_interval_seconds",
            ANY_NUMBER,
            "time between checks, 1 to 3600 seconds and at most the duration, rounded up to whole \
             seconds (default: 5 for duration 0, else the smaller of the duration and max(5, \
             duration / 4), at most 3600)",
        ),
        optional(
            "window_seconds",
            ANY_NUMBER,
            "the stretch of time that the metric is taken over, from one check interval to 3600 \
             seconds (default: the duration)",
        ),
        optional(
            "min_requests",
            One(L::Integer(0, u64::MAX)),
            "with fewer completions in the window there is no data (default: 10)",
        ),
        optional(
            "no_data",
            One(L::Word(&["hold", "breach", "clear"])),
            "what a check without data does to the timer (default: hold)",
        ),
        optional(
            "version",
            One(L::Version),
            "the version or tag that is watched (default: every canary)",
        ),
        optional(
            "action",
            One(L::Text),
            "rollback_to_last_stable, rollback_to:<version or tag>, pause (of the rollout), or \
             notify",
        ),
        optional(
            "prior_strength",
            ANY_NUMBER,
            "of a sequential judge of errors: tests the canary's share of errors with a prior of \
             this strength on the configured split, 0.01 to 10000, instead of their ratio",
        ),
        optional(
            "alpha",
            ANY_NUMBER,
            "of a judge: the probability that it ever fires on canaries that are no worse, for \
             itself, 1e-12 to 0.5 (default: a share of that of all rules)",
        ),
        optional(
            "effect",
            ANY_NUMBER,
            "of a sequential judge: by how much of the stable's rate errors may be more frequent \
             (default: 0.5, by half), or by how much of its quantile a slow request is slower \
             (default: 0.2, a fifth); 0 to 100",
        ),
        optional(
            "burst_block_seconds",
            ANY_NUMBER,
            "of a sequential judge: of each stretch of this length only the first event counts, \
             whichever version it is on; 0: all count (default: 10)",
        ),
        optional(
            "tolerance",
            ANY_NUMBER,
            "of a mann_whitney judge: how much of the estimated shift its interval must clear, 0 \
             to 10 (default: 0.25)",
        ),
        optional(
            "confidence",
            ANY_NUMBER,
            "of a mann_whitney judge: that of the shift's interval, 0.5 to 0.9999 (default: 0.98)",
        ),
    ],
};

static NOTIFICATION: Record = Record {
    name: "notification",
    fields: &[
        optional(
            "slack_webhook",
            One(L::Text),
            "a Slack incoming webhook; a rehearsal records the message and sends none",
        ),
        optional(
            "email",
            One(L::Text),
            "an e-mail address; a rehearsal records the message and sends none",
        ),
    ],
};
