//! `sticky-users`: users move to a growing canary, and never back.

use std::collections::BTreeMap;

use coalmine::gate::Verdict;

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
