//! The requests of a live run: what the workload, the gateway and the client each tell of one comes
//! together here, and is observed once all is known.
//!
//! How a request ended is what the gateway says: its client may see no more of it than a status.
//! How long it took is what the client says, from when it was to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;

use super::notice::{AttemptEnd, ClientEnd};
use super::overheads::Overheads;
use crate::exchange::{Class, Ending, Observed, Request, VersionIndex};
use crate::mock::Planned;
use crate::record::{Arm, Attempt, KeyFault, KeyRefusal, Observer, Outcome};
use crate::units::{RequestId, Timestamp};

/// The requests that have not been told of for good.
pub(super) struct Requests {
    open: BTreeMap<RequestId, Open>,
    planned: Receiver<Planned>,
    /// Of attempts whose end has not been told.
    plans: BTreeMap<(RequestId, u8), Planned>,
    /// The clients whose last request was refused.
    locked_out: BTreeSet<u16>,
    /// How many were taken and neither assigned nor refused.
    unassigned: u64,
    pub(super) overheads: Overheads,
}

/// A request that has been taken.
#[derive(Clone, Debug)]
struct Open {
    request: Request,
    phase: u16,
    /// Where it was assigned, once it was.
    course: Option<Course>,
    is_refused: bool,
    client: Option<ClientEnd>,
}

/// What became of a request at the gateway.
#[derive(Clone, Debug)]
struct Course {
    assigned: VersionIndex,
    arm: Arm,
    after_onset: bool,
    attempts: u8,
    retried: bool,
    /// The version of the last attempt, and its side.
    served: (VersionIndex, Arm),
    /// How the last attempt ended; `None`: it is under way.
    end: Option<AttemptEnd>,
    plan: Option<Planned>,
}

impl Requests {
    /// None yet; of each attempt the mock tells `planned`.
    pub(super) fn new(planned: Receiver<Planned>) -> Self {
        Self {
            open: BTreeMap::new(),
            planned,
            plans: BTreeMap::new(),
            locked_out: BTreeSet::new(),
            unassigned: 0,
            overheads: Overheads::default(),
        }
    }

    /// How many were taken and neither assigned nor refused.
    pub(super) const fn unassigned(&self) -> u64 {
        self.unassigned
    }

    /// Whether all that is to be known of every request has been told.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// A request was taken from the workload.
    pub(super) fn taken(&mut self, phase: u16, request: Request) {
        let open = Open { request, phase, course: None, is_refused: false, client: None };
        self.open.insert(request.id, open);
        self.unassigned += 1;
    }

    /// A request was assigned; `after_onset`: to a version that had become bad.
    pub(super) fn assigned(
        &mut self,
        at: Timestamp,
        id: RequestId,
        (version, arm, after_onset): (VersionIndex, Arm, bool),
        observer: &mut impl Observer,
    ) {
        let Some(open) = self.open.get_mut(&id) else { return };
        self.unassigned -= 1;
        if self.locked_out.remove(&open.request.client) {
            observer.let_in(at, open.request.client);
        }
        observer.assigned(at, open.phase, version, arm);
        open.course = Some(Course {
            assigned: version,
            arm,
            after_onset,
            attempts: 1,
            retried: false,
            served: (version, arm),
            end: None,
            plan: None,
        });
    }

    /// Another attempt at a request began.
    pub(super) fn attempt_began(
        &mut self,
        at: Timestamp,
        id: RequestId,
        (version, arm): (VersionIndex, Arm),
        observer: &mut impl Observer,
    ) {
        let Some(course) = self.course(id) else { return };
        observer.attempt_began(at, version, arm);
        course.attempts = course.attempts.saturating_add(1);
        (course.served, course.end) = ((version, arm), None);
    }

