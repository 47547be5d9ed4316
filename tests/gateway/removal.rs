//! Upstreams and models that a configuration has no more: what nothing needs may go, what gets
//! traffic may not.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{World, ask, plan, two};

const DEPLOY: &str = "/v1/models/gpt-4/deploy";

/// A configuration on the disk: `v1` by `one` has all traffic, `v2` by `other` none.
fn both(folder: &TempDir, upstream: &Upstream) -> String {
    let file = format!("'{}'", folder.path().join("journal.db").display());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    yaml.replace("':memory:'", &file)
}

/// The same without the upstream `other` and its version.
fn without_other(yaml: &str) -> String {
    let is_left = |line: &&str| !line.contains("other");
    yaml.lines().filter(is_left).map(|line| format!("{line}\n")).collect()
}

fn secret(_: &coalmine::scenario::Credential) -> Result<String, String> {
    Ok("the upstream's secret".to_owned())
}

fn version(client: &mut Client, id: &str) -> Value {
    client.get(&format!("/v1/models/gpt-4/versions/{id}")).json()
}

/// What is said of a version whose upstream is gone, however it went.
fn expect_gone(client: &mut Client) {
    let gone = version(client, "v2");
    assert_eq!((&gone["reachable"], &gone["status"]), (&json!(false), &json!("idle")));
    assert_eq!(version(client, "v1")["reachable"], true);
    let status = client.get("/v1/deploy/status").json();
    assert_eq!(status["models"][0]["versions"][0]["reachable"], false);
    let half = json!({"v1": 0.5, "v2": 0.5});
    for body in [
        json!({"action": "split", "split": half}),
        json!({"action": "rollback", "target_version": "v2"}),
        json!({"action": "promote", "version": "v2"}),
        json!({"action": "rollout", "version": "v2", "steps": [{"weight": 0.1, "hold": 60}]}),
    ] {
        let refused = client.post(DEPLOY, &body);
        assert_eq!(refused.status, 422, "{body}: {}", refused.text());
        assert!(refused.text().contains("version v2: its upstream \\\"other\\\""), "{body}");
    }
    let pinned = client.chat(&ask("gpt-4@v2"));
    assert_eq!(pinned.status, 422, "{}", pinned.text());
    assert!(pinned.text().contains("nothing answers for version v2"), "{}", pinned.text());
    assert_eq!(client.chat(&ask("gpt-4")).served(), "v1");
}

#[test]
fn an_upstream_that_no_version_needs_may_go_at_a_reload_and_come_back() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let yaml = both(&folder, &upstream);
    let world = World::new(&yaml);
    let mut client = world.client();
    world.gateway().reload(&plan(&without_other(&yaml)), &secret).unwrap();
    expect_gone(&mut client);
    world.gateway().reload(&plan(&yaml), &secret).unwrap();
    assert_eq!(version(&mut client, "v2")["reachable"], true);
    let all = json!({"action": "split", "split": {"v2": 1.0}});
    assert_eq!(client.post(DEPLOY, &all).status, 200);
    assert_eq!(client.chat(&ask("gpt-4")).served(), "v2");
}

#[test]
fn an_upstream_that_no_version_needs_may_be_gone_at_a_restart() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let yaml = both(&folder, &upstream);
    let world = World::new(&yaml);
    let key = world.key.clone();
    world.stop();
    let world = World::new(&without_other(&yaml));
    expect_gone(&mut Client::new(world.address, &key));
}

#[test]
fn an_upstream_that_a_version_needs_may_not_go_and_it_is_said_for_what() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let yaml = both(&folder, &upstream);
    let world = World::new(&yaml);
    let key = world.key.clone();
    let mut client = world.client();
    let next = without_other(&yaml);
    let refusal =
        |world: &World| world.gateway().reload(&plan(&next), &secret).unwrap_err().to_string();
    let half = json!({"action": "split", "split": {"v1": 0.5, "v2": 0.5}});
    assert_eq!(client.post(DEPLOY, &half).status, 200);
    let refused = refusal(&world);
    let needed = "v2 of gpt-4 (\"other\"; it gets 50 % of the traffic); it has one:";
    assert!(refused.contains(needed), "{refused}");
    // Promoted, it is the stable; v1 is what it would roll back to.
    let promote = json!({"action": "promote", "version": "v2"});
    assert_eq!(client.post(DEPLOY, &promote).status, 200);
    let all = json!({"action": "split", "split": {"v1": 1.0}});
    assert_eq!(client.post(DEPLOY, &all).status, 200);
    assert!(refusal(&world).contains("the tag stable names it"), "{}", refusal(&world));
    assert_eq!(client.chat(&ask("gpt-4@v2")).served(), "v2", "nothing was taken");
    drop(client);
    world.stop();
    let refused = World::start(&next, 1.0).err().unwrap();
    assert!(refused.contains("the tag stable names it"), "{refused}");
    // Nothing was written: with its upstream it starts.
    let world = World::new(&yaml);
    assert_eq!(Client::new(world.address, &key).chat(&ask("gpt-4")).served(), "v1");
}

