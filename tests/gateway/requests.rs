//! Requests: what passes, what is refused and with which words, what every response says of itself.

use serde_json::json;

use crate::client::Client;
use crate::upstream::{Step, Upstream, json as json_response};
use crate::world::{World, ask, two};

fn world(upstream: &Upstream) -> World {
    World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", ""))
}

/// The model that the version's parameters name is sent; all else stays as the client wrote it,
/// byte by byte.
#[test]
fn unknown_fields_pass_through_untouched() {
    let upstream = Upstream::plain();
    let yaml = format!(
        "state: ':memory:'\nupstreams: {{one: {{url: '{}'}}}}\nmodels:\n  team/gpt-4:\n    versions:\n      \
         v1: {{upstream: one, tags: [stable], parameters: {{model: gpt-4-0613, temperature: 0.3}}}}\n",
        upstream.url()
    );
    let world = World::new(&yaml);
    let body = r#"{"messages": [ ],  "model":"team/gpt-4", "x-new": {"a" : [1.50, "\u0041"]}}"#;
    let head = "content-type: application/json\r\n";
    let reply = world.client().call("POST", "/v1/chat/completions", head, body);
    assert_eq!((reply.status, reply.served()), (200, "v1"), "{}", reply.text());
    let sent = upstream.came()[0].body.clone();
    let sent = String::from_utf8(sent).unwrap();
    assert!(sent.contains(r#""x-new": {"a" : [1.50, "\u0041"]}"#), "{sent}");
    let sent = upstream.came()[0].json();
    assert_eq!((&sent["model"], &sent["temperature"]), (&json!("gpt-4-0613"), &json!(0.3)));
    // Defaults give way to what the client says.
    let asked = json!({"model": "team/gpt-4", "messages": [], "temperature": 1.5});
    world.client().chat(&asked);
    assert_eq!(upstream.came()[1].json()["temperature"], 1.5);
}

#[test]
fn served_version_is_always_visible_and_no_cache_may_keep_an_answer() {
    let upstream = Upstream::new(|number, came| {
        let failed = json_response(500, r#"{"error": {"message": "down"}}"#);
        vec![Step::Send(if number == 1 { failed } else { crate::upstream::answer(came) })]
    });
    let world = world(&upstream);
    let mut client = world.client();
    for status in [200, 500] {
        let reply = client.chat(&ask("gpt-4"));
        assert_eq!((reply.status, reply.served()), (status, "v1"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("vary"), Some("X-Canary-Version, Authorization"));
        assert!(reply.header("x-request-id").is_some());
        assert!(reply.header("openai-processing-ms").is_some());
    }
    let refused = client.chat(&ask("gpt-5"));
    assert_eq!((refused.status, refused.served()), (404, "nobody"));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

#[test]
fn a_pin_gets_its_version_by_header_by_model_and_by_tag() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 100%}", ""));
    let mut client = world.client();
    let mut pinned = |model: &str, header: &str| {
        let headers = format!("content-type: application/json\r\nx-canary-version: {header}\r\n");
        client.call("POST", "/v1/chat/completions", &headers, &ask(model).to_string())
    };
    for (model, header, served) in [
        ("gpt-4", "v2", "v2"),
        ("gpt-4@v2", "auto", "v2"),
        ("gpt-4@v2", "v2", "v2"),
        ("gpt-4", "stable", "v1"),
        ("gpt-4@stable", "auto", "v1"),
        ("gpt-4", "auto", "v1"),
        ("gpt-4", "AUTO", "v1"),
    ] {
        assert_eq!(pinned(model, header).served(), served, "{model} {header}");
    }
    let unknown = pinned("gpt-4", "v3");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"]["code"], "version_not_found");
    let message = unknown.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(["v1", "v2", "stable"].iter().all(|name| message.contains(name)), "{message}");
    assert_eq!(pinned("gpt-4@v1", "v2").status, 400, "two pins that differ");
    assert_eq!(pinned("gpt-4", "a b").status, 400);
}

#[test]
fn what_is_wrong_with_a_request_is_told_in_openai_s_form() {
    let upstream = Upstream::plain();
    let world = World::new(&two(
        &upstream.url(),
        &upstream.url(),
        "{v1: 100%}",
        "limits: {body_bytes: 2000}",
    ));
    let json = "content-type: application/json\r\n";
    let long = format!(r#"{{"model": "gpt-4", "messages": "{}"}}"#, "x".repeat(2_000));
    let twice = r#"{"model": "gpt-4", "messages": [], "model": "gpt-4"}"#;
    let cases: [(&str, &str, u16, &str); 9] = [
        (json, "", 400, "empty"),
        (json, "{", 400, ""),
        (json, "[]", 400, "object"),
        (json, r#"{"messages": []}"#, 400, "model"),
        (json, r#"{"model": 4}"#, 400, "model"),
        (json, r#"{"model": "gpt-4", "stream": "yes"}"#, 400, "stream"),
        (json, twice, 400, "model"),
        (json, &long, 413, "2000"),
        ("content-type: text/plain\r\n", "{}", 415, "application/json"),
    ];
    for (headers, body, status, words) in cases {
        let reply = world.client().call("POST", "/v1/chat/completions", headers, body);
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
        let error = reply.json()["error"].clone();
        assert_eq!(error["type"], "invalid_request_error", "{body}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{body}: {message}");
        assert!(error.get("param").is_some() && error.get("code").is_some(), "{error}");
    }
    assert!(upstream.came().is_empty());
}

#[test]
fn another_method_is_refused_with_the_one_there_is() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    for method in ["GET", "PUT", "DELETE", "TRACE"] {
        let reply = world.client().call(method, "/v1/chat/completions", "", "");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method}");
    }
}

#[test]
fn a_key_that_is_none_is_answered_401_whatever_is_asked() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    for key in ["", "admin", "admin.wrong", "nobody.0"] {
        let reply = Client::new(world.address, key).chat(&ask("gpt-4"));
        assert_eq!(reply.status, 401, "{key}");
        assert_eq!(reply.json()["error"]["code"], "invalid_api_key");
    }
    assert!(upstream.came().is_empty());
}

#[test]
fn the_clients_key_and_cookies_stay_with_the_gateway() {
    let upstream = Upstream::plain();
    let yaml = format!(
        "state: ':memory:'\nupstreams: {{one: {{url: '{}', key: {{env: KEY}}, headers: {{x-team: search}}}}}}\n\
         models: {{gpt-4: {{versions: {{v1: {{upstream: one, tags: [stable]}}}}}}}}\n",
        upstream.url()
    );
    let world = World::new(&yaml);
    let headers = "content-type: application/json\r\ncookie: a=b\r\nx-request-id: my-id\r\n\
                   x-team: other\r\ntraceparent: 00-1\r\n";
    let body = ask("gpt-4").to_string();
    let reply = world.client().call("POST", "/v1/chat/completions", headers, &body);
    assert_eq!(reply.header("x-request-id"), Some("my-id"));
    let came = &upstream.came()[0];
    assert_eq!(came.header("authorization"), Some("Bearer the upstream's secret"));
    assert_eq!(came.header("x-team"), Some("search"));
    assert_eq!(came.header("x-request-id"), Some("my-id"));
    assert_eq!(came.header("traceparent"), Some("00-1"));
    assert_eq!(came.header("cookie"), None);
    assert!(!came.head.contains(&world.key));
}

#[test]
fn limits_of_the_upstream_and_its_wait_pass_to_the_client() {
    let upstream = Upstream::new(|_, _| {
        let headers = "content-type: application/json\r\nretry-after: 7\r\n\
                       x-ratelimit-remaining-requests: 0\r\nset-cookie: a=b\r\n";
        let body = r#"{"error": {"message": "slow down"}}"#;
        vec![Step::Send(crate::upstream::response(429, headers, body))]
    });
    let reply = world(&upstream).client().chat(&ask("gpt-4"));
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("7"));
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(reply.json()["error"]["message"], "slow down");
}

/// Each who reads such a request could take another key, or another body.
#[test]
fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", ""));
    let body = ask("gpt-4").to_string();
    let send = |headers: &str| {
        let headers = format!("content-type: application/json\r\n{headers}\r\n");
        world.client().call("POST", "/v1/chat/completions", &headers, &body).status
    };
    assert_eq!(send("authorization: Bearer other.secret"), 400);
    assert_eq!(send("content-encoding: gzip"), 415);
    assert_eq!(send("content-encoding: identity"), 200);
    assert_eq!(world.client().call("PUT", "/v1/chat/completions", "", "").status, 405);
    assert_eq!([400, 415, 405].map(|status| world.refused(status)), [1; 3]);
    assert_eq!(upstream.came().len(), 1);
}
