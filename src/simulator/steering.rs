//! Runs whose draws somebody steers: how rare events are looked for.

use super::SimulationError;
use super::virtual_run::VirtualRun;
use crate::chance::{Chance, Draws};
use crate::director::Director;
use crate::engine::{Engine, Split};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Observer;
use crate::scenario::Scenario;
use crate::units::{Draw, RequestId, Timestamp};
use crate::upstream::Aim;

/// What steers a run: it may lead draws elsewhere, and sees what it needs for that. Whatever it
/// does to a draw depends on nothing that comes later.
pub trait Steering {
    /// The randomness of attempts that begin at `at`, where that of the run is `chance`.
    fn chance(&self, _at: Timestamp, chance: Chance) -> Chance {
        chance
    }

    /// Whether the request that comes at `at` is sent, and not left out as if it never came.
    fn sends(&mut self, _at: Timestamp) -> bool {
        true
    }

    /// Nothing comes any more, as far as is known at `at`.
    fn nothing_comes(&mut self, _at: Timestamp) {}

    /// The draw that assigns a request without a pin under `split`, where its own is `draw`.
    fn splits(&mut self, _at: Timestamp, _model: ModelIndex, _split: &Split, draws: Draws) -> Draw;

    /// What takes the place of a draw of the answer that `version` gives to a request without a
    /// pin, at its first attempt.
    fn aims(&mut self, _at: Timestamp, _version: VersionIndex, _draws: Draws) -> Option<Aim> {
        None
    }

    /// Checks were carried out at `seen.at`.
    fn checked(&mut self, _seen: &mut Checked<'_>) {}
}

/// What stands before one who steers when checks were carried out.
pub struct Checked<'a> {
    /// When.
    pub at: Timestamp,
    /// The plan of the run.
    pub scenario: &'a Scenario,
    /// The engine after the checks.
    pub engine: &'a mut Engine,
    director: &'a Director<'a>,
}

impl Checked<'_> {
    /// Whether a version is bad since it got traffic, or since later.
    pub fn is_bad(&self, version: VersionIndex) -> bool {
        self.director.onset(version).is_some()
    }
}

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
    #[cold]
    pub(super) fn split_draw(&mut self, model: ModelIndex, draws: Draws) -> Option<Draw> {
        let split = self.engine.split(model)?;
        let steering = self.steering.as_mut()?;
        Some(steering.splits(self.now, model, split, draws))
    }

    /// Aims the next answer of `version`.
    #[cold]
    pub(super) fn aim(&mut self, version: VersionIndex, draws: Draws) {
        let now = self.now;
        if let Some(steering) = &mut self.steering {
            let aim = steering.aims(now, version, draws);
            self.upstreams.of(version).aim(aim);
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
