//! One run in virtual time.

use super::SimulationError;
use super::gatekeeper::{Entry, Gatekeeper};
use super::outcomes::Outcomes;
use super::queue::{Popped, Queue};
use super::steering::Steering;
use super::upstreams::{Holds, Upstreams, Whose};
use crate::chance::Chance;
use crate::director::{Director, Meant, Narrator, TriggerHealth, target_named};
use crate::engine::{
    Ask, Command, CommandError, CommandKind, Completion, Engine, ModelSettings, Retry, Ticket,
    Version,
};
use crate::exchange::{Arrival, Class, Ending, ModelIndex, Observed, Request, VersionIndex};
use crate::middlebox::Cache;
use crate::record::{Arm, Bursts, Counterfactual, KeyFault, KeyRefusal, Observer, Outcome};
use crate::scenario::Scenario;
use crate::units::Timestamp;
use crate::upstream::Waiting;
use crate::workload::Source;

/// How a run came out that reached its end.
pub struct Finished {
    /// Engine time at which nothing was left to happen.
    pub end: Timestamp,
    /// How each trigger fared on each version that it watched, model by model.
    pub triggers: Vec<TriggerHealth>,
    /// When upstreams were bad whose failures come in bursts.
    pub bursts: Vec<Bursts>,
    /// The engine as it was then.
    pub engine: Engine,
    /// The requests that were sent, with the trace they were read from.
    pub source: Source,
}

/// Plays `scenario` in virtual time with the requests of `source` and the draws of `chance`,
/// telling
/// `observer` of everything.
///
/// # Errors
/// The trace is broken, or the plan asks for what the engine refuses.
pub fn simulate<O: Observer>(
    scenario: &Scenario,
    chance: Chance,
    source: Source,
    observer: &mut O,
) -> Result<Finished, SimulationError> {
    finish(VirtualRun::new(scenario, chance, source, observer))
}

/// The same with draws that `steering` leads elsewhere.
///
/// # Errors
/// Those of [`simulate`].
pub fn simulate_steered<O: Observer>(
    scenario: &Scenario,
    chance: Chance,
    source: Source,
    observer: &mut O,
    steering: &mut dyn Steering,
) -> Result<Finished, SimulationError> {
    let run = VirtualRun::new(scenario, chance, source, observer);
    finish(VirtualRun { steering: Some(steering), ..run })
}

fn finish<O: Observer>(mut run: VirtualRun<'_, O>) -> Result<Finished, SimulationError> {
    run.deploy()?;
    run.follow_cues(run.scenario.start)?;
    run.play()?;
    run.director.run_over();
    run.follow_cues(run.now)?;
    let triggers = run.trigger_health();
    let bursts = run.upstreams.bursts(run.now);
    Ok(Finished { end: run.now, triggers, bursts, engine: run.engine, source: run.source })
}

pub(super) struct VirtualRun<'a, O> {
    pub(super) scenario: &'a Scenario,
    pub(super) chance: Chance,
    pub(super) source: Source,
    pub(super) observer: &'a mut O,
    /// What leads draws elsewhere, if anything does.
    pub(super) steering: Option<&'a mut dyn Steering>,
    pub(super) engine: Engine,
    pub(super) gatekeeper: Gatekeeper,
    pub(super) director: Director<'a>,
    /// Whom the phase means that began last.
    pub(super) meant: Meant,
    pub(super) upstreams: Upstreams,
    pub(super) narrator: Narrator,
    /// How the triggers fared of rule sets that were replaced.
    pub(super) ended: Vec<TriggerHealth>,
    /// What stands before the gateway, if anything does.
    pub(super) cache: Option<Cache>,
    pub(super) queue: Queue<Due>,
    /// Of the requests in the queue, by their places in it.
    pub(super) outcomes: Outcomes,
    pub(super) now: Timestamp,
    /// When something is to be sent next, as far as is known.
    pub(super) arrival_at: Timestamp,
    /// When the director wants to be called next.
    pub(super) cue_at: Timestamp,
    /// Whether any version answers as a trace has recorded it.
    pub(super) plays_recorded: bool,
    /// Nothing more is to be sent.
    pub(super) finished: bool,
}

