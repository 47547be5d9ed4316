//! The upstreams as they would answer, beside the mock that does: what the stable would have done
//! with a request that it does not get, and when failures came in bursts. Both follow from the seed
//! and from the faults that are on.

use crate::chance::Chance;
use crate::exchange::{Observed, Request, VersionIndex};
use crate::record::Bursts;
use crate::scenario::{Scenario, VersionPlan};
use crate::units::Timestamp;
use crate::upstream::{Fault, Limits, Responder, Setting};

/// The upstream of each version, which nobody asks.
pub(super) struct Shadows {
    responders: Vec<Option<Responder>>,
    chance: Chance,
    limits: Limits,
}

impl Shadows {
    /// Those of `scenario`.
    pub(super) fn new(scenario: &Scenario, chance: Chance) -> Self {
        let versions = (0..).map(VersionIndex).zip(scenario.versions());
        let responder = |(version, plan): (VersionIndex, &VersionPlan)| {
            let start = scenario.start;
            let setting = Setting { chance, version, start, may_be_limited: false };
            plan.behaviour().map(|behaviour| Responder::new(behaviour, setting))
        };
        let responders = versions.map(responder).collect();
        Self { responders, chance, limits: scenario.limits }
    }

    /// A fault is on a version from `onset` until an instant, or until open faults end.
    pub(super) fn begin_fault(
        &mut self,
        VersionIndex(version): VersionIndex,
        fault: &Fault,
        onset: Timestamp,
        until: Option<Timestamp>,
    ) {
        if let Some(Some(responder)) = self.responders.get_mut(usize::from(version)) {
            responder.begin_fault(fault, onset, until);
        }
    }

    /// Every fault without an end of its own ends.
    pub(super) fn end_open_faults(&mut self, now: Timestamp) {
        self.responders.iter_mut().flatten().for_each(|responder| responder.end_open_faults(now));
    }

    /// What a client would have seen of a request that was sent to `version` at this time.
    pub(super) fn instead(
        &self,
        VersionIndex(version): VersionIndex,
        request: &Request,
        sent: Timestamp,
    ) -> Option<Observed> {
        let responder = self.responders.get(usize::from(version))?.as_ref()?;
        let plan = responder.plan_instead(request, sent, self.chance.request(request.id, 0));
        Some(plan.observe(request, self.limits))
    }

    /// When upstreams were bad whose failures come in bursts, up to `end`.
    pub(super) fn bursts(&self, end: Timestamp) -> Vec<Bursts> {
        let versions = (0..).map(VersionIndex).zip(&self.responders);
        let bursts = versions.filter_map(|(version, responder)| {
            let stretches = responder.as_ref()?.bursts(end)?;
            Some(Bursts::new(version, stretches))
        });
        bursts.collect()
    }
}
