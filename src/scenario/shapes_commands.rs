//! The format of a phase's commands.

use super::shape::Literal as L;
use super::shape::Shape::{FileOr, One, Record as RecordOf, Table as TableOf};
use super::shape::{Choice, Record, Shape, Table, defaulted, optional, required};
use super::shapes_rollout::ROLLOUT;
use super::shapes_rules::RULES;

/// A command, as an operator would give it to the gateway.
pub(crate) static COMMAND: Choice = Choice {
    name: "command",
    choices: &[
        required(
            "rollback",
            RecordOf(&Record {
                name: "rollback",
                fields: &[optional(
                    "to",
                    One(L::Version),
                    "the version or tag that gets all traffic (default: the last stable)",
                )],
            }),
            "gives all traffic to one version at once",
        ),
        required(
            "split",
            TableOf(&Table { key: L::Version, value: One(L::Ratio), ordered: false }),
            "sets the weights of a model's versions; they sum to 100%",
        ),
        required("rollout", RecordOf(&ROLLOUT), "begins a rollout"),
        required(
            "promote",
            One(L::Version),
            "makes a version or tag the stable, with all traffic, at once; while it bakes, ends \
             the bake",
        ),
        required("pause", THE_ROLLOUT, "stops the rollout where it is"),
        required("resume", THE_ROLLOUT, "lets the rollout go on"),
        required("abort", THE_ROLLOUT, "ends the rollout and gives its traffic to the stable"),
        required("tag", RecordOf(&TAG), "lets a tag name a version"),
        required(
            "rules",
            FileOr(&RecordOf(&RULES)),
            "replaces the rollback rules; what is in both goes on",
        ),
        required(
            "regenerate_key",
            RecordOf(&REGENERATE_KEY),
            "gives a client's access key another secret; a key that a rollback invalidated is \
             valid again",
        ),
        required(
            "revoke_key",
            One(L::Key),
            "forgets a client's access key: its requests are refused from then on",
        ),
    ],
    beside: &[
        defaulted(
            "at",
            One(L::Duration),
            "0s",
            "when it is given, from the beginning of its phase",
        ),
        optional(
            "model",
            One(L::Model),
            "the model that it is for; required where there are several and nothing else in the \
             command says which",
        ),
        optional(
            "fallback_threshold",
            One(L::Ratio),
            "beside `split`: from then on the model rolls back where the error rate of a minute is \
             above it, of 20 requests at least",
        ),
        optional(
            "latency_threshold_ms",
            One(L::Number(1.0, 86_400_000.0)),
            "beside `split`: from then on the model rolls back where the P99 latency of a minute \
             is above it, in milliseconds, of 300 requests at least",
        ),
        defaulted(
            "redeploy",
            One(L::Bool),
            "false",
            "whether `split`, `rollout` and `promote` may bring a version back that was rolled \
             back; otherwise they are refused",
        ),
    ],
};

const THE_ROLLOUT: Shape = One(L::Word(&["rollout"]));

static REGENERATE_KEY: Record = Record {
    name: "regenerate_key",
    fields: &[
        required("key", One(L::Key), "the key of a client of the workload"),
        defaulted("grace", One(L::Duration), "5m", "how long the old secret stays valid"),
        defaulted(
            "adopted_after",
            One(L::Duration),
            "0s",
            "how long the client goes on with the old secret; after the grace it is refused",
        ),
        optional(
            "version",
            One(L::Version),
            "the version that the key is made for from then on, by id or tag (default: none)",
        ),
    ],
};

static TAG: Record = Record {
    name: "tag",
    fields: &[
        required("tag", One(L::Tag), "the tag"),
        required("version", One(L::Version), "the version that it names from then on, or its tag"),
        defaulted(
            "preserve_previous",
            One(L::Bool),
            "true",
            "whether the version that it named before stays in its history",
        ),
    ],
};
