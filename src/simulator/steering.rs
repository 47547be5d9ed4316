//! Runs whose draws somebody steers: how rare events are looked for.

use crate::chance::{Chance, Draws};
use crate::director::Director;
use crate::engine::{Engine, Split};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::Scenario;
use crate::units::{Draw, Timestamp};
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
    pub(super) director: &'a Director<'a>,
}

impl Checked<'_> {
    /// Whether a version is bad since it got traffic, or since later.
    pub fn is_bad(&self, version: VersionIndex) -> bool {
        self.director.onset(version).is_some()
    }
}
