//! What versions cost. LiteLLM, issue 25204: a price of 0 was never looked at, and the provider's
//! own stood in for it.

use serde_json::{Value, json};

use crate::client::Client;
use crate::upstream::{Step, Upstream, json as json_response};
use crate::world::{World, two};

/// Version of this name, as its list shows it and as the status does.
fn shown(client: &mut Client, name: &str) -> (Value, Value) {
    let version = client.get(&format!("/v1/models/gpt-4/versions/{name}")).json();
    let status = client.get("/v1/deploy/status").json();
    let versions = status["models"][0]["versions"].as_array().unwrap();
    let found = versions.iter().find(|version| version["id"] == name).unwrap();
    (version["price"].clone(), found["window"]["cost_per_1k_tokens"].clone())
}

#[test]
fn a_price_of_0_is_a_cost_of_0_and_no_price_is_no_cost() {
    let upstream = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "")
        .replace("tags: [stable]", "tags: [stable], price: {blended: 0 USD}")
        .replace("v2: {upstream: other}", "v2: {upstream: other, price: {blended: 0.008 USD}}");
    let world = World::new(&yaml);
    let mut client = world.client();
    for body in [
        json!({"id": "free", "upstream": "one", "price": {"per_1k": 0}}),
        json!({"id": "free-answers", "upstream": "one", "price": {"input_per_1k": 0.018, "output_per_1k": 0}}),
        json!({"id": "unpriced", "upstream": "one"}),
    ] {
        let reply = client.post("/v1/models/gpt-4/versions", &body);
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
    let both = |input: f64, output: f64| json!({"input_per_1k": input, "output_per_1k": output});
    // An answer has 7 tokens of input and 11 of output: 7 of 18 at 0.018 USD are 0.007 USD.
    let cases = [
        ("v1", both(0.0, 0.0), json!(0.0)),
        ("v2", both(0.008, 0.008), json!(0.008)),
        ("free", both(0.0, 0.0), json!(0.0)),
        ("free-answers", both(0.018, 0.0), json!(0.007)),
        ("unpriced", Value::Null, Value::Null),
    ];
    for (version, price, cost) in &cases {
        assert_eq!(shown(&mut client, version), (price.clone(), Value::Null), "{version}, unasked");
        let body = json!({"model": format!("gpt-4@{version}"), "messages": []});
        assert_eq!(client.chat(&body).served(), *version);
        assert_eq!(shown(&mut client, version), (price.clone(), cost.clone()), "{version}");
    }
}

/// What is not known is not taken for 0: ten bytes of answer count as three tokens.
#[test]
fn an_answer_that_does_not_tell_its_tokens_has_no_cost_and_is_counted() {
    let body = r#"{"choices":[{"message":{"content":"0123456789"},"finish_reason":"stop"}]}"#;
    let upstream = Upstream::new(move |_, _| vec![Step::Send(json_response(200, body))]);
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "")
        .replace("tags: [stable]", "tags: [stable], price: {blended: 0.008 USD}");
    let world = World::new(&yaml);
    let mut client = world.client();
    assert_eq!(client.chat(&json!({"model": "gpt-4@v1", "messages": []})).status, 200);
    let (_, cost) = shown(&mut client, "v1");
    assert_eq!(cost, Value::Null);
    let status = client.get("/v1/deploy/status").json();
    let versions = status["models"][0]["versions"].as_array().unwrap();
    let window = &versions.iter().find(|version| version["id"] == "v1").unwrap()["window"];
    assert_eq!((&window["usage_estimated"], &window["input_tokens"]), (&json!(1), &json!(0)));
    assert_eq!(window["output_tokens"], 3);
    let metrics = client.get("/metrics").text();
    let is_counted = |line: &str| {
        line.starts_with("coalmine_usage_estimated_total{")
            && line.contains("version=\"v1\"")
            && line.ends_with(" 1")
    };
    assert!(metrics.lines().any(is_counted), "{metrics}");
}

/// The rule could not fire if 0 were no figure.
#[test]
fn a_rule_sees_a_cost_of_0() {
    let upstream = Upstream::plain();
    let more = "    assignment: even\n    rules:\n      conditions:\n        - {metric: cost_per_1k_tokens, operator: '<', \
                threshold: 0.000001, duration_seconds: 0, check_interval_seconds: 5, window_seconds: 10, \
                min_requests: 1, action: rollback_to_last_stable}\n";
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", more)
        .replace("tags: [stable]", "tags: [stable], price: {blended: 0.008 USD}")
        .replace("v2: {upstream: other}", "v2: {upstream: other, price: {blended: 0 USD}}");
    let world = World::hasty(&yaml, 200.0);
    let mut client = world.client();
    while client.get("/v1/models/gpt-4/versions/v2").json()["status"] != "rolled_back" {
        client.chat(&json!({"model": "gpt-4", "messages": []}));
    }
    let status = client.get("/v1/deploy/status").json();
    let reading = &status["models"][0]["last_rollback"]["cause"]["trigger"]["reading"]["amount"];
    assert_eq!(reading["value"], 0.0, "{status}");
}
