//! What is done to a gateway elsewhere before a run: it is looked at, so that nobody else's traffic
//! is moved, and gets the versions, tags and rules that the scenario begins with.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::elsewhere::{Elsewhere, ElsewhereError};
use super::error::LiveError;
use super::operator::{Answer, Operator, Refused};
use super::orders::Ask;
use super::status::of_model;
use crate::director::target_named;
use crate::engine::{Assignment, CommandKind, Policies, RuleSet};
use crate::scenario::{ModelPlan, Scenario, VersionPlan};
use crate::units::{Price, format_counted, format_set_share};

/// Makes a gateway ready for a run of a scenario.
pub(super) struct Preparation<'a> {
    operator: &'a Operator,
    scenario: &'a Scenario,
    elsewhere: &'a Elsewhere,
    /// Whether somebody asks for its end.
    is_asked_to_stop: &'a dyn Fn() -> bool,
    touched: Touched,
}

/// What was changed of a gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    /// The versions that were registered, in words.
    pub(super) registered: Vec<String>,
    /// Whether tags or rules were set.
    pub(super) is_set: bool,
}

impl<'a> Preparation<'a> {
    /// Of the gateway at `elsewhere`, which `operator` asks, until `is_asked_to_stop` says so.
    pub(super) const fn new(
        operator: &'a Operator,
        scenario: &'a Scenario,
        elsewhere: &'a Elsewhere,
        is_asked_to_stop: &'a dyn Fn() -> bool,
    ) -> Self {
        let touched = Touched { registered: Vec::new(), is_set: false };
        Self { operator, scenario, elsewhere, is_asked_to_stop, touched }
    }

    /// Looks whether somebody asks for its end.
    ///
    /// # Errors
    /// Somebody does.
    pub(super) fn go_on(&self) -> Result<(), LiveError> {
        if (self.is_asked_to_stop)() { Err(LiveError::Interrupted) } else { Ok(()) }
    }

    /// What was changed of the gateway so far.
    pub(super) fn touched(self) -> Touched {
        self.touched
    }

