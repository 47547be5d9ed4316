//! Random parts of plans about models as a whole: a second model beside the first, what becomes of
//! attempts that fail, what stands before the gateway.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::plan_changes::arb_commands;
use super::plans::{arb_fault, arb_split, arb_trigger, arb_upstream};

/// What a plan has beside its phases and its first model.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    /// Of the first model.
    policies: Option<Value>,
    no_store: bool,
    cache: Option<Value>,
    second: Option<Second>,
}

/// A second model.
#[derive(Clone, Debug)]
struct Second {
    model: Value,
    split: Value,
    faults: Value,
    commands: Vec<Value>,
    percent: u32,
}

/// What stands around a first model.
pub(crate) fn arb_around() -> BoxedStrategy<Around> {
    (
        prop::option::weighted(0.4, arb_policies()),
        prop::bool::weighted(0.7),
        prop::option::weighted(0.2, arb_cache()),
        prop::option::weighted(0.3, arb_second()),
    )
        .prop_map(|(policies, no_store, cache, second)| Around {
            policies,
            no_store,
            cache,
            second,
        })
        .boxed()
}

impl Around {
    /// Puts all of it into a plan whose only model is `m`.
    pub(crate) fn put_into(self, plan: &mut Value) {
        if let Some(policies) = self.policies {
            plan["models"]["m"]["policies"] = policies;
        }
        plan["models"]["m"]["safeguards"] = json!({"no_store": self.no_store});
        if let Some(cache) = self.cache {
            plan["middlebox"] = json!({"cache": cache});
        }
        if let Some(second) = self.second {
            second.put_into(plan);
        }
    }
}

impl Second {
    fn put_into(self, plan: &mut Value) {
        plan["models"]["n"] = self.model;
        let [first, second] = [100 - self.percent, self.percent].map(|part| format!("{part}%"));
        plan["workload"]["models"] = json!({"m": first, "n": second});
        // Both models have the tags: phases and clients name versions by their ids then.
        let clients = plan["workload"].get_mut("clients").and_then(Value::as_array_mut);
        for client in clients.into_iter().flatten() {
            for key in ["version", "pin"] {
                if let Some(name) = client.get_mut(key) {
                    *name = json!(id_of(name.as_str().unwrap()));
                }
            }
        }
        let phases = plan["phases"].as_array_mut().unwrap();
        for (number, phase) in phases.iter_mut().enumerate() {
            for command in
                phase.get_mut("commands").and_then(Value::as_array_mut).into_iter().flatten()
            {
                give_model(command, "m");
            }
            for key in ["split", "faults"] {
                if let Some(part) = phase.get_mut(key) {
                    name_by_ids(part);
                }
            }
            if let Some(rollout) = phase.get_mut("rollout") {
                rollout["version"] = json!(id_of(rollout["version"].as_str().unwrap()));
            }
            if number == 0 {
                extend(&mut phase["split"], &self.split);
                extend(&mut phase["faults"], &self.faults);
            }
        }
        let last = phases.last_mut().unwrap();
        let mut commands =
            last.get("commands").and_then(Value::as_array).cloned().unwrap_or_default();
        commands.extend(self.commands);
        last["commands"] = Value::Array(commands);
    }
}

fn arb_second() -> BoxedStrategy<Second> {
    let upstreams = (arb_upstream(), arb_upstream());
    let rules = (prop::collection::vec(arb_trigger(2), 0..=3), 0.001..=0.5);
    let model = (upstreams, rules, prop::option::weighted(0.4, arb_policies())).prop_map(
        |((stable, canary), (triggers, alpha), policies)| {
            let price = json!({"input": "0.001 USD", "output": "0.003 USD"});
            let mut model = json!({
                "versions": {
                    "v0": {"tags": ["stable"], "price": price, "upstream": stable},
                    "v1": {"tags": ["t1"], "price": price, "upstream": canary},
                },
                "rules": {"alpha": alpha, "conditions": triggers},
            });
            if let Some(policies) = policies {
                model["policies"] = policies;
            }
            model
        },
    );
    (model, arb_split(2), arb_faults(), arb_commands(2, false), 10_u32..=60)
        .prop_map(|(model, split, faults, mut commands, percent)| {
            commands.iter_mut().for_each(|command| give_model(command, "n"));
            let commands = commands.into_iter().map(renamed).collect();
            let [model, split, faults] = [model, split, faults].map(renamed);
            Second { model, split, faults, commands, percent }
        })
        .boxed()
}

