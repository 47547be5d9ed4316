//! The engine behind its lock, with the ways to its versions. Every call takes the lock for as long
//! as the engine works, never while anything waits; what the engine tells is kept for the keeper.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use super::job::Job;
use super::version_route::VersionRoute;
use super::witness::{Attempting, Witness};
use crate::clock::WallClock;
use crate::engine::{
    Ask, AuthError, Completion, Digest, Engine, Event, Forbidden, Principal, Retry, RouteError,
    Scope, Slot, StickyKey, Target, Ticket,
};
use crate::exchange::{Ending, ModelIndex, Observed};
use crate::units::{Draw, Duration, ModelId, RequestId, Timestamp};
use crate::wire::RequestNumber;

/// The engine as requests reach it.
#[derive(Debug)]
pub(super) struct Desk {
    clock: WallClock,
    /// By their place in the engine.
    models: Vec<ModelId>,
    inner: Mutex<Inner>,
    /// Wakes the keeper.
    bell: mpsc::Sender<Job>,
    /// Whether what is under way is being cut off.
    is_ending: AtomicBool,
}

/// What the lock is for.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) engine: Engine,
    /// By model and slot.
    pub(super) routes: Vec<Vec<Arc<VersionRoute>>>,
    /// What the engine has told and the keeper has not taken yet.
    pub(super) told: Vec<Event>,
    /// While a command is written down: its instant, at which the engine's time stands still, so
    /// that nothing becomes due between its decision and its effect.
    pub(super) held: Option<Timestamp>,
    /// Of a gateway that was started by a harness.
    pub(super) witness: Option<Box<dyn Witness>>,
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) number: RequestId,
    /// The access key's id and the digest of its secret.
    pub(super) key: (&'a str, Digest),
    pub(super) model: &'a str,
    pub(super) pin: Option<&'a Target>,
    pub(super) draw: Draw,
    pub(super) sticky: Option<StickyKey<'a>>,
}

/// A request that may be sent, and where.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) model: ModelIndex,
    pub(super) ticket: Ticket,
    pub(super) assigned: Arc<VersionRoute>,
    pub(super) attempted: Arc<VersionRoute>,
}

/// Why a request is not sent anywhere.
#[derive(Debug)]
pub(super) enum Denied {
    Key(AuthError),
    Forbidden(Forbidden),
    Model,
    Route(RouteError),
}

impl Desk {
    pub(super) fn new(
        clock: WallClock,
        models: Vec<ModelId>,
        engine: Engine,
        bell: mpsc::Sender<Job>,
    ) -> Self {
        let (routes, told, held, witness) = (Vec::new(), Vec::new(), None, None);
        let inner = Mutex::new(Inner { engine, routes, told, held, witness });
        Self { clock, models, inner, bell, is_ending: AtomicBool::new(false) }
    }

