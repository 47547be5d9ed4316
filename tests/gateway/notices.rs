//! Who is told of a rollback, and what becomes of what cannot be delivered.

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::Program;
use crate::upstream::{Step, Upstream, answer};
use crate::world::{World, plan, two};

/// Rules that name an address, and never fire.
fn rules(email: &str) -> Value {
    json!({"enable": true, "notification": {"email": email}, "conditions": [{
        "metric": "error_rate", "operator": ">", "threshold": 0.99, "duration_seconds": 600,
        "check_interval_seconds": 15, "action": "rollback_to_last_stable",
    }]})
}

fn roll_back(client: &mut Client) -> u64 {
    let split = json!({"action": "split", "split": {"v2": 1.0}, "redeploy": true});
    assert_eq!(client.post("/v1/models/gpt-4/deploy", &split).status, 200);
    let back = json!({"action": "rollback", "target_version": "v1"});
    let answered = client.post("/v1/models/gpt-4/deploy", &back);
    answered.json()["journal_entry"].as_u64().expect("a rollback is an entry")
}

/// The messages that the journal says were not delivered.
fn undelivered(client: &mut Client) -> Vec<Value> {
    let history = client.get("/v1/models/gpt-4/history?limit=1000").json();
    let entries = history.as_array().unwrap().iter();
    let messages = entries.map(|entry| entry["change"]["undelivered"]["message"].clone());
    messages.filter(|message| !message.is_null()).collect()
}

#[test]
fn a_message_that_cannot_be_delivered_is_a_journal_entry_and_undoes_nothing() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", ""));
    let mut client = world.client();
    let set = client.post("/v1/deploy/rollback-rules?model=gpt-4", &rules("ops@example.com"));
    assert_eq!(set.status, 200, "{}", set.text());
    let entry = roll_back(&mut client);
    let told = loop {
        let told = undelivered(&mut client);
        if !told.is_empty() {
            break told;
        }
        std::thread::yield_now();
    };
    let message = json!({
        "about": entry, "channel": "mail", "recipient": "ops@example.com",
        "outcome": "undeliverable: no mail server is configured",
    });
    assert_eq!(told, [message]);
    let status = client.get("/v1/deploy/status").json();
    assert_eq!(status["models"][0]["split"], json!({"v1": 1.0}));
}

/// What is under way as the gateway ends is cut off, and told by the next one.
#[test]
fn a_message_that_the_end_cuts_off_is_sent_after_the_next_start() {
    let upstream = Upstream::plain();
    let (cut, is_cut) = std::sync::mpsc::channel();
    let hook = Upstream::new(move |number, came| match number {
        0 => vec![Step::AwaitEnd(cut.clone())],
        _ => vec![Step::Send(answer(came))],
    });
    let folder = tempfile::tempdir().unwrap();
    let more = format!("drain: 0s\nnotify: {{webhook: {{url: '{}'}}}}", hook.url());
    let file = format!("'{}'", folder.path().join("journal.db").display());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", &more);
    let yaml = yaml.replace("':memory:'", &file);
    let world = World::new(&yaml);
    let key = world.key.clone();
    let mut client = world.client();
    let entry = roll_back(&mut client);
    hook.await_came(1);
    drop(client);
    world.stop();
    is_cut.recv().unwrap();
    let world = World::new(&yaml);
    let mut client = Client::new(world.address, &key);
    let told = loop {
        let told = delivered(&mut client);
        if !told.is_empty() {
            break told;
        }
        std::thread::yield_now();
    };
    assert_eq!(told[0]["about"], json!(entry));
    assert_eq!(undelivered(&mut client), [Value::Null; 0]);
    let [first, second] = hook.came().try_into().expect("two messages");
    assert_eq!(first.body, second.body);
}

#[test]
fn another_reading_of_the_configuration_tells_others() {
    let upstream = Upstream::plain();
    let hook = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    let world = World::new(&yaml);
    let with_hook = format!("{yaml}notify: {{webhook: {{url: '{}'}}}}\n", hook.url());
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    world.gateway().reload(&plan(&with_hook), &secret).unwrap();
    let entry = roll_back(&mut world.client());
    hook.await_came(1);
    assert_eq!(hook.came()[0].json()["journal_entry"]["number"], json!(entry));
}

/// The messages that the journal says were delivered.
fn delivered(client: &mut Client) -> Vec<Value> {
    let history = client.get("/v1/models/gpt-4/history?limit=1000").json();
    let entries = history.as_array().unwrap().iter();
    let messages = entries.map(|entry| entry["change"]["delivered"]["message"].clone());
    messages.filter(|message| !message.is_null()).collect()
}

