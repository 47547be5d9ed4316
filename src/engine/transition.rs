//! The one transition table of a rollout: which state follows from which input.
//!
//! Pure: knows neither weights nor times. What a transition does to the split and to the tags is
//! decided where the change is made; whether a step is over is decided before [`Input::StepOver`]
//! comes here.
//!
//! | | start | over | promote | pause | resume | abort | roll back | baked | deploy |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | idle | first step | - | promoted | - | - | - | idle | - | idle |
//! | stepping i | - | next step | promoted | paused i | - | aborted | rolled back | - | - |
//! | paused i | - | - | promoted | - | stepping i | aborted | rolled back | - | - |
//! | promoted | - | - | idle | - | - | - | rolled back | idle | promoted |
//! | rolled back | first step | - | promoted | - | - | - | rolled back | - | rolled back |
//! | aborted | first step | - | promoted | - | - | - | aborted | - | aborted |
//!
//! Over: the step has done what it had to; without a next step the canary is promoted. Baked: the
//! promoted version has been watched for long enough. A step that waits for a command begins
//! paused.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::StageIndex;

/// Where a rollout stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// None is under way.
    #[default]
    Idle,
    /// A step is under way, and the next one follows when it is over.
    Stepping(StageIndex),
    /// A step is under way, and the next one waits for a command.
    Paused(StageIndex),
    /// The canary has become the stable, and its rules still cover it.
    Promoted,
    /// A rollback ended it.
    RolledBack,
    /// A command ended it.
    Aborted,
}

/// What moves a rollout from state to state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Input {
    /// A command starts one.
    Start(Next),
    /// The step that is under way has done what it had to.
    StepOver(Next),
    /// A command makes the canary the stable, or ends the bake of one that has become it.
    Promote,
    /// A command or a trigger stops the ladder where it is.
    Pause,
    /// A command lets it go on.
    Resume,
    /// A command ends it and takes the canary's traffic back.
    Abort,
    /// A command or a trigger moves all traffic.
    RollBack,
    /// The promoted version has been watched for long enough.
    BakeOver,
    /// A command sets the weights by hand.
    Deploy,
}

/// What follows a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Next {
    /// A step that goes on by itself.
    Step(StageIndex),
    /// A step that waits for a command.
    PausedStep(StageIndex),
    /// There is no further step.
    Promotion,
}

/// An input that a state does not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("the rollout is {state}: it cannot be {}{}", input.participle(), self.remedy())]
pub struct Refused {
    state: RolloutState,
    input: Input,
}

impl RolloutState {
    /// The state that `input` leads to.
    ///
    /// # Errors
    /// This state does not take this input.
    pub(super) const fn after(self, input: Input) -> Result<Self, Refused> {
        let next = match (self, input) {
            (Self::Idle | Self::RolledBack | Self::Aborted, Input::Start(next))
            | (Self::Stepping(_), Input::StepOver(next)) => match next {
                Next::Step(stage) => Self::Stepping(stage),
                Next::PausedStep(stage) => Self::Paused(stage),
                Next::Promotion => Self::Promoted,
            },
            (Self::Promoted, Input::Promote | Input::BakeOver) => Self::Idle,
            (_, Input::Promote) => Self::Promoted,
            (Self::Stepping(stage), Input::Pause) => Self::Paused(stage),
            (Self::Paused(stage), Input::Resume) => Self::Stepping(stage),
            (Self::Stepping(_) | Self::Paused(_), Input::Abort) => Self::Aborted,
            (Self::Stepping(_) | Self::Paused(_) | Self::Promoted, Input::RollBack) => {
                Self::RolledBack
            }
            (Self::Idle | Self::RolledBack | Self::Aborted, Input::RollBack | Input::Deploy)
            | (Self::Promoted, Input::Deploy) => self,
            _ => return Err(Refused { state: self, input }),
        };
        Ok(next)
    }

    /// The step that is under way, paused or not.
    pub const fn stage(self) -> Option<StageIndex> {
        match self {
            Self::Stepping(stage) | Self::Paused(stage) => Some(stage),
            _ => None,
        }
    }
}

