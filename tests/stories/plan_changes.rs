//! Random changes in the course of a plan: commands of every kind, other workloads, access keys.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::plans::{arb_split, arb_trigger};

/// The clients of a workload, or none: their keys are there to be given other secrets and to be
/// revoked.
pub(crate) fn arb_clients(versions: usize) -> impl Strategy<Value = Option<Value>> {
    let client = (arb_name(versions), prop::option::of(arb_name(versions)), prop::bool::ANY);
    let clients = prop::collection::vec(client, KEYS).prop_map(|clients| {
        let clients = clients.into_iter().enumerate().map(|(number, (made_for, pin, is_bound))| {
            let mut client = json!({"key": format!("k{number}"), "share": SHARES[number]});
            if is_bound {
                client["version"] = json!(made_for);
            }
            // One in two of them pins, where there is a pin at all.
            if let Some(pin) = pin.filter(|_| number == 0) {
                client["pin"] = json!(pin);
            }
            client
        });
        Value::Array(clients.collect())
    });
    prop::option::of(clients)
}

/// Up to four commands of any kind; `has_keys` says whether there are some to name.
pub(crate) fn arb_commands(versions: usize, has_keys: bool) -> impl Strategy<Value = Vec<Value>> {
    let command = if has_keys {
        prop_oneof![4 => arb_command(versions), 1 => arb_key_command(versions)].boxed()
    } else {
        arb_command(versions).boxed()
    };
    // Phases last 31 s at least, but for those that end with their requests.
    let timed = (command, 0_u32..31_000).prop_map(|(mut command, millis)| {
        command["at"] = json!(format!("{millis}ms"));
        command
    });
    prop::collection::vec(timed, 0..=4)
}

/// A command for the only model.
fn arb_command(versions: usize) -> impl Strategy<Value = Value> {
    let name = || arb_name(versions);
    let ladder = (1..versions, arb_steps(), 0_u32..=90).prop_map(|(canary, steps, bake)| {
        let version = format!("v{canary}");
        json!({"version": version, "steps": steps, "bake": format!("{bake}s")})
    });
    let rules = (prop::collection::vec(arb_trigger(versions), 0..=3), 0.001..=0.5)
        .prop_map(|(triggers, alpha)| json!({"alpha": alpha, "conditions": triggers}));
    let tag = prop::sample::select(vec!["stable", "t1", "golden"]);
    let tag = (tag, name(), any::<bool>()).prop_map(|(tag, version, keep)| {
        json!({"tag": {"tag": tag, "version": version, "preserve_previous": keep}})
    });
    let deploying = prop_oneof![
        3 => arb_split(versions).prop_map(|split| json!({"split": split})),
        3 => ladder.prop_map(|rollout| json!({"rollout": rollout})),
        1 => name().prop_map(|version| json!({"promote": version})),
    ];
    let deploying = (deploying, any::<bool>()).prop_map(|(mut command, redeploy)| {
        command["redeploy"] = json!(redeploy);
        command
    });
    let rollback = prop::option::of(name()).prop_map(|to| match to {
        Some(to) => json!({"rollback": {"to": to}}),
        None => json!({"rollback": {}}),
    });
    let of_the_rollout = prop::sample::select(vec!["pause", "resume", "abort"])
        .prop_map(|verb| json!({verb: "rollout"}));
    prop_oneof![
        6 => deploying,
        2 => rollback,
        2 => of_the_rollout,
        4 => tag,
        2 => rules.prop_map(|rules| json!({"rules": rules})),
    ]
}

fn arb_key_command(versions: usize) -> impl Strategy<Value = Value> {
    let key = || (0..KEYS).prop_map(|number| format!("k{number}"));
    let regenerate = (key(), 0_u32..=20, 0_u32..=40, prop::option::of(arb_name(versions)));
    let regenerate = regenerate.prop_map(|(key, grace, adopted, version)| {
        let [grace, adopted_after] = [grace, adopted].map(|seconds| format!("{seconds}s"));
        let mut command = json!({"key": key, "grace": grace, "adopted_after": adopted_after});
        if let Some(version) = version {
            command["version"] = json!(version);
        }
        json!({"regenerate_key": command})
    });
    prop_oneof![3 => regenerate, 1 => key().prop_map(|key| json!({"revoke_key": key}))]
}

/// Steps of a rollout, the last of which may leave some to the stable.
pub(crate) fn arb_steps() -> impl Strategy<Value = Value> {
    let weights = prop::sample::subsequence(vec![1_u32, 5, 20, 50, 90, 100], 1..=3);
    (weights, 1_u32..=15, prop::option::of(0_u32..=20), prop::bool::weighted(0.2)).prop_map(
        |(weights, hold, require, pause)| {
            let steps = weights.into_iter().map(|weight| {
                let mut step = json!({"weight": format!("{weight}%"), "hold": format!("{hold}s")});
                if let Some(require) = require {
                    step["require"] = json!(format!("{require} requests"));
                }
                step["pause"] = json!(pause && weight > 5);
                step
            });
            Value::Array(steps.collect())
        },
    )
}

/// What is different about the workload in a phase.
pub(crate) fn arb_phase_workload() -> impl Strategy<Value = Value> {
    let arrivals = prop_oneof![
        (1_u32..=40).prop_map(|rate| json!({"constant": format!("{rate}/s")})),
        (1_u32..=40).prop_map(|rate| json!({"poisson": format!("{rate}/s")})),
        (1_u32..=20, 1_u32..=3_000).prop_map(|(users, think)| {
            json!({"closed": {"users": users, "think": format!("{think}ms")}})
        }),
        (0_u32..=40, 1_u32..=40).prop_map(|(first, second)| {
            let rates = [first, second].map(|rate| format!("{rate}/s"));
            json!({"piecewise": {"every": "20s", "rates": rates}})
        }),
    ];
    let pace = prop_oneof![
        2 => arrivals.prop_map(|arrivals| json!({"arrivals": arrivals})),
        1 => prop::sample::select(vec![0.0, 0.2, 0.5, 2.0, 3.5])
            .prop_map(|speed| json!({"speed": speed})),
    ];
    let tokens = (1_u32..=300, 1_u32..=40);
    (pace, prop::option::of(tokens), prop::option::of(0_u32..=100)).prop_map(
        |(mut workload, tokens, stream)| {
            if let Some((input, output)) = tokens {
                workload["tokens"] = json!({"input": input, "output": output});
            }
            if let Some(percent) = stream {
                workload["stream"] = json!(format!("{percent}%"));
            }
            workload
        },
    )
}

/// A version by its id, or by a tag that it has at the start.
pub(crate) fn arb_name(versions: usize) -> impl Strategy<Value = String> {
    (0..versions, prop::bool::weighted(0.3)).prop_map(|(version, tagged)| match (version, tagged) {
        (version, true) => tag_of(version),
        (version, false) => format!("v{version}"),
    })
}

/// The tag that a version has at the start.
pub(crate) fn tag_of(version: usize) -> String {
    if version == 0 { "stable".to_owned() } else { format!("t{version}") }
}

/// How many clients there are, where there are some.
const KEYS: usize = 2;
const SHARES: [&str; KEYS] = ["60%", "40%"];
