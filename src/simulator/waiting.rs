//! Requests at upstreams of limited capacity: those that hold a slot, and those that wait for one.

use super::SimulationError;
use super::upstreams::Holds;
use super::virtual_run::{Due, InFlight, VirtualRun};
use crate::exchange::VersionIndex;
use crate::record::Observer;
use crate::upstream::{Limits, Waiting};

impl<O: Observer> VirtualRun<'_, O> {
    /// An attempt that stood at `place` in the queue leaves its upstream.
    #[cold]
    pub(super) fn leave(&mut self, holds: Holds, place: u32) -> Result<(), SimulationError> {
        let version = self.outcomes.at(place).served;
        let upstream = self.upstreams.of(version);
        match holds {
            Holds::Nothing => return Ok(()),
            Holds::Slot => upstream.end(),
            Holds::PlaceInLine => upstream.leave(Waiting(place)),
        }
        self.admit(version)
    }

    /// Lets those be answered whose turn has come by what has begun or ended.
    pub(super) fn admit_everywhere(&mut self) -> Result<(), SimulationError> {
        for index in 0..self.upstreams.limited().len() {
            self.admit(self.upstreams.limited()[index])?;
        }
        Ok(())
    }

    /// Lets those be answered whose turn it is at an upstream.
    fn admit(&mut self, version: VersionIndex) -> Result<(), SimulationError> {
        let now = self.now;
        while let Some(Waiting(place)) = self.upstreams.of(version).admit(now) {
            let Due::End(admitted) = self.queue.take(place) else { return Ok(()) };
            self.check_room()?;
            let InFlight { ticket, arm, .. } = admitted;
            let mut outcome = *self.outcomes.at(place);
            // So far it ended when somebody would have given up.
            let sent = outcome.ended - outcome.observed.latency;
            let request = outcome.request;
            let draws = self.draws(request.id, ticket.attempt());
            let upstream = self.upstreams.of(version);
            let plan = upstream.resume(&request, now, draws, now.since(sent));
            let patience = outcome.started + self.scenario.limits.client;
            let limits = Limits { client: patience.since(sent), ..self.scenario.limits };
            outcome.observed = plan.observe(&request, limits);
            outcome.ended = sent + outcome.observed.latency;
            if outcome.after_onset && outcome.attempts == 1 {
                outcome.counterfactual =
                    self.counterfactual(&request, version, &outcome.observed, sent);
            }
            let holds = Holds::Slot;
            let place = self.queue.push(outcome.ended, Due::End(InFlight { ticket, arm, holds }));
            self.outcomes.put(place, outcome);
        }
        Ok(())
    }
}
