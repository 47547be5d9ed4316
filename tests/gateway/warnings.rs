//! What whoever is on call should know before it hurts, and where they find it.

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::Program;
use crate::upstream::{Step, Upstream, response};
use crate::world::{World, ask, plan, two};

const DEPLOY: &str = "/v1/models/gpt-4/deploy";

/// Any failure rolls back.
const RULES: &str = "    rules: {conditions: [{metric: error_rate, operator: '>', threshold: 0.5, \
                     duration_seconds: 0, check_interval_seconds: 5, window_seconds: 60, \
                     min_requests: 1, id: errors, action: rollback_to_last_stable}]}\n";

fn status(client: &mut Client) -> Value {
    client.get("/v1/deploy/status").json()["models"][0].clone()
}

fn version<'a>(model: &'a Value, id: &str) -> &'a Value {
    let versions = model["versions"].as_array().unwrap();
    versions.iter().find(|version| version["id"] == id).expect("the version")
}

#[test]
fn a_rollback_to_what_nobody_has_tried_is_warned_of() {
    let upstream = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v2: 100%}", RULES);
    let world = World::new(&yaml);
    let mut client = world.client();
    let model = status(&mut client);
    let warnings = [
        "the tag stable names v1, which has never had traffic here",
        "a rollback of v2 would go to v1, which has never had traffic here",
    ];
    assert_eq!(model["warnings"], json!(warnings));
    assert_eq!(version(&model, "v2")["rollback_target"], "v1");
    assert_eq!(version(&model, "v1")["rollback_target"], Value::Null);
    assert_eq!(model["rollback_target"], "v1");
    let split = json!({"action": "split", "split": {"v1": 0.5, "v2": 0.5}});
    assert_eq!(client.post(DEPLOY, &split).status, 200);
    assert_eq!(status(&mut client)["warnings"], json!([]));
}

/// A promotion that a rollback has undone leaves the tag where it was: tags are for people to move.
#[test]
fn a_stable_that_was_rolled_back_is_warned_of_until_the_tag_is_moved() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", ""));
    let mut client = world.client();
    let promote = json!({"action": "promote", "version": "v2"});
    assert_eq!(client.post(DEPLOY, &promote).status, 200);
    let model = status(&mut client);
    assert_eq!((&model["stable"], &model["rollback_target"]), (&json!("v2"), &json!("v1")));
    assert_eq!(client.post(DEPLOY, &json!({"action": "rollback"})).status, 200);
    let model = status(&mut client);
    assert_eq!(model["split"], json!({"v1": 1.0}));
    let warning = model["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("the tag stable names v2, which was rolled back"), "{warning}");
    let tag = json!({"version_id": "v1", "tag": "stable"});
    assert_eq!(client.post("/v1/models/gpt-4/versions/tag", &tag).status, 200);
    assert_eq!(status(&mut client)["warnings"], json!([]));
}

/// Whoever looks must see it though the traffic looks as it did before.
#[test]
fn a_rollback_that_had_nowhere_to_go_is_warned_of_and_counted() {
    let upstream = Upstream::new(|_, _| vec![Step::Send(response(500, "", ""))]);
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", RULES);
    let world = World::hasty(&yaml, 20.0);
    let mut client = world.client();
    let to_canary = json!({"action": "rollback", "target_version": "v2"});
    assert_eq!(client.post(DEPLOY, &to_canary).status, 200);
    let why = "what it would go to was rolled back itself";
    let warning = format!("a rollback of v2 to the last stable would be refused: {why}");
    assert_eq!(status(&mut client)["warnings"][1], json!(warning));
    let model = loop {
        client.chat(&ask("gpt-4"));
        let model = status(&mut client);
        if !model["last_refusal"].is_null() {
            break model;
        }
    };
    let refusal = &model["last_refusal"];
    assert_eq!((&refusal["by"], &refusal["version"]), (&json!("errors"), &json!("v2")));
    assert_eq!(refusal["refused"], why);
    let warning = model["warnings"][0].as_str().unwrap();
    assert!(warning.contains("the rule errors wanted to roll v2 back and could not"), "{warning}");
    assert!(world.metric("coalmine_rollbacks_refused_total{model=\"gpt-4\"}") >= 1.0);
    assert_eq!(world.metric("coalmine_rollbacks_total{model=\"gpt-4\",by=\"rule\"}"), 0.0);
    // Somebody sees to it.
    let split = json!({"action": "split", "split": {"v1": 1.0}, "redeploy": true});
    assert_eq!(client.post(DEPLOY, &split).status, 200);
    let model = status(&mut client);
    assert_eq!((&model["warnings"], &model["last_refusal"]["by"]), (&json!([]), &json!("errors")));
}

/// Whoever opens the dashboard sees how it came to this.
#[test]
fn the_status_tells_what_was_seen_in_the_ten_minutes_before() {
    let upstream = Upstream::plain();
    let world = World::hasty(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", ""), 100.0);
    let mut client = world.client();
    let history = loop {
        assert_eq!(client.chat(&ask("gpt-4")).status, 200);
        let model = status(&mut client);
        if let Some(history) = version(&model, "v1")["history"].as_array()
            && history.len() > 1
        {
            break history.clone();
        }
    };
    let at = |point: &Value| -> coalmine::units::Timestamp {
        point["at"].as_str().unwrap().parse().unwrap()
    };
    assert!(at(&history[0]) < at(&history[1]), "{history:?}");
    for point in history {
        assert_eq!((point["error_rate"].as_f64(), at(&point).second() % 10), (Some(0.0), 0));
        assert!(point["latency_p99_ms"].as_f64().unwrap() > 0.0, "{point}");
    }
}

/// The first thing that goes wrong is the upstream's URL.
#[test]
fn the_log_says_what_is_wrong_with_an_answer_and_where_it_came_from() {
    let page = response(200, "content-type: text/html\r\n", "<html>Welcome</html>");
    let upstream = Upstream::new(move |_, _| vec![Step::Send(page.clone())]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    let key_file = folder.path().join("admin.key");
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    std::fs::write(&config, format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}")).unwrap();
    let program = Program::serve_with(&config, &["--admin-key-file", key_file.to_str().unwrap()]);
    let key = std::fs::read_to_string(&key_file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(key_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let reply = program.client(key.trim()).chat(&ask("gpt-4"));
    assert_eq!(reply.status, 502, "{}", reply.text());
    program.kill();
    let log = program.gone();
    let line = log.lines().find(|line| line.contains("attempt failed")).expect(&log);
    let url = format!("{}/chat/completions", upstream.url());
    for part in ["content type is", "text/html", "application/json was expected", &url] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!log.contains(key.trim()), "{log}");
}

#[test]
fn a_version_is_asked_for_once() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", ""));
    let headers =
        "content-type: application/json\r\nx-canary-version: v1\r\nx-canary-version: v2\r\n";
    let body = ask("gpt-4").to_string();
    let reply = world.client().call("POST", "/v1/chat/completions", headers, &body);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["error"]["param"], "X-Canary-Version");
}

/// What is taken while it runs must be good for the next start, which may come at the worst time.
#[test]
fn a_configuration_that_the_next_start_would_refuse_is_not_taken() {
    let upstream = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    let world = World::new(&yaml);
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    // A version never changes.
    let other = yaml.replace("v2: {upstream: other}", "v2: {upstream: one}");
    let refused = world.gateway().reload(&plan(&other), &secret).unwrap_err().to_string();
    for part in ["the next start would be refused", "v2", "other content"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    world.gateway().reload(&plan(&yaml), &secret).unwrap();
}