/// Killed between a rollback's entry and its message, a gateway sends the message when it is there
/// again: once, and under the id that it had.
#[cfg(unix)]
#[test]
fn a_message_that_a_kill_cuts_off_is_sent_after_the_restart_and_not_again() {
    let upstream = Upstream::plain();
    let (cut, _is_cut) = std::sync::mpsc::channel();
    // The first attempt hangs until the gateway is gone.
    let hook = Upstream::new(move |number, came| match number {
        0 => vec![Step::AwaitEnd(cut.clone())],
        _ => vec![Step::Send(answer(came))],
    });
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    let more = format!("notify: {{webhook: {{url: '{}'}}}}", hook.url());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", &more);
    let yaml = yaml.replace("':memory:'", "journal.db");
    std::fs::write(&config, format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}")).unwrap();

    let mut program = Program::serve(&config);
    let key = program.first_key();
    let entry = roll_back(&mut program.client(&key));
    hook.await_came(1);
    program.kill();
    program.gone();

    let program = Program::serve(&config);
    let told = loop {
        let told = delivered(&mut program.client(&key));
        if !told.is_empty() {
            break told;
        }
        std::thread::yield_now();
    };
    let host = "http://127.0.0.1";
    let message = json!({"about": entry, "channel": "webhook", "recipient": host});
    assert_eq!(told, [message]);
    let came = hook.came();
    assert_eq!(came.len(), 2);
    assert_eq!(came[1].json()["journal_entry"]["number"], json!(entry));
    assert_eq!(came[1].body, came[0].body, "who gets it twice can tell by its id");
    let id = |place: usize| came[place].header("idempotency-key").map(str::to_owned);
    assert!(id(0).is_some() && id(0) == id(1));
    program.kill();
    program.gone();

    // What it has told is told no more: its end waits for all that is on its way.
    let program = Program::serve(&config);
    let next = roll_back(&mut program.client(&key));
    program.signal("TERM");
    assert_eq!(program.ended().0, Some(0));
    let about = |came: &crate::upstream::Came| came.json()["journal_entry"]["number"].clone();
    let all: Vec<Value> = hook.came().iter().map(about).collect();
    assert_eq!(all, [json!(entry), json!(entry), json!(next)]);
}

/// HMAC-SHA256 by its definition, RFC 2104, of a key that is shorter than a block.
fn hmac_sha_256(key: &[u8], message: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let padded = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn messages_to_the_webhook_are_signed_by_the_secret_that_the_configuration_names() {
    // RFC 4231, section 4.3.
    assert_eq!(
        hmac_sha_256(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    let upstream = Upstream::plain();
    let hook = Upstream::plain();
    let more = format!("notify: {{webhook: {{url: '{}', secret: {{env: KEY}}}}}}", hook.url());
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", &more));
    roll_back(&mut world.client());
    hook.await_came(1);
    let came = &hook.came()[0];
    let signature = came.header("x-coalmine-signature").expect("a signature");
    let (second, digits) = signature.split_once(",v1=").unwrap();
    let second = second.strip_prefix("t=").unwrap();
    let sent: i64 = second.parse().unwrap();
    let happened: coalmine::units::Timestamp = came.json()["at"].as_str().unwrap().parse().unwrap();
    assert!(sent >= happened.second(), "{signature}: {happened}");
    let signed = [second.as_bytes(), b".", &came.body].concat();
    // The tests' gateways read this for whatever secret they are told of.
    assert_eq!(digits, hmac_sha_256(b"the upstream's secret", &signed));
}

/// The address of a Slack webhook need not stand in rules, which the journal keeps.
#[test]
fn rules_without_a_slack_webhook_have_that_of_the_configuration() {
    let upstream = Upstream::plain();
    let slack = Upstream::new(|_, _| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec())]
    });
    let more = format!("notify: {{slack: {{url: '{}/services/s3cret'}}}}", slack.url());
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", &more));
    let mut client = world.client();
    let entry = roll_back(&mut client);
    let told = loop {
        let told = delivered(&mut client);
        if !told.is_empty() {
            break told;
        }
        std::thread::yield_now();
    };
    let message = json!({"about": entry, "channel": "slack", "recipient": "http://127.0.0.1"});
    assert_eq!(told, [message]);
    let posted = slack.came().remove(0);
    assert!(posted.head.starts_with("POST /v1/services/s3cret "), "{}", posted.head);
    assert!(posted.json()["text"].as_str().unwrap().contains("rolled back to v1"));
    let history = client.get("/v1/models/gpt-4/history?limit=1000").text();
    assert!(!history.contains("s3cret"), "{history}");
}
