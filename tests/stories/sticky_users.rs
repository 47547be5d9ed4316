//! `sticky-users`: users move to a growing canary, and never back.

use std::collections::BTreeMap;

use coalmine::gate::Verdict;
use coalmine::record::Outcome;
use coalmine::scenario::Loaded;

use super::witness::Witness;
use super::world::{judged, shipped, shipped_result};

#[test]
fn whoever_has_met_the_canary_keeps_it() {
    let loaded = shipped("sticky-users", &[]);
    let witness = Witness::of(&loaded.scenario, loaded.scenario.seed);
    let mut met: BTreeMap<u32, u16> = BTreeMap::new();
    let mut moved = 0;
    for outcome in &witness.outcomes {
        let last = met.insert(outcome.request.user, outcome.assigned.0).unwrap_or(0);
        assert!(last <= outcome.assigned.0, "user {} went back", outcome.request.user);
        moved += u32::from(last < outcome.assigned.0);
    }
    // Half of 2,000 users in the end; four standard deviations are 90.
    assert!((910..=1_090).contains(&moved), "{moved}");
}

#[test]
fn shares_of_users_make_shares_of_the_traffic() {
    assert_eq!(judged(&shipped_result("sticky-users", &[])).verdict, Verdict::Pass);
}

/// By phase, the versions that each owner of requests has met.
fn met_by_owner(
    loaded: &Loaded,
    owner: impl Fn(&Outcome) -> u32,
) -> BTreeMap<(u16, u32), Vec<u16>> {
    let mut met: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    for outcome in Witness::of(&loaded.scenario, loaded.scenario.seed).outcomes {
        let versions = met.entry((outcome.phase, owner(&outcome))).or_default();
        versions.push(outcome.assigned.0);
        versions.sort_unstable();
        versions.dedup();
    }
    met
}

#[test]
fn sessions_that_stick_stay_while_their_users_meet_both_versions() {
    let settings = ["models.gpt-4.sticky_by=session", "workload.sessions={requests: 4, gap: 10m}"];
    let loaded = shipped("sticky-users", &settings);
    let sessions = met_by_owner(&loaded, |outcome| outcome.request.session);
    assert!(sessions.values().all(|versions| versions.len() == 1));
    let users = met_by_owner(&loaded, |outcome| outcome.request.user);
    assert!(users.values().any(|versions| versions.len() == 2));
}

/// The first rollout's places, by the `xxhash` package of Python: a client meets the canary of
/// 25 % where `xxh64(key, seed=xxh64("gpt-4", seed=1)) / 2**64 < 0.25`.
#[test]
fn clients_stick_by_the_text_of_their_key() {
    let clients = "workload.clients=[{key: search, share: 25%}, {key: batch, share: 25%}, \
                   {key: mobile, share: 25%}, {key: web, share: 25%}]";
    let loaded = shipped("sticky-users", &["models.gpt-4.sticky_by=client", clients]);
    let met = met_by_owner(&loaded, |outcome| u32::from(outcome.request.client));
    let places = [0.434_256, 0.748_777, 0.208_210, 0.798_908];
    for (client, place) in (0..).zip(places) {
        for (phase, weight) in [(0, 0.05), (1, 0.25), (2, 0.5)] {
            assert_eq!(met[&(phase, client)], [u16::from(place < weight)], "{client} {phase}");
        }
    }
}
