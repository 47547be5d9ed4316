//! The four pitfalls: each failure with its safeguard off, and its absence with it on, in one run.

use std::collections::BTreeSet;

use coalmine::gate::Verdict;
use coalmine::record::{Happening, Record};

use super::world::{judged, results, shipped, shipped_result};

#[test]
fn keys_made_for_a_version_die_with_it_only_where_the_safeguard_is_off() {
    let loaded = shipped("pitfall-1-keys", &[]);
    let seeds: Vec<u64> = (1..=6).collect();
    let seen = results(&loaded, &seeds, |result| {
        assert_eq!(judged(&result).verdict, Verdict::Pass, "seed {}", result.record.seed);
        assert_eq!(result.record.rollbacks.len(), 2, "both canaries break alike");
        let events = result.record.timeline.events.iter();
        let invalidated = events.filter_map(|event| match &event.happening {
            Happening::KeysInvalidated { keys, .. } => Some(keys.clone()),
            _ => None,
        });
        let locked_out = result.record.key_rejections.iter().map(|rejected| rejected.client);
        (invalidated.flatten().collect::<Vec<_>>(), locked_out.collect::<BTreeSet<_>>())
    });
    for (invalidated, locked_out) in seen {
        let names: Vec<_> = invalidated.iter().map(|key| key.as_str()).collect();
        assert_eq!(names, ["unguarded-early-adopters"]);
        assert_eq!(locked_out, BTreeSet::from([Some(3)]), "the fourth client of the scenario");
    }
}

#[test]
fn a_cache_that_keeps_answers_pins_everybody_to_one_version() {
    let loaded = shipped("pitfall-2-cache", &[]);
    let seeds: Vec<u64> = (1..=6).collect();
    let seen = results(&loaded, &seeds, |result| {
        assert_eq!(judged(&result).verdict, Verdict::Pass, "seed {}", result.record.seed);
        let spans = result.record.splits.iter();
        spans.map(|span| span.observed.clone()).collect::<Vec<_>>()
    });
    for spans in seen {
        let [guarded, unguarded] = &spans[..] else { panic!("{spans:?}") };
        let most = |counts: &[u64]| {
            let all: u64 = counts.iter().sum();
            *counts.iter().max().unwrap() as f64 / all as f64
        };
        // Four standard deviations of a share of 5,000 at 50 %.
        assert!(most(guarded) < 0.53, "{guarded:?}");
        assert!(most(unguarded) > 0.99, "{unguarded:?}");
    }
}

#[test]
fn a_rule_checked_more_seldom_than_its_duration_is_silent_under_every_seed() {
    let loaded = shipped("pitfall-3-interval", &[]);
    let seeds: Vec<u64> = (1..=10).collect();
    let fared = results(&loaded, &seeds, |result| {
        let record = &result.record;
        assert_eq!(judged(&result).verdict, Verdict::Pass, "seed {}", record.seed);
        let seldom = record.rules.iter().find(|rule| rule.version.0 == 3).unwrap();
        (seldom.checks, seldom.breaches, seldom.firings)
    });
    // Twenty-five minutes by two: twelve checks, of which those from 6 min on see the incident.
    assert_eq!(fared, [(12, 10, 0); 10]);
}

#[test]
fn a_long_interval_is_refused_where_its_safeguard_is_on() {
    let on = "models.gpt-4-unguarded.safeguards.refuse_long_interval=true";
    let refused = std::panic::catch_unwind(|| shipped("pitfall-3-interval", &[on]));
    let message = *refused.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("longer than duration_seconds"), "{message}");
}

#[test]
fn tags_of_a_version_that_is_rolled_back_stay_where_the_safeguard_is_on() {
    let result = shipped_result("pitfall-4-tags", &[]);
    assert_eq!(result.record.rollbacks.len(), 2, "both canaries break alike");
    assert_eq!(lost_tags(&result.record), [(3, "beta"), (3, "candidate-42")]);
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

/// Versions that lost a tag, with the tag.
fn lost_tags(record: &Record) -> Vec<(u16, &str)> {
    let events = record.timeline.events.iter();
    let lost = events.filter_map(|event| match &event.happening {
        Happening::TagLost { tag, version } => Some((version.0, tag.as_str())),
        _ => None,
    });
    lost.collect()
}
