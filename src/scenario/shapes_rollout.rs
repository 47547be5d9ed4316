//! The format of a phase's rollout.

use super::shape::Literal as L;
use super::shape::Shape::{List, One, Record as RecordOf};
use super::shape::{Record, defaulted, optional, required};

/// A rollout.
pub(crate) static ROLLOUT: Record = Record {
    name: "rollout",
    fields: &[
        required("version", One(L::Version), "the canary: a version or tag that is not the stable"),
        required(
            "steps",
            List(&RecordOf(&STEP)),
            "the steps that raise its weight, in order; after the last it becomes the stable",
        ),
        defaulted(
            "bake",
            One(L::Duration),
            "1h",
            "how long the rules still cover it after its promotion",
        ),
    ],
};

static STEP: Record = Record {
    name: "step",
    fields: &[
        required(
            "weight",
            One(L::Ratio),
            "the canary's share of its model's requests, above that of the step before, at most \
             100%; the rest stays with the stable",
        ),
        required("hold", One(L::Duration), "how long the step lasts at least"),
        optional(
            "require",
            One(L::Requests),
            "the requests that the canary completes in the step at least (default: the largest \
             min_requests of the rules)",
        ),
        defaulted(
            "pause",
            One(L::Bool),
            "false",
            "whether the step waits for a command to resume as well",
        ),
    ],
};
