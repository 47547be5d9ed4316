//! The requests of a run whose gateway is elsewhere: what it made of them is told by nobody. The
//! mock tells which attempts reached which version, and the clients what came of them.

use super::conductor::Conductor;
use super::error::LiveError;
use super::live_watch::LiveWatch;
use super::notice::{AttemptEnd, ClientEnd, Notice};
use crate::engine::RuleSet;
use crate::exchange::{Ending, Observed, Request, VersionIndex};
use crate::mock::Planned;
use crate::record::{Arm, KeyFault};
use crate::units::RequestId;

impl Conductor<'_> {
    /// Hears what the mock was asked for, where nobody else tells of it.
    pub(super) fn hear_mock(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        let plans: Vec<Planned> = match &self.far {
            Some(far) => far.plans.try_iter().collect(),
            None => return Ok(()),
        };
        plans.into_iter().try_for_each(|plan| self.reached(plan, watch))
    }

    /// Hears again what the mock was asked for of a request that is only known now.
    pub(super) fn hear_early(
        &mut self,
        id: RequestId,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let early = self.far.as_mut().and_then(|far| far.early.remove(&id));
        early.into_iter().flatten().try_for_each(|plan| self.reached(plan, watch))
    }

    /// An attempt at a request has reached a version.
    fn reached(&mut self, plan: Planned, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        let Planned { number, version, came: at, .. } = plan;
        let id = number.id;
        let Some(request) = self.requests.request(id).copied() else {
            // Either it has not been heard of yet, or all has been told of it and none asks again.
            if let Some(far) = &mut self.far {
                far.early.entry(id).or_default().push(plan);
            }
            return Ok(());
        };
        let Some((arm, stable)) = self.side(&request, version) else { return Ok(()) };
        if number.attempt == 0 {
            self.requests.plan(plan);
            return self.hear(Notice::Assigned { at, id, version, arm, stable }, watch);
        }
        let attempt = number.attempt - 1;
        if let Some(before) = self.requests.planned(id, attempt) {
            // What was to succeed and is tried again came too late.
            let ending = if before.ending == Ending::Success { TOO_LATE } else { before.ending };
            let observed = Observed::without_answer(ending, before.latency);
            let class = ending.class(self.rules_of(&request).classification);
            let ended = AttemptEnd { class, observed, is_followed: true };
            self.hear(Notice::AttemptEnded { at, id, attempt, ended }, watch)?;
        }
        self.requests.plan(plan);
        self.hear(Notice::AttemptBegan { at, id, version, arm }, watch)
    }

    /// A request has ended, as its client sees it, who alone tells of it.
    pub(super) fn ended_far(
        &mut self,
        end: &ClientEnd,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        self.hear_mock(watch)?;
        let (id, at) = (end.id, end.ended);
        let Some(request) = self.requests.request(id).copied() else { return Ok(()) };
        let Some((attempt, served)) = self.requests.last_attempt(id) else {
            if matches!(end.ending, Ending::Status(401 | 403)) {
                let reason = self.key_fault(&request);
                return self.hear(Notice::KeyRefused { at, id, reason }, watch);
            }
            return Ok(());
        };
        if let Some(far) = self.far.as_mut().filter(|_| end.ending == Ending::Success) {
            far.contradicted += u64::from(end.served != Some(served));
        }
        let ending = ending(self.requests.planned(id, attempt).as_ref(), end.ending);
        let class = ending.class(self.rules_of(&request).classification);
        let observed = Observed { ending, ..end.observed };
        let ended = AttemptEnd { class, observed, is_followed: false };
        self.hear(Notice::AttemptEnded { at, id, attempt, ended }, watch)
    }

    /// On which side of the split a request stands that was sent to a version, and the stable of
    /// its model.
    fn side(
        &self,
        request: &Request,
        version: VersionIndex,
    ) -> Option<(Arm, Option<VersionIndex>)> {
        let retelling = &self.far.as_ref()?.retelling;
        let client = self.scenario.population().clients.get(usize::from(request.client));
        let is_pinned = client.is_some_and(|client| client.pin.is_some());
        let arm = match is_pinned {
            true => Arm::Pinned,
            false => retelling.arm(request.model, version),
        };
        Some((arm, retelling.stable(request.model)))
    }

    /// Why the key of a request was refused, by what was done to it.
    fn key_fault(&self, request: &Request) -> KeyFault {
        let client = self.scenario.population().clients.get(usize::from(request.client));
        let retelling = self.far.as_ref().map(|far| &far.retelling);
        let is_revoked = client.zip(retelling).is_some_and(|(it, told)| told.is_revoked(&it.key));
        if is_revoked { KeyFault::Unknown } else { KeyFault::Replaced }
    }

    fn rules_of(&self, request: &Request) -> &RuleSet {
        &self.present[usize::from(request.model.0)]
    }
}

/// How an attempt ended of which its client has `seen` this: a gateway passes on no more of a
/// broken connection than a status of its own, and the mock knows what it did.
fn ending(plan: Option<&Planned>, seen: Ending) -> Ending {
    let planned = plan.map_or(Ending::Success, |plan| plan.ending);
    match seen {
        Ending::Success => Ending::Success,
        // It was the client that gave up.
        Ending::Timeout => Ending::ClientClosed,
        Ending::Status(504) if planned != seen => TOO_LATE,
        _ if planned == Ending::Success => seen,
        _ => planned,
    }
}

/// What a gateway that waits no longer makes of an attempt.
const TOO_LATE: Ending = Ending::Timeout;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Duration, Timestamp};
    use crate::wire::RequestNumber;

    #[test]
    fn what_the_gateway_hides_the_mock_tells() {
        let plan = |ending| Planned {
            number: RequestNumber { id: RequestId(1), attempt: 0 },
            version: VersionIndex(0),
            came: Timestamp::EPOCH,
            ending,
            latency: Duration::from_millis(5),
            first_token: None,
        };
        for (planned, seen, ended) in [
            (Ending::Success, Ending::Success, Ending::Success),
            (Ending::Reset, Ending::Status(502), Ending::Reset),
            (Ending::Malformed, Ending::Status(502), Ending::Malformed),
            (Ending::Status(503), Ending::Status(503), Ending::Status(503)),
            (Ending::Status(504), Ending::Status(504), Ending::Status(504)),
            (Ending::Success, Ending::Status(504), Ending::Timeout),
            (Ending::Truncated, Ending::ErrorInStream, Ending::Truncated),
            // What the gateway says of its own accord.
            (Ending::Success, Ending::Status(503), Ending::Status(503)),
            (Ending::Success, Ending::Timeout, Ending::ClientClosed),
        ] {
            assert_eq!(ending(Some(&plan(planned)), seen), ended, "{planned:?}, {seen:?}");
        }
    }
}
