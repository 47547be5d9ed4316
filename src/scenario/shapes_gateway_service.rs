//! The format of what a gateway is beside its models: limits, keys, notifications, log.

use super::shape::Literal as L;
use super::shape::Shape::{Choice as ChoiceOf, One, Record as RecordOf, Short as ShortOf};
use super::shape::{Choice, Field, Record, Short, defaulted, optional, required};

/// What is taken from clients at most.
pub(crate) static LIMITS: Record = Record {
    name: "limits",
    fields: &[
        defaulted(
            "body_bytes",
            One(L::Integer(1_024, 1_073_741_824)),
            "10485760",
            "the bytes of a request's body; more is answered by 413",
        ),
        defaulted(
            "header_bytes",
            One(L::Integer(1_024, 1_048_576)),
            "32768",
            "the bytes of a request's head; more is answered by 431",
        ),
        defaulted(
            "headers",
            One(L::Integer(8, 1_000)),
            "100",
            "the headers of a request; more is answered by 431",
        ),
        defaulted(
            "answer_bytes",
            One(L::Integer(1_024, 1_073_741_824)),
            "67108864",
            "the bytes of an upstream's plain answer; more counts as a malformed one",
        ),
        optional(
            "requests",
            One(L::Integer(1, 1_000_000)),
            "the requests under way at once; one more is answered by 503 (default: any)",
        ),
        optional(
            "connections",
            One(L::Integer(1, 1_000_000)),
            "the connections open at once; one more waits (default: any)",
        ),
        defaulted(
            "read_timeout",
            One(L::Duration),
            "30s",
            "how long the head of a connection's first request may take to come, and the body of \
             any",
        ),
        defaulted(
            "idle_timeout",
            One(L::Duration),
            "75s",
            "how long a connection of HTTP/1.1 is kept between two requests, with the head of the \
             second: longer than whoever stands before the gateway keeps it",
        ),
        defaulted(
            "write_timeout",
            One(L::Duration),
            "60s",
            "how long a client may take none of what it is sent, of a connection or a stream of it",
        ),
    ],
};

/// Access keys.
pub(crate) static KEYS: Record = Record {
    name: "keys",
    fields: &[defaulted(
        "grace",
        One(L::Duration),
        "300s",
        "how long the old secret of a regenerated key is valid still",
    )],
};

/// Notifications.
pub(crate) static NOTIFY: Record = Record {
    name: "notify",
    fields: &[
        optional(
            "smtp",
            RecordOf(&SMTP),
            "the server that takes e-mails (default: none, and none are sent)",
        ),
        optional(
            "slack",
            ShortOf(&SLACK),
            "the Slack incoming webhook of models whose rules name none",
        ),
        optional(
            "webhook",
            ShortOf(&WEBHOOK),
            "what every notification is posted to, with its journal entry",
        ),
        optional("base_url", One(L::Url), "where people reach the gateway, for links"),
    ],
};

static SMTP: Record = Record {
    name: "smtp",
    fields: &[
        required("host", One(L::Host), "its name or address"),
        optional(
            "port",
            One(L::Integer(1, 65_535)),
            "its port (default: 587 with `starttls`, 465 with `tls`, 25 with `none`)",
        ),
        required("from", One(L::Text), "the address that e-mails come from"),
        defaulted(
            "security",
            One(L::Word(&["starttls", "tls", "none"])),
            "starttls",
            "whether it goes on in TLS, begins in TLS, or stays in the clear",
        ),
        optional("user", One(L::Text), "who is logged in, with `password` (default: nobody)"),
        optional("password", ChoiceOf(&PASSWORD), "where the password of `user` is found"),
    ],
};

static PASSWORD: Choice = Choice {
    name: "password",
    choices: &[
        required("env", One(L::Environment), "the environment variable that holds the password"),
        required("file", One(L::Path), "the file that holds the password, which may lie anywhere"),
    ],
    beside: &[],
};

static WEBHOOK: Short =
    Short { literal: L::SecretUrl, field: "url", full: ChoiceOf(&WEBHOOK_CHOICE) };

static WEBHOOK_CHOICE: Choice = Choice {
    name: "webhook",
    choices: URL,
    beside: &[optional(
        "secret",
        ChoiceOf(&SIGNING),
        "where the secret is found by which its messages are signed (default: they are not)",
    )],
};

static SLACK: Short = Short { literal: L::SecretUrl, field: "url", full: ChoiceOf(&SLACK_CHOICE) };

static SLACK_CHOICE: Choice = Choice { name: "slack", choices: URL, beside: &[] };

const URL: &[Field] = &[
    required("url", One(L::SecretUrl), "its URL, which is not shown but for its host"),
    required("env", One(L::Environment), "the environment variable that holds its URL"),
    required("file", One(L::Path), "the file that holds its URL, which may lie anywhere"),
];

static SIGNING: Choice = Choice {
    name: "secret",
    choices: &[
        required("env", One(L::Environment), "the environment variable that holds the secret"),
        required("file", One(L::Path), "the file that holds the secret, which may lie anywhere"),
    ],
    beside: &[],
};

/// The recording.
pub(crate) static RECORD: Short =
    Short { literal: L::Path, field: "file", full: RecordOf(&RECORD_FIELDS) };

static RECORD_FIELDS: Record = Record {
    name: "record",
    fields: &[
        required("file", One(L::Path), "the file of the recording under way"),
        defaulted(
            "bytes",
            One(L::Integer(1 << 20, 1 << 40)),
            "268435456",
            "how large it becomes before the next one is begun; its name then gets a number: \
             `traffic.jsonl.1` is the first",
        ),
        optional(
            "keep",
            One(L::Integer(1, 1_000_000)),
            "how many with a number are kept, the oldest are deleted (default: all)",
        ),
    ],
};

/// The log.
pub(crate) static LOG: Record = Record {
    name: "log",
    fields: &[
        defaulted(
            "format",
            One(L::Word(&["text", "json"])),
            "text",
            "the form of its lines: for people, or a JSON object each",
        ),
        defaulted(
            "level",
            One(L::Word(&["error", "warn", "info", "debug", "trace"])),
            "info",
            "how much is logged",
        ),
    ],
};