    /// An attempt at a request has ended. What became of the request, if all is known by that.
    pub(super) fn attempt_ended(
        &mut self,
        at: Timestamp,
        (id, attempt): (RequestId, u8),
        mut end: AttemptEnd,
        observer: &mut impl Observer,
    ) -> Option<Outcome> {
        self.hear_plans();
        let plan = self.plans.remove(&(id, attempt));
        if end.observed.ending == Ending::Reset && plan.is_some_and(|it| is_refusal(&it)) {
            // On the wire of a mock both look the same: a connection cannot be refused that stands.
            end.observed.ending = Ending::Refused;
        }
        let open = self.open.get_mut(&id)?;
        let course = open.course.as_mut()?;
        course.retried |= end.is_followed;
        if course.retried {
            let (version, arm) = course.served;
            let (phase, first, class) = (open.phase, course.attempts == 1, end.class);
            let observed = end.observed;
            let told = Attempt { phase, version, arm, first, ended: at, class, observed };
            observer.attempted(&told);
        }
        (course.end, course.plan) = (Some(end), plan);
        self.settle(id)
    }

    /// A request was refused for its key.
    pub(super) fn key_refused(
        &mut self,
        at: Timestamp,
        id: RequestId,
        reason: KeyFault,
        observer: &mut impl Observer,
    ) {
        let Some(open) = self.open.get_mut(&id).filter(|open| !open.is_refused) else { return };
        let Request { model, client, .. } = open.request;
        open.is_refused = true;
        self.unassigned -= 1;
        self.locked_out.insert(client);
        let phase = open.phase;
        observer.key_rejected(&KeyRefusal { at, phase, model, client, reason });
        // Nothing comes of it: it was told.
        let _ = self.settle(id);
    }

    /// A request has ended for its client. What became of it, if all is known by that.
    pub(super) fn finished(&mut self, end: ClientEnd) -> Option<Outcome> {
        self.overheads.sent(end.lag);
        self.open.get_mut(&end.id)?.client = Some(end);
        self.settle(end.id)
    }

    /// Nothing more will be known. How many requests never reached the gateway, or of how many it
    /// never told the end.
    pub(super) fn give_up(&mut self) -> u64 {
        let lost = self.open.len() as u64;
        self.open.clear();
        self.overheads.lost += lost;
        lost
    }

    /// What became of a request, if all is known of it, but for one that was refused.
    fn settle(&mut self, id: RequestId) -> Option<Outcome> {
        let open = self.open.get(&id)?;
        let client = open.client?;
        if open.is_refused {
            self.open.remove(&id);
            return None;
        }
        // Otherwise the gateway has not noticed yet that its client has left, or that it is there.
        let course = open.course.as_ref()?;
        let outcome = outcome(open, course, course.end?, &client);
        if let Some(plan) = course.plan.filter(|_| course.attempts == 1) {
            self.overheads.compare(&plan, &outcome.observed, client.lag);
        }
        self.open.remove(&id);
        Some(outcome)
    }

    fn course(&mut self, id: RequestId) -> Option<&mut Course> {
        self.open.get_mut(&id)?.course.as_mut()
    }

    fn hear_plans(&mut self) {
        let told = self.planned.try_iter();
        self.plans.extend(told.map(|plan| ((plan.number.id, plan.number.attempt), plan)));
    }
}

fn is_refusal(plan: &Planned) -> bool {
    plan.ending == Ending::Refused
}

/// What became of a request of which all is known.
fn outcome(open: &Open, course: &Course, end: AttemptEnd, client: &ClientEnd) -> Outcome {
    let Course { assigned, arm, after_onset, attempts, retried, served, .. } = *course;
    let (latency, first_token) = (client.latency(), client.first_token);
    let (class, observed) = if end.is_followed {
        // It left while the gateway waited for the next attempt.
        (Class::Neutral, Observed::without_answer(Ending::ClientClosed, latency))
    } else {
        (end.class, Observed { latency, first_token, ..end.observed })
    };
    Outcome {
        request: open.request,
        phase: open.phase,
        assigned,
        served: served.0,
        attempts,
        retried,
        arm,
        started: client.intended,
        ended: client.ended,
        class,
        observed,
        after_onset,
        counterfactual: None,
    }
}
