//! The format of workloads: what is sent, and when.

use super::shape::Literal as L;
use super::shape::Shape::{Choice as ChoiceOf, One, Record as RecordOf, Table as TableOf};
use super::shape::{Record, Table, defaulted, optional, required};
use super::shapes_arrivals::ARRIVALS;
use super::shapes_distribution::TOKEN_SIZES;

/// The workload.
pub(crate) static WORKLOAD: Record = Record {
    name: "workload",
    fields: &[
        required("arrivals", ChoiceOf(&ARRIVALS), "when requests arrive"),
        optional(
            "requests",
            One(L::Integer(1, 1_000_000_000_000)),
            "the number of requests after which the workload ends (default: it ends with the \
             phases, or with the trace)",
        ),
        optional(
            "tokens",
            RecordOf(&TOKENS),
            "token counts per request; required unless a trace brings them",
        ),
        optional(
            "models",
            TableOf(&MODEL_SHARES),
            "share of the requests that asks for each model, summing to 100%; required where there \
             are several, unless a trace brings the models (default for what it does not say: the \
             first)",
        ),
        defaulted(
            "users",
            One(L::Integer(1, 4_294_967_295)),
            "1000",
            "number of users that send the requests, 1 to 4294967295",
        ),
        defaulted(
            "stream",
            One(L::Ratio),
            "0%",
            "share of requests whose answer is streamed, 0% to 100%; a trace that says so itself \
             wins",
        ),
        defaulted(
            "client_timeout",
            One(L::Duration),
            "30s",
            "how long a client waits for the complete answer, more than 0s",
        ),
        defaulted(
            "upstream_timeout",
            One(L::Duration),
            "60s",
            "how long the gateway waits for the upstream's complete answer, more than 0s",
        ),
    ],
};

static TOKENS: Record = Record {
    name: "tokens",
    fields: &[
        required("input", TOKEN_SIZES, "tokens of the prompt"),
        required("output", TOKEN_SIZES, "tokens of a complete answer, at least 1"),
    ],
};

static MODEL_SHARES: Table = Table { key: L::Model, value: One(L::Ratio), ordered: false };
