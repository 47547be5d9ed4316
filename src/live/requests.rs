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
use crate::mock::{MockNews, Planned};
use crate::record::{Arm, Attempt, Counterfactual, KeyFault, KeyRefusal, Observer, Outcome};
use crate::units::{RequestId, Timestamp};

/// The requests that have not been told of for good.
pub(super) struct Requests {
    open: BTreeMap<RequestId, Open>,
    mock: Receiver<MockNews>,
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
    /// Whether its version had become bad, and then what would have been seen of the stable.
    after_onset: bool,
    instead: Option<(Observed, Class)>,
    attempts: u8,
    retried: bool,
    /// The version of the last attempt, and its side.
    served: (VersionIndex, Arm),
    /// How the last attempt ended; `None`: it is under way.
    end: Option<AttemptEnd>,
    plan: Option<Planned>,
}

impl Requests {
    /// None yet; the `mock` tells of each attempt.
    pub(super) fn new(mock: Receiver<MockNews>) -> Self {
        Self {
            open: BTreeMap::new(),
            mock,
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

    /// The request of this number, if not all has been told of it.
    pub(super) fn request(&self, id: RequestId) -> Option<&Request> {
        self.open.get(&id).map(|open| &open.request)
    }

    /// This is what the mock plans for an attempt.
    pub(super) fn plan(&mut self, plan: Planned) {
        self.plans.insert((plan.number.id, plan.number.attempt), plan);
    }

    /// What the mock plans for an attempt whose end has not been told.
    pub(super) fn planned(&self, id: RequestId, attempt: u8) -> Option<Planned> {
        self.plans.get(&(id, attempt)).copied()
    }

    /// The last attempt at a request that was assigned, and its version.
    pub(super) fn last_attempt(&self, id: RequestId) -> Option<(u8, VersionIndex)> {
        let course = self.open.get(&id)?.course.as_ref()?;
        Some((course.attempts.saturating_sub(1), course.served.0))
    }

    /// What would have been seen of the stable had it got a request that was assigned to a version
    /// after that had become bad, and what that would have counted as; `None`: it was the stable.
    pub(super) fn harmed(&mut self, id: RequestId, instead: Option<(Observed, Class)>) {
        if let Some(course) = self.course(id) {
            (course.after_onset, course.instead) = (true, instead);
        }
    }

    /// A request was assigned.
    pub(super) fn assigned(
        &mut self,
        at: Timestamp,
        id: RequestId,
        (version, arm): (VersionIndex, Arm),
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
            after_onset: false,
            instead: None,
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

    /// A request was ended by who reached no version with it: nothing more is known of it.
    pub(super) fn ended_before_assigned(&mut self, id: RequestId) {
        self.unassigned -= u64::from(self.open.remove(&id).is_some());
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

    /// Nothing more will be known: what is open never reached the gateway, or its end was never
    /// told.
    pub(super) fn give_up(&mut self) {
        self.overheads.lost += self.open.len() as u64;
        self.open.clear();
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
        while let Ok(news) = self.mock.try_recv() {
            if let MockNews::Planned(plan) = news {
                self.plan(plan);
            }
        }
    }
}

fn is_refusal(plan: &Planned) -> bool {
    plan.ending == Ending::Refused
}

/// What became of a request of which all is known.
fn outcome(open: &Open, course: &Course, end: AttemptEnd, client: &ClientEnd) -> Outcome {
    let Course { assigned, arm, after_onset, instead, attempts, retried, served, .. } = *course;
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
        counterfactual: instead
            .map(|(instead, class)| Counterfactual::of(&observed, &instead, class)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::exchange::{Finish, ModelIndex, Usage};
    use crate::record::{Cell, ModelInfo, Recorder, RunHeader, VersionInfo};
    use crate::units::{Duration, ModelId, Tokens, VersionId};
    use crate::wire::RequestNumber;

    const ID: RequestId = RequestId(7);
    const NEW: VersionIndex = VersionIndex(1);

    struct World {
        requests: Requests,
        planned: Sender<MockNews>,
        recorder: Recorder,
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_millis(millis)
    }

    fn world() -> World {
        let (planned, plans) = channel();
        let version = |id: &str| VersionInfo {
            id: VersionId::new(id).unwrap(),
            tags: Vec::new(),
            price: None,
        };
        let model = ModelInfo {
            id: ModelId::new("m").unwrap(),
            assignment: crate::engine::Assignment::Random,
            versions: vec![version("old"), version("new")],
            triggers: Vec::new(),
        };
        let recorder = Recorder::new(RunHeader {
            seed: 1,
            start: Timestamp::EPOCH,
            models: vec![model],
            clients: Vec::new(),
            phases: vec!["all".to_owned()],
        });
        let mut world = World { requests: Requests::new(plans), planned, recorder };
        let request = Request {
            id: ID,
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(10),
            output: Tokens::new(5),
            stream: true,
        };
        world.requests.taken(0, request);
        world
    }

    impl World {
        fn assign(&mut self) {
            let to = (NEW, Arm::Canary);
            self.requests.assigned(at(3), ID, to, &mut self.recorder);
        }

        fn plan(&self, attempt: u8, ending: Ending, millis: u64) {
            let number = RequestNumber { id: ID, attempt };
            let (version, came) = (NEW, at(3));
            let (latency, first_token) = (Duration::from_millis(millis), None);
            let plan = Planned { number, version, came, ending, latency, first_token };
            self.planned.send(MockNews::Planned(plan)).unwrap();
        }

        fn attempt_ends(
            &mut self,
            attempt: u8,
            ending: Ending,
            is_followed: bool,
        ) -> Option<Outcome> {
            let class = if ending == Ending::Success { Class::Success } else { Class::Error };
            let observed = Observed::without_answer(ending, Duration::from_millis(90));
            let usage = Usage { input: Tokens::new(10), output: Tokens::new(5) };
            let (usage, finish) = match ending {
                Ending::Success => (usage, Some(Finish::Stop)),
                _ => (Usage::default(), None),
            };
            let observed = Observed { usage, finish, ..observed };
            let end = AttemptEnd { class, observed, is_followed };
            self.requests.attempt_ended(at(93), (ID, attempt), end, &mut self.recorder)
        }

        fn client_ends(&mut self, ending: Ending) -> Option<Outcome> {
            self.requests.finished(ClientEnd {
                id: ID,
                intended: at(0),
                ended: at(100),
                ending,
                observed: Observed::without_answer(ending, Duration::from_millis(100)),
                served: None,
                first_token: Some(Duration::from_millis(40)),
                lag: Duration::from_millis(2),
            })
        }

        fn cells(self) -> Vec<Cell> {
            self.recorder.finish(at(200), Vec::new(), Vec::new()).cells
        }
    }

    #[test]
    fn a_request_that_reached_no_version_is_settled_and_not_lost() {
        let mut world = world();
        assert_eq!(world.requests.unassigned(), 1);
        world.requests.ended_before_assigned(ID);
        world.requests.ended_before_assigned(ID);
        assert_eq!(world.client_ends(Ending::Status(429)), None);
        world.requests.give_up();
        assert!(world.requests.is_settled() && world.requests.unassigned() == 0);
        assert_eq!(world.requests.overheads.lost, 0);
    }

    #[test]
    fn how_it_ended_is_the_gateways_to_say_and_how_long_it_took_the_clients() {
        let mut world = world();
        world.assign();
        world.plan(0, Ending::Success, 88);
        assert_eq!(world.attempt_ends(0, Ending::Success, false), None, "its client waits still");
        let outcome = world.client_ends(Ending::Malformed).unwrap();
        let Outcome { observed, class, served, attempts, .. } = outcome;
        assert_eq!(
            (observed.ending, class, served, attempts),
            (Ending::Success, Class::Success, NEW, 1)
        );
        assert_eq!(observed.latency, Duration::from_millis(100));
        assert_eq!(observed.first_token, Some(Duration::from_millis(40)));
        assert_eq!(observed.usage.output, Tokens::new(5));
        assert!(world.requests.is_settled() && world.requests.unassigned() == 0);
        let real = crate::clock::TimeScale::REAL;
        let [whole, service] = world.requests.overheads.added(real);
        let near = |time: Option<Duration>, millis: f64| {
            (time.unwrap().as_secs_f64() * 1e3 - millis).abs() < 0.1
        };
        assert!(near(whole.p50, 12.0) && near(service.p50, 10.0), "{whole:?} {service:?}");
    }

    #[test]
    fn what_was_planned_as_refused_is_no_reset() {
        for (planned, recorded) in
            [(Ending::Refused, Ending::Refused), (Ending::Reset, Ending::Reset)]
        {
            let mut world = world();
            world.assign();
            world.plan(0, planned, 10);
            world.attempt_ends(0, Ending::Reset, false);
            let outcome = world.client_ends(Ending::Status(502)).unwrap();
            assert_eq!(outcome.observed.ending, recorded);
        }
    }

    #[test]
    fn each_of_several_attempts_is_told_and_the_last_is_the_requests() {
        let mut world = world();
        world.assign();
        assert_eq!(world.attempt_ends(0, Ending::Status(503), true), None);
        let to = (VersionIndex(0), Arm::Stable);
        world.requests.attempt_began(at(94), ID, to, &mut world.recorder);
        world.attempt_ends(255, Ending::Success, false);
        let outcome = world.client_ends(Ending::Success).unwrap();
        assert_eq!((outcome.attempts, outcome.retried, outcome.served), (2, true, VersionIndex(0)));
        let cells = world.cells();
        let attempts = |version: u16| {
            let cell = cells.iter().find(|cell| cell.version.0 == version).unwrap();
            cell.attempts.as_ref().unwrap()
        };
        assert_eq!(attempts(1).failed.of("503"), 1);
        assert_eq!(attempts(0).succeeded, 1);
    }

    #[test]
    fn a_client_that_leaves_between_two_attempts_has_left() {
        let mut world = world();
        world.assign();
        world.attempt_ends(0, Ending::Status(503), true);
        let outcome = world.client_ends(Ending::Timeout).unwrap();
        assert_eq!(outcome.observed.ending, Ending::ClientClosed);
        assert_eq!((outcome.class, outcome.attempts, outcome.retried), (Class::Neutral, 1, true));
    }

    #[test]
    fn a_client_that_has_left_waits_for_the_gateway_to_notice() {
        let mut world = world();
        world.assign();
        assert_eq!(world.client_ends(Ending::Timeout), None);
        assert!(!world.requests.is_settled());
        let outcome = world.attempt_ends(0, Ending::ClientClosed, false).unwrap();
        assert_eq!(outcome.observed.ending, Ending::ClientClosed);
        assert_eq!(outcome.observed.latency, Duration::from_millis(100));
    }

    #[test]
    fn a_request_of_a_bad_version_is_held_against_what_the_stable_would_have_done() {
        let slow =
            |millis| Observed::without_answer(Ending::Success, Duration::from_millis(millis));
        for (instead, slowed) in [(slow(70), true), (slow(95), false)] {
            let mut world = world();
            world.assign();
            world.requests.harmed(ID, Some((instead, Class::Success)));
            world.attempt_ends(0, Ending::Success, false);
            let outcome = world.client_ends(Ending::Success).unwrap();
            let expected = Counterfactual { failed: false, slowed };
            assert_eq!((outcome.after_onset, outcome.counterfactual), (true, Some(expected)));
        }
    }

    #[test]
    fn what_never_reached_the_gateway_is_lost() {
        let mut world = world();
        assert_eq!(world.client_ends(Ending::Refused), None);
        assert_eq!(world.requests.unassigned(), 1);
        world.requests.give_up();
        assert_eq!(world.requests.overheads.lost, 1);
    }

    #[test]
    fn a_request_that_is_refused_for_its_key_is_told_once() {
        let mut world = world();
        let World { requests, recorder, .. } = &mut world;
        for _ in 0..2 {
            requests.key_refused(at(3), ID, KeyFault::Replaced, recorder);
        }
        assert_eq!(world.client_ends(Ending::Status(401)), None);
        assert!(world.requests.is_settled() && world.requests.unassigned() == 0);
        let record = world.recorder.finish(at(200), Vec::new(), Vec::new());
        assert_eq!(record.key_rejections[0].count, 1);
    }
}
