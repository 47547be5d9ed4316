//! A cache before the gateway: who gets which version, whatever the split says.

use std::collections::BTreeMap;

use coalmine::exchange::{Ending, VersionIndex};
use coalmine::record::Outcome;
use coalmine::units::{Duration, Timestamp};

use super::witness::Witness;
use super::world::{result, seconds, written};

/// 12,000 requests at 20 a second, half of them to each of two versions that take 100 ms.
fn outcomes(head: &str, prompts: &str) -> Vec<Outcome> {
    let text = format!(
        "
schema: 1
name: kept
{head}
workload: {{arrivals: {{constant: 20/s}}, requests: 12000, tokens: {{input: 10, output: 10}}{prompts}}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 100ms}}}}
      v2: {{upstream: {{latency: 100ms, failures: {{\"503\": 10%}}}}}}
phases: [{{name: all, for: rest, split: {{v1: 50%, v2: 50%}}}}]
"
    );
    let scenario = written(&text).scenario;
    let outcomes = Witness::of(&scenario, 1).outcomes;
    assert_eq!(outcomes.len(), 12_000);
    outcomes
}

fn kept(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| outcome.attempts == 0).collect()
}

const LAX: &str =
    "middlebox: {cache: {honours_no_store: false, ttl: 60s, key: [model], latency: 3ms}}";

#[test]
fn a_cache_by_model_alone_gives_everybody_the_version_that_answered_first() {
    let outcomes = outcomes(LAX, "");
    let kept = kept(&outcomes);
    // In a minute 1,200 requests come; those of its first 100 ms go by before the first answer.
    assert!(kept.len() > 11_900, "{}", kept.len());
    let mut versions: BTreeMap<Timestamp, VersionIndex> = BTreeMap::new();
    // When answers began to be kept, and which: the first success after the last had expired.
    let mut passed: Vec<&Outcome> = outcomes
        .iter()
        .filter(|o| o.attempts > 0 && o.observed.ending == Ending::Success)
        .collect();
    passed.sort_by_key(|outcome| (outcome.ended, outcome.request.id));
    for outcome in passed {
        let fresh =
            versions.last_key_value().is_none_or(|(at, _)| *at + seconds(60) <= outcome.ended);
        if fresh {
            versions.insert(outcome.ended, outcome.served);
        }
    }
    for outcome in &kept {
        let (at, version) = versions.range(..=outcome.started).next_back().unwrap();
        assert_eq!(outcome.served, *version, "{} since {at}", outcome.started);
        assert!(outcome.started < *at + seconds(60));
        assert_eq!(outcome.observed.ending, Ending::Success);
        assert_eq!(outcome.observed.latency, Duration::from_millis(3));
    }
    // Ten minutes, each with one version or the other for all.
    assert_eq!(versions.len(), 10);
}

#[test]
fn a_cache_that_honours_no_store_keeps_nothing_unless_the_gateway_lets_it() {
    let honest = "middlebox: {cache: {ttl: 60s, key: [model]}}";
    assert_eq!(kept(&outcomes(honest, "")).len(), 0);
    let off = format!("{honest}\nsafeguards: {{no_store: false}}");
    assert!(kept(&outcomes(&off, "")).len() > 11_900);
}

#[test]
fn a_cache_by_prompt_keeps_an_answer_to_each() {
    let by_prompt = LAX.replace("[model]", "[model, prompt]").replace("60s", "1h");
    let outcomes = outcomes(&by_prompt, ", prompts: {distinct: 40}");
    let mut versions: BTreeMap<u32, VersionIndex> = BTreeMap::new();
    for outcome in kept(&outcomes) {
        let prompt = outcome.request.prompt.unwrap().get();
        let version = *versions.entry(prompt).or_insert(outcome.served);
        assert_eq!(outcome.served, version, "prompt {prompt}");
    }
    assert_eq!(versions.len(), 40);
    let distinct: std::collections::BTreeSet<_> = versions.values().collect();
    assert_eq!(distinct.len(), 2, "each of 40 prompts met the same version first");
}

/// Of 12,000 requests some are kept answers, some take several attempts, and one client's key is
/// worth nothing: each is counted once.
#[test]
fn every_request_that_was_sent_is_counted_once() {
    let text = r#"
schema: 1
name: all-kinds
middlebox: {cache: {honours_no_store: false, ttl: 60s, key: [prompt], latency: 3ms}}
workload:
  arrivals: {constant: 20/s}
  requests: 12000
  tokens: {input: 10, output: 10}
  prompts: {distinct: 1000}
  clients: [{key: known, share: 50%}, {key: lost, share: 50%}]
models:
  m:
    policies: {retry: {attempts: 2, on: [5xx]}}
    versions:
      v1: {tags: [stable], upstream: {latency: 100ms, failures: {"503": 30%}}}
phases:
  - {name: all, for: rest, commands: [{at: 1m, revoke_key: lost}]}
"#;
    let record = result(&written(text), 1).record;
    let finals = record.cells.iter().filter_map(|cell| cell.finals.as_ref());
    assert!(finals.map(|tally| tally.completed()).sum::<u64>() > 0);
    assert!(record.key_rejections.iter().map(|rejections| rejections.count).sum::<u64>() > 0);
    assert_eq!(record.requests(), 12_000);
}
