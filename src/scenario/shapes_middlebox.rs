//! What stands before the gateway in a scenario file.

use super::shape::Literal as L;
use super::shape::Shape::{List, One, Record as RecordOf};
use super::shape::{Record, defaulted, required};

/// What stands between clients and the gateway.
pub(crate) static MIDDLEBOX: Record = Record {
    name: "middlebox",
    fields: &[required(
        "cache",
        RecordOf(&CACHE),
        "keeps successful answers and gives them to whoever asks alike; the gateway never hears \
         of those",
    )],
};

static CACHE: Record = Record {
    name: "cache",
    fields: &[
        defaulted(
            "honours_no_store",
            One(L::Bool),
            "true",
            "whether it keeps no answer that says `Cache-Control: no-store`; the gateway's all do, \
             unless the safeguard `no_store` is off",
        ),
        required("ttl", One(L::Duration), "for how long it keeps an answer, more than 0s"),
        required(
            "key",
            List(&One(L::Word(&["model", "prompt", "user", "session", "client", "stream"]))),
            "by what it tells requests apart; a prompt is like no other unless the workload has \
             `prompts`",
        ),
        defaulted(
            "entries",
            One(L::Integer(1, 1_000_000)),
            "10000",
            "how many answers it keeps; the oldest makes room for the newest",
        ),
        defaulted(
            "latency",
            One(L::Duration),
            "2ms",
            "how long it takes to give an answer that it has kept",
        ),
    ],
};
