//! What operators do to a gateway, and what goes wrong as they do.

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::{Program, run};
use crate::upstream::{Step, Upstream};
use crate::world::{World, ask, plan, two};

const RULES: &str = "/v1/deploy/rollback-rules?model=gpt-4";
const FAILURE: &[u8] = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
const VERSIONS: &str = "/v1/models/gpt-4/versions";

fn world() -> (Upstream, World) {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", ""));
    (upstream, world)
}

fn on_disk(folder: &tempfile::TempDir, upstream: &Upstream, more: &str) -> String {
    let file = format!("'{}'", folder.path().join("journal.db").display());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", more);
    yaml.replace("':memory:'", &file)
}

#[test]
fn one_address_is_served_by_one_gateway() {
    let (upstream, world) = world();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    let at = format!("listen: {}\n", world.address);
    let Err(refused) = World::start(&format!("{at}{yaml}"), 1.0) else {
        panic!("two gateways share an address")
    };
    assert!(refused.contains(&world.address.to_string()), "{refused}");
}

/// A start that fails before its key was shown makes no key: the next one does.
#[test]
fn a_first_start_that_fails_locks_nobody_out() {
    let (upstream, other) = world();
    let folder = tempfile::tempdir().unwrap();
    let yaml = on_disk(&folder, &upstream, "");
    let taken = format!("listen: {}\n{yaml}", other.address);
    assert!(World::start(&taken, 1.0).is_err());
    let unseen = |_: &str| Err(std::io::Error::other("nobody reads this"));
    let refused = World::showing(&yaml, &mut { unseen }).err().unwrap();
    assert!(refused.contains("could not be shown"), "{refused}");
    let world = World::new(&yaml);
    assert_ne!(world.key, "");
    assert_eq!(world.client().get("/v1/models").status, 200);
}

#[test]
fn a_stopped_gateway_leaves_its_journal_in_one_file() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&on_disk(&folder, &upstream, ""));
    world.stop();
    let copy = folder.path().join("copy.db");
    std::fs::copy(folder.path().join("journal.db"), &copy).unwrap();
    assert!(!folder.path().join("journal.db-wal").exists());
    let told = run(&["journal", "verify", copy.to_str().unwrap()]);
    assert!(told.starts_with("ok") && !told.contains(" 0 entries"), "{told}");
}

/// What lies so deep that it could not be read again would end the journal at the next start.
#[test]
fn a_version_that_could_not_be_read_again_is_refused() {
    let (_upstream, world) = world();
    let mut client = world.client();
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
    let new = |id: &str, parameters: Value| json!({"id": id, "upstream": "one", "parameters": {"d": parameters}});
    for depth in 90..125 {
        let reply = client.post(VERSIONS, &new(&format!("deep{depth}"), nested(depth)));
        assert!([201, 422].contains(&reply.status), "{depth}: {}", reply.text());
    }
    assert_eq!(client.post(VERSIONS, &new("deepest", nested(123))).status, 422);
    assert_eq!(client.get("/v1/models/gpt-4/history?limit=1000").status, 200);
    let long = client.post(VERSIONS, &new("long", json!("x".repeat(70_000))));
    assert_eq!((long.status, &long.json()["error"]["param"]), (400, &json!("parameters")));
    let auto = client.post(VERSIONS, &new("Auto", json!(1)));
    assert_eq!((auto.status, &auto.json()["error"]["param"]), (400, &json!("id")));
    let tag = client.post(&format!("{VERSIONS}/tag"), &json!({"version_id": "v1", "tag": "auto"}));
    assert_eq!((tag.status, &tag.json()["error"]["param"]), (400, &json!("tag")));
}