/// A rule that would roll back to a version whose upstream is gone leaves the traffic where it is.
#[test]
fn no_rule_rolls_back_to_a_version_whose_upstream_is_gone() {
    let failing = Upstream::new(|_, _| {
        let answer = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
        vec![crate::upstream::Step::Send(answer.to_vec())]
    });
    let folder = tempfile::tempdir().unwrap();
    let rules = "    rules: {conditions: [{metric: error_rate, operator: '>', threshold: 0.5, \
                 duration_seconds: 0, check_interval_seconds: 1, window_seconds: 60, \
                 min_requests: 1, version: v1, action: 'rollback_to:v2'}]}\n";
    let yaml = both(&folder, &failing) + rules;
    let world = World::hasty(&yaml, 20.0);
    let mut client = world.client();
    world.gateway().reload(&plan(&(without_other(&yaml.replace(rules, "")))), &secret).unwrap();
    let refusal = loop {
        client.chat(&ask("gpt-4"));
        let history = client.get("/v1/models/gpt-4/history?limit=1000").json();
        let refused = |entry: &Value| entry["change"]["notified"]["refused"].clone();
        let mut refusals = history.as_array().unwrap().iter().map(refused);
        if let Some(refusal) = refusals.find(|refusal| !refusal.is_null()) {
            break refusal;
        }
    };
    assert_eq!(refusal, "unreachable");
    assert_eq!(client.get("/v1/deploy/status").json()["models"][0]["split"], json!({"v1": 1.0}));
}

#[test]
fn a_model_may_go_and_is_as_it_was_when_it_comes_back() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let more = "  gpt-5:\n    versions:\n      w1: {upstream: one, tags: [stable]}\n";
    let yaml = both(&folder, &upstream);
    let world = World::new(&format!("{yaml}{more}"));
    let key = world.key.clone();
    let mut client = world.client();
    let half = json!({"action": "split", "split": {"v1": 0.75, "v2": 0.25}});
    assert_eq!(client.post(DEPLOY, &half).status, 200);
    let known = |client: &mut Client| {
        let versions = client.get("/v1/models/gpt-4/versions").text();
        (versions, client.get("/v1/models/gpt-4/history").json())
    };
    let before = known(&mut client);
    drop(client);
    world.stop();

    // Without the model, whose upstream goes as well.
    let start = yaml.find("  gpt-4:").unwrap();
    let alone = format!("{}{more}", without_other(&yaml[..start]));
    let world = World::new(&alone);
    let mut client = Client::new(world.address, &key);
    for path in ["/v1/models/gpt-4", "/v1/models/gpt-4/versions", "/v1/models/gpt-4/history"] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    assert_eq!(client.chat(&ask("gpt-4")).status, 404);
    assert_eq!(client.chat(&ask("gpt-5")).served(), "w1");
    let tag = json!({"version_id": "w1", "tag": "meanwhile"});
    assert_eq!(client.post("/v1/models/gpt-5/versions/tag", &tag).status, 200);
    drop(client);
    world.stop();

    let world = World::new(&format!("{yaml}{more}"));
    let mut client = Client::new(world.address, &key);
    let (versions, history) = known(&mut client);
    assert_eq!(versions, before.0);
    let length = before.1.as_array().unwrap().len();
    assert_eq!(history.as_array().unwrap()[..length], before.1.as_array().unwrap()[..]);
    let shown = client.get("/v1/models/gpt-5/versions/meanwhile").json();
    assert_eq!(shown["id"], "w1");
}
