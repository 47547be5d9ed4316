//! The format: every key of a scenario file with its meaning, range and default.

use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, Either, FileOr, List, One, Open as OpenOf, Record as RecordOf,
    Table as TableOf,
};
use super::shape::{Record, Shape, Table, defaulted, optional, required};
use super::shapes_commands::COMMAND;
use super::shapes_fault::FAULTS;
use super::shapes_middlebox::MIDDLEBOX;
use super::shapes_policies::POLICIES;
use super::shapes_rollout::ROLLOUT;
use super::shapes_rules::RULES;
use super::shapes_safeguards::SAFEGUARDS;
use super::shapes_upstream::UPSTREAM;
use super::shapes_workload::{PHASE_WORKLOAD, WORKLOAD};

/// A scenario file.
pub(crate) static SCENARIO: Shape = RecordOf(&Record {
    name: "scenario",
    fields: &[
        required("schema", One(L::Integer(1, 1)), "number of the format, 1"),
        optional(
            "extends",
            EXTENDS,
            "scenario files that this one is laid over, the last uppermost: maps merge, lists of \
             named things merge by name, other lists replace, and `key: ~` takes a key away",
        ),
        optional(
            "vars",
            VARS,
            "values by name, to be put wherever `${name}` is written; `${env:NAME}` is a value of \
             the environment",
        ),
        required("name", One(L::Slug), "name of the scenario, of its reports and of their folder"),
        optional("title", One(L::Text), "what it shows, in a line (default: the name)"),
        defaulted(
            "start",
            One(L::Timestamp),
            "2024-01-01T00:00:00Z",
            "engine time of the first instant, in UTC",
        ),
        defaulted(
            "seed",
            One(L::Integer(0, u64::MAX)),
            "1",
            "seed of every draw; `--seed` overrides it",
        ),
        required("workload", RecordOf(&WORKLOAD), "what is sent, and when"),
        optional(
            "middlebox",
            RecordOf(&MIDDLEBOX),
            "what stands between clients and the gateway (default: nothing)",
        ),
        optional(
            "safeguards",
            RecordOf(&SAFEGUARDS),
            "what engine and gateway guard against; switched off only to show what happens then",
        ),
        required(
            "models",
            TableOf(&MODELS),
            "the models under rehearsal, by the name that clients ask for",
        ),
        required(
            "phases",
            List(&RecordOf(&PHASE)),
            "the parts of the rehearsal, in order; the first sets the split",
        ),
        optional(
            "columns",
            List(&RecordOf(&COLUMN)),
            "columns of the comparison table (default: one for each version)",
        ),
        optional(
            "reference",
            TableOf(&REFERENCE),
            "published figures, by column and metric, to hold the columns against",
        ),
        optional(
            "gate",
            List(&One(L::Text)),
            "assertions that must hold, such as `error_rate{phase=canary} < 1%`",
        ),
        optional(
            "seeds",
            One(L::Integer(1, MOST_SEEDS)),
            "how many runs `gate` judges together: of `seed` and of those that follow it; \
             `--seeds` overrides it (default: 1)",
        ),
        optional("baseline", RecordOf(&BASELINE), "how gate lines with `baseline(...)` are judged"),
        optional(
            "expect",
            One(L::Word(&["fail", "inconclusive"])),
            "the verdict that the gate must come to, for scenarios that show a failure",
        ),
    ],
});

static BASELINE: Record = Record {
    name: "baseline",
    fields: &[
        optional(
            "smallest_effect",
            One(L::Ratio),
            "the smallest effect that matters, as a share of the baseline's value: what is worse \
             than a bare `baseline(...)` by less still holds (default: 0%)",
        ),
        optional(
            "alpha",
            One(L::Ratio),
            "the probability, for all such lines together, that any fails of which none should; \
             more than 0%, at most 50% (default: 5%)",
        ),
    ],
};

/// How many runs a gate can be judged on. Chosen: ten thousand runs without a rollback bound its
/// probability by 1 in 2,700, and what is kept of them fits into memory.
pub const MOST_SEEDS: u64 = 10_000;

/// The files that a scenario is laid over.
pub(crate) const EXTENDS: Shape = List(&One(L::Path));

/// Values by name.
pub(crate) const VARS: Shape =
    TableOf(&Table { key: L::Variable, value: One(L::Any), ordered: false });

static MODELS: Table = Table { key: L::Model, value: RecordOf(&MODEL), ordered: true };

static MODEL: Record = Record {
    name: "model",
    fields: &[
        defaulted(
            "assignment",
            One(L::Word(&["random", "even", "sticky"])),
            "random",
            "how a request is assigned to a version: by its own draw; in turns, so that each \
             version is within one request of its share; or by a key of its own (`sticky_by`), \
             which then stays with a version while the weights stay, and which a growing canary \
             takes from the stable only; judges need `random`",
        ),
        optional(
            "sticky_by",
            One(L::Word(&["user", "session", "client"])),
            "what requests stick by, where they do: their user, their session, or the access key \
             of their client, as a gateway would find them in a header; sessions and clients must \
             be there: `workload.sessions` or a trace's, `workload.clients` (default: user)",
        ),
        required("versions", TableOf(&VERSIONS), "the versions by name, in the order of reports"),
        optional(
            "rules",
            FileOr(&RecordOf(&RULES)),
            "rollback rules: the path of their JSON file, or the rules themselves (default: none)",
        ),
        optional(
            "policies",
            RecordOf(&POLICIES),
            "what becomes of requests whose attempts fail (default: their clients see it)",
        ),
        optional(
            "safeguards",
            RecordOf(&SAFEGUARDS),
            "those of this model where they are not the scenario's",
        ),
    ],
};

