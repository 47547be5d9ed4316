//! The requests of a run whose gateway is elsewhere: what it made of them is told by nobody. The
//! mock tells which attempts reached which version, and the clients what came of them.

use super::conductor::Conductor;
use super::error::LiveError;
use super::far::Came;
use super::live_watch::LiveWatch;
use super::notice::{AttemptEnd, ClientEnd, Notice};
use crate::engine::RuleSet;
use crate::exchange::{Ending, Observed, Request, VersionIndex};
use crate::mock::{MockNews, Planned};
use crate::record::{Arm, KeyFault};
use crate::units::{Duration, RequestId, Timestamp};

impl Conductor<'_> {
    /// Hears what the mock was asked for, where nobody else tells of it.
    pub(super) fn hear_mock(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        let news: Vec<MockNews> = match &self.far {
            Some(far) => far.mock.try_iter().collect(),
            None => return Ok(()),
        };
        for news in news {
            match news {
                MockNews::Came { number, version, at } => {
                    self.reached(Came { number, version, at }, watch)?;
                }
                MockNews::Planned(plan) => self.requests.plan(plan),
            }
        }
        Ok(())
    }

    /// Hears again what came to the mock of a request that is only known now.
    pub(super) fn hear_early(
        &mut self,
        id: RequestId,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let early = self.far.as_mut().and_then(|far| far.early.remove(&id));
        early.into_iter().flatten().try_for_each(|came| self.reached(came, watch))
    }

    /// An attempt at a request has reached a version.
    fn reached(&mut self, came: Came, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        let Came { number, version, at } = came;
        let id = number.id;
        let Some(request) = self.requests.request(id).copied() else {
            // Either it has not been heard of yet, or all has been told of it and none asks again.
            if let Some(far) = &mut self.far {
                far.early.entry(id).or_default().push(came);
            }
            return Ok(());
        };
        let Some((arm, stable)) = self.side(&request, version, at) else { return Ok(()) };
        if number.attempt == 0 {
            return self.hear(Notice::Assigned { at, id, version, arm, stable }, watch);
        }
        let attempt = number.attempt - 1;
        let before = self.requests.planned(id, attempt);
        // What was to succeed, or still waits for its turn, and is tried again came too late.
        let ending = before.map_or(TOO_LATE, |before| before.ending);
        let ending = if ending == Ending::Success { TOO_LATE } else { ending };
        let latency = before.map_or(Duration::ZERO, |before| before.latency);
        let observed = Observed::without_answer(ending, latency);
        let class = ending.class(self.rules_of(&request).classification);
        let ended = AttemptEnd { class, observed, is_followed: true };
        self.hear(Notice::AttemptEnded { at, id, attempt, ended }, watch)?;
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
            self.ended_by_itself(end);
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

    /// A request has ended of which no attempt has reached the mock: where it was answered, or its
    /// client gave up, it was the gateway that kept it, and it is not lost on the way there.
    fn ended_by_itself(&mut self, end: &ClientEnd) {
        let is_kept = matches!(end.ending, Ending::Status(_) | Ending::Timeout);
        let Some(far) = self.far.as_mut().filter(|_| is_kept) else { return };
        *far.by_itself.entry(end.ending).or_default() += 1;
        self.requests.ended_before_assigned(end.id);
    }

    /// On which side of the split a request stood that was sent to a version at a time, and the
    /// stable of its model then.
    fn side(
        &self,
        request: &Request,
        version: VersionIndex,
        at: Timestamp,
    ) -> Option<(Arm, Option<VersionIndex>)> {
        let retelling = &self.far.as_ref()?.retelling;
        let client = self.scenario.population().clients.get(usize::from(request.client));
        let is_pinned = client.is_some_and(|client| client.pin.is_some());
        let arm = match is_pinned {
            true => Arm::Pinned,
            false => retelling.arm(request.model, version, at),
        };
        Some((arm, retelling.stable(request.model, at)))
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