    pub(super) const fn clock(&self) -> WallClock {
        self.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The place of a model; `None`: it is not served.
    pub(super) fn model(&self, id: &str) -> Option<ModelIndex> {
        self.models().find(|(model, _)| model.as_str() == id).map(|(_, index)| index)
    }

    /// The name of a model.
    pub(super) fn model_id(&self, model: ModelIndex) -> Option<&ModelId> {
        self.models.get(usize::from(model.0))
    }

    /// How long it is until `at`, on the wall.
    pub(super) fn until(&self, at: Timestamp) -> std::time::Duration {
        self.clock.until(at)
    }

    /// All models, as they were configured.
    pub(super) fn models(&self) -> impl Iterator<Item = (&ModelId, ModelIndex)> {
        self.models.iter().enumerate().map(|(index, id)| (id, ModelIndex(index as u16)))
    }

    /// Authenticates and routes a request.
    pub(super) fn admit(&self, asked: Asked<'_>) -> Result<Admitted, Denied> {
        let model = self.model(asked.model);
        self.with(|inner, now| {
            let (key, secret) = asked.key;
            let principal = inner.engine.authenticate(now, key, &secret).map_err(Denied::Key)?;
            // A check that was due may have told something.
            inner.drain();
            let model = model.ok_or(Denied::Model)?;
            let id = &self.models[usize::from(model.0)];
            principal.permits(Scope::Inference, id).map_err(Denied::Forbidden)?;
            let Asked { pin, draw, sticky, .. } = asked;
            let ask = Ask { model, pin, draw, sticky };
            let ticket = inner.engine.route(now, ask).map_err(Denied::Route)?;
            inner.tell(|witness| witness.assigned(now, attempting(asked.number, &ticket)));
            let route =
                |slot: Slot| Arc::clone(&inner.routes[usize::from(model.0)][usize::from(slot.0)]);
            let (assigned, attempted) = (route(ticket.assigned()), route(ticket.attempted()));
            Ok(Admitted { model, ticket, assigned, attempted })
        })
    }

    /// Who presents a key.
    pub(super) fn authenticate(&self, key: &str, secret: &Digest) -> Result<Principal, AuthError> {
        self.with(|inner, now| inner.engine.authenticate(now, key, secret))
    }

    /// A request was refused for its access key.
    pub(super) fn key_refused(&self, request: RequestId, why: &AuthError) {
        self.with(|inner, now| inner.tell(|witness| witness.key_refused(now, request, why)));
    }

    /// Hands back the ticket of a request.
    pub(super) fn complete(
        &self,
        request: RequestId,
        ticket: Ticket,
        observed: &Observed,
    ) -> Completion {
        self.with(|inner, now| {
            inner.tell_due(now);
            let ended = attempting(request, &ticket);
            let completion = inner.engine.complete(now, ticket, observed);
            let is_followed = matches!(completion, Completion::Retry(_));
            inner.tell_end(now, ended, observed, is_followed);
            completion
        })
    }

    /// Hands back the ticket of a request whose client has left.
    pub(super) fn abandon(
        &self,
        request: RequestId,
        ticket: Ticket,
        first_token: Option<Duration>,
    ) -> Ending {
        self.with(|inner, now| {
            inner.tell_due(now);
            let (ended, latency) = (attempting(request, &ticket), now.since(ticket.start()));
            let ending = inner.engine.abandon(now, ticket, first_token);
            let observed = Observed { first_token, ..Observed::without_answer(ending, latency) };
            inner.tell_end(now, ended, &observed, false);
            ending
        })
    }

    /// What is under way is cut off from now on: no version is to blame for that.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Begins another attempt at a request.
    pub(super) fn retry(
        &self,
        request: RequestId,
        model: ModelIndex,
        retry: Retry,
        draw: Draw,
        sticky: Option<StickyKey<'_>>,
    ) -> (Ticket, Arc<VersionRoute>) {
        self.with(|inner, now| {
            let ticket = inner.engine.retry(now, retry, draw, sticky);
            inner.tell(|witness| witness.attempt_began(now, attempting(request, &ticket)));
            let slot = usize::from(ticket.attempted().0);
            (ticket, Arc::clone(&inner.routes[usize::from(model.0)][slot]))
        })
    }

    /// Works on the engine at the present instant; what it tells goes to the keeper.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Inner, Timestamp) -> T) -> T {
        let (answer, is_new) = {
            let mut inner = self.lock();
            // One ring is enough, however long the keeper is busy: it takes all that was told.
            let is_rung = !inner.told.is_empty();
            // Read under the lock, so that the engine's time is the order of its calls.
            let now = inner.held.unwrap_or_else(|| self.clock.now());
            let answer = work(&mut inner, now);
            (answer, inner.drain() && !is_rung)
        };
        if is_new {
            // Without a keeper the gateway is going down: nobody is left to tell.
            let _ = self.bell.send(Job::Wake);
        }
        answer
    }

    /// For the keeper, who rings no bell.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held leaves the engine as its last call did: calls do not
        // panic half-way through a change of state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What the engine has told and nobody has taken yet.
    pub(super) fn take_told(&mut self) -> Vec<Event> {
        self.drain();
        std::mem::take(&mut self.told)
    }

    /// Takes what the engine has told; whether there is anything for the keeper.
    pub(super) fn drain(&mut self) -> bool {
        while let Some(event) = self.engine.poll_event() {
            if let Some(witness) = &mut self.witness {
                witness.told(&self.engine, &event);
            }
            self.told.push(event);
        }
        !self.told.is_empty()
    }

    fn tell(&mut self, tell: impl FnOnce(&mut dyn Witness)) {
        if let Some(witness) = &mut self.witness {
            tell(&mut **witness);
        }
    }

    /// Tells what is due before what is done now; without a witness nobody minds the order.
    fn tell_due(&mut self, now: Timestamp) {
        if self.witness.is_some() {
            self.engine.advance(now);
            self.drain();
        }
    }

    fn tell_end(
        &mut self,
        now: Timestamp,
        ended: Attempting,
        observed: &Observed,
        is_followed: bool,
    ) {
        if let Some(witness) = &mut self.witness {
            let class = self.engine.class(ended.model, observed.ending);
            witness.attempt_ended(now, ended, (class, *observed), is_followed);
        }
    }
}

/// The attempt at a request that holds this ticket.
const fn attempting(request: RequestId, ticket: &Ticket) -> Attempting {
    Attempting {
        number: RequestNumber { id: request, attempt: ticket.attempt() },
        model: ticket.model(),
        version: ticket.attempted(),
        is_pinned: ticket.is_pinned(),
    }
}
