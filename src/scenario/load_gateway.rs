//! From the configuration of a gateway to its checked plan, by the passes that a scenario goes
//! through: all problems at once, each with its place.
//!
//! Reads no secret: whoever drives the gateway does.

use serde_json::{Map, Value as Json, json};

use crate::units::{Ratio, VersionId};

use super::check::check;
use super::decode_gateway;
use super::diagnostic::Diagnostics;
use super::document::Document;
use super::error::{ScenarioError, ScenarioWarnings, conclude};
use super::files::{Files, Folder, Reading};
use super::fill::fill;
use super::gateway_plan::{GatewayModel, GatewayPlan};
use super::gateway_secrets;
use super::place::Sources;
use super::resolved::put;
use super::shapes_gateway::GATEWAY;
use super::shorthand;
use super::tree::{Entry, Node, Value};
use super::write::write;

/// The configuration of a gateway without a flaw.
#[derive(Clone, Debug)]
pub struct LoadedGateway {
    /// The plan.
    pub plan: GatewayPlan,
    /// What is odd about it.
    pub warnings: ScenarioWarnings,
    yaml: String,
}

impl LoadedGateway {
    /// The plan with every default spelled out, as a configuration that has the same plan if it
    /// stands in the folder of the file that was read; but that of the URLs of webhooks, which are
    /// secrets, the host alone is told.
    pub fn to_yaml(&self) -> &str {
        &self.yaml
    }
}

/// The plan of the gateway whose configuration `document` is.
///
/// # Errors
/// All problems of the document, of its settings and of the files that it names, each with its
/// place and a remedy. No secret is cited that stands where one is looked for.
pub fn load_gateway(
    document: Document<'_>,
    files: &dyn Files,
) -> Result<LoadedGateway, ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let mut folder = Folder::new(document.path, document.working_directory, document.allow_outside);
    let mut reading = Reading::new(files, &mut folder, &mut sources, &mut diagnostics);
    let assembled = document.assemble(GATEWAY, &mut reading);
    if diagnostics.has_errors() {
        gateway_secrets::cover_by_words(&mut sources);
    }
    let made = assembled.and_then(|mut root| {
        gateway_secrets::cover(&root, &mut sources, &mut diagnostics);
        check(&root, GATEWAY, &mut diagnostics);
        shorthand::expand_gateway(&mut root, &mut diagnostics);
        add_maps(&mut root);
        fill(&mut root, GATEWAY);
        let plan = decode_gateway::decode(&root, &folder, &mut diagnostics)?;
        complete(&mut root, &plan);
        let yaml = write(&root, GATEWAY, &|path| folder.relocate(path));
        Some((plan, yaml))
    });
    let warnings = conclude(diagnostics, sources)?;
    let (plan, yaml) = made.expect("whatever keeps a plan from being made is reported");
    Ok(LoadedGateway { plan, warnings, yaml })
}

/// Writes the maps whose keys all have a default into where they are left out.
fn add_maps(root: &mut Node) {
    for key in ["limits", "keys", "log"] {
        add_map(root, key);
    }
    for upstream in root.get_mut("upstreams").map_or(&mut [][..], Node::entries_mut) {
        add_map(&mut upstream.node, "timeouts");
    }
}

fn add_map(node: &mut Node, key: &str) {
    let place = node.place;
    if node.get(key).is_none()
        && let Value::Map(entries) = &mut node.value
    {
        let node = Node { place, value: Value::Map(Vec::new()) };
        entries.push(Entry { place, key: key.to_owned(), node });
    }
}

/// Writes into the tree what the plan made from it says of parts that it leaves out, and puts what
/// may be shown of them in the place of secrets.
fn complete(root: &mut Node, plan: &GatewayPlan) {
    let models = root.get_mut("models").map_or(&mut [][..], Node::entries_mut);
    for (entry, plan) in models.iter_mut().zip(&plan.models) {
        complete_model(&mut entry.node, plan);
    }
    fill(root, GATEWAY);
    gateway_secrets::hide(root);
}

