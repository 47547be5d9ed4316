//! Random plans: versions, splits, faults, rules, commands and workloads in any combination.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan_changes::{
    arb_clients, arb_commands, arb_name, arb_phase_workload, arb_steps, tag_of,
};
use super::plan_models::arb_around;

/// A scenario as JSON: one or two models, the first of two to four versions, up to five phases of up
/// to two minutes, rules of any kind, retries, a cache. Parts that could stand are wholly missing in many cases: a mix of everything hides much.
pub(crate) fn arb_plan() -> impl Strategy<Value = Value> {
    (2_usize..=4, 1_usize..=5).prop_flat_map(|(versions, phases)| {
        let phases = arb_clients(versions).prop_flat_map(move |clients| {
            let phase = arb_phase(versions, clients.is_some());
            (Just(clients), prop::collection::vec(phase, phases))
        });
        (
            prop::collection::vec(arb_upstream(), versions),
            phases,
            arb_split(versions),
            (prop::collection::vec(arb_trigger(versions), 0..=4), 0.001..=0.5),
            (2_u32..=60, arb_around()),
        )
            .prop_map(
                |(upstreams, (clients, mut phases), first, (triggers, alpha), (rate, around))| {
                    phases[0]["split"] = first;
                    for (number, phase) in phases.iter_mut().enumerate() {
                        phase["name"] = json!(format!("phase {number}"));
                        // A rollout sets the weights itself.
                        if phase.get("split").is_some() {
                            phase.as_object_mut().unwrap().remove("rollout");
                        }
                    }
                    name_what_commands_make(&mut phases);
                    let version = |(number, upstream): (usize, Value)| {
                        let tags = json!([tag_of(number)]);
                        let [input, output] =
                            [number + 1, 2 * number + 2].map(|mills| format!("0.00{mills} USD"));
                        let price = json!({"input": input, "output": output});
                        let version = json!({"tags": tags, "price": price, "upstream": upstream});
                        (format!("v{number}"), version)
                    };
                    let versions: serde_json::Map<_, _> =
                        upstreams.into_iter().enumerate().map(version).collect();
                    let rules = json!({"alpha": alpha, "conditions": triggers});
                    let mut workload = json!({
                        "arrivals": {"poisson": format!("{rate}/s")},
                        "tokens": {"input": 10, "output": {"uniform": {"min": 5, "max": 15}}},
                        "client_timeout": "10s",
                    });
                    if let Some(clients) = clients {
                        workload["clients"] = clients;
                    }
                    let mut plan = json!({
                        "schema": 1,
                        "name": "random",
                        "workload": workload,
                        "models": {"m": {"versions": versions, "rules": rules}},
                        "phases": phases,
                    });
                    around.put_into(&mut plan);
                    plan
                },
            )
    })
}

pub(crate) fn arb_upstream() -> BoxedStrategy<Value> {
    let latency = prop_oneof![
        2 => (1_u32..=2_000).prop_map(|m| json!({"exponential": {"mean": format!("{m}ms")}})),
        1 => (1_u32..=900, 1_u32..=100).prop_map(|(first, gap)| {
            json!({"first_token": format!("{first}ms"), "per_output_token": format!("{gap}ms")})
        }),
    ];
    let kinds =
        (arb_failures(10), prop::option::of(arb_kind())).prop_map(|(mut failures, kind)| {
            if let Some((kind, failure)) = kind {
                failures[kind] = failure;
            }
            failures
        });
    (latency, kinds, arb_correlation(), prop::option::of(arb_limit()))
        .prop_map(|(latency, failures, mut upstream, limit)| {
            upstream["latency"] = latency;
            upstream["failures"] = failures;
            if let Some((key, limit)) = limit {
                upstream[key] = limit;
            }
            upstream
        })
        .boxed()
}

/// A kind of failure that is no status, with at most 10 %.
fn arb_kind() -> impl Strategy<Value = (&'static str, Value)> {
    let kinds = [
        "timeout",
        "reset",
        "refused",
        "malformed",
        "truncated",
        "empty",
        "stall",
        "duplicate_chunk",
        "wrong_content_type",
        "slow_drip",
        "error_in_stream",
    ];
    let kind = prop::sample::select(kinds.to_vec());
    (kind, 0_u32..=10).prop_map(|(kind, percent)| (kind, json!(format!("{percent}%"))))
}

/// Which requests fail together; a burst fails at most 10 % more.
fn arb_correlation() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"correlate": "user"})),
        1 => (1_u32..=100, 1_u32..=100, 1_u32..=10).prop_map(|(enter, leave, percent)| {
            let failures = json!({"502": format!("{percent}%")});
            let [enter, leave] = [enter, leave].map(|percent| format!("{percent}%"));
            json!({"burst": {"enter": enter, "leave": leave, "failures": failures}})
        }),
    ]
}

