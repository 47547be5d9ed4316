//! Requests that a cache before the gateway answers: the engine never hears of them.

use super::virtual_run::{Due, VirtualRun};
use crate::exchange::{Ending, Finish, Observed, Request};
use crate::middlebox::Answer;
use crate::record::{Arm, Observer, Outcome};
use crate::units::Duration;

impl<O: Observer> VirtualRun<'_, O> {
    /// Lets the cache answer `request`, if it has an answer to it. Whether it has.
    #[cold]
    pub(super) fn answer_from_cache(&mut self, request: &Request) -> bool {
        let Some(cache) = &mut self.cache else { return false };
        let latency = cache.settings().latency;
        let Some(version) = cache.look_up(self.now, request) else { return false };
        let observed = self.as_its_client_sees(latency);
        let ended = self.now + observed.latency;
        let state = self.narrator.model(request.model);
        let is_pinned = self.gatekeeper.pin(request).is_some();
        let outcome = Outcome {
            request: *request,
            phase: self.director.phase(),
            assigned: version,
            served: version,
            attempts: 0,
            retried: false,
            arm: if is_pinned { Arm::Pinned } else { state.arm(version) },
            started: self.now,
            ended,
            class: self.engine.class(request.model, observed.ending),
            observed,
            after_onset: false,
            counterfactual: None,
        };
        let place = self.queue.push(ended, Due::Kept);
        self.outcomes.put(place, outcome);
        true
    }

    /// Shows the cache the successful answer to the request that stood at `place`: it passes the
    /// cache on its way to the client.
    #[cold]
    pub(super) fn show_cache(&mut self, place: u32) {
        let Some(cache) = &mut self.cache else { return };
        let Outcome { ref request, served: version, .. } = *self.outcomes.at(place);
        let model = &self.scenario.models[usize::from(request.model.0)];
        let answer = Answer { version, no_store: model.safeguards.no_store };
        cache.offer(self.now, request, answer);
    }

    /// What comes of an answer that takes `latency` and costs no tokens.
    fn as_its_client_sees(&self, latency: Duration) -> Observed {
        let patience = self.scenario.limits.client;
        if latency < patience {
            let answer = Observed::without_answer(Ending::Success, latency);
            return Observed { first_token: Some(latency), finish: Some(Finish::Stop), ..answer };
        }
        Observed::without_answer(Ending::ClientClosed, patience)
    }
}
