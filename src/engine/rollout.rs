//! What is durable about a model's rollout: where it stands, and what it was told to do.

use serde::Serialize;

use super::transition::{Input, Next};
use super::{Ladder, RolloutState, RolloutStep, Slot, StageIndex};
use crate::units::{Duration, Ratio, Timestamp};

/// A model's rollout: the one under way, or the last one.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Rollout {
    pub(super) state: RolloutState,
    /// How many have been started.
    pub(super) number: u32,
    /// `None` before the first.
    pub(super) course: Option<Course>,
}

/// What a rollout was told to do, and since when it does what it does.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Course {
    pub(super) version: Slot,
    /// The stable that its traffic comes from, and goes back to.
    pub(super) stable: Option<Slot>,
    /// `None`: promoted by hand, without steps.
    pub(super) ladder: Option<Ladder>,
    pub(super) bake: Duration,
    /// When the present step began, or the bake.
    pub(super) since: Timestamp,
}

impl Rollout {
    /// Where it stands.
    pub const fn state(&self) -> RolloutState {
        self.state
    }

    /// How many rollouts have been started, this one included.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The canary of the rollout under way, or the promoted version while its rules cover it.
    pub fn version(&self) -> Option<Slot> {
        self.under_way().map(|course| course.version)
    }

    /// The canary's weight in the step under way.
    pub fn step_weight(&self) -> Option<Ratio> {
        self.step().map(|(_, step, _)| step.weight)
    }

    /// The version that was promoted, while its rules still cover it.
    pub(super) fn baking(&self) -> Option<Slot> {
        self.version().filter(|_| self.state == RolloutState::Promoted)
    }

    /// When the rules no longer cover the version that was promoted.
    pub(super) fn bake_ends(&self) -> Option<Timestamp> {
        let promoted = self.state == RolloutState::Promoted;
        self.under_way().filter(|_| promoted).map(|course| course.since + course.bake)
    }

    /// The step under way and since when it is.
    pub(super) fn step(&self) -> Option<(StageIndex, RolloutStep, Timestamp)> {
        let (stage, course) = self.state.stage().zip(self.course.as_ref())?;
        let step = course.ladder.as_ref()?.step(stage)?;
        Some((stage, *step, course.since))
    }

    /// What the end of the present step leads to.
    pub(super) fn step_over(&self) -> Option<Input> {
        let (stage, course) = self.state.stage().zip(self.course.as_ref())?;
        let following = StageIndex(stage.0 + 1);
        let next = match course.ladder.as_ref()?.step(following) {
            Some(step) => next_step(following, step),
            None => Next::Promotion,
        };
        Some(Input::StepOver(next))
    }

    /// The present step begins at `at`.
    pub(super) fn begin_step(&mut self, at: Timestamp) {
        if let Some(course) = &mut self.course {
            course.since = at;
        }
    }

    pub(super) fn under_way(&self) -> Option<&Course> {
        let under_way = match self.state {
            RolloutState::Stepping(_) | RolloutState::Paused(_) | RolloutState::Promoted => true,
            RolloutState::Idle | RolloutState::RolledBack | RolloutState::Aborted => false,
        };
        self.course.as_ref().filter(|_| under_way)
    }
}

/// How a step begins.
pub(super) fn next_step(stage: StageIndex, step: &RolloutStep) -> Next {
    if step.pause { Next::PausedStep(stage) } else { Next::Step(stage) }
}

/// How long the rules cover a promoted version, unless its rollout says otherwise: long enough for
/// the ordinary load of an hour to pass over it.
pub const DEFAULT_BAKE: Duration = Duration::from_secs(3_600);