/// A limit of an upstream or of a fault: its key and what stands there.
fn arb_limit() -> impl Strategy<Value = (&'static str, Value)> {
    let on_full = prop_oneof![Just(json!(429)), Just(json!(503))];
    prop_oneof![
        (1_u32..=40, 0_u32..=40, on_full).prop_map(|(slots, queue, on_full)| {
            let limit = json!({"concurrency": slots, "queue": queue, "on_full": on_full});
            ("capacity", limit)
        }),
        (1_u32..=40)
            .prop_map(|slots| ("capacity", json!({"concurrency": slots, "on_full": "wait"}))),
        (1_u32..=3_000, 1_u32..=60_000).prop_map(|(requests, tokens)| {
            let [requests, tokens] = [requests, tokens].map(|amount| format!("{amount}/m"));
            ("rate_limit", json!({"requests": requests, "tokens": tokens}))
        }),
    ]
}

/// Failures that sum to at most twice `most` percent; none in many cases.
fn arb_failures(most: u32) -> impl Strategy<Value = Value> {
    let one = move || prop_oneof![Just(0), 0..=most];
    (one(), one()).prop_map(
        |(first, second)| json!({"500": format!("{first}%"), "429": format!("{second}%")}),
    )
}

/// Whole percents that sum to 100, with zeros among them.
pub(crate) fn arb_split(versions: usize) -> impl Strategy<Value = Value> {
    let cut = prop_oneof![Just(0_u32), Just(100), 0..=100_u32];
    prop::collection::vec(cut, versions - 1).prop_map(move |mut cuts| {
        cuts.sort_unstable();
        cuts.push(100);
        let mut last = 0;
        let shares = cuts.into_iter().enumerate().map(|(number, cut)| {
            let share = cut - last;
            last = cut;
            (format!("v{number}"), json!(format!("{share}%")))
        });
        Value::Object(shares.collect())
    })
}

/// A split that names some versions by the tags that they have at the start.
fn arb_named_split(versions: usize) -> impl Strategy<Value = Value> {
    let tagged = prop::collection::vec(prop::bool::weighted(0.4), versions);
    (arb_split(versions), tagged).prop_map(|(split, tagged)| {
        let share = |(number, by_tag): (usize, bool)| {
            let id = format!("v{number}");
            let share = split[&id].clone();
            (if by_tag { tag_of(number) } else { id }, share)
        };
        Value::Object(tagged.into_iter().enumerate().map(share).collect())
    })
}

/// Lets every other split name the tag `golden` in the place of one version, once a command of an
/// earlier phase may have made it.
fn name_what_commands_make(phases: &mut [Value]) {
    let mut is_made = false;
    for (number, phase) in phases.iter_mut().enumerate() {
        let split = phase.get_mut("split").and_then(Value::as_object_mut);
        if let Some(split) = split.filter(|_| is_made && number % 2 == 1) {
            let last = split.keys().next_back().unwrap().clone();
            let share = split.remove(&last).unwrap();
            split.insert("golden".to_owned(), share);
        }
        let commands = phase["commands"].as_array().into_iter().flatten();
        is_made |= commands.clone().any(|command| command["tag"]["tag"] == "golden");
    }
}

fn arb_phase(versions: usize, has_keys: bool) -> BoxedStrategy<Value> {
    let end = prop_oneof![
        (31_u32..=120).prop_map(|seconds| json!({"for": format!("{seconds}s")})),
        (31_u32..=120).prop_map(|s| json!({"until": "rollback", "within": format!("{s}s")})),
        (10_u32..=800).prop_map(|requests| json!({"requests": requests})),
    ];
    let split = prop::option::of(arb_named_split(versions));
    let faults = prop::collection::btree_map(
        0..versions,
        prop::collection::vec(arb_fault(), 1..=2),
        0..=versions,
    );
    // One tag at most: whoever has it may have faults of its own.
    let faults = (faults, prop::option::weighted(0.8, 0..2_usize)).prop_map(|(faults, tagged)| {
        let named = faults.into_iter().map(|(version, faults)| {
            let by_tag = tagged == Some(version);
            let name = if by_tag { tag_of(version) } else { format!("v{version}") };
            (name, json!(faults))
        });
        Value::Object(named.collect())
    });
    let rollout =
        (arb_name(versions), arb_steps(), 0_u32..=90).prop_map(|(version, steps, bake)| {
            let version = if version == "stable" || version == "v0" { tag_of(1) } else { version };
            json!({"version": version, "steps": steps, "bake": format!("{bake}s")})
        });
    let changes = (
        prop::option::of(arb_commands(versions, has_keys)),
        prop::option::weighted(0.3, arb_phase_workload()),
        prop::option::weighted(0.2, rollout),
    );
    (end, split, prop::option::of(faults), changes)
        .prop_map(|(mut phase, split, faults, (commands, workload, rollout))| {
            let parts = [
                ("split", split),
                ("rollout", rollout),
                ("faults", faults),
                ("commands", commands.map(Value::Array)),
                ("workload", workload),
            ];
            for (key, part) in parts {
                if let Some(part) = part {
                    phase[key] = part;
                }
            }
            phase
        })
        .boxed()
}