/// What is to happen to a request.
#[derive(Debug)]
pub(super) enum Due {
    /// An attempt at it ends.
    End(InFlight),
    /// Another is made, or its client has had enough of waiting for it.
    Attempt(Retry),
    /// The answer that a cache has kept arrives.
    Kept,
}

/// A request on its way to the end of an attempt.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) ticket: Ticket,
    /// That of the version attempted.
    pub(super) arm: Arm,
    /// What it holds of that version's upstream.
    pub(super) holds: Holds,
}

impl<'a, O: Observer> VirtualRun<'a, O> {
    fn new(scenario: &'a Scenario, chance: Chance, source: Source, observer: &'a mut O) -> Self {
        let models = &scenario.models;
        let settings = models.iter().map(|model| ModelSettings {
            safeguards: model.safeguards,
            ..ModelSettings::new(model.id.clone())
        });
        Self {
            scenario,
            chance,
            source,
            observer,
            steering: None,
            gatekeeper: Gatekeeper::new(scenario.population()),
            engine: Engine::new(settings),
            director: Director::new(scenario),
            meant: Meant::default(),
            upstreams: Upstreams::new(scenario, chance),
            narrator: Narrator::new(scenario),
            ended: Vec::new(),
            cache: scenario.cache.map(Cache::new),
            queue: Queue::new(),
            outcomes: Outcomes::default(),
            now: scenario.start,
            arrival_at: Timestamp::MAX,
            cue_at: Timestamp::MAX,
            plays_recorded: scenario.versions().any(|version| version.behaviour().is_none()),
            finished: false,
        }
    }

    /// Makes versions, tags and rules known before the first instant.
    fn deploy(&mut self) -> Result<(), SimulationError> {
        for (index, model) in (0..).map(ModelIndex).zip(&self.scenario.models) {
            for version in &model.versions {
                let upstream = version.id.as_str();
                let registered = Version::new(version.id.clone(), upstream, self.now);
                let version = Version { price: version.price, ..registered };
                self.apply(index, CommandKind::Register(Box::new(version)))?;
            }
            for version in &model.versions {
                for tag in &version.tags {
                    let (tag, version) = (tag.clone(), target_named(version.id.as_str()));
                    let kind = CommandKind::Tag { tag, version, preserve_previous: true };
                    self.apply(index, kind)?;
                }
            }
            self.apply(index, CommandKind::Assignment(model.assignment))?;
            self.apply(index, CommandKind::Policies(Box::new(model.policies.clone())))?;
            self.apply(index, CommandKind::Rules(model.rules.clone()))?;
        }
        for (model, kind) in self.gatekeeper.keys(self.scenario) {
            self.apply(model, kind)?;
        }
        Ok(())
    }

