//! How the models of a gateway elsewhere stood before a run, and how they are put back after it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::LiveError;
use super::operator::{Operator, Refused};
use super::orders::Ask;
use super::status::of_model;
use crate::scenario::Scenario;
use crate::units::{ModelId, format_set_share};

/// What was found of the models that a run changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Found(Vec<FoundModel>);

/// How a model stood.
#[derive(Clone, Debug)]
struct FoundModel {
    model: ModelId,
    /// Versions with their shares; none: nobody got traffic.
    split: Split,
    tags: Tags,
    /// As the interface shows them; `None`: it had those of all models.
    rules: Option<Value>,
}

type Split = Map<String, Value>;
/// Tags with their versions.
type Tags = BTreeMap<String, String>;

impl Found {
    /// How the models of `scenario` stand.
    pub(super) fn look(operator: &Operator, scenario: &Scenario) -> Result<Self, LiveError> {
        let status = operator.read(&Ask::status())?;
        let of_all = operator.read(&Ask::rules_of_all())?;
        let own = of_all["models_with_own_rules"].as_array().cloned().unwrap_or_default();
        let models = scenario.models.iter().map(|plan| {
            let model = plan.id.clone();
            let rules = match own.contains(&json!(model)) {
                true => Some(operator.read(&Ask::rules(&model))?),
                false => None,
            };
            let tags = tags(&operator.read(&Ask::versions(&model))?);
            Ok(FoundModel { split: split(&status, &model), model, tags, rules })
        });
        models.collect::<Result<_, LiveError>>().map(Self)
    }

    /// Puts back what was found, as far as it can be: a first split stays, and a new tag. How each
    /// model stands after that, in sentences.
    pub(super) fn put_back(&self, operator: &Operator) -> Vec<String> {
        let mut told = Vec::new();
        // Who does not answer now would not for the others either.
        let mut gone = None;
        for found in &self.0 {
            let done = match gone.take() {
                Some(why) => Err(why),
                None => found.put_back(operator).map_err(|error| error.to_string()),
            };
            told.push(done.unwrap_or_else(|why| {
                let told = found.unknown(&why);
                gone = Some(why);
                told
            }));
        }
        told
    }
}

impl FoundModel {
    fn put_back(&self, operator: &Operator) -> Result<String, LiveError> {
        let model = &self.model;
        // Why it is refused, if it is.
        let give = |ask: &Ask| -> Result<Option<String>, LiveError> {
            Ok(operator.ask_shortly(ask)?.err().map(|Refused { why, .. }| why))
        };
        let mut refused = Vec::new();
        let mut refuse = |what: String, why: Option<String>| {
            refused.extend(why.map(|why| format!("{what} could not be put back: {why}")));
        };
        if let Some(over) = end_of_rollout(&look(operator, &Ask::status())?, model) {
            refuse("its rollout".to_owned(), give(&Ask::deploy(model, over))?);
        }
        if !self.split.is_empty() {
            let back = json!({"action": "split", "split": self.split, "redeploy": true});
            refuse("its split".to_owned(), give(&Ask::deploy(model, back))?);
        }
        let now = tags(&look(operator, &Ask::versions(model))?);
        for (tag, version) in self.tags.iter().filter(|(tag, held)| now.get(*tag) != Some(held)) {
            refuse(format!("its tag {tag}"), give(&Ask::tag(model, tag, version, true))?);
        }
        // First none, so that nothing counts that was seen of the run.
        let none = give(&Ask::set_rules(model, json!({"conditions": []})))?;
        let rules = match &self.rules {
            Some(rules) => give(&Ask::set_rules(model, rules.clone()))?,
            None => give(&Ask::follow_rules(model))?,
        };
        refuse("its rules".to_owned(), rules.or(none));
        let split = split(&look(operator, &Ask::status())?, model);
        let mut told = self.told(&split, &now);
        refused.iter().for_each(|refused| told.push_str(&format!("; {refused}")));
        Ok(told)
    }

    /// That it is not known how it stands, and why.
    fn unknown(&self, why: &str) -> String {
        let (model, before) = (&self.model, shares(&self.split));
        format!(
            "{model} may have split, tags and rules of the run still, for {why}; before it gave \
             {before} (`coalmine admin status` and `coalmine admin rules {model}` say how it \
             stands)"
        )
    }

    /// How it stands now, with this split; `tags`: those that the run has left.
    fn told(&self, split: &Split, tags: &Tags) -> String {
        let (now, before) = (shares(split), shares(&self.split));
        let split = match now == before {
            true => format!("gives {now}, as before the run"),
            false => format!("gives {now}, and gave {before} before the run"),
        };
        let new: Vec<&str> =
            tags.keys().filter(|tag| !self.tags.contains_key(*tag)).map(String::as_str).collect();
        let tags = match new.is_empty() {
            true => String::new(),
            false => format!(" but for the tags {}, which are new", new.join(", ")),
        };
        format!("{} {split}; tags and rules are those from before it{tags}", self.model)
    }
}

/// What ends a rollout that is under way, or the time in which rules cover what it promoted: before
/// the run there was none.
fn end_of_rollout(status: &Value, model: &ModelId) -> Option<Value> {
    let rollout = &of_model(status, model)?["rollout"];
    match rollout["state"].as_str()? {
        "stepping" | "paused" => Some(json!({"action": "abort"})),
        "promoted" => Some(json!({"action": "promote", "version": rollout["version"]})),
        _ => None,
    }
}

fn look(operator: &Operator, ask: &Ask) -> Result<Value, LiveError> {
    let refused = |Refused { status, why }| LiveError::Interface(format!("{status}: {why}"));
    operator.ask_shortly(ask)?.map_err(refused)
}

fn split(status: &Value, model: &ModelId) -> Split {
    of_model(status, model)
        .and_then(|state| state["split"].as_object().cloned())
        .unwrap_or_default()
}

/// The tags of a list of versions.
fn tags(versions: &Value) -> Tags {
    let mut all = Tags::new();
    for version in versions.as_array().into_iter().flatten() {
        let id = version["id"].as_str().unwrap_or_default();
        let tags = version["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.extend(tags.map(|tag| (tag.to_owned(), id.to_owned())));
    }
    all
}

fn shares(split: &Split) -> String {
    let told = split.iter().map(|(version, share)| {
        format!("{} to {version}", format_set_share(share.as_f64().unwrap_or_default()))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "no traffic to anybody".to_owned() } else { told.join(" and ") }
}
