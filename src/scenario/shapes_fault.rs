//! The format of faults: what a phase breaks.

use super::shape::Literal as L;
use super::shape::Shape::{Choice as ChoiceOf, List, One, Open as OpenOf, Record as RecordOf};
use super::shape::{Choice, Open, Record, Shape, defaulted, optional, required};
use super::shapes_distribution::DURATIONS;
use super::shapes_upstream::{CAPACITY, FAILURES, RATE_LIMIT};

/// Faults by version.
pub(crate) static FAULTS: Open = Open {
    name: "faults",
    fields: &[
        optional("*", FAULT_LIST, "faults of every version of every model"),
        optional("all", FAULT_LIST, "the same, where no version and no tag has this name"),
    ],
    key: L::Version,
    value: FAULT_LIST,
};

/// The faults of one version.
pub(crate) const FAULT_LIST: Shape = List(&RecordOf(&FAULT));

static FAULT: Record = Record {
    name: "fault",
    fields: &[
        defaulted("at", One(L::Duration), "0s", "its onset, from the beginning of its phase"),
        optional(
            "for",
            One(L::Duration),
            "how long it lasts, more than 0s (default: until its phase ends)",
        ),
        defaulted("ramp", One(L::Duration), "0s", "how long it takes to come to its full strength"),
        defaulted(
            "shape",
            One(L::Word(&["step", "drift", "square", "sine"])),
            "step",
            "how its strength goes on: there at once (`step`), growing to its end (`drift`), on \
             for the first half of each period (`square`), or up and down in each (`sine`)",
        ),
        optional("period", One(L::Duration), "that of a `square` or `sine`, more than 0s"),
        optional(
            "users",
            One(L::Ratio),
            "the share of users that it hits, the same ones for every fault, more than 0% \
             (default: 100%)",
        ),
        optional(
            "failures",
            OpenOf(&FAILURES),
            "failures beside the normal ones, by HTTP status or by kind; with all others at most \
             100%",
        ),
        optional("latency", ChoiceOf(&CHANGE), "what happens to the latency of answers"),
        optional(
            "capacity",
            RecordOf(&CAPACITY),
            "how much is answered at once instead, from its onset on, whatever its strength; of \
             several the last holds",
        ),
        optional(
            "rate_limit",
            RecordOf(&RATE_LIMIT),
            "how much is accepted over time instead, likewise",
        ),
    ],
};

static CHANGE: Choice = Choice {
    name: "latency change",
    choices: &[
        required(
            "times",
            One(L::Number(0.0, 1_000.0)),
            "multiplied by this factor, 0 to 1000, the first token alike",
        ),
        required("add", One(L::Duration), "this much longer, before the first token"),
        required(
            "replace",
            DURATIONS,
            "the total drawn from this distribution instead, the first token in proportion",
        ),
    ],
    beside: &[],
};
