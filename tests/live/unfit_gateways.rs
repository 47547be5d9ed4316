//! What gateways cannot serve a run, and that nothing is sent through them.

use coalmine::live::{Elsewhere, ElsewhereError, LiveError};
use serde_json::json;

use crate::far_world::{FarWorld, bare, far, free};
use crate::world::written;

const SCENARIO: &str = "
schema: 1
name: unfit
workload: {arrivals: {constant: 10/s}, requests: 10, tokens: {input: 10, output: 10}}
models:
  gpt-4:
    versions:
      old: {tags: [stable], price: {blended: 0.008 USD}, upstream: {latency: 10ms}}
phases: [{name: all, for: rest, split: {old: 100%}}]
gate: [error_rate <= 100%]
";

/// The one problem of a gateway with these models.
fn problem(models: &str) -> String {
    match FarWorld::new(models).refused(SCENARIO) {
        LiveError::Elsewhere { why: ElsewhereError::Unfit(problems), .. } => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].clone()
        }
        other => panic!("{other:?}"),
    }
}

fn why(elsewhere: Elsewhere) -> ElsewhereError {
    match far(&written(SCENARIO), elsewhere, &mut Vec::new()).map_err(bare) {
        Err(LiveError::Elsewhere { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_gateway_that_is_not_there_or_knows_another_key() {
    let world = FarWorld::new("{gpt-4: {}}");
    let nowhere = Elsewhere { url: format!("http://{}", free()), ..world.elsewhere() };
    assert!(matches!(why(nowhere), ElsewhereError::Unreachable(_)));
    let stranger = Elsewhere { key: "admin.wrong".to_owned(), ..world.elsewhere() };
    assert!(matches!(why(stranger), ElsewhereError::Key(_)));
    let made = json!({"id": "reader", "scope": "inference"});
    let (_, made) = world.ask("POST", "/v1/auth/keys", Some(&made));
    let key = made["api_key"].as_str().unwrap().to_owned();
    assert!(matches!(why(Elsewhere { key, ..world.elsewhere() }), ElsewhereError::Key(_)));
    let made = json!({"id": "narrow", "scope": "admin", "models": ["gpt-4"]});
    let (_, made) = world.ask("POST", "/v1/auth/keys", Some(&made));
    let key = made["api_key"].as_str().unwrap().to_owned();
    assert!(matches!(why(Elsewhere { key, ..world.elsewhere() }), ElsewhereError::Key(_)));
    let below = Elsewhere { url: format!("{}/below", world.url), ..world.elsewhere() };
    assert_eq!(why(below), ElsewhereError::Other { status: 404 });
}

#[test]
fn a_gateway_of_other_models_or_of_another_configuration() {
    let told = problem("{gpt-5: {}, other/name: {}}");
    assert!(told.contains("serves no model gpt-4; it has gpt-5, other/name"), "{told}");
    let told = problem("{gpt-4: {assignment: even}}");
    assert!(told.contains("\"even\", the scenario \"random\""), "{told}");
    let told = problem("{gpt-4: {policies: {retry: {attempts: 2, on: [5xx]}}}}");
    assert!(told.contains("retries and fallback"), "{told}");
}

#[test]
fn a_gateway_that_serves_something_already() {
    let told = problem("{gpt-4: {versions: {real: {upstream: mock, tags: [stable]}}}}");
    assert!(told.contains("gives 100 % of gpt-4 to the version real"), "{told}");
    // Where it goes by a rollback.
    let world = FarWorld::new("{gpt-4: {}}");
    for version in ["real", "old"] {
        let made = json!({"id": version, "upstream": "mock", "parameters": {"model": version},
                          "price": {"input_per_1k": 0.008, "output_per_1k": 0.008}});
        assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions", Some(&made)).0, 201);
    }
    for version in ["real", "old"] {
        let tag = json!({"tag": "stable", "version_id": version, "preserve_previous": true});
        assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions/tag", Some(&tag)).0, 200);
        let LiveError::Elsewhere { why, .. } = world.refused(SCENARIO) else { panic!() };
        assert!(why.to_string().contains("version real is or was the stable of gpt-4"), "{why}");
    }
    let own = "{gpt-4: {versions: {old: {upstream: mock, parameters: {model: old}, \
               price: {blended: 0.008 USD}}}}}";
    let world = FarWorld::new(own);
    // Nobody answers for it yet, which counts as a request all the same.
    let body = json!({"model": "gpt-4", "messages": [{"role": "user", "content": "Hello?"}]});
    let (status, _) = world.ask("POST", "/v1/chat/completions", Some(&body));
    assert_eq!(status, 502);
    let LiveError::Elsewhere { why, .. } = world.refused(SCENARIO) else { panic!() };
    assert!(why.to_string().contains("1 request for gpt-4 in the last minute"), "{why}");
}

#[test]
fn a_gateway_whose_rollout_is_under_way_or_still_watched() {
    let version = "{upstream: mock, parameters: {model: old}, price: {blended: 0.008 USD}}";
    let world = FarWorld::new(&format!("{{gpt-4: {{versions: {{old: {version}}}}}}}"));
    let deploy = |body| {
        let (status, told) = world.ask("POST", "/v1/models/gpt-4/deploy", Some(&body));
        assert_eq!(status, 200, "{told}");
    };
    let tagged = json!({"tag": "stable", "version_id": "old"});
    assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions/tag", Some(&tagged)).0, 200);
    let new = json!({"id": "new", "upstream": "mock", "parameters": {"model": "new"}});
    assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions", Some(&new)).0, 201);
    deploy(json!({"action": "split", "split": {"old": 1.0}}));
    let steps = json!([{"weight": 0.1, "hold": 3600}]);
    deploy(json!({"action": "rollout", "version": "new", "steps": steps, "bake": 3600}));
    let stands = || world.ask("GET", "/v1/models/gpt-4/versions", None);
    let before = stands();
    let told = || {
        let known = SCENARIO.replace("phases:", NEW);
        match world.refused(&known) {
            LiveError::Elsewhere { why: ElsewhereError::Unfit(problems), .. } => {
                assert_eq!(problems.len(), 1, "{problems:?}");
                problems[0].clone()
            }
            other => panic!("{other:?}"),
        }
    };
    let stepping = told();
    assert!(stepping.contains("`coalmine admin abort gpt-4`"), "{stepping}");
    deploy(json!({"action": "pause"}));
    assert_eq!(told(), stepping);
    assert_eq!(stands(), before, "nothing was changed");
    deploy(json!({"action": "promote", "version": "new"}));
    let promoted = told();
    assert!(promoted.contains("`coalmine admin promote gpt-4 new`"), "{promoted}");
    // What it advises helps.
    deploy(json!({"action": "promote", "version": "new"}));
    let (_, status) = world.ask("GET", "/v1/deploy/status", None);
    assert_eq!(status["models"][0]["rollout"]["state"], "idle");
}

/// Another version, of the same model, before the phases.
const NEW: &str = "      new: {upstream: {latency: 10ms}}
phases:";

#[test]
fn a_version_that_is_another_or_leads_elsewhere() {
    let of = |more: &str| {
        format!("{{gpt-4: {{versions: {{old: {{upstream: mock, tags: [stable]{more}}}}}}}}}")
    };
    let told = problem(&of(", parameters: {model: old}, price: {blended: 0.009 USD}"));
    assert!(told.contains("has another price"), "{told}");
    // The mock is asked for `gpt-4`, which it does not have.
    let told = problem(&of(", price: {blended: 0.008 USD}"));
    assert!(told.contains("parameters must say `model: old`"), "{told}");
    let told = problem(
        "{gpt-4: {versions: {old: {upstream: mock, tags: [stable], parameters: {model: new}, \
         price: {blended: 0.008 USD}}}}}",
    );
    assert!(told.contains("parameters must say `model: old`"), "{told}");
    // Its upstream leads to where nobody listens.
    let world = FarWorld::new("{gpt-4: {}}");
    let led = Elsewhere { mock: free(), ..world.elsewhere() };
    let told = why(led).to_string();
    assert!(told.contains("does not lead to the mock") && told.contains("502"), "{told}");
    let misnamed = Elsewhere { upstream: "mok".to_owned(), ..world.elsewhere() };
    let world = FarWorld::new("{gpt-4: {}}");
    let misnamed = Elsewhere { url: world.url.clone(), key: world.key.clone(), ..misnamed };
    match far(&written(SCENARIO), misnamed, &mut Vec::new()).map_err(bare) {
        Err(LiveError::Refused { what, why }) => {
            assert!(what.contains("version old"), "{what}");
            assert!(why.contains("mok") && why.contains("--mock-upstream"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tags_and_rules_stay_until_it_is_sure_that_versions_lead_to_the_mock() {
    let rules = "{conditions: [{id: mine, metric: error_rate, operator: '>', threshold: 0.5, \
                 duration_seconds: 1, check_interval_seconds: 1, action: notify}]}";
    let version = "{upstream: mock, parameters: {model: old}, price: {blended: 0.008 USD}}";
    let world =
        FarWorld::new(&format!("{{gpt-4: {{versions: {{old: {version}}}, rules: {rules}}}}}"));
    let stands = || {
        let paths = ["/v1/models/gpt-4/versions", "/v1/deploy/rollback-rules?model=gpt-4"];
        paths.map(|path| world.ask("GET", path, None))
    };
    let before = stands();
    assert_eq!(before[1].1["conditions"][0]["id"], "mine");
    // Its upstream leads to where nobody listens.
    let led = Elsewhere { mock: free(), ..world.elsewhere() };
    let told = why(led).to_string();
    assert!(told.contains("does not lead to the mock"), "{told}");
    assert_eq!(stands(), before);
}

#[test]
fn a_gateway_is_not_changed_where_the_mock_cannot_listen() {
    let world = FarWorld::new("{gpt-4: {}}");
    let taken = std::net::TcpListener::bind(world.mock).unwrap();
    assert!(matches!(world.refused(SCENARIO), LiveError::Mock(_)));
    drop(taken);
    let (_, versions) = world.ask("GET", "/v1/models/gpt-4/versions", None);
    assert_eq!(versions, json!([]));
}

#[test]
fn a_key_of_somebody_is_neither_taken_nor_revoked() {
    let world = FarWorld::new("{gpt-4: {}}");
    let made = json!({"id": "search", "scope": "inference"});
    assert!((200..300).contains(&world.ask("POST", "/v1/auth/keys", Some(&made)).0));
    let clients = "workload: {clients: [{key: search, share: 100%}], arrivals";
    let told = match world.refused(&SCENARIO.replace("workload: {arrivals", clients)) {
        LiveError::Elsewhere { why: ElsewhereError::Unfit(problems), .. } => problems,
        other => panic!("{other:?}"),
    };
    assert!(told.len() == 1 && told[0].contains("has the access key search"), "{told:?}");
    let (_, versions) = world.ask("GET", "/v1/models/gpt-4/versions", None);
    assert_eq!(versions, json!([]));
    let (_, keys) = world.ask("GET", "/v1/auth/keys", None);
    assert!(keys.as_array().unwrap().iter().any(|key| key["id"] == "search"));
}
