//! The format of upstreams: how a version answers when nothing is wrong with it.

use super::presets::PRESETS;
use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, Either, One, Open as OpenOf, Record as RecordOf, Short as ShortOf,
};
use super::shape::{Choice, Field, Open, Record, Shape, Short, defaulted, optional, required};
use super::shapes_distribution::{DURATION_FAMILIES, DURATIONS};

/// An upstream.
pub(crate) static UPSTREAM: Record = Record {
    name: "upstream",
    fields: &[
        optional(
            "preset",
            One(L::Word(&PRESETS)),
            "a known model or server, whose figures hold where the other keys do not stand: \
             latency, unless given as a whole, failures, capacity and rate limit part by part",
        ),
        optional("latency", LATENCY, "time to the complete answer, as a whole or by its parts"),
        optional(
            "first_token",
            One(L::Ratio),
            "share of a latency given as a whole that passes until the first token, 0% to 100% \
             (default: 20%)",
        ),
        optional(
            "failures",
            OpenOf(&FAILURES),
            "what goes wrong, by HTTP status or by kind, each with its probability; together at \
             most 100%",
        ),
        optional(
            "correlate",
            One(L::Word(&["request", "user", "burst"])),
            "which requests fail together: none (`request`, the default), all of a user (`user`), \
             or those of a bad stretch of time (`burst`, the default with `burst`)",
        ),
        optional("burst", RecordOf(&BURST), "stretches of time with more failures"),
        optional(
            "capacity",
            RecordOf(&CAPACITY),
            "how much it answers at once (default: whatever comes)",
        ),
        optional(
            "slowdown",
            RecordOf(&SLOWDOWN),
            "how much slower answers become as the slots of its capacity fill; without it they \
             only wait for a slot",
        ),
        optional(
            "rate_limit",
            RecordOf(&RATE_LIMIT),
            "how much it accepts over time (default: any amount); beyond it answers 429 and says \
             when to come back",
        ),
        optional(
            "recorded",
            One(L::Bool),
            "instead of all other keys: it answers as the trace that is replayed has recorded this \
             version, a request with the answer that it had, others with one of the version's \
             last 64, or first 64 until there are so many (default: false)",
        ),
    ],
};

/// A total, or the parts: then `first_token` stands and `per_output_token` beside it, here or in
/// the preset.
const LATENCY: Shape = ShortOf(&Short {
    literal: L::Duration,
    field: "constant",
    full: ChoiceOf(&Choice {
        name: "latency",
        choices: &LATENCIES,
        beside: &[
            optional(
                "per_output_token",
                DURATIONS,
                "beside `first_token`, which needs it: time between two tokens of the answer",
            ),
            optional(
                "per_input_token",
                DURATIONS,
                "beside `first_token`: what each token of the prompt adds to it (default: 0s)",
            ),
            optional(
                "connect",
                DURATIONS,
                "beside `first_token`: time until the connection stands, before it (default: 0s)",
            ),
            optional(
                "tail",
                DURATIONS,
                "beside `first_token`: time from the last token to the end of the answer \
                 (default: 0s)",
            ),
            optional(
                "at_most",
                One(L::Duration),
                "beside `first_token`: the longest that an answer takes; one whose parts come to \
                 more is complete after so long (default: any time)",
            ),
        ],
    }),
});

static LATENCIES: [Field; 13] = with(
    &DURATION_FAMILIES,
    optional(
        "first_token",
        DURATIONS,
        "by its parts: time to the first token; the answer is complete after `per_output_token` \
         for each further one",
    ),
);

/// `first` and one more.
const fn with(first: &[Field; 12], last: Field) -> [Field; 13] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *first;
    [a, b, c, d, e, f, g, h, i, j, k, l, last]
}

/// What goes wrong: by HTTP status, or by kind.
pub(crate) static FAILURES: Open = Open {
    name: "failures",
    fields: &[
        kind("timeout", &TIMEOUT, "nothing ever comes: the request ends when somebody gives up"),
        kind("reset", &RESET, "the connection breaks, before the answer or in it"),
        kind("refused", &REFUSED, "the connection is not accepted"),
        kind("malformed", &MALFORMED, "what comes cannot be read: bad JSON, or a bad event"),
        kind(
            "truncated",
            &TRUNCATED,
            "the stream stops without its end; an answer that is not streamed cannot be read",
        ),
        kind("empty", &EMPTY, "a success without a single token"),
        kind("stall", &STALL, "the answer stops for a while and goes on: a success, if in time"),
        kind(
            "duplicate_chunk",
            &DUPLICATE_CHUNK,
            "a success whose stream has a chunk twice, which no rule sees",
        ),
        kind(
            "wrong_content_type",
            &WRONG_CONTENT_TYPE,
            "something else than JSON or an event stream, such as the page of a proxy: cannot be \
             read",
        ),
        kind("slow_drip", &SLOW_DRIP, "tokens come no faster than `rate`: a success, if in time"),
        kind(
            "error_in_stream",
            &ERROR_IN_STREAM,
            "the stream carries an error after it began as a success; an answer that is not \
             streamed cannot be read",
        ),
    ],
    key: L::Status,
    value: ShortOf(&STATUS),
};