    /// Looks whether the gateway can serve the run; changes nothing.
    ///
    /// # Errors
    /// All that stands in the way.
    pub(super) fn check(&self) -> Result<(), LiveError> {
        let status = self.status()?;
        // Only who may do this with all models is told of all that happens.
        let keys = self.permitted(self.operator.ask(&Ask::get("/v1/auth/keys"))?)?;
        let mut problems: Vec<String> = self.taken_keys(&keys).collect();
        for model in &self.scenario.models {
            self.go_on()?;
            match of_model(&status, &model.id) {
                Some(state) => problems.extend(self.problems(model, state)?),
                None => problems.push(unknown(model, &status)),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(self.error(ElsewhereError::Unfit(problems))) }
    }

    /// Registers the versions of the scenario that the gateway does not have: no traffic comes to
    /// them by that.
    ///
    /// # Errors
    /// The gateway refuses one of them.
    pub(super) fn register_missing(&mut self) -> Result<(), LiveError> {
        for model in &self.scenario.models {
            let known = self.operator.read(&Ask::versions(&model.id))?;
            for version in model.versions.iter().filter(|it| named(&known, it).is_none()) {
                // Before it is asked for: it may be done and the answer get lost.
                self.touched.registered.push(format!("{} of {}", version.id, model.id));
                let registered = self.register(model, version);
                if let Err(LiveError::Refused { .. } | LiveError::Interrupted) = &registered {
                    self.touched.registered.pop();
                }
                registered?;
            }
        }
        Ok(())
    }

    /// Sets tags and rules. The split stays as it is until the first phase begins.
    ///
    /// # Errors
    /// The gateway refuses one of them.
    pub(super) fn set_tags_and_rules(&mut self) -> Result<(), LiveError> {
        for model in &self.scenario.models {
            let known = self.operator.read(&Ask::versions(&model.id))?;
            for version in &model.versions {
                self.tag(model, version, named(&known, version))?;
            }
            // First none, so that windows, timers and counts of an earlier run end.
            for rules in [RuleSet::default(), model.rules.clone()] {
                self.command(model, &CommandKind::Rules(rules), || {
                    format!("the rules of {}", model.id)
                })?;
            }
        }
        Ok(())
    }

    /// An error with where the gateway is.
    pub(super) fn error(&self, why: ElsewhereError) -> LiveError {
        LiveError::Elsewhere { url: self.elsewhere.url.clone(), why }
    }

    /// The keys of the scenario's clients that the gateway has already.
    fn taken_keys(&self, keys: &Value) -> impl Iterator<Item = String> {
        let has = |id: &str| keys.as_array().into_iter().flatten().any(|key| key["id"] == id);
        let clients = self.scenario.population().clients.iter();
        clients.filter(move |client| has(client.key.as_str())).map(|client| {
            let key = &client.key;
            format!(
                "it has the access key {key}, which the run makes for a client and revokes: it is \
                 somebody's, or was left by a run that was killed, and then `coalmine keys revoke \
                 {key}` makes room"
            )
        })
    }

    /// How the gateway says that it stands.
    fn status(&self) -> Result<Value, LiveError> {
        let answer = self.operator.ask_once(&Ask::status());
        let status = match answer {
            Err(LiveError::Interface(why)) => {
                return Err(self.error(ElsewhereError::Unreachable(why)));
            }
            other => self.permitted(other?)?,
        };
        let is_status = status["models"].is_array() && status["journal_entries"].is_u64();
        if is_status { Ok(status) } else { Err(self.error(ElsewhereError::Other { status: 200 })) }
    }

    /// What is answered to who has the right key and asks a gateway.
    fn permitted(&self, answer: Answer) -> Result<Value, LiveError> {
        answer.map_err(|Refused { status, why }| {
            self.error(match status {
                401 | 403 => ElsewhereError::Key(why),
                status => ElsewhereError::Other { status },
            })
        })
    }

    /// What is in the way of a model that the gateway serves.
    fn problems(&self, model: &ModelPlan, state: &Value) -> Result<Vec<String>, LiveError> {
        let versions = self.operator.read(&Ask::versions(&model.id))?;
        let mut problems: Vec<String> = busy(model, state).into_iter().collect();
        problems.extend(in_rollout(model, state));
        problems.extend(strange(model, state));
        let known = model.versions.iter().filter_map(|plan| Some((plan, named(&versions, plan)?)));
        for (plan, found) in known {
            problems.extend(other_price(model, plan, found));
            problems.extend(self.other_way(model, plan, found));
        }
        problems.extend(self.configured(model, state)?);
        Ok(problems)
    }

    /// That a version which the gateway has cannot lead to the mock.
    fn other_way(&self, model: &ModelPlan, plan: &VersionPlan, found: &Value) -> Option<String> {
        let (mock, upstream) = (self.elsewhere.mock_url(), &self.elsewhere.upstream);
        let (id, model) = (&plan.id, &model.id);
        if found["upstream"] != upstream.as_str() {
            let has = &found["upstream"];
            return Some(format!(
                "its version {id} of {model} does not lead to the mock: its upstream is {has}, and \
                 {upstream:?}, which --mock-upstream names, is to be the one whose URL is \
                 {mock}"
            ));
        }
        (found["parameters"]["model"] != id.as_str()).then(|| {
            format!(
                "its version {id} of {model} does not ask the mock for itself: its parameters \
                 must say `model: {id}`"
            )
        })
    }

    /// What the gateway's journal and configuration say otherwise that no command can set.
    fn configured(&self, model: &ModelPlan, state: &Value) -> Result<Vec<String>, LiveError> {
        let mut assignment = json!(Assignment::default());
        let mut policies = Some(Policies::default());
        let mut stables = BTreeSet::new();
        let mut after = 0;
        loop {
            let page = self.operator.read(&Ask::history(&model.id, after))?;
            let Some(last) = page.as_array().and_then(|page| page.last()) else { break };
            after = last["number"].as_u64().unwrap_or(u64::MAX);
            for entry in page.as_array().into_iter().flatten() {
                note_stable(&entry["change"], &mut stables);
                if let Some(set) = entry["change"]["assignment"].get("assignment") {
                    assignment = set.clone();
                }
                if let Some(set) = entry["change"]["policies"].get("policies") {
                    // What cannot be read is not what the scenario has.
                    policies = serde_json::from_value(set.clone()).ok();
                }
            }
        }
        let is_known =
            |name: &String| model.versions.iter().any(|version| version.id.as_str() == name);
        // What gets traffic is told of already.
        let is_told = |name: &String| state["split"].get(name).is_some();
        let strange = stables.iter().filter(|name| !is_known(name) && !is_told(name)).map(|name| {
            format!(
                "its version {name} is or was the stable of {}, so that a rollback can go there, \
                 and the scenario does not have it: what is really served there must not be \
                 rehearsed with",
                model.id
            )
        });
        let mut problems: Vec<String> = strange.collect();
        let wanted = json!(model.assignment);
        if assignment != wanted {
            problems.push(format!(
                "it assigns requests for {} {assignment}, the scenario {wanted}: `assignment` of \
                 its configuration says so, and no command can",
                model.id
            ));
        }
        if policies.as_ref() != Some(&model.policies) {
            problems.push(format!(
                "its retries and fallback for {} are not those of the scenario: `policies` of its \
                 configuration says so, and no command can",
                model.id
            ));
        }
        Ok(problems)
    }

    fn register(&self, model: &ModelPlan, version: &VersionPlan) -> Result<(), LiveError> {
        self.go_on()?;
        let (mock, upstream) = (self.elsewhere.mock_url(), &self.elsewhere.upstream);
        let id = &version.id;
        // The mock knows its versions by their ids.
        let mut body = json!({"id": id, "upstream": upstream, "parameters": {"model": id}});
        if let Some(Price { input_per_1k, output_per_1k }) = version.price {
            let [input, output] = [input_per_1k, output_per_1k].map(|price| price.as_usd());
            body["price"] = json!({"input_per_1k": input, "output_per_1k": output});
        }
        let made = self.operator.ask(&Ask::register(&model.id, body))?;
        made.map(drop).map_err(|refused| LiveError::Refused {
            what: format!("the version {id} of {}", model.id),
            why: format!(
                "{}; its upstream is to be the one whose URL is {mock}, which \
                 --mock-upstream names",
                refused.why
            ),
        })
    }

    /// Gives a version the tags that it begins with; `found`: what the gateway says of it.
    fn tag(
        &mut self,
        model: &ModelPlan,
        version: &VersionPlan,
        found: Option<&Value>,
    ) -> Result<(), LiveError> {
        let has: Vec<&str> = found
            .and_then(|found| found["tags"].as_array())
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for tag in version.tags.iter().filter(|tag| !has.contains(&tag.as_str())) {
            let kind = CommandKind::Tag {
                tag: tag.clone(),
                version: target_named(version.id.as_str()),
                preserve_previous: true,
            };
            self.command(model, &kind, || format!("the tag {tag} of {}", version.id))?;
        }
        Ok(())
    }

    fn command(
        &mut self,
        model: &ModelPlan,
        kind: &CommandKind,
        what: impl Fn() -> String,
    ) -> Result<(), LiveError> {
        let Some(ask) = Ask::command(&model.id, kind) else { return Ok(()) };
        self.go_on()?;
        self.touched.is_set = true;
        let answer = self.operator.ask(&ask)?;
        let refused = |Refused { why, .. }| LiveError::Refused { what: what(), why };
        answer.map(drop).map_err(refused)
    }
}

/// Notes the version that a change makes the stable, with those that were it before and are
/// remembered.
fn note_stable(change: &Value, stables: &mut BTreeSet<String>) {
    let tagged = change.get("tagged").filter(|tagged| tagged["tag"] == "stable");
    if tagged.is_some_and(|tagged| tagged["preserve_previous"] == false) {
        stables.clear();
    }
    let version = tagged.or_else(|| change.get("promoted")).and_then(|it| it["version"].as_str());
    stables.extend(version.map(str::to_owned));
}

/// What a list of versions says of one.
fn named<'a>(versions: &'a Value, version: &VersionPlan) -> Option<&'a Value> {
    let mut versions = versions.as_array().into_iter().flatten();
    versions.find(|found| found["id"] == version.id.as_str())
}