static VERSIONS: Table = Table { key: L::Version, value: RecordOf(&VERSION), ordered: true };

static VERSION: Record = Record {
    name: "version",
    fields: &[
        optional(
            "tags",
            List(&One(L::Tag)),
            "names that point to this version at the start; one version of a model has `stable`, \
             the only one without being told",
        ),
        optional("price", RecordOf(&PRICE), "what the version charges for 1,000 tokens"),
        required("upstream", RecordOf(&UPSTREAM), "how the version answers"),
        defaulted(
            "truth",
            One(L::Word(&["healthy", "bad", "during_faults"])),
            "during_faults",
            "when the version counts as bad, for judging rollbacks: never, always, or while a \
             fault is on it that does not hit every version of its model",
        ),
    ],
};

/// What a version charges.
pub(crate) static PRICE: Record = Record {
    name: "price",
    fields: &[
        optional("blended", One(L::Money), "for 1,000 tokens of input or output alike"),
        optional(
            "input",
            One(L::Money),
            "for 1,000 input tokens; with `output`, instead of `blended`",
        ),
        optional(
            "output",
            One(L::Money),
            "for 1,000 output tokens; with `input`, instead of `blended`",
        ),
    ],
};

/// A phase.
pub(crate) static PHASE: Record = Record {
    name: "phase",
    fields: &[
        required(
            "name",
            One(L::Text),
            "its name in columns, gate and reports, different from those of the other phases",
        ),
        optional(
            "for",
            Either(&[L::Duration, L::Word(&["rest"])]),
            "its length, more than 0s; `rest`, in the last phase: to the end of the workload",
        ),
        optional(
            "requests",
            One(L::Integer(1, 1_000_000_000_000)),
            "the number of requests assigned after which it ends",
        ),
        optional(
            "until",
            One(L::Word(&["rollback", "promotion", "drained"])),
            "the event at which it ends: a rollback, a promotion, or the end of the last request \
             of a version that was rolled back; needs `within`",
        ),
        optional(
            "within",
            One(L::Duration),
            "the latest end of a phase with `until`, more than 0s",
        ),
        optional(
            "split",
            TableOf(&SPLIT),
            "share of requests by version, or by tag of whoever has it when the phase begins; sums \
             to 100% (default: as in the phase before)",
        ),
        optional("canary_rules", TableOf(&SPLIT), "another name of `split`"),
        optional(
            "fallback_threshold",
            One(L::Ratio),
            "beside a `split`: from this phase on its models roll back where the error rate of a \
             minute is above it, of 20 requests at least (default: as in the phase before)",
        ),
        optional(
            "latency_threshold_ms",
            One(L::Number(1.0, 86_400_000.0)),
            "beside a `split`: from this phase on its models roll back where the P99 latency of a \
             minute is above it, in milliseconds, of 300 requests at least (default: as in the \
             phase before)",
        ),
        optional(
            "rollout",
            RecordOf(&ROLLOUT),
            "a rollout that begins with the phase and goes on when it ends, until a later phase \
             sets the split of its model or begins another",
        ),
        optional(
            "redeploy",
            One(L::Bool),
            "whether its `split` or `rollout` brings a version back that was rolled back; with \
             `false` it is refused then, told, and traffic stays as it is (default: true)",
        ),
        optional(
            "faults",
            OpenOf(&FAULTS),
            "faults by version, or by tag of whoever has it when the phase begins; they end with \
             the phase unless their `for` says otherwise",
        ),
        optional(
            "workload",
            RecordOf(&PHASE_WORKLOAD),
            "what is different about the workload while it lasts",
        ),
        optional(
            "commands",
            List(&ChoiceOf(&COMMAND)),
            "what an operator does in it; a command that the engine refuses is told, and the run \
             goes on",
        ),
    ],
};

/// Shares by version.
pub(crate) static SPLIT: Table = Table { key: L::Version, value: One(L::Ratio), ordered: false };

static COLUMN: Record = Record {
    name: "column",
    fields: &[
        required("title", One(L::Text), "its heading, different from those of the other columns"),
        optional("phase", One(L::Text), "the phase whose requests it shows (default: all)"),
        optional("model", One(L::Model), "the model whose requests it shows (default: all)"),
        optional(
            "version",
            One(L::Version),
            "the version whose requests it shows, by id or by a tag that it has at the start \
             (default: all)",
        ),
    ],
};

static REFERENCE: Table = Table { key: L::Text, value: TableOf(&FIGURES), ordered: false };

static FIGURES: Table = Table { key: L::Metric, value: One(L::Figure), ordered: false };
