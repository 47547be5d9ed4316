//! Requests that take several attempts: the wait between them, the next one, and their sum.

use super::upstreams::{Holds, Whose};
use super::virtual_run::{Due, InFlight, VirtualRun};
use crate::chance::Purpose;
use crate::engine::Retry;
use crate::exchange::{Class, Ending, Observed};
use crate::record::{Arm, Attempt, Observer, Outcome};
use crate::upstream::{Limits, Waiting};

impl<O: Observer> VirtualRun<'_, O> {
    /// Lets a request whose attempt has failed wait for the next one, as long as its client does.
    #[cold]
    pub(super) fn await_attempt(&mut self, retry: Retry, arm: Arm, place: u32) {
        let outcome = Outcome { retried: true, ..*self.outcomes.at(place) };
        self.observer.attempted(&attempt(arm, &outcome));
        let draws = self.draws(outcome.request.id, retry.attempt());
        let due = self.now + retry.after(draws.draw(Purpose::Backoff, 0));
        let left = outcome.started + self.scenario.limits.client;
        let place = self.queue.push(due.min(left), Due::Attempt(retry));
        self.outcomes.put(place, outcome);
    }

    /// Makes another attempt at the request that stood at `place`, unless its client has left.
    /// Whether it has.
    #[cold]
    pub(super) fn attempt(&mut self, retry: Retry, place: u32) -> bool {
        let outcome = self.outcomes.at(place);
        let now = self.now;
        let request = outcome.request;
        let left = outcome.started + self.scenario.limits.client;
        if now >= left {
            let ending = Ending::ClientClosed;
            outcome.observed = Observed::without_answer(ending, now.since(outcome.started));
            outcome.ended = now;
            outcome.class = self.engine.class(request.model, ending);
            return true;
        }
        let mut outcome = *outcome;
        let draws = self.draws(request.id, retry.attempt());
        let draw = draws.draw(Purpose::Split, 0);
        let state = self.narrator.model(request.model);
        let owner = self.gatekeeper.owner(state.sticky_by(), &request);
        let ticket = self.engine.retry(now, retry, draw, owner);
        let version = state.place(ticket.attempted());
        let is_pinned = outcome.arm == Arm::Pinned;
        let arm = if is_pinned { Arm::Pinned } else { state.arm(version) };
        self.observer.attempt_began(now, version, arm);
        let (plan, holds) = match self.recorded(version, draws, Whose::Other) {
            Some(plan) => (plan, Holds::Nothing),
            None => self.upstreams.begin(version, &request, now, draws),
        };
        let limits = Limits { client: left.since(now), ..self.scenario.limits };
        outcome.observed = plan.observe(&request, limits);
        outcome.ended = now + outcome.observed.latency;
        outcome.class = Class::Success;
        outcome.served = version;
        outcome.attempts += 1;
        let place = self.queue.push(outcome.ended, Due::End(InFlight { ticket, arm, holds }));
        self.outcomes.put(place, outcome);
        if holds == Holds::PlaceInLine {
            self.upstreams.of(version).enqueue(Waiting(place));
        }
        false
    }

    /// Tells of the last of several attempts, and turns what was observed of it into what the
    /// client saw of all.
    #[cold]
    pub(super) fn sum_up(&mut self, arm: Arm, place: u32) {
        let outcome = self.outcomes.at(place);
        self.observer.attempted(&attempt(arm, outcome));
        let whole = outcome.ended.since(outcome.started);
        let before = whole.saturating_sub(outcome.observed.latency);
        outcome.observed.latency = whole;
        outcome.observed.first_token = outcome.observed.first_token.map(|first| first + before);
        if outcome.after_onset {
            let Outcome { request, assigned, observed, started, .. } = *outcome;
            self.outcomes.at(place).counterfactual =
                self.counterfactual(&request, assigned, &observed, started);
        }
    }
}

/// What an attempt at a request came to, as far as its outcome tells.
fn attempt(arm: Arm, outcome: &Outcome) -> Attempt {
    let Outcome { phase, served: version, attempts, ended, class, observed, .. } = *outcome;
    Attempt { phase, version, arm, first: attempts == 1, ended, class, observed }
}