fn unknown(model: &ModelPlan, status: &Value) -> String {
    let served = status["models"].as_array().into_iter().flatten();
    let served: Vec<&str> = served.filter_map(|state| state["model"].as_str()).collect();
    format!(
        "it serves no model {}; it has {}: `models` of its configuration names them",
        model.id,
        if served.is_empty() { "none".to_owned() } else { served.join(", ") }
    )
}

/// That others use the model.
fn busy(model: &ModelPlan, state: &Value) -> Option<String> {
    let versions = state["versions"].as_array().into_iter().flatten();
    let recent: u64 = versions.filter_map(|it| it["window"]["requests"].as_u64()).sum();
    let under_way = state["in_flight"].as_u64().unwrap_or_default();
    (recent + under_way > 0).then(|| {
        format!(
            "it has had {} for {} in the last minute, and {under_way} under way: a run moves all \
             traffic of a model and takes rules as it likes, so that nobody else may use it; after \
             another run wait a minute",
            format_counted(recent, "request", "requests"),
            model.id
        )
    })
}

/// That a rollout moves its traffic, or has moved it and is still watched by its rules.
fn in_rollout(model: &ModelPlan, state: &Value) -> Option<String> {
    let (model, rollout) = (&model.id, &state["rollout"]);
    let version = rollout["version"].as_str().unwrap_or_default();
    let remedy = match rollout["state"].as_str()? {
        "stepping" | "paused" => format!(
            "a rollout of {version} is under way there, which moves traffic by itself: \
             `coalmine admin abort {model}` ends it"
        ),
        "promoted" => format!(
            "its rules still cover {version}, which was promoted: wait until that is over, or \
             `coalmine admin promote {model} {version}` ends it"
        ),
        _ => return None,
    };
    Some(format!("{model} is in a rollout: {remedy}"))
}

/// Versions that get traffic and that the scenario does not know.
fn strange(model: &ModelPlan, state: &Value) -> Vec<String> {
    let split = state["split"].as_object().into_iter().flatten();
    let strange = split
        .filter(|(name, _)| !model.versions.iter().any(|version| version.id.as_str() == *name));
    let told = |(name, share): (&String, &Value)| {
        let share = format_set_share(share.as_f64().unwrap_or_default());
        format!(
            "it gives {share} of {} to the version {name}, which the scenario does not have: what \
             is really served there must not be rehearsed with",
            model.id
        )
    };
    strange.map(told).collect()
}

/// That the gateway has another price for a version: what it has can never be changed.
fn other_price(model: &ModelPlan, plan: &VersionPlan, found: &Value) -> Option<String> {
    let told = |name: &str| found["price"][name].as_f64();
    let has = told("input_per_1k").zip(told("output_per_1k"));
    let wanted = plan.price.map(|it| (it.input_per_1k.as_usd(), it.output_per_1k.as_usd()));
    (has != wanted).then(|| {
        format!(
            "its version {} of {} has another price than that of the scenario, and a version \
             never changes: call it otherwise in the scenario, or begin with another journal",
            plan.id, model.id
        )
    })
}