const fn kind(name: &'static str, of: &'static Short, about: &'static str) -> Field {
    optional(name, ShortOf(of), about)
}

const fn short(record: &'static Record) -> Short {
    Short { literal: L::Ratio, field: "probability", full: RecordOf(record) }
}

const PROBABILITY: Field = required(
    "probability",
    One(L::Ratio),
    "how probable it is for a request, 0% to 100%, as small as 1e-9",
);
const AT: Field = defaulted("at", One(L::Ratio), "50%", "after which share of the tokens");
const READ_AT: Field = optional(
    "latency",
    DURATIONS,
    "time until it is read (default: that of the answer's first token, or of an answer that is \
     not streamed)",
);
const FAST: Field =
    defaulted("latency", DURATIONS, "40ms", "time to the failure: it needs no answer");

static STATUS: Short = short(&Record { name: "failure", fields: &[PROBABILITY, FAST] });
static TIMEOUT: Short = short(&Record { name: "timeout", fields: &[PROBABILITY] });
static RESET: Short = short(&Record {
    name: "reset",
    fields: &[
        PROBABILITY,
        optional(
            "at",
            One(L::Ratio),
            "after which share of the answer (default: before any of it)",
        ),
        optional("latency", DURATIONS, "time to a reset without `at` (default: 40ms)"),
    ],
});
static REFUSED: Short = short(&Record { name: "refused", fields: &[PROBABILITY, FAST] });
static MALFORMED: Short = short(&Record { name: "malformed", fields: &[PROBABILITY, READ_AT] });
static TRUNCATED: Short = short(&Record { name: "truncated", fields: &[PROBABILITY, AT] });
static EMPTY: Short = short(&Record {
    name: "empty",
    fields: &[
        PROBABILITY,
        optional(
            "latency",
            DURATIONS,
            "time to the end (default: when the first token would have come)",
        ),
    ],
});
static STALL: Short = short(&Record {
    name: "stall",
    fields: &[
        PROBABILITY,
        defaulted("after", One(L::Ratio), "50%", "after which share of the tokens"),
        defaulted("for", One(L::Duration), "30s", "how long nothing comes, more than 0s"),
    ],
});
static DUPLICATE_CHUNK: Short = short(&Record { name: "duplicate chunk", fields: &[PROBABILITY] });
static WRONG_CONTENT_TYPE: Short =
    short(&Record { name: "wrong content type", fields: &[PROBABILITY, READ_AT] });
static SLOW_DRIP: Short = short(&Record {
    name: "slow drip",
    fields: &[
        PROBABILITY,
        defaulted("rate", One(L::Rate), "1/s", "tokens that come in a time, more than 0/s"),
    ],
});
static ERROR_IN_STREAM: Short =
    short(&Record { name: "error in stream", fields: &[PROBABILITY, AT] });

/// How much is answered at once.
pub(crate) static CAPACITY: Record = Record {
    name: "capacity",
    fields: &[
        required(
            "concurrency",
            One(L::Integer(1, 1_000_000)),
            "slots: requests that are answered at once, 1 to 1000000",
        ),
        optional(
            "queue",
            One(L::Integer(0, 1_000_000)),
            "requests that may wait for a slot, first come, first served, 0 to 1000000 \
             (default: 0, and any number with `on_full: wait`)",
        ),
        defaulted(
            "on_full",
            Either(&[L::Integer(400, 599), L::Word(&["wait"])]),
            "429",
            "what a request is answered that finds neither a slot nor room to wait: an HTTP \
             status, 400 to 599; or `wait`: there is always room",
        ),
    ],
};

static SLOWDOWN: Record = Record {
    name: "slowdown",
    fields: &[required(
        "at_full",
        One(L::Number(1.0, 1_000.0)),
        "how many times longer answers take that begin when all slots are occupied, 1 to 1000; \
         each occupied slot adds the same to it",
    )],
};

/// How much is accepted over time.
pub(crate) static RATE_LIMIT: Record = Record {
    name: "rate limit",
    fields: &[
        optional(
            "requests",
            One(L::Quota),
            "requests in a time, all of which may come at once after it passed without any",
        ),
        optional(
            "tokens",
            One(L::Quota),
            "tokens of prompts and complete answers in a time, counted as requests come",
        ),
    ],
};

static BURST: Record = Record {
    name: "burst",
    fields: &[
        required("enter", One(L::Ratio), "how probable it is that one begins in a second"),
        required(
            "leave",
            One(L::Ratio),
            "how probable it is that it ends in a second: it lasts 1/leave seconds on average",
        ),
        required("failures", OpenOf(&FAILURES), "the failures in it, beside the normal ones"),
    ],
};
