//! Who is locked out: counts refused requests by client, and tells each stretch of them once.

use std::collections::BTreeMap;

use super::{Happening, KeyFault, KeyRefusal, KeyRejections, Timeline};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

/// The refusals of a run so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Lockouts {
    counts: BTreeMap<(u16, ModelIndex, u16, KeyFault), u64>,
    /// By client, the stretch of refusals that goes on.
    open: BTreeMap<u16, Open>,
}

/// A stretch of refusals for one reason.
#[derive(Clone, Copy, Debug)]
struct Open {
    reason: KeyFault,
    /// Its event's place in the timeline; `None` where there was no room for it.
    event: Option<usize>,
}

impl Lockouts {
    /// Counts a refused request. The first of a stretch becomes an event of the timeline.
    pub(super) fn refused(&mut self, refusal: &KeyRefusal, timeline: &mut Timeline) {
        let KeyRefusal { at, phase, model, client, reason } = *refusal;
        *self.counts.entry((phase, model, client, reason)).or_default() += 1;
        if self.open.get(&client).is_none_or(|open| open.reason != reason) {
            self.let_in(at, client, timeline);
            let begins = Happening::LockedOut { client, reason, requests: 0, until: None };
            self.open.insert(client, Open { reason, event: timeline.push(at, begins) });
        }
        let event = self.open.get(&client).and_then(|open| open.event);
        if let Some(Happening::LockedOut { requests, .. }) =
            event.and_then(|event| timeline.happening_mut(event))
        {
            *requests += 1;
        }
    }

    /// Ends the stretch of refusals of a client, if one goes on.
    pub(super) fn let_in(&mut self, at: Timestamp, client: u16, timeline: &mut Timeline) {
        let event = self.open.remove(&client).and_then(|open| open.event);
        if let Some(Happening::LockedOut { until, .. }) =
            event.and_then(|event| timeline.happening_mut(event))
        {
            *until = Some(at);
        }
    }

    /// What was counted, in the order of phases.
    pub(super) fn finish(self) -> Vec<KeyRejections> {
        let counted = |((phase, model, client, reason), count)| {
            let (client, reason) = (Some(client), Some(reason));
            KeyRejections { phase, model, client, reason, count }
        };
        self.counts.into_iter().map(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TimelineEvent;

    fn refusal(second: i64, client: u16, reason: KeyFault) -> KeyRefusal {
        let phase = u16::from(second >= 10);
        let at = Timestamp::from_second(second);
        KeyRefusal { at, phase, model: ModelIndex(0), client, reason }
    }

    #[test]
    fn a_stretch_of_refusals_is_one_event_and_every_request_is_counted() {
        let (mut lockouts, mut timeline) = (Lockouts::default(), Timeline::default());
        for second in 8..12 {
            lockouts.refused(&refusal(second, 1, KeyFault::Replaced), &mut timeline);
        }
        lockouts.refused(&refusal(12, 2, KeyFault::RolledBack), &mut timeline);
        lockouts.refused(&refusal(13, 1, KeyFault::Unknown), &mut timeline);
        lockouts.let_in(Timestamp::from_second(20), 2, &mut timeline);
        lockouts.refused(&refusal(21, 2, KeyFault::RolledBack), &mut timeline);
        let event = |at, client, reason, requests, until: Option<i64>| TimelineEvent {
            at: Timestamp::from_second(at),
            happening: Happening::LockedOut {
                client,
                reason,
                requests,
                until: until.map(Timestamp::from_second),
            },
        };
        assert_eq!(
            timeline.events,
            [
                event(8, 1, KeyFault::Replaced, 4, Some(13)),
                event(12, 2, KeyFault::RolledBack, 1, Some(20)),
                event(13, 1, KeyFault::Unknown, 1, None),
                event(21, 2, KeyFault::RolledBack, 1, None),
            ]
        );
        let counts = lockouts.finish();
        let told = |one: &KeyRejections| (one.phase, one.client.unwrap(), one.count);
        let counts: Vec<_> = counts.iter().map(told).collect();
        assert_eq!(counts, [(0, 1, 2), (1, 1, 1), (1, 1, 2), (1, 2, 2)]);
    }

    #[test]
    fn requests_are_counted_where_the_timeline_has_no_room() {
        let (mut lockouts, mut timeline) = (Lockouts::default(), Timeline::default());
        for _ in 0..Timeline::CAPACITY {
            timeline.push(Timestamp::EPOCH, Happening::PhaseBegan { phase: 0 });
        }
        lockouts.refused(&refusal(3, 0, KeyFault::Unknown), &mut timeline);
        lockouts.refused(&refusal(4, 0, KeyFault::Unknown), &mut timeline);
        lockouts.let_in(Timestamp::from_second(5), 0, &mut timeline);
        assert_eq!((timeline.omitted, lockouts.finish()[0].count), (1, 2));
    }
}
