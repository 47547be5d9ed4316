//! The format of workloads: what is sent, and when.

use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, List, One, Record as RecordOf, Short as ShortOf, Table as TableOf,
};
use super::shape::{Record, Short, Table, defaulted, optional, required};
use super::shapes_arrivals::{ARRIVALS, OWN_ARRIVALS};
use super::shapes_distribution::{COUNTS, TOKEN_SIZES};
use super::shapes_users::{USERS, ZIPF};

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
            "token counts per request; required unless a trace brings them, or each model has its \
             own; of a trace, those of requests of which it does not say",
        ),
        optional(
            "models",
            TableOf(&MODEL_SHARES),
            "share of the requests that asks for each model, summing to 100%; required where there \
             are several, unless a trace brings the models (default for what it does not say: the \
             first)",
        ),
        defaulted("users", ShortOf(&USERS), "1000", "the users that send the requests"),
        optional(
            "sessions",
            RecordOf(&SESSIONS),
            "how a user's requests form sessions (default: each stands alone); a trace that says \
             so itself wins",
        ),
        optional(
            "clients",
            List(&RecordOf(&CLIENT)),
            "the clients by whose access keys requests are sent; their shares sum to 100%",
        ),
        optional(
            "prompts",
            RecordOf(&PROMPTS),
            "what requests say, where that repeats: equal prompts have equally many tokens, \
             but for those of a trace (default: each says something else)",
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

/// What is different about the workload in a phase.
pub(crate) static PHASE_WORKLOAD: Record = Record {
    name: "phase's workload",
    fields: &[
        optional(
            "speed",
            One(L::Number(0.0, 1_000.0)),
            "how much faster than otherwise the workload's own time passes, 0 or 0.001 to 1000 \
             times: the same requests come sooner or later, and users who wait think faster or \
             slower",
        ),
        optional(
            "arrivals",
            ChoiceOf(&OWN_ARRIVALS),
            "requests that come in the place of the workload's, from the beginning of the phase \
             on; instead of `speed`",
        ),
        optional(
            "tokens",
            RecordOf(&TOKENS),
            "token counts of whatever is sent, required beside `arrivals` in the place of a trace \
             (default: those of the workload)",
        ),
        optional(
            "stream",
            One(L::Ratio),
            "share of whatever is sent whose answer is streamed, 0% to 100% (default: that of the \
             workload)",
        ),
    ],
};

static TOKENS: Record = Record {
    name: "tokens",
    fields: &[
        required("input", TOKEN_SIZES, "tokens of the prompt"),
        required("output", TOKEN_SIZES, "tokens of a complete answer, at least 1"),
        optional(
            "rank_correlation",
            One(L::Number(-1.0, 1.0)),
            "Spearman's rank correlation of the two, -1 to 1: above 0 long prompts get long \
             answers, below 0 short ones (default: 0)",
        ),
    ],
};

static MODEL_SHARES: Table = Table { key: L::Model, value: ShortOf(&MODEL_SHARE), ordered: false };

static MODEL_SHARE: Short = Short {
    literal: L::Ratio,
    field: "share",
    full: RecordOf(&Record {
        name: "model's share",
        fields: &[
            required("share", One(L::Ratio), "share of the requests, 0% to 100%"),
            optional(
                "tokens",
                RecordOf(&TOKENS),
                "token counts of these requests (default: those of the workload)",
            ),
        ],
    }),
};

static SESSIONS: Record = Record {
    name: "sessions",
    fields: &[
        required("requests", COUNTS, "number of requests in a session; rounded, at least 1"),
        defaulted(
            "gap",
            One(L::Duration),
            "30m",
            "the longest pause within a session: a request after a longer one begins the next",
        ),
    ],
};

static CLIENT: Record = Record {
    name: "client",
    fields: &[
        required("key", One(L::Key), "the name of its access key"),
        defaulted(
            "share",
            One(L::Ratio),
            "0%",
            "its share of the requests whose part of a `sum` names no client, 0% to 100%",
        ),
        optional(
            "model",
            One(L::Model),
            "the model that its requests ask for; a trace that says so itself wins (default: by \
             the shares of `models`)",
        ),
        optional(
            "version",
            One(L::Version),
            "the version that its key was made for, by id or tag: without the safeguard \
             `keys_survive_rollback` a rollback from there invalidates the key (default: none)",
        ),
        optional(
            "pin",
            One(L::Version),
            "the version or tag that its requests ask for, in place of what the split would \
             choose; a tag's holder of the time (default: none)",
        ),
    ],
};

static PROMPTS: Record = Record {
    name: "prompts",
    fields: &[
        required(
            "distinct",
            One(L::Integer(1, 4_294_967_294)),
            "how many different prompts there are, 1 to 4294967294",
        ),
        defaulted("zipf", One(L::Number(0.0, 10.0)), "1", ZIPF),
    ],
};