/// Faults of some of two versions.
fn arb_faults() -> BoxedStrategy<Value> {
    let version = (0..2).prop_map(|version| format!("v{version}"));
    let faults = prop::collection::vec(arb_fault(), 1..=2);
    prop::collection::btree_map(version, faults, 0..=2).prop_map(|faults| json!(faults)).boxed()
}

/// What becomes of attempts that fail.
fn arb_policies() -> BoxedStrategy<Value> {
    let on = prop::option::of(prop::sample::subsequence(
        vec!["5xx", "429", "timeout", "reset", "truncated", "malformed"],
        1..=3,
    ));
    let backoff = (1_u32..=2_000, 1_u32..=4, 0_u32..=100).prop_map(|(first, times, jitter)| {
        let [first, max] = [first, first * times].map(|millis| format!("{millis}ms"));
        json!({"first": first, "max": max, "jitter": format!("{jitter}%")})
    });
    let retry =
        (1_u32..=3, on, backoff, any::<bool>()).prop_map(|(attempts, on, backoff, waits)| {
            let mut retry =
                json!({"attempts": attempts, "backoff": backoff, "honours_retry_after": waits});
            if let Some(on) = on {
                retry["on"] = json!(on);
            }
            retry
        });
    (prop::option::weighted(0.7, retry), any::<bool>())
        .prop_map(|(retry, falls_back)| {
            let mut policies = json!({});
            if let Some(retry) = retry {
                policies["retry"] = retry;
            }
            if falls_back {
                policies["fallback"] = json!("stable");
            }
            policies
        })
        .boxed()
}

fn arb_cache() -> impl Strategy<Value = Value> {
    let parts = vec!["model", "user", "session", "client", "stream"];
    let key = prop::sample::subsequence(parts, 1..=3);
    (key, 1_u32..=90, any::<bool>()).prop_map(|(key, ttl, honours)| {
        json!({"key": key, "ttl": format!("{ttl}s"), "honours_no_store": honours})
    })
}

/// Says which model a command is for, but for one about keys alone.
fn give_model(command: &mut Value, model: &str) {
    let of_keys = |key: &str| command.get(key).is_some_and(|of| of.get("version").is_none());
    if !of_keys("regenerate_key") && !of_keys("revoke_key") {
        command["model"] = json!(model);
    }
}

/// Names of versions of the first model made those of the second.
fn renamed(value: Value) -> Value {
    let rename = |text: &str| {
        let is_version = |name: &str| name.len() == 2 && name.starts_with('v');
        match text.strip_prefix("rollback_to:") {
            Some(name) if is_version(name) => format!("rollback_to:w{}", &name[1..]),
            None if is_version(text) => format!("w{}", &text[1..]),
            _ => text.to_owned(),
        }
    };
    match value {
        Value::String(text) => json!(rename(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(renamed).collect()),
        Value::Object(map) => {
            let fields = map.into_iter().map(|(key, value)| (rename(&key), renamed(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// The id of the version that has the tag `name` at the start; of `golden`, which none has, any.
fn id_of(name: &str) -> String {
    match name {
        "stable" => "v0".to_owned(),
        "golden" => "v1".to_owned(),
        name => name.replace('t', "v"),
    }
}

/// Names the versions of a split or of faults by their ids.
fn name_by_ids(map: &mut Value) {
    let named = std::mem::take(map.as_object_mut().unwrap());
    let (golden, others): (Vec<_>, Vec<_>) = named.into_iter().partition(|(n, _)| n == "golden");
    let mut all: Map<_, _> = Map::new();
    for (name, value) in others {
        let id = id_of(&name);
        // Faults may stand under both names of a version.
        match (all.remove(&id), value) {
            (Some(Value::Array(one)), Value::Array(other)) => {
                all.insert(id, Value::Array([one, other].concat()));
            }
            (_, value) => drop(all.insert(id, value)),
        }
    }
    for (_, value) in golden {
        let free = (0..).map(|number| format!("v{number}")).find(|id| !all.contains_key(id));
        all.insert(free.unwrap(), value);
    }
    *map = Value::Object(all);
}

/// Adds the fields of one map to another, or to nothing.
fn extend(map: &mut Value, more: &Value) {
    let mut all = map.as_object().cloned().unwrap_or_default();
    all.extend(more.as_object().cloned().unwrap_or_default());
    *map = Value::Object(all);
}
