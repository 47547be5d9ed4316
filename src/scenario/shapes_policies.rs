//! The policies of a model in a scenario file.

use super::shape::Literal as L;
use super::shape::Shape::{List, One, Record as RecordOf};
use super::shape::{Record, defaulted, optional, required};

/// What becomes of requests whose attempts fail.
pub(crate) static POLICIES: Record = Record {
    name: "policies",
    fields: &[
        optional(
            "retry",
            RecordOf(&RETRY),
            "when a failed attempt is made again, on the same version unless that has lost its \
             traffic (default: never)",
        ),
        optional(
            "fallback",
            One(L::Word(&["stable"])),
            "where a request goes at last whose attempts have failed, whatever its weight \
             (default: nowhere)",
        ),
        defaulted(
            "max_pinned",
            One(L::Ratio),
            "5%",
            "the share of pinned requests above which the timeline says that the split decides \
             too little",
        ),
    ],
};

static RETRY: Record = Record {
    name: "retry",
    fields: &[
        required(
            "attempts",
            One(L::Integer(1, 10)),
            "how many attempts may follow the first, 1 to 10",
        ),
        optional(
            "on",
            List(&One(L::Text)),
            "the endings that are retried on: statuses, `5xx`, `timeout`, `refused`, `reset`, \
             `malformed`, `truncated`, `error_in_stream` (default: 408, 429, 5xx, refused, reset)",
        ),
        optional(
            "backoff",
            RecordOf(&BACKOFF),
            "how long to wait before a further attempt: `first`, doubled with each up to `max`, \
             less a random part of it",
        ),
        defaulted(
            "honours_retry_after",
            One(L::Bool),
            "false",
            "whether a wait is at least as long as the `retry-after` of the answer before asks \
             for, up to the longest wait of the backoff",
        ),
    ],
};

static BACKOFF: Record = Record {
    name: "backoff",
    fields: &[
        defaulted("first", One(L::Duration), "25ms", "the wait before the second attempt"),
        defaulted("max", One(L::Duration), "250ms", "the longest wait, at most 60s"),
        defaulted(
            "jitter",
            One(L::Ratio),
            "100%",
            "how much of a wait is left to chance, 0% to 100%",
        ),
    ],
};
