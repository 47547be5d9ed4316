//! One behaviour at work: its responder, who is being answered, and who waits for a turn.
//!
//! Knows nothing of HTTP. A request is in by [`Lane::enter`] and out when its [`Seat`] is dropped,
//! however that comes about: so a client that leaves frees its slot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::tally::Tally;
use crate::chance::Draws;
use crate::clock::WallClock;
use crate::exchange::{Ending, Request};
use crate::units::Timestamp;
use crate::upstream::{Begun, Behaviour, Fault, Responder, ResponsePlan, Setting, Waiting};

/// A fault and its instants.
#[derive(Clone, Debug)]
pub(super) struct ScheduledFault {
    pub(super) fault: Fault,
    pub(super) onset: Timestamp,
    /// `None`: until it is taken off.
    pub(super) until: Option<Timestamp>,
}

/// An upstream of one behaviour. When the behaviour changes there is a new one; who is in the old
/// one is answered by it.
#[derive(Debug)]
pub(super) struct Lane {
    state: Mutex<State>,
    clock: WallClock,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct State {
    responder: Responder,
    waiting: BTreeMap<u32, Waiter>,
    names: u32,
}

/// A request that waits.
#[derive(Debug)]
struct Waiter {
    request: Request,
    draws: Draws,
    came: Timestamp,
    turn: oneshot::Sender<ResponsePlan>,
}

impl Lane {
    /// An upstream of this behaviour, with these faults on it, that nobody has asked yet.
    pub(super) fn new(
        behaviour: &Behaviour,
        faults: &[ScheduledFault],
        setting: Setting,
        clock: WallClock,
        tally: Arc<Tally>,
    ) -> Self {
        let mut responder = Responder::new(behaviour, setting);
        for fault in faults {
            responder.begin_fault(&fault.fault, fault.onset, fault.until);
        }
        let state = State { responder, waiting: BTreeMap::new(), names: 0 };
        Self { state: Mutex::new(state), clock, tally }
    }

    /// How many requests wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// A request comes `now`, and waits for its turn where it must.
    pub(super) async fn enter(
        self: Arc<Self>,
        request: Request,
        draws: Draws,
        now: Timestamp,
    ) -> (Seat, ResponsePlan) {
        self.tally.begin();
        let mut seat = Seat { lane: self, held: Held::Nothing, ending: Ending::ClientClosed };
        let turn = match seat.arrive(request, draws, now) {
            Ok(plan) => return (seat, plan),
            Err(turn) => turn,
        };
        match turn.await {
            Ok(plan) => {
                seat.held = Held::Slot;
                (seat, plan)
            }
            // The seat keeps the lane, and the lane keeps the other end until it is used.
            Err(_) => std::future::pending().await,
        }
    }

    /// These faults are on it from `now` on, and no others.
    pub(super) fn set_faults(&self, faults: &[ScheduledFault], now: Timestamp) {
        let mut state = self.lock();
        state.responder.end_all_faults();
        for fault in faults {
            state.responder.begin_fault(&fault.fault, fault.onset, fault.until);
        }
        state.admit(now);
    }

    /// Whoever can have a turn `now` gets it: a fault has begun or ended.
    pub(super) fn admit(&self, now: Timestamp) {
        self.lock().admit(now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whoever can have a turn `now` gets it.
    fn admit(&mut self, now: Timestamp) {
        while let Some(Waiting(name)) = self.responder.admit(now) {
            let Some(waiter) = self.waiting.remove(&name) else { continue };
            let Waiter { request, draws, came, turn } = waiter;
            let plan = self.responder.resume(&request, now, draws, now.since(came));
            // One that leaves at this moment finds its name gone, and gives its slot back.
            let _ = turn.send(plan);
        }
    }
}

/// The place of one request at its upstream, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    lane: Arc<Lane>,
    held: Held,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    Nothing,
    Slot,
    Place(u32),
}

impl Seat {
    /// The response has ended so. A seat that is dropped without this was left by its client.
    pub(super) fn end(mut self, ending: Ending) {
        self.ending = ending;
    }

