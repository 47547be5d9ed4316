//! The upstreams of a run, by version.

use std::collections::BTreeSet;

use crate::chance::{Chance, Distribution, Draws};
use crate::exchange::{Request, VersionIndex};
use crate::record::Bursts;
use crate::scenario::{NamedVersion, Scenario, VersionPlan};
use crate::units::{Ratio, Timestamp};
use crate::upstream::{
    Begun, Behaviour, Correlation, Fault, Latency, RateLimit, Responder, ResponsePlan, Setting,
};

/// What an attempt holds of its upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holds {
    /// Nothing that others could wait for.
    Nothing,
    /// One of its slots.
    Slot,
    /// A place in the line before them: so far it ends with somebody's patience.
    PlaceInLine,
}

/// Whose answer is asked for of a version that answers as recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// That of the request which came last, in its first attempt.
    Latest,
    /// That of any other attempt.
    Other,
}

/// One upstream for each version of the plan.
pub(super) struct Upstreams {
    responders: Vec<Responder>,
    /// The versions whose capacity is limited, or may come to be.
    limited: Vec<VersionIndex>,
}

impl Upstreams {
    pub(super) fn new(scenario: &Scenario, chance: Chance) -> Self {
        let limited = limited(scenario);
        let unasked = unasked();
        let upstream = |(version, plan): (_, &VersionPlan)| {
            let may_be_limited = limited.contains(&version);
            let setting = Setting { chance, version, start: scenario.start, may_be_limited };
            Responder::new(plan.behaviour().unwrap_or(&unasked), setting)
        };
        let versions = (0..).map(VersionIndex).zip(scenario.versions());
        Self {
            responders: versions.map(upstream).collect(),
            limited: limited.into_iter().collect(),
        }
    }

    #[inline]
    pub(super) fn of(&mut self, version: VersionIndex) -> &mut Responder {
        &mut self.responders[usize::from(version.0)]
    }

    /// What becomes of a request that is sent to a version `now`, and what it then holds of its
    /// upstream. Where that is a place in the line, it is to be given a name.
    #[inline(always)]
    pub(super) fn begin(
        &mut self,
        version: VersionIndex,
        request: &Request,
        now: Timestamp,
        draws: Draws,
    ) -> (ResponsePlan, Holds) {
        let upstream = self.of(version);
        if upstream.is_unlimited() {
            return (upstream.answer(request, now, draws), Holds::Nothing);
        }
        match upstream.begin(request, now, draws) {
            Begun::Free(plan) => (plan, Holds::Nothing),
            Begun::InSlot(plan) => (plan, Holds::Slot),
            Begun::Waits => (ResponsePlan::NEVER, Holds::PlaceInLine),
        }
    }

    /// The versions at whose upstreams requests may wait.
    pub(super) fn limited(&self) -> &[VersionIndex] {
        &self.limited
    }

    /// What a version would have done with a request that it does not get.
    pub(super) fn plan_instead(
        &self,
        version: VersionIndex,
        request: &Request,
        now: Timestamp,
        draws: Draws,
    ) -> ResponsePlan {
        self.responders[usize::from(version.0)].plan_instead(request, now, draws)
    }

    /// Puts the faults of a phase on the upstreams of the versions that they `hit`, with their
    /// instants.
    pub(super) fn schedule(
        &mut self,
        faults: &[(NamedVersion, Fault)],
        hit: &[Option<VersionIndex>],
        phase_start: Timestamp,
    ) {
        for ((_, fault), version) in faults.iter().zip(hit) {
            let Some(version) = *version else { continue };
            let onset = phase_start + fault.at;
            let until = fault.lasts.map(|lasts| onset + lasts);
            self.of(version).begin_fault(fault, onset, until);
        }
    }

    /// When the upstreams were in their bad states whose failures come in bursts, up to `end`.
    pub(super) fn bursts(&self, end: Timestamp) -> Vec<Bursts> {
        let versions = (0..).map(VersionIndex).zip(&self.responders);
        let bursts = versions.filter_map(|(version, upstream)| {
            upstream.bursts(end).map(|stretches| Bursts::new(version, stretches))
        });
        bursts.collect()
    }

    /// Takes off every fault without an end of its own.
    pub(super) fn end_open_faults(&mut self, now: Timestamp) {
        for responder in &mut self.responders {
            responder.end_open_faults(now);
        }
    }
}

/// What stands in the place of an upstream that nobody asks: its version answers as recorded.
fn unasked() -> Behaviour {
    let total = Distribution::constant(0.0).expect("0 is a constant");
    Behaviour {
        latency: Latency::Total { total, first_token: Ratio::ZERO },
        failures: Vec::new(),
        correlation: Correlation::Request,
        capacity: None,
        slowdown_at_full: 1.0,
        rate_limit: RateLimit::default(),
    }
}

/// The versions whose capacity or rate is limited by themselves or by a fault.
fn limited(scenario: &Scenario) -> BTreeSet<VersionIndex> {
    let by_itself = (0..).map(VersionIndex).zip(scenario.versions());
    let by_itself =
        by_itself.filter(|(_, plan)| plan.behaviour().is_some_and(Behaviour::is_limited));
    let faults = scenario.phases.iter().flat_map(|phase| &phase.faults);
    let by_fault = faults.filter(|(_, fault)| fault.limits());
    let by_fault = by_fault.flat_map(|(named, _)| named.possible()).copied();
    by_itself.map(|(version, _)| version).chain(by_fault).collect()
}
