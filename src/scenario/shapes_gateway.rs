//! The format of a gateway's configuration: what it serves, from where, and how.

use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, Either, FileOr, Free, List, One, OneOrMore, Record as RecordOf,
    Short as ShortOf, Table as TableOf,
};
use super::shape::{Choice, Record, Shape, Short, Table, defaulted, optional, required};
use super::shapes::{EXTENDS, PRICE, SPLIT, VARS};
use super::shapes_gateway_service::{KEYS, LIMITS, LOG, NOTIFY, RECORD};
use super::shapes_policies::POLICIES;
use super::shapes_rollout::ROLLOUT;
use super::shapes_rules::RULES;

/// A gateway's configuration.
pub(crate) static GATEWAY: Shape = RecordOf(&Record {
    name: "gateway",
    fields: &[
        required("schema", One(L::Integer(1, 1)), "number of the format, 1"),
        optional(
            "extends",
            EXTENDS,
            "configurations that this one is laid over, the last uppermost: maps merge, lists of \
             named things merge by name, other lists replace, and `key: ~` takes a key away",
        ),
        optional(
            "vars",
            VARS,
            "values by name, to be put wherever `${name}` is written; `${env:NAME}` is a value of \
             the environment",
        ),
        defaulted(
            "listen",
            OneOrMore(L::Address),
            "127.0.0.1:8080",
            "the address that it listens at, or a list of them; the port 0 is any free one",
        ),
        defaulted(
            "state",
            Either(&[L::Word(&[IN_MEMORY]), L::Path]),
            "coalmine.db",
            "the file that holds its journal; `:memory:` keeps it for as long as the process lives",
        ),
        required(
            "upstreams",
            TableOf(&UPSTREAMS),
            "the servers that answer, by the name that versions give",
        ),
        required("models", TableOf(&MODELS), "the models, by the name that clients ask for"),
        optional(
            "limits",
            RecordOf(&LIMITS),
            "what it takes from clients at most (default: as its keys say)",
        ),
        optional(
            "keys",
            RecordOf(&KEYS),
            "how access keys are dealt with (default: as its keys say)",
        ),
        optional(
            "notify",
            RecordOf(&NOTIFY),
            "where notifications go, and how, beside what the rules say",
        ),
        defaulted(
            "drain_delay",
            One(L::Duration),
            "0s",
            "how long it goes on taking requests when it is told to end, and says by `/readyz` \
             that it should get none: until whoever sends them has noticed",
        ),
        defaulted(
            "drain",
            One(L::Duration),
            "30s",
            "how long it then waits for the requests under way",
        ),
        optional("log", RecordOf(&LOG), "what it logs (default: as its keys say)"),
        optional(
            "record",
            ShortOf(&RECORD),
            "where requests and their outcomes are recorded as a trace, without prompts and \
             answers (default: nowhere)",
        ),
    ],
});

/// The journal of a gateway that keeps none.
pub(crate) const IN_MEMORY: &str = ":memory:";

static UPSTREAMS: Table = Table { key: L::Upstream, value: RecordOf(&UPSTREAM), ordered: true };

static UPSTREAM: Record = Record {
    name: "gateway's upstream",
    fields: &[
        required(
            "url",
            One(L::Url),
            "what the paths of requests are appended to: http or https, without user and query",
        ),
        optional(
            "key",
            ChoiceOf(&KEY),
            "where the secret is found that is sent along (default: none is sent)",
        ),
        optional(
            "headers",
            TableOf(&HEADERS),
            "headers that are sent along, none of them a secret or one of HTTP's own",
        ),
        optional(
            "timeouts",
            RecordOf(&TIMEOUTS),
            "how long it may take (default: as its keys say)",
        ),
        optional("concurrency", One(AT_ONCE), "how many requests it gets at once (default: any)"),
    ],
};

/// A number of things at once.
pub(crate) const AT_ONCE: L = L::Integer(1, 1_000_000);

static KEY: Choice = Choice {
    name: "key of an upstream",
    choices: &[
        required("env", One(L::Environment), "the environment variable that holds the secret"),
        required("file", One(L::Path), "the file that holds the secret, which may lie anywhere"),
    ],
    beside: &[defaulted(
        "header",
        One(L::Header),
        "Authorization",
        "the header that carries it: in Authorization behind `Bearer`, in any other by itself",
    )],
};