    /// The response will have ended so whenever the seat is dropped.
    pub(super) const fn will_end(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// What happens to the request, or where that will be said.
    fn arrive(
        &mut self,
        request: Request,
        draws: Draws,
        now: Timestamp,
    ) -> Result<ResponsePlan, oneshot::Receiver<ResponsePlan>> {
        let mut state = self.lane.lock();
        match state.responder.begin(&request, now, draws) {
            Begun::Free(plan) => Ok(plan),
            Begun::InSlot(plan) => {
                self.held = Held::Slot;
                Ok(plan)
            }
            Begun::Waits => {
                let (turn, told) = oneshot::channel();
                let name = state.names;
                state.names = name.wrapping_add(1);
                state.responder.enqueue(Waiting(name));
                state.waiting.insert(name, Waiter { request, draws, came: now, turn });
                self.held = Held::Place(name);
                state.admit(now);
                Err(told)
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lane.tally.end(self.ending);
        if self.held == Held::Nothing {
            return;
        }
        let now = self.lane.clock.now();
        let mut state = self.lane.lock();
        match self.held {
            Held::Place(name) if state.waiting.remove(&name).is_some() => {
                state.responder.leave(Waiting(name));
            }
            // Whose name is gone got a turn without learning of it.
            _ => state.responder.end(),
        }
        state.admit(now);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::chance::Chance;
    use crate::clock::TimeScale;
    use crate::exchange::{ModelIndex, VersionIndex};
    use crate::mock::DescribedBehaviour;
    use crate::units::{Duration, RequestId, Tokens};

    const CHANCE: Chance = Chance::new(3, 0);

    /// One slot, and two places to wait.
    fn lane() -> Arc<Lane> {
        let upstream = serde_json::json!({
            "latency": "1s", "capacity": {"concurrency": 1, "queue": 2, "on_full": 503},
        });
        let read = DescribedBehaviour::read(&upstream).unwrap();
        let clock = WallClock::new(TimeScale::REAL);
        let start = clock.now();
        let setting =
            Setting { chance: CHANCE, version: VersionIndex(0), start, may_be_limited: false };
        Arc::new(Lane::new(read.behaviour(), &[], setting, clock, Arc::default()))
    }

    fn enter(lane: &Arc<Lane>, id: u64) -> impl Future<Output = (Seat, ResponsePlan)> + use<> {
        let request = Request {
            id: RequestId(id),
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(1),
            output: Tokens::new(3),
            stream: false,
        };
        let now = lane.clock.now();
        Arc::clone(lane).enter(request, CHANCE.request(request.id, 0), now)
    }

    #[test]
    fn the_next_in_line_gets_the_slot_of_who_ended() {
        let lane = lane();
        let (first, plan) = enter(&lane, 0).now_or_never().unwrap();
        assert_eq!(plan.latency, Duration::from_secs(1));
        let [mut second, mut third] = [1, 2].map(|id| Box::pin(enter(&lane, id)));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        let (refused, plan) = enter(&lane, 3).now_or_never().unwrap();
        assert_eq!(plan.ending, Ending::Status(503));
        refused.end(plan.ending);
        first.end(Ending::Success);
        assert!((&mut third).now_or_never().is_none(), "nobody overtakes");
        let (second, plan) = second.now_or_never().unwrap();
        assert!(plan.latency > Duration::from_secs(1), "its wait counts");
        second.end(Ending::Success);
        assert!(third.now_or_never().is_some());
        let counted = lane.tally.to_json();
        assert_eq!(counted["endings"]["success"], 2);
        assert_eq!(counted["endings"]["503"], 1);
        assert_eq!((lane.waiting(), &counted["in_flight"]), (0, &serde_json::json!(0)));
    }

    #[test]
    fn who_leaves_frees_its_slot_and_its_place() {
        let lane = lane();
        let (first, _) = enter(&lane, 0).now_or_never().unwrap();
        let [mut second, mut third] = [1, 2].map(|id| Box::pin(enter(&lane, id)));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        drop(second);
        assert_eq!(lane.waiting(), 1);
        drop(first);
        // The third has its turn and does not know: it leaves as well.
        assert_eq!(lane.waiting(), 0);
        drop(third);
        assert!(enter(&lane, 3).now_or_never().is_some());
        assert_eq!(lane.tally.to_json()["endings"]["client_closed"], 4);
    }
}