    /// The loop: what is due first happens first; at one instant ends of requests, then checks,
    /// then cues, then steps of rollouts, then arrivals.
    fn play(&mut self) -> Result<(), SimulationError> {
        self.look_ahead()?;
        loop {
            let end_at = self.queue.next_due();
            // All requests have been sent and have ended: checks and cues that would still come
            // have nothing to look at.
            if end_at == Timestamp::MAX
                && self.arrival_at == Timestamp::MAX
                && !self.could_go_on()?
            {
                return Ok(());
            }
            let check_at = self.engine.next_check().unwrap_or(Timestamp::MAX);
            let next = end_at.min(check_at).min(self.cue_at).min(self.arrival_at);
            self.now = next;
            if end_at == next {
                self.end_request()?;
            } else if check_at == next && self.engine.is_check_due(next) {
                self.engine.check(next);
                self.show_checks();
            } else if self.cue_at == next {
                self.director.advance(next);
                self.follow_cues(next)?;
            } else if check_at == next {
                self.engine.advance(next);
            } else if !self.leaves_out()? {
                self.send()?;
                if self.director.request_assigned(next) {
                    // What its routing told comes before what follows on its phase.
                    self.drain_events();
                    self.follow_cues(next)?;
                }
                self.look_ahead()?;
            }
            if self.drain_events() {
                self.follow_cues(self.now)?;
                if self.observer.is_satisfied() {
                    return Ok(());
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn look_ahead(&mut self) -> Result<(), SimulationError> {
        let next_at = if self.finished { None } else { self.source.next_at()? };
        self.arrival_at = next_at.map_or(Timestamp::MAX, |at| self.scenario.start + at);
        if next_at.is_none() {
            self.tell_nothing_comes();
        }
        Ok(())
    }

    /// Routes the request that has arrived and plans its end.
    #[inline(always)]
    fn send(&mut self) -> Result<(), SimulationError> {
        let Some(Arrival { request, .. }) = self.source.take() else { return Ok(()) };
        let now = self.now;
        self.check_room()?;
        if self.cache.is_some() && self.answer_from_cache(&request) {
            return Ok(());
        }
        let model = request.model;
        match self.gatekeeper.lets_in(&mut self.engine, now, &request) {
            Entry::Free => {}
            Entry::Again => self.observer.let_in(now, request.client),
            Entry::Refused(reason) => return self.turn_away(&request, reason),
        }
        let draws = self.draws(request.id, 0);
        let by = self.narrator.model(model).sticky_by();
        let draw = self.split_draw(&request, draws);
        let sticky = self.gatekeeper.owner(by, &request);
        let pin = self.gatekeeper.pin(&request);
        let is_pinned = pin.is_some();
        let ask = Ask { model, pin, draw, sticky };
        let ticket = match self.engine.route(now, ask) {
            Ok(ticket) => ticket,
            Err(error) => return Err(SimulationError::Route { at: now, error }),
        };
        let state = self.narrator.model(model);
        let version = state.place(ticket.assigned());
        let arm = if is_pinned { Arm::Pinned } else { state.arm(version) };
        let phase = self.director.phase();
        self.observer.assigned(now, phase, version, arm);
        if !is_pinned {
            self.aim(version, draws);
        }
        let (plan, holds) = match self.recorded(version, draws, Whose::Latest) {
            Some(plan) => (plan, Holds::Nothing),
            None => self.upstreams.begin(version, &request, now, draws),
        };
        self.aimed(version);
        let observed = plan.observe(&request, self.scenario.limits);
        let after_onset = self.director.onset(version).is_some();
        let counterfactual =
            if after_onset { self.counterfactual(&request, version, &observed, now) } else { None };
        let ended = now + observed.latency;
        let place = self.queue.push(ended, Due::End(InFlight { ticket, arm, holds }));
        let outcome = Outcome {
            request,
            phase,
            assigned: version,
            served: version,
            attempts: 1,
            retried: false,
            arm,
            started: now,
            ended,
            // Until the end tells.
            class: Class::Success,
            observed,
            after_onset,
            counterfactual,
        };
        self.outcomes.put(place, outcome);
        if holds == Holds::PlaceInLine {
            self.upstreams.of(version).enqueue(Waiting(place));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn check_room(&self) -> Result<(), SimulationError> {
        if self.queue.is_full() {
            let in_flight = Queue::<Due>::CAPACITY;
            return Err(SimulationError::Crowded { at: self.now, in_flight });
        }
        Ok(())
    }

    /// What the stable would have done with a request of a bad version: the same draws, answered by
    /// the stable's upstream when it was `sent`.
    #[cold]
    pub(super) fn counterfactual(
        &self,
        request: &Request,
        version: VersionIndex,
        observed: &Observed,
        sent: Timestamp,
    ) -> Option<Counterfactual> {
        let stable = self.narrator.model(request.model).stable();
        let stable = stable.filter(|stable| *stable != version)?;
        let draws = self.draws(request.id, 0);
        let plan = match self.recorded_instead(stable, draws) {
            Some(plan) => plan,
            None => self.upstreams.plan_instead(stable, request, sent, draws),
        };
        let instead = plan.observe(request, self.scenario.limits);
        let class = self.engine.class(request.model, instead.ending);
        Some(Counterfactual::of(observed, &instead, class))
    }

    #[inline]
    fn end_request(&mut self) -> Result<(), SimulationError> {
        let Some(Popped { place, item }) = self.queue.pop() else { return Ok(()) };
        let over = match item {
            Due::End(in_flight) => self.end_attempt(in_flight, place)?,
            Due::Attempt(retry) => self.attempt(retry, place),
            Due::Kept => true,
        };
        if over {
            self.finish(place)?;
        }
        // Not before: what is known of the request stands there.
        self.queue.vacate(place);
        Ok(())
    }

    /// An attempt ends at the request that stood at `place`. Whether the request is over.
    #[inline(always)]
    fn end_attempt(&mut self, in_flight: InFlight, place: u32) -> Result<bool, SimulationError> {
        let InFlight { ticket, arm, holds } = in_flight;
        let at = self.now;
        let outcome = self.outcomes.at(place);
        // A copy: what is lent to the engine stays in memory, and the rest of the outcome need not.
        let observed = outcome.observed;
        let completion = if observed.ending == Ending::ClientClosed {
            outcome.observed.ending = self.engine.abandon(at, ticket, observed.first_token);
            Completion::Done
        } else {
            self.engine.complete(at, ticket, &observed)
        };
        if outcome.observed.ending != Ending::Success {
            // By the rules of now: they may have changed since the request was sent.
            outcome.class = self.engine.class(outcome.request.model, outcome.observed.ending);
        } else if self.cache.is_some() {
            self.show_cache(place);
        }
        if holds != Holds::Nothing {
            self.leave(holds, place)?;
        }
        if let Completion::Retry(retry) = completion {
            self.await_attempt(retry, arm, place);
            return Ok(false);
        }
        if self.outcomes.at(place).attempts > 1 {
            self.sum_up(arm, place);
        }
        Ok(true)
    }

    /// A request is answered 401: no version has to do with it.
    #[cold]
    fn turn_away(&mut self, request: &Request, reason: KeyFault) -> Result<(), SimulationError> {
        let (at, phase) = (self.now, self.director.phase());
        let Request { model, client, .. } = *request;
        self.observer.key_rejected(&KeyRefusal { at, phase, model, client, reason });
        if self.source.waits_for_answers() {
            self.source.completed(request, self.now.since(self.scenario.start));
            self.look_ahead()?;
        }
        Ok(())
    }

    /// The request that stood at `place` has ended for good.
    #[inline(always)]
    fn finish(&mut self, place: u32) -> Result<(), SimulationError> {
        let outcome = self.outcomes.at(place);
        self.observer.completed(outcome);
        if self.source.waits_for_answers() {
            self.source.completed(&outcome.request, self.now.since(self.scenario.start));
            self.look_ahead()?;
        }
        Ok(())
    }

    /// Gives the engine a command, and tells what comes of it.
    pub(super) fn give(
        &mut self,
        model: ModelIndex,
        kind: CommandKind,
    ) -> Result<(), CommandError> {
        let result = self.engine.apply(self.now, &Command { model, by: PLAN.to_owned(), kind });
        self.drain_events();
        result
    }

    /// Gives the engine a command that it cannot refuse, of a plan that was checked.
    fn apply(&mut self, model: ModelIndex, kind: CommandKind) -> Result<(), SimulationError> {
        let at = self.now;
        self.give(model, kind).map_err(|error| SimulationError::Command { at, error })
    }
}

/// Who asks for what the plan says.
pub(super) const PLAN: &str = "scenario";
