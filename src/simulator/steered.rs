//! Where a run asks one who steers it.

use super::SimulationError;
use super::steering::Checked;
use super::virtual_run::VirtualRun;
use crate::chance::{Draws, Purpose};
use crate::exchange::{Request, VersionIndex};
use crate::record::Observer;
use crate::units::{Draw, RequestId};

impl<O: Observer> VirtualRun<'_, O> {
    /// The draws of an attempt that begins now.
    #[inline(always)]
    pub(super) fn draws(&self, id: RequestId, attempt: u8) -> Draws {
        match &self.steering {
            None => self.chance.request(id, attempt),
            Some(steering) => steering.chance(self.now, self.chance).request(id, attempt),
        }
    }

    /// Whether the request that comes now is left out.
    #[inline(always)]
    pub(super) fn leaves_out(&mut self) -> Result<bool, SimulationError> {
        if self.steering.is_some() { self.may_leave_out() } else { Ok(false) }
    }

    #[cold]
    fn may_leave_out(&mut self) -> Result<bool, SimulationError> {
        let now = self.now;
        let sends = self.steering.as_mut().is_none_or(|steering| steering.sends(now));
        if !sends {
            self.source.take();
            self.source.forgo();
            self.look_ahead()?;
        }
        Ok(!sends)
    }

    /// The draw that assigns a request.
    #[inline(always)]
    pub(super) fn split_draw(&mut self, request: &Request, draws: Draws) -> Draw {
        let steered =
            if self.steering.is_some() { self.steered_draw(request, draws) } else { None };
        steered.unwrap_or_else(|| draws.draw(Purpose::Split, 0))
    }

    #[cold]
    fn steered_draw(&mut self, request: &Request, draws: Draws) -> Option<Draw> {
        if self.gatekeeper.pin(request).is_some() {
            return None;
        }
        let split = self.engine.split(request.model)?;
        let steering = self.steering.as_mut()?;
        Some(steering.splits(self.now, request.model, split, draws))
    }

    /// Aims the next answer of `version`.
    #[inline(always)]
    pub(super) fn aim(&mut self, version: VersionIndex, draws: Draws) {
        if let Some(steering) = &mut self.steering {
            let aim = steering.aims(self.now, version, draws);
            self.upstreams.of(version).aim(aim);
        }
    }

    /// The answer is planned that was aimed.
    #[inline(always)]
    pub(super) fn aimed(&mut self, version: VersionIndex) {
        if self.steering.is_some() {
            self.upstreams.of(version).aim(None);
        }
    }

    #[cold]
    pub(super) fn tell_nothing_comes(&mut self) {
        let now = self.now;
        if let Some(steering) = &mut self.steering {
            steering.nothing_comes(now);
        }
    }

    #[cold]
    pub(super) fn show_checks(&mut self) {
        if let Some(steering) = &mut self.steering {
            let Self { now: at, scenario, engine, director, .. } = self;
            steering.checked(&mut Checked { at: *at, scenario, engine, director });
        }
    }
}