impl Refused {
    const fn remedy(self) -> &'static str {
        match (self.state, self.input) {
            (RolloutState::Promoted, Input::Start(_)) => {
                "; wait until its bake is over, or promote the version again to end it"
            }
            (_, Input::Start(_) | Input::Deploy) => "; abort it first",
            (RolloutState::Promoted, Input::Abort) => "; a rollback takes its traffic back",
            _ => "",
        }
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Stepping(stage) => write!(f, "stepping (step {})", stage.0 + 1),
            Self::Paused(stage) => write!(f, "paused (step {})", stage.0 + 1),
            Self::Promoted => f.write_str("promoted and watched"),
            Self::RolledBack => f.write_str("rolled back"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl Input {
    const fn participle(self) -> &'static str {
        match self {
            Self::Start(_) => "started",
            Self::StepOver(_) => "moved on",
            Self::Promote => "promoted",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Abort => "aborted",
            Self::RollBack => "rolled back",
            Self::BakeOver => "settled",
            Self::Deploy => "overridden by a split",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: StageIndex = StageIndex(1);
    const J: StageIndex = StageIndex(2);

    /// The table of the module's documentation, read as it stands there.
    #[test]
    fn every_cell_of_the_table_is_as_documented() {
        let text = include_str!("transition.rs");
        let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
        let rows: Vec<Vec<&str>> = rows
            .map(|row| row.trim_end_matches('|').split('|').map(str::trim).collect())
            .filter(|cells: &Vec<&str>| !cells[0].starts_with("--"))
            .collect();
        let inputs: Vec<_> = rows[0][1..].iter().map(|name| input(name)).collect();
        assert_eq!((rows.len() - 1, inputs.len()), (6, 9));
        for row in &rows[1..] {
            let from = state(row[0]);
            for (input, cell) in inputs.iter().zip(&row[1..]) {
                for input in input {
                    let found = from.after(*input);
                    match expected(cell, *input) {
                        Some(expected) => assert_eq!(found, Ok(expected), "{from:?} {input:?}"),
                        None => {
                            let input = *input;
                            assert_eq!(found, Err(Refused { state: from, input }), "{cell}");
                        }
                    }
                }
            }
        }
    }

    fn state(name: &str) -> RolloutState {
        match name {
            "idle" => RolloutState::Idle,
            "stepping i" => RolloutState::Stepping(I),
            "paused i" => RolloutState::Paused(I),
            "promoted" => RolloutState::Promoted,
            "rolled back" => RolloutState::RolledBack,
            "aborted" => RolloutState::Aborted,
            other => panic!("{other}"),
        }
    }

    fn input(name: &str) -> Vec<Input> {
        match name {
            "start" => {
                vec![Input::Start(Next::Step(J)), Input::Start(Next::PausedStep(J))]
            }
            "over" => vec![
                Input::StepOver(Next::Step(J)),
                Input::StepOver(Next::PausedStep(J)),
                Input::StepOver(Next::Promotion),
            ],
            "promote" => vec![Input::Promote],
            "pause" => vec![Input::Pause],
            "resume" => vec![Input::Resume],
            "abort" => vec![Input::Abort],
            "roll back" => vec![Input::RollBack],
            "baked" => vec![Input::BakeOver],
            "deploy" => vec![Input::Deploy],
            other => panic!("{other}"),
        }
    }

    fn expected(cell: &str, input: Input) -> Option<RolloutState> {
        match cell {
            "-" => None,
            "first step" | "next step" => match input {
                Input::Start(Next::Step(stage)) | Input::StepOver(Next::Step(stage)) => {
                    Some(RolloutState::Stepping(stage))
                }
                Input::Start(Next::PausedStep(stage))
                | Input::StepOver(Next::PausedStep(stage)) => Some(RolloutState::Paused(stage)),
                _ => Some(RolloutState::Promoted),
            },
            name => Some(state(name)),
        }
    }

    #[test]
    fn a_refusal_says_what_stands_in_the_way() {
        let error = RolloutState::Stepping(I).after(Input::Deploy).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the rollout is stepping (step 2): it cannot be overridden by a split; abort it first"
        );
        let error = RolloutState::Idle.after(Input::Resume).unwrap_err();
        assert_eq!(error.to_string(), "the rollout is idle: it cannot be resumed");
    }
}