/// A secret that was replaced, it may be because it leaked, makes no other keys; who lost the answer
/// can still ask again, and who must be rid of a secret at once says so.
#[test]
fn a_replaced_secret_manages_no_keys_in_its_grace() {
    let (_upstream, world) = world();
    let mut old = world.client();
    let made = old.post("/v1/auth/regenerate-key", &json!({"grace_seconds": 600})).json();
    let key = made["api_key"].as_str().unwrap();
    assert_eq!(old.chat(&ask("gpt-4")).status, 200, "in its grace");
    let new = json!({"id": "mine", "scope": "admin"});
    for (path, body) in
        [("/v1/auth/keys/admin/regenerate", json!({})), ("/v1/auth/keys", new.clone())]
    {
        assert_eq!(old.post(path, &body).status, 403, "{path}");
    }
    let mut present = Client::new(world.address, key);
    assert_eq!(present.post("/v1/auth/keys", &new).status, 201);
    assert_eq!(old.call("DELETE", "/v1/auth/keys/mine", "", "").status, 403);
    let ended = present.post("/v1/auth/regenerate-key", &json!({"grace_seconds": 0}));
    assert_eq!(ended.status, 200);
    assert_eq!(present.get("/v1/models").status, 401);
}

#[test]
fn the_last_key_that_manages_keys_is_not_revoked() {
    let (_upstream, world) = world();
    let mut client = world.client();
    let some = json!({"id": "some", "scope": "admin", "models": ["gpt-4"]});
    let made = client.post("/v1/auth/keys", &some).json();
    let mut limited = Client::new(world.address, made["api_key"].as_str().unwrap());
    // Though gpt-4 is all there is: it is no key that could manage others later.
    assert_eq!(limited.call("DELETE", "/v1/auth/keys/admin", "", "").status, 403);
    let refused = client.call("DELETE", "/v1/auth/keys/admin", "", "");
    assert_eq!(refused.status, 409, "{}", refused.text());
    let made = client.post("/v1/auth/keys", &json!({"id": "other", "scope": "admin"})).json();
    let mut other = Client::new(world.address, made["api_key"].as_str().unwrap());
    assert_eq!(other.call("DELETE", "/v1/auth/keys/admin", "", "").status, 200);
    assert_eq!(other.call("DELETE", "/v1/auth/keys/other", "", "").status, 409);
    assert_eq!(other.get("/v1/auth/keys").status, 200);
}

#[test]
fn rules_that_could_never_work_are_refused_or_warned_of() {
    let (_upstream, world) = world();
    let mut client = world.client();
    let rules = |condition: Value, notification: Value| {
        let mut rule = json!({
            "metric": "error_rate", "operator": ">", "threshold": 0.5, "duration_seconds": 60,
            "action": "rollback_to_last_stable",
        });
        rule.as_object_mut().unwrap().extend(condition.as_object().unwrap().clone());
        json!({"enable": true, "conditions": [rule], "notification": notification})
    };
    for (field, condition) in [
        ("action", json!({"action": "rollback_to:nowhere"})),
        ("version", json!({"version": "nowhere"})),
    ] {
        let refused = client.post(RULES, &rules(condition, json!({})));
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["error"]["param"], format!("conditions[0].{field}"));
    }
    let known = json!({"action": "rollback_to:stable", "version": "v2"});
    let placeholders = json!({"slack_webhook": "YOUR_WEBHOOK", "email": "ops@example.com"});
    let taken = client.post(RULES, &rules(known.clone(), placeholders));
    let warnings = taken.json()["warnings"].to_string();
    assert_eq!(taken.status, 200, "{warnings}");
    for part in ["notification.slack_webhook", "notification.email", "notify.smtp"] {
        assert!(warnings.contains(part), "{warnings}");
    }
    let quiet = client.post(RULES, &rules(known, json!({}))).json();
    assert_eq!(quiet.get("warnings"), None);
}

#[test]
fn what_a_path_does_not_take_is_refused_and_not_passed_over() {
    let (_upstream, world) = world();
    let mut client = world.client();
    let back = json!({"action": "rollback", "target_version": "v1"});
    let refused = client.post("/v1/models/gpt-4/deploy?dry_run=true", &back);
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("dry_run")));
    // Its body was not read, and with it the connection ends.
    let mut client = world.client();
    let status = client.get("/v1/deploy/status").json();
    assert_eq!(status["models"][0]["split"]["v2"], json!(0.5));
    let get = client.get("/v1/models");
    client.send("HEAD", "/v1/models", "", "");
    assert_eq!(client.head().header("content-length"), get.header("content-length"));
}

