//! What cannot be played live is said, with the remedy, before anything begins.

use coalmine::live::LiveError;

use crate::world::{live, written};

fn reasons(more: &str, upstream: &str, model: &str) -> Vec<String> {
    let loaded = written(&format!(
        "
schema: 1
name: unfit
workload: {{arrivals: {{constant: 10/s}}, requests: 10, tokens: {{input: 10, output: 10}}}}
{more}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {upstream}}}
{model}
phases: [{{name: all, for: rest, split: {{old: 100%}}}}]
gate: [error_rate <= 100%]
"
    ));
    match live(&loaded, 1_000.0, &mut Vec::new()) {
        Err(LiveError::Unfit(reasons)) => reasons,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cache_and_safeguards_that_are_off_are_refused_all_at_once() {
    let cache = "middlebox: {cache: {ttl: 1m, key: [model]}}";
    let told = reasons(cache, "{latency: 1s}", "    safeguards: {keep_tags: false}");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("middlebox") && told[1].contains("keep_tags"), "{told:?}");
}