fn complete_model(node: &mut Node, plan: &GatewayModel) {
    put(node, "max_versions", &json!(plan.max_versions));
    put(node, "rules", &json!(plan.rules));
    if node.get("policies").is_none() {
        put(node, "policies", &json!({}));
    }
    if plan.rollout.is_none() && !plan.split.is_empty() {
        let weight =
            |(version, weight): &(VersionId, Ratio)| (version.to_string(), json!(weight.get()));
        let split: Map<String, Json> = plan.split.iter().map(weight).collect();
        put(node, "split", &Json::Object(split));
    }
    if let (Some(rollout), Some(written)) = (&plan.rollout, node.get_mut("rollout")) {
        put(written, "version", &json!(rollout.version));
    }
    let versions = node.get_mut("versions").map_or(&mut [][..], Node::entries_mut);
    for (entry, plan) in versions.iter_mut().zip(&plan.versions) {
        put(&mut entry.node, "tags", &json!(plan.tags));
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;
    use crate::engine::Assignment;
    use crate::scenario::{
        Credential, LogFormat, LogLevel, SmtpSecurity, StatePlan, StickySource, WebhookPlan,
    };
    use crate::units::{Duration, Money, Timestamp};

    const EVERYTHING: &str = include_str!("../../tests/golden/gateways/everything.yaml");
    const SMALLEST: &str = include_str!("../../tests/golden/gateways/smallest.yaml");
    const EXAMPLE: &str = include_str!("../../fixtures/gateway.yaml");

    struct Fixtures;

    impl Files for Fixtures {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            match path.to_str() {
                Some("etc/rollback-rules.json") => {
                    Ok(include_bytes!("../../fixtures/rollback-rules.json").to_vec())
                }
                Some("etc/base.yaml") => Ok(SMALLEST.into()),
                _ => Err("no such file".to_owned()),
            }
        }

        fn environment(&self, name: &str) -> Option<String> {
            (name == "OPENAI_API_KEY").then(|| "sk-s3cret".to_owned())
        }
    }

    fn load_with(text: &str, settings: &[&str]) -> Result<LoadedGateway, String> {
        let settings: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
        let document = Document {
            path: Path::new("etc/gateway.yaml"),
            bytes: text.as_bytes(),
            settings: &settings,
            working_directory: Path::new("/work"),
            allow_outside: false,
        };
        load_gateway(document, &Fixtures).map_err(|error| error.to_string())
    }

    fn load(text: &str) -> LoadedGateway {
        load_with(text, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The smallest gateway with `more` put into its upstream.
    fn with_upstream(more: &str) -> Result<LoadedGateway, String> {
        load_with(&SMALLEST.replace("localhost:9000\"", &format!("localhost:9000\"{more}")), &[])
    }

    /// The document's configuration, and what it is short for.
    #[test]
    fn thresholds_beside_a_split_are_short_for_conditions_behind_the_rules() {
        let model = |more: &str| {
            let text = format!(
                "schema: 1\nupstreams: {{u: {{url: 'http://localhost:9000'}}}}\nmodels:\n  gpt-4:\n    \
                 versions:\n      v1: {{upstream: u, tags: [stable]}}\n      v2: {{upstream: u}}\n{more}"
            );
            load_with(&text, &[])
        };
        let short = model(
            "    canary_rules: {v1: 0.5, v2: 0.5}\n    fallback_threshold: 0.05\n    \
             latency_threshold_ms: 2000\n",
        );
        let long = model(
            "    split: {v1: 0.5, v2: 0.5}\n    rules:\n      conditions:\n        \
             - {metric: error_rate, operator: '>', threshold: 0.05, duration_seconds: 0, \
             window_seconds: 60, min_requests: 20, action: rollback_to_last_stable}\n        \
             - {metric: latency_p99, operator: '>', threshold_ms: 2000, duration_seconds: 0, \
             window_seconds: 60, min_requests: 300, action: rollback_to_last_stable}\n",
        );
        let (short, long) = (short.unwrap(), long.unwrap());
        assert_eq!(short.plan, long.plan);
        assert_eq!(short.to_yaml(), long.to_yaml());
        let set = [
            "models.gpt-4.fallback_threshold=0.05",
            "models.gpt-4.latency_threshold_ms=2000",
            "models.gpt-4.canary_rules.gpt-4-v1=0.5",
            "models.gpt-4.canary_rules.gpt-4-turbo-v2=0.5",
        ];
        let laid = load_with(EXAMPLE, &set).unwrap();
        let triggers = |loaded: &LoadedGateway| loaded.plan.models[0].rules.triggers.len();
        assert_eq!(triggers(&laid), triggers(&load(EXAMPLE)) + 2);
        let alone = model("    fallback_threshold: 0.05\n").unwrap_err();
        assert!(alone.contains("`fallback_threshold` stands beside a `split`"), "{alone}");
        let off = "    split: {v1: 1}\n    fallback_threshold: 5%\n    rules: {enable: false}\n";
        let off = model(off).unwrap_err();
        assert!(off.contains("joins rules that are switched off"), "{off}");
        let both = "    split: {v1: 1}\n    canary_rules: {v1: 1}\n";
        let both = model(both).unwrap_err();
        assert!(both.contains("`canary_rules` is another name of `split`"), "{both}");
    }

    #[test]
    fn every_form_of_a_gateway_is_understood() {
        let loaded = load(EVERYTHING);
        assert_eq!(loaded.warnings.to_string(), "");
        let plan = loaded.plan;
        let listen: Vec<_> = plan.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["127.0.0.1:8080", "[::1]:8080"]);
        assert_eq!((plan.state.clone(), plan.drain), (StatePlan::Memory, Duration::from_secs(45)));
        assert_eq!(plan.drain_delay, Duration::from_secs(10));
        let openai = plan.upstream("openai").unwrap();
        assert_eq!(openai.url.to_string(), "https://api.openai.com/v1");
        let key = openai.key.as_ref().unwrap();
        assert_eq!(key.credential, Credential::Env("OPENAI_API_KEY".to_owned()));
        assert_eq!(key.header, "authorization");
        let headers: Vec<_> =
            openai.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers, [("openai-organization", &b"org-1"[..]), ("x-region", &b"eu"[..])]);
        assert_eq!(openai.concurrency.unwrap().get(), 500);
        let secs = |times: [u64; 4]| times.map(Duration::from_secs);
        let times = |name| {
            let times = plan.upstream(name).unwrap().timeouts;
            [times.connect, times.first_byte, times.idle, times.total]
        };
        assert_eq!(times("openai"), secs([2, 30, 20, 300]));
        assert_eq!(times("azure"), secs([5, 60, 60, 600]));
        assert_eq!(times("local"), secs([5, 10, 10, 10]), "no part is longer than the whole");
        let kept = |name| plan.upstream(name).unwrap().timeouts.idle_connection;
        assert_eq!([kept("openai"), kept("azure")], [10, 4].map(Duration::from_secs));
        let azure = plan.upstream("azure").unwrap().key.as_ref().unwrap();
        assert_eq!(azure.credential, Credential::File("/run/secrets/azure".into()));
        assert_eq!(azure.header, "api-key");
        let local = plan.upstream("local").unwrap().key.as_ref().unwrap();
        assert_eq!(local.credential, Credential::File("etc/local.key".into()));
        let limits = plan.limits;
        assert_eq!((limits.body_bytes, limits.header_bytes, limits.headers), (1 << 20, 16_384, 64));
        assert_eq!(limits.answer_bytes, 32 << 20);
        assert_eq!(limits.requests.map(|most| most.get()), Some(10_000));
        assert_eq!(limits.connections.map(|most| most.get()), Some(20_000));
        assert_eq!(limits.read_timeout, Duration::from_secs(10));
        assert_eq!(limits.idle_timeout, Duration::from_secs(120));
        assert_eq!(limits.write_timeout, Duration::from_secs(20));
        assert_eq!(plan.keys.grace, Duration::from_secs(3_600));
        assert_eq!((plan.log.format, plan.log.level), (LogFormat::Json, LogLevel::Debug));
    }

    #[test]
    fn the_models_of_a_gateway_are_ready_for_the_engine() {
        let plan = load(EVERYTHING).plan;
        let ids: Vec<_> = plan.models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(ids, ["gpt-4", "meta/llama-3", "by-session", "later"]);
        let [gpt, llama, by_session, later] = &plan.models[..] else { panic!("four models") };
        assert_eq!((gpt.settings().max_versions, llama.max_versions), (20, u16::MAX));
        let split: Vec<_> =
            gpt.split.iter().map(|(id, weight)| (id.as_str(), weight.get())).collect();
        assert_eq!(split, [("v1", 0.9), ("v2", 0.1), ("v3", 0.0)]);
        let version = gpt.versions[0].to_version(Timestamp::from_second(60));
        assert_eq!(
            (version.upstream.as_str(), version.created_at),
            ("openai", Timestamp::from_second(60))
        );
        assert_eq!(version.notes, "what all requests were answered by");
        assert_eq!(version.price.unwrap().output_per_1k, Money::from_pico_usd(60_000_000_000));
        let expected = json!({
            "model": "gpt-4-0613", "temperature": 0.5, "stop": ["\n", "END"], "seed": 7, "user": null,
        });
        assert_eq!(Json::Object(version.parameters), expected);
        let nested = &gpt.versions[1].parameters["response_format"]["json_schema"]["schema"];
        assert_eq!(*nested, json!({"type": ["object", "null"], "anyOf": [{}, [{"a": 1}]]}));
        assert_eq!(gpt.versions[0].concurrency.unwrap().get(), 100);
        assert_eq!((gpt.rules.triggers.len(), llama.rules.judges().count()), (2, 1));
        assert_eq!(gpt.policies.retry.as_ref().unwrap().attempts(), 2);
        assert_eq!(gpt.assignment, Assignment::Sticky);
        assert_eq!(gpt.sticky_by, StickySource::Header("x-tenant".parse().unwrap()));
        assert_eq!(by_session.sticky_by, StickySource::Session);
        let rollout = llama.rollout.as_ref().unwrap();
        assert_eq!((rollout.version.as_str(), rollout.ladder.steps().len()), ("v2", 3));
        assert_eq!(rollout.bake, Duration::from_secs(7_200));
        assert_eq!((llama.split.len(), llama.split[0].0.as_str()), (1, "v1"));
        assert_eq!(by_session.versions[0].tags[0].as_str(), "stable");
        assert!(later.versions.is_empty() && later.split.is_empty());
    }

    #[test]
    fn where_notifications_go_is_understood_and_their_secrets_are_not_shown() {
        let loaded = load(EVERYTHING);
        let notify = loaded.plan.notify.clone();
        let smtp = notify.smtp.unwrap();
        assert_eq!((smtp.host.as_str(), smtp.port.get()), ("mail.example.com", 2525));
        assert_eq!(
            (smtp.from.as_str(), smtp.security),
            ("coalmine <coalmine@example.com>", SmtpSecurity::Tls)
        );
        let login = smtp.login.unwrap();
        assert_eq!(login.user, "coalmine");
        assert_eq!(login.password, Credential::File(PathBuf::from("secrets/smtp")));
        let Some(WebhookPlan::Plain(url)) = notify.webhook else { panic!("a plain URL") };
        assert_eq!(url.expose().query(), Some("token=s3cret"));
        assert_eq!(notify.base_url.unwrap().to_string(), "https://gateway.example.com");
        let plan = format!("{:?}", loaded.plan);
        assert!(!plan.contains("s3cret"), "{plan}");
        assert!(!loaded.to_yaml().contains("s3cret"), "{}", loaded.to_yaml());
    }

    #[test]
    fn addresses_of_webhooks_and_their_secret_come_from_where_secrets_do() {
        let notify = "notify: {slack: {env: SLACK_URL}, webhook: {file: hook, secret: {env: KEY}}}";
        let text = SMALLEST.trim_end().strip_suffix('}').unwrap();
        let notify = load(&format!("{text}, {notify}}}")).plan.notify;
        let env = |name: &str| Credential::Env(name.to_owned());
        assert_eq!(notify.slack, Some(WebhookPlan::Stored(env("SLACK_URL"))));
        let file = Credential::File(PathBuf::from("etc/hook"));
        assert_eq!(notify.webhook, Some(WebhookPlan::Stored(file)));
        assert_eq!(notify.webhook_secret, Some(env("KEY")));
    }

    #[test]
    fn what_is_left_out_of_a_gateway_has_its_default() {
        let loaded = load(SMALLEST);
        assert_eq!(loaded.warnings.count(), 0);
        let plan = loaded.plan;
        assert_eq!(plan.listen, ["127.0.0.1:8080".parse().unwrap()]);
        assert_eq!(plan.state, StatePlan::File("etc/coalmine.db".into()));
        assert_eq!(plan.upstreams[0].key, None);
        assert_eq!(plan.upstreams[0].concurrency, None);
        assert_eq!((plan.limits.body_bytes, plan.limits.requests), (10 << 20, None));
        assert_eq!(
            (plan.keys.grace, plan.drain_delay, plan.drain),
            (Duration::from_secs(300), Duration::ZERO, Duration::from_secs(30))
        );
        assert_eq!((plan.log.format, plan.log.level), (LogFormat::Text, LogLevel::Info));
        let model = &plan.models[0];
        assert_eq!(
            (model.assignment, model.sticky_by.clone()),
            (Assignment::Random, StickySource::User)
        );
        assert_eq!(model.split[0].1.get(), 1.0);
        assert!(!model.rules.enable && model.policies == crate::engine::Policies::default());
    }

    #[test]
    fn the_plan_of_a_gateway_spelled_out_has_the_same_plan() {
        for text in [EVERYTHING, SMALLEST, EXAMPLE] {
            let first = load(text);
            let again = load(first.to_yaml());
            assert_eq!(again.to_yaml(), first.to_yaml());
            let GatewayPlan { mut models, notify, .. } = first.plan.clone();
            for model in &mut models {
                model.rules.notification.slack_webhook = again
                    .plan
                    .models
                    .iter()
                    .find(|same| same.id == model.id)
                    .and_then(|same| same.rules.notification.slack_webhook.clone());
            }
            let webhook = again.plan.notify.webhook.clone();
            let notify = crate::scenario::NotifyPlan { webhook, ..notify };
            assert_eq!(again.plan, GatewayPlan { models, notify, ..first.plan });
        }
    }

    #[test]
    fn two_models_may_have_versions_of_one_name() {
        let plan = load(EVERYTHING).plan;
        assert_eq!(plan.models[0].versions[0].id, plan.models[1].versions[0].id);
    }

    #[test]
    fn configurations_extend_others_and_take_settings() {
        let text = "extends: [base.yaml]\ndrain: 5s\nmodels: {m: {versions: {v1: {notes: more}}}}";
        let plan = load_with(text, &["limits.headers=50", "upstreams.u.timeouts.idle=3s"]);
        let plan = plan.unwrap_or_else(|error| panic!("{error}")).plan;
        assert_eq!((plan.drain, plan.limits.headers), (Duration::from_secs(5), 50));
        assert_eq!(plan.upstreams[0].timeouts.idle, Duration::from_secs(3));
        assert_eq!(plan.models[0].versions[0].notes, "more");
        // YAML would take it for a map.
        let memory = load_with(text, &["state=:memory:"]);
        let memory = memory.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(memory.plan.state, StatePlan::Memory);
    }

    #[test]
    fn a_secret_that_is_written_out_is_refused_and_not_told_again() {
        for more in [
            ", \"key\": \"sk-s3cret\"",
            ", \"key\": \"${env:OPENAI_API_KEY}\"",
            ", \"key\": {\"env\": \"sk-s3cret\"}",
            ", \"key\": {\"value\": \"sk-s3cret\"}",
            ", \"key\": [\"sk-s3cret\"]",
            ", \"key\": {sk-s3cret}",
            ", \"key\": {\"env\": \"K\", \"header\": \"Bearer sk-s3cret\"}",
            ", \"api_key\": \"sk-s3cret\"",
            ", \"headers\": {\"Authorization\": \"Bearer sk-s3cret\"}",
            ", \"headers\": {\"api-key\": \"sk-s3cret\"}",
            ", \"headers\": {\"X-Auth-Token\": \"sk-s3cret \\u0007\"}",
        ] {
            let error = with_upstream(more).unwrap_err();
            assert!(error.starts_with("error: etc/gateway.yaml:1:"), "{more}: {error}");
            assert!(!error.contains("s3cret"), "{more}: {error}");
            let colon = with_upstream(&format!("{more}, \"concurrency\": 0")).unwrap_err();
            assert!(colon.contains("\"0\" is not a whole number"), "{colon}");
            assert!(!colon.contains("s3cret"), "{more}: {colon}");
        }
    }

    #[test]
    fn a_secret_url_is_not_told_where_something_is_wrong_with_it_or_beside_it() {
        for notify in [
            "{webhook: 'hooks.example/s3cret', base_url: x}",
            "{webhook: {url: 'https://a b/s3cret'}, base_url: x}",
            "{webhook: {url: 'https://hooks.example/s3cret', bas: 1}, base_url: x}",
            "{webhook: {url: 'https://hooks.example/', secret: s3cret}, base_url: x}",
            "{webhook: {url: 'https://hooks.example/', secret: {evn: s3cret}}, base_url: x}",
            "{slack: {url: 'https://hooks.example/s3cret', evn: A}, base_url: x}",
            "{smtp: {host: h, from: a@b, user: u, password: s3cret}, base_url: x}",
            "{smtp: {host: h, from: a@b, pass: s3cret}, base_url: x}",
            "{smpt: {password: s3cret}, base_url: x}",
        ] {
            let text = SMALLEST.trim_end().strip_suffix('}').unwrap().to_owned();
            let error = load_with(&format!("{text}, \"notify\": {notify}}}"), &[]).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
            assert!(error.contains("\"x\" is of no known scheme"), "{error}");
        }
    }

    #[test]
    fn a_secret_is_not_told_where_the_file_cannot_be_read() {
        for text in ["key: s3cret: x", "a: [\napi_key: s3cret\n]: ", "webhook: https://s3cret ]"] {
            let error = load_with(text, &[]).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
        let error = load_with("limits: 5: x", &[]).unwrap_err();
        assert!(error.contains("1 | limits: 5: x"), "{error}");
    }

    #[test]
    fn a_key_in_the_clear_is_warned_of_but_on_this_machine() {
        let warnings = |url: &str| {
            let text = SMALLEST.replace(
                "\"http://localhost:9000\"",
                &format!("\"{url}\", \"key\": {{\"env\": \"K\"}}"),
            );
            load(&text).warnings.to_string()
        };
        assert!(warnings("http://10.0.0.1").contains("the key goes over the network in the clear"));
        for url in ["https://10.0.0.1", "http://127.0.0.1:80", "http://localhost"] {
            assert_eq!(warnings(url), "", "{url}");
        }
    }

    #[test]
    fn notifications_that_cannot_be_sent_are_warned_of() {
        let warnings = load(EXAMPLE).warnings.to_string();
        assert!(
            warnings.contains("no e-mail can be sent: there is no `notify.smtp`"),
            "{warnings}"
        );
        assert_eq!(load(EXAMPLE).warnings.count(), 1, "{warnings}");
    }

    proptest! {
        #[test]
        fn parameters_come_out_as_json_that_went_in(
            value in json_values(),
        ) {
            let parameters = json!({"x": value});
            let text = SMALLEST.replace(
                "\"upstream\": \"u\"",
                &format!("\"upstream\": \"u\", \"parameters\": {parameters}"),
            ).replace("${", "$${");
            let loaded = load(&text);
            let read = |loaded: &LoadedGateway| {
                Json::Object(loaded.plan.models[0].versions[0].parameters.clone())
            };
            prop_assert_eq!(read(&loaded), parameters);
            prop_assert_eq!(read(&load(loaded.to_yaml())), read(&loaded));
        }
    }

    fn json_values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1e300..1e300_f64).prop_map(Json::from),
            "[ -~é\n\t]{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[a-z $:#-]{1,6}", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }
}