static HEADERS: Table = Table { key: L::Header, value: One(L::Text), ordered: false };

static TIMEOUTS: Record = Record {
    name: "timeouts",
    fields: &[
        defaulted("connect", One(L::Duration), "5s", "until a connection stands, TLS included"),
        defaulted(
            "first_byte",
            One(L::Duration),
            "60s",
            "from there until a streamed answer begins; a plain one begins with its end, so that \
             for it `total` alone holds",
        ),
        defaulted("idle", One(L::Duration), "60s", "between two pieces of the answer"),
        defaulted(
            "total",
            One(L::Duration),
            "10m",
            "for an attempt as a whole, whatever it does; another attempt has as much",
        ),
        defaulted(
            "idle_connection",
            One(L::Duration),
            "4s",
            "how long a connection that nobody uses is kept for the next request: less than after \
             which the server closes it",
        ),
    ],
};

static MODELS: Table = Table { key: L::Model, value: RecordOf(&MODEL), ordered: true };

static MODEL: Record = Record {
    name: "gateway's model",
    fields: &[
        optional(
            "max_versions",
            One(L::Integer(1, 65_535)),
            "the most versions that it may have, those registered later included (default: 65535)",
        ),
        optional(
            "versions",
            TableOf(&VERSIONS),
            "the versions that are registered when the gateway starts (default: none, and nothing \
             is served until one is)",
        ),
        optional(
            "split",
            TableOf(&SPLIT),
            "share of requests by version or tag, deployed at the first start; sums to 100% \
             (default: all to whoever is `stable`)",
        ),
        optional("canary_rules", TableOf(&SPLIT), "another name of `split`"),
        optional(
            "fallback_threshold",
            One(L::Ratio),
            "beside a `split`, from the first start on: the model rolls back where the error rate \
             of a minute is above it, of 20 requests at least; it joins the `rules`",
        ),
        optional(
            "latency_threshold_ms",
            One(L::Number(1.0, 86_400_000.0)),
            "beside a `split`, from the first start on: the model rolls back where the P99 latency \
             of a minute is above it, in milliseconds, of 300 requests at least; it joins the \
             `rules`",
        ),
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
            ShortOf(&STICKY_BY),
            "what requests stick by, where they do (default: user)",
        ),
        optional(
            "policies",
            RecordOf(&POLICIES),
            "what becomes of requests whose attempts fail (default: their clients see it)",
        ),
        optional(
            "rules",
            FileOr(&RecordOf(&RULES)),
            "rollback rules: the path of their JSON file, or the rules themselves (default: \
             those of all models)",
        ),
        optional(
            "rollout",
            RecordOf(&ROLLOUT),
            "a rollout that begins at the first start, instead of a `split`",
        ),
    ],
};

static STICKY_BY: Short = Short { literal: OWNER, field: "owner", full: ChoiceOf(&STICKY_CHOICE) };

static STICKY_CHOICE: Choice = Choice {
    name: "sticky key",
    choices: &[
        required(
            "owner",
            One(OWNER),
            "`user` of the request's body, its header X-Session-Id, or the client's access key",
        ),
        required("header", One(L::Header), "another header"),
    ],
    beside: &[],
};

const OWNER: L = L::Word(&["user", "session", "client"]);

static VERSIONS: Table = Table { key: L::Version, value: RecordOf(&VERSION), ordered: true };

static VERSION: Record = Record {
    name: "gateway's version",
    fields: &[
        required("upstream", One(L::Upstream), "the upstream that answers"),
        optional(
            "tags",
            List(&One(L::Tag)),
            "names that point to this version at the first start; one version of a model has \
             `stable`, the only one without being told",
        ),
        optional(
            "parameters",
            TableOf(&PARAMETERS),
            "what is put into the bodies of its requests, such as `model` or `temperature`, where \
             the client says nothing else; with `override: true` whatever it says",
        ),
        optional("price", RecordOf(&PRICE), "what the version charges for 1,000 tokens"),
        optional("notes", One(L::Text), "what is to be known about it, in a line"),
        optional("concurrency", One(AT_ONCE), "how many requests it gets at once (default: any)"),
    ],
};

static PARAMETERS: Table = Table { key: L::Text, value: Free, ordered: false };
