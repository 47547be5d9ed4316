//! The JSON Schema of what happened to models and versions over a run: rollouts, lost tags, the
//! engine's journal.

use serde_json::{Value, json};

use crate::json::{
    Part, digest, flag, instant, list, number, object, one_of, reference, span, text,
    version_index, whole,
};

/// The fields of the record.
pub(super) fn history_fields() -> Vec<Part> {
    let at = || [("at", instant()), ("phase", whole("the phase, from 0"))];
    let version = ("version", version_index());
    let promotion = [&at()[..], std::slice::from_ref(&version)].concat();
    let lost_tag = [&at()[..], &[version, ("tag", text("its name"))]].concat();
    let undone = [&at()[..], &[("given", flag("whether it was given, and refused"))]].concat();
    let model = ("model", whole("the model, from 0; absent for a command about keys"));
    let rejections = [
        ("phase", whole("the phase, from 0")),
        ("model", whole("the model, from 0")),
        ("count", whole("how many")),
    ];
    let stretch = [("from", instant()), ("until", instant())];
    let stretch = object("a bad stretch", &stretch, &[]);
    let bursts = [
        ("version", version_index()),
        ("count", whole("how many bad stretches there were")),
        ("total", span("how long they lasted together")),
        ("stretches", list(stretch)),
    ];
    let whose = [("client", client()), ("reason", key_fault())];
    let span = [
        ("model", whole("the model, from 0")),
        ("phase", whole("the phase, from 0")),
        ("at", instant()),
        ("weights", list(number("the weight of each of its versions, 0 to 1"))),
        ("observed", list(whole("requests whose clients were told of it"))),
    ];
    vec![
        ("splits", list(object("what clients saw of a split", &span, &[]))),
        (
            "promotions",
            list(object(
                "a version that a rollout or a command to promote it made the stable",
                &promotion,
                &[],
            )),
        ),
        ("lost_tags", list(object("a tag that named a version and then none", &lost_tag, &[]))),
        ("undone_commands", list(object("a command that was not carried out", &undone, &[model]))),
        ("bursts", list(object("when an upstream was in its bad state", &bursts, &[]))),
        ("clients", list(text("the access key of a client of the workload"))),
        ("key_rejections", list(object("requests refused for their key", &rejections, &whose))),
    ]
}

/// The fields of the events of rollouts, by the event's kind.
pub(super) fn rollout_events() -> Vec<(&'static str, Vec<Part>)> {
    let version = || ("version", version_index());
    let stage = || whole("the step, from 0");
    let state = || {
        one_of(&[
            json!({"enum": ["idle", "promoted", "rolled_back", "aborted"]}),
            object("a step is under way", &[("stepping", stage())], &[]),
            object("a step waits for a command", &[("paused", stage())], &[]),
        ])
    };
    let triggers = || list(whole("the trigger of the version's model, from 0"));
    let data = [
        ("requests", whole("requests that the canary has completed in the step")),
        ("required", whole("requests that it must complete")),
        ("without_data", triggers()),
    ];
    let breach = object("in breach", &[("triggers", triggers())], &[]);
    let waiting = one_of(&[
        object("data", &[("insufficient_data", object("too little was seen", &data, &[]))], &[]),
        object("breach", &[("in_breach", breach)], &[]),
    ]);
    vec![
        ("rollout_moved", vec![version(), ("from", state()), ("to", state())]),
        ("step_waits", vec![version(), ("stage", stage()), ("waiting", waiting)]),
        ("tag_lost", vec![version(), ("tag", text("its name"))]),
    ]
}

/// Whom a firing is told to.
pub(super) fn recipients() -> Value {
    let webhook = ("slack_webhook", text("a Slack incoming webhook"));
    let email = ("email", text("an e-mail address"));
    object("whom the rules name; a rehearsal sends nothing", &[], &[webhook, email])
}

/// The fields of the events of keys and of the split, by the event's kind.
pub(super) fn split_events() -> Vec<(&'static str, Vec<Part>)> {
    let arm = object(
        "what fell on a version, and what should have",
        &[
            ("version", version_index()),
            ("weight", number("its share by the weights, 0 to 1")),
            ("count", whole("requests that fell on it; where keys stick, keys")),
        ],
        &[],
    );
    let chance = number("the probability of counts like these by chance, at any time");
    let pins = vec![
        ("model", whole("the model, from 0")),
        ("pinned", whole("pinned requests under the split")),
        ("requests", whole("all requests under it")),
        ("limit", number("the largest share that should be pinned, 0 to 1")),
    ];
    let keys = vec![("version", version_index()), ("keys", list(text("a key's name")))];
    vec![
        ("keys_invalidated", keys),
        ("split_skew", vec![("arms", list(arm)), ("p_value", chance)]),
        ("pin_share", pins),
    ]
}

/// The fields of a stretch of refused requests.
pub(super) fn lockout() -> [Part; 3] {
    let requests = whole("how many were refused in a row");
    [("client", client()), ("reason", key_fault()), ("requests", requests)]
}

fn client() -> Value {
    whole("whose key it was, from 0 in the record's clients")
}

fn key_fault() -> Value {
    json!({
        "enum": ["unknown", "wrong_secret", "replaced", "rolled_back"],
        "description": "what is wrong with the key, or with the secret presented for it",
    })
}

/// The journal with its entries.
pub(super) fn journal_parts() -> Vec<Part> {
    let journal = object(
        "the engine's journal: a chain of entries, each with the hash of the one before",
        &[("entries", list(reference("entry"))), ("omitted", whole("entries left out"))],
        &[("head", digest())],
    );
    let entry = object(
        "an entry of the journal",
        &[
            ("number", whole("counted from 1")),
            ("at", instant()),
            ("cause", tagged("who wanted it: a command, a trigger with its evidence, a rollout")),
            ("change", tagged("what it changed, with every effect")),
            ("previous", digest()),
        ],
        &[("model", json!({"type": ["string", "null"], "description": "absent: all models"}))],
    );
    vec![("journal", journal), ("entry", entry)]
}

/// A name, or an object whose only field has it.
fn tagged(about: &str) -> Value {
    json!({"type": ["string", "object"], "maxProperties": 1, "description": about})
}