/// A start that is refused leaves the journal as it was, and `--check` tells of it before.
#[test]
fn what_cannot_follow_on_the_journal_is_refused_before_anything_is_written() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let other = "  gpt-5:\n    versions:\n      w1: {upstream: one, tags: [stable]}\n";
    let yaml = on_disk(&folder, &upstream, other);
    World::new(&yaml).stop();
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    let check = |yaml: &str| coalmine::gateway::Gateway::check(&plan(yaml), &secret);
    check(&yaml).unwrap();
    // The first model has a new version, the second one another content under an old name.
    let next = yaml
        .replace("      v2: {", "      v3: {upstream: one}\n      v2: {")
        .replace("w1: {upstream: one", "w1: {notes: other, upstream: one");
    let entries = || {
        let shown = run(&["journal", "show", folder.path().join("journal.db").to_str().unwrap()]);
        shown.lines().count()
    };
    let before = entries();
    for refused in [check(&next).unwrap_err().to_string(), World::start(&next, 1.0).err().unwrap()]
    {
        assert!(refused.contains("gpt-5") && refused.contains("w1"), "{refused}");
    }
    assert_eq!(entries(), before);
}

/// A notice is of its own model, and tells nobody another's secret.
#[test]
fn notices_of_two_models_at_one_instant_are_not_mixed_up() {
    let upstream = Upstream::new(|_, _| vec![Step::Send(FAILURE.to_vec())]);
    let hook = Upstream::plain();
    let rules = |name: &str| {
        let url = format!("{}/{name}/s3cret", hook.url());
        format!(
            "    rules: {{conditions: [{{metric: error_rate, operator: '>', threshold: 0.5, \
             duration_seconds: 0, check_interval_seconds: 5, window_seconds: 60, min_requests: 1, \
             version: stable, action: notify}}], notification: {{slack_webhook: '{url}'}}}}\n"
        )
    };
    let model = |name: &str| {
        format!(
            "  {name}:\n    versions:\n      v1: {{upstream: one, tags: [stable]}}\n{}",
            rules(name)
        )
    };
    let yaml = format!(
        "state: ':memory:'\nupstreams:\n  one: {{url: '{}'}}\nmodels:\n{}{}notify: {{webhook: \
         {{url: '{}/own'}}, base_url: 'https://gateway.example.com'}}\n",
        upstream.url(),
        model("aaa"),
        model("bbb"),
        hook.url()
    );
    let world = World::hasty(&yaml, 20.0);
    let mut client = world.client();
    let posted = loop {
        for model in ["aaa", "bbb"] {
            client.chat(&ask(model));
        }
        let own = hook.came().into_iter().filter(|came| came.head.contains("/own "));
        let own: Vec<Value> = own.map(|came| came.json()).collect();
        if ["aaa", "bbb"].iter().all(|model| own.iter().any(|posted| posted["model"] == *model)) {
            break own;
        }
    };
    for posted in posted {
        assert_eq!(posted["journal_entry"]["model"], posted["model"], "{posted}");
        assert!(!posted.to_string().contains("s3cret"), "{posted}");
        assert_eq!(posted["link"], "https://gateway.example.com/");
    }
}

/// Whoever asks a second time does not want to wait for what hangs.
#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_program_at_once() {
    let (_next, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(Some(wait));
    let upstream = Upstream::new(move |_, _| {
        wait.lock().unwrap().take().into_iter().map(Step::Wait).collect()
    });
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    let yaml = on_disk(&folder, &upstream, "drain: 1h\n");
    std::fs::write(&config, format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}")).unwrap();
    let mut program = Program::serve(&config);
    let key = program.first_key();
    let mut client = program.client(&key);
    client.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    program.signal("TERM");
    program.until_it_says("stopping");
    program.signal("TERM");
    let (code, log) = program.ended();
    assert_eq!(code, Some(130), "{log}");
    assert!(log.contains("second signal"), "{log}");
}
