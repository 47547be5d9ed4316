//! What survives: a restart, a rollback, another reading of the configuration, another key.

use serde_json::{Value, json};

use crate::client::Client;
use crate::upstream::{Step, Upstream, answer};
use crate::world::{World, ask, plan, two};

fn on_disk(folder: &tempfile::TempDir, one: &str, other: &str) -> String {
    let file = folder.path().join("journal.db");
    two(one, other, "{v1: 90%, v2: 10%}", "")
        .replace("':memory:'", &format!("'{}'", file.display()))
}

/// The versions without their windows, and the history.
fn told(client: &mut Client) -> (Value, Value) {
    let versions = client.get("/v1/models/gpt-4/versions").json();
    (versions, client.get("/v1/models/gpt-4/history").json())
}

#[test]
fn tags_versions_and_history_survive_restart_and_rollback() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let yaml = on_disk(&folder, &upstream.url(), &upstream.url());
    let world = World::new(&yaml);
    let key = world.key.clone();
    let mut client = world.client();
    let tagged = json!({"version_id": "v2", "tag": "beta"});
    assert_eq!(client.post("/v1/models/gpt-4/versions/tag", &tagged).status, 200);
    let back = json!({"action": "rollback", "target_version": "stable"});
    let answered = client.post("/v1/models/gpt-4/deploy", &back);
    assert_eq!(answered.json()["status"], "rolled_back", "{}", answered.text());
    let before = told(&mut client);
    drop(client);
    world.stop();

    let world = World::new(&yaml);
    assert_eq!(world.key, "", "the key was made once");
    let mut client = Client::new(world.address, &key);
    let after = told(&mut client);
    assert_eq!(before.0, after.0);
    // The file's split is for the first start alone.
    for _ in 0..20 {
        assert_eq!(client.chat(&ask("gpt-4")).served(), "v1");
    }
    let entries =
        |history: &Value| history["entries"].as_array().or(history.as_array()).unwrap().len();
    assert!(entries(&after.1) >= entries(&before.1));
    let tags: Vec<String> =
        before.0.as_array().unwrap().iter().map(|version| version["tags"].to_string()).collect();
    assert!(tags.contains(&r#"["beta"]"#.to_owned()), "{tags:?}");
}

#[test]
fn a_gateway_whose_rules_watched_a_canary_starts_again_and_says_what_was_lost() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let rules = "    rules: {conditions: [{metric: error_rate, operator: '>', threshold: 0.05, \
                 duration_seconds: 60, action: rollback_to_last_stable}]}\n";
    let yaml = on_disk(&folder, &upstream.url(), &upstream.url()) + rules;
    let world = World::new(&yaml);
    let key = world.key.clone();
    world.stop();

    let world = World::new(&yaml);
    let history = told(&mut Client::new(world.address, &key)).1;
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(last["change"], json!({"observation_lost": {"versions": ["v2"]}}));
    assert_eq!(last["cause"], "restart");
}

#[test]
fn one_journal_is_served_by_one_gateway() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let yaml = on_disk(&folder, &upstream.url(), &upstream.url());
    let world = World::new(&yaml);
    let Err(refused) = World::start(&yaml, 1.0) else { panic!("two gateways, one journal") };
    assert!(refused.contains("in use"), "{refused}");
    world.stop();
    World::new(&yaml).stop();
}

/// The old secret is valid through its grace and then nowhere; a request under way ends in peace.
#[test]
fn an_old_key_is_valid_through_its_grace_and_dead_after_it() {
    let (next, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |number, came| {
        let wait = if number == 1 { wait.lock().unwrap().take() } else { None };
        wait.into_iter().map(Step::Wait).chain([Step::Send(answer(came))]).collect()
    });
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "keys: {grace: 300s}");
    // Five minutes of grace pass in a second.
    let world = World::hasty(&yaml, 300.0);
    let mut old = world.client();
    let made = old.post("/v1/auth/regenerate-key", &json!({"version": "v1"}));
    assert_eq!(made.status, 200, "{}", made.text());
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    assert_eq!(old.chat(&ask("gpt-4")).status, 200, "in its grace");
    let mut under_way = world.client();
    under_way.send_chat(&ask("gpt-4"));
    upstream.await_came(2);
    while old.get("/v1/models").status == 200 {
        std::thread::yield_now();
    }
    for path in ["/v1/models", "/v1/models/gpt-4/versions", "/v1/deploy/status"] {
        assert_eq!(old.get(path).status, 401, "{path}");
    }
    assert_eq!(old.chat(&ask("gpt-4")).status, 401);
    next.send(()).unwrap();
    assert_eq!(under_way.head().status, 200, "what was under way ends in peace");
    assert_eq!(Client::new(world.address, &key).chat(&ask("gpt-4")).status, 200);
}

#[test]
fn another_reading_of_the_configuration_moves_traffic_to_another_upstream() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let yaml = |to: &Upstream| two(&to.url(), &to.url(), "{v1: 100%}", "");
    let world = World::new(&yaml(&one));
    let mut client = world.client();
    assert_eq!(client.chat(&ask("gpt-4")).status, 200);
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    world.gateway().reload(&plan(&yaml(&other)), &secret).unwrap();
    assert_eq!(client.chat(&ask("gpt-4")).status, 200);
    assert_eq!((one.came().len(), other.came().len()), (1, 1));
    let models = yaml(&other).replace("gpt-4:", "gpt-5:");
    let refused = world.gateway().reload(&plan(&models), &secret).unwrap_err();
    assert!(refused.to_string().contains("restart"), "{refused}");
    assert_eq!(client.chat(&ask("gpt-4")).status, 200);
}

#[test]
fn another_reading_of_the_configuration_brings_other_limits() {
    let upstream = Upstream::plain();
    let yaml = |limits: &str| two(&upstream.url(), &upstream.url(), "{v1: 100%}", limits);
    let world = World::new(&yaml(""));
    let mut client = world.client();
    let mut long = ask("gpt-4");
    long["user"] = "x".repeat(2_000).into();
    assert_eq!(client.chat(&long).status, 200);
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    let lower = plan(&yaml("limits: {body_bytes: 2000}"));
    world.gateway().reload(&lower, &secret).unwrap();
    // The rest of a refused body is not read, and its connection ends.
    assert_eq!(client.chat(&long).status, 413);
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
}

/// Requests under way when the signal comes are answered.
#[test]
fn a_stopping_gateway_finishes_what_it_has_begun() {
    let (next, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, came| {
        vec![Step::Wait(wait.lock().unwrap().take().unwrap()), Step::Send(answer(came))]
    });
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", ""));
    let mut client = world.client();
    client.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    let stopping = std::thread::spawn(move || world.stop());
    next.send(()).unwrap();
    let reply = client.head();
    assert_eq!(reply.status, 200);
    stopping.join().unwrap();
}