pub(crate) fn arb_fault() -> impl Strategy<Value = Value> {
    let what = prop_oneof![
        // Faults may outlast their phases: two under an id and two under a tag of each phase with
        // the upstream's own sum to 100 %.
        (1_u32..=3).prop_map(|percent| json!({"failures": {"503": format!("{percent}%")}})),
        (arb_limit()).prop_map(|(key, limit)| json!({key: limit})),
        (1_u32..=9).prop_map(|times| json!({"latency": {"times": times}})),
        (1_u32..=20).prop_map(|seconds| json!({"latency": {"add": format!("{seconds}s")}})),
    ];
    let users = prop::option::of(1_u32..=100);
    let what = (what, users).prop_map(|(mut fault, users)| {
        if let Some(percent) = users {
            fault["users"] = json!(format!("{percent}%"));
        }
        fault
    });
    (what, 0_u32..=30, prop::option::of(1_u32..=60)).prop_map(|(mut fault, at, lasts)| {
        fault["at"] = json!(format!("{at}s"));
        if let Some(lasts) = lasts {
            fault["for"] = json!(format!("{lasts}s"));
        }
        fault
    })
}

pub(crate) fn arb_trigger(versions: usize) -> BoxedStrategy<Value> {
    let what = prop_oneof![
        (arb_share(), arb_operator(), 0.0..=0.4).prop_map(|(metric, operator, threshold)| {
            json!({"metric": metric, "operator": operator, "threshold": threshold})
        }),
        (arb_time(), arb_operator(), 1_u32..=6_000).prop_map(|(metric, operator, threshold)| {
            json!({"metric": metric, "operator": operator, "threshold_ms": threshold})
        }),
        (arb_amount(), arb_operator(), 0.1..=2.0).prop_map(|((metric, usual), operator, times)| {
            json!({"metric": metric, "operator": operator, "threshold": usual * times})
        }),
        (arb_share(), arb_operator(), 0.1..=3.0).prop_map(compared),
        (arb_mean(), arb_operator(), 0.1..=3.0).prop_map(compared),
        (arb_operator(), 0_u32..=300).prop_map(|(operator, threshold)| {
            json!({"metric": "requests", "operator": operator, "threshold": threshold})
        }),
    ];
    let no_data = prop::sample::select(vec!["hold", "breach", "clear"]);
    let condition = (what, prop_oneof![Just(0_u32), 1..=60_u32], 0_u32..=30, no_data).prop_map(
        |(mut trigger, duration, least, no_data)| {
            trigger["duration_seconds"] = json!(duration);
            trigger["min_requests"] = json!(least);
            trigger["no_data"] = json!(no_data);
            trigger
        },
    );
    let judge = (0.1..=50.0).prop_map(|k| json!({"judge": "sequential", "prior_strength": k}));
    (prop_oneof![3 => condition, 2 => judge], arb_action(versions))
        .prop_map(|(mut trigger, action)| {
            trigger["action"] = json!(action);
            trigger
        })
        .boxed()
}

fn arb_action(versions: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("rollback_to_last_stable".to_owned()),
        1 => (0..versions).prop_map(|version| format!("rollback_to:v{version}")),
        1 => Just("notify".to_owned()),
    ]
}

fn arb_share() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "error_rate",
        "success_rate",
        "rate_limited_rate",
        "timeout_rate",
        "empty_rate",
    ])
}

fn arb_time() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "latency_avg",
        "latency_all_avg",
        "ttft_avg",
        "latency_p50",
        "latency_p99",
        "ttft_p50",
    ])
}

fn arb_mean() -> impl Strategy<Value = &'static str> {
    let means = vec!["latency_avg", "latency_all_avg", "ttft_avg", "cost_per_1k_tokens"];
    prop::sample::select(means)
}

/// A metric of tokens, and what its values are about.
fn arb_amount() -> impl Strategy<Value = (&'static str, f64)> {
    let amounts = vec![
        ("output_tokens_avg", 10.0),
        ("tokens_per_second", 20.0),
        ("cost_per_1k_tokens", 0.003),
    ];
    prop::sample::select(amounts)
}

fn compared((metric, operator, times): (&'static str, &'static str, f64)) -> Value {
    json!({"metric": metric, "operator": operator, "threshold": times, "compare_to": "stable"})
}

fn arb_operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![">", ">=", "<", "<="])
}
