//! The ladder of a rollout: the steps that raise the canary's weight.

use serde::{Deserialize, Serialize};

use crate::units::{Duration, Ratio};

/// The place of a step in its ladder, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageIndex(pub u16);

/// A step of a ladder.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutStep {
    /// The canary's weight: above 0, and above that of the step before.
    pub weight: Ratio,
    /// How long it lasts at least.
    pub hold: Duration,
    /// How many requests the canary must complete in it; `None`: as many as the most demanding rule
    /// asks for in its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<u64>,
    /// Whether it waits for a command as well: the step begins paused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pause: bool,
}

/// The steps of a rollout: at least one, each with a higher weight than the one before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<RolloutStep>", into = "Vec<RolloutStep>")]
pub struct Ladder(Vec<RolloutStep>);

/// Why steps are no ladder.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum LadderError {
    /// There is none.
    #[error("a rollout has no steps; give at least one, such as {{weight: 5%, hold: 10m}}")]
    Empty,
    /// There are more than a [`StageIndex`] counts.
    #[error("a rollout has {count} steps; allowed are at most {}", u16::MAX)]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A step does not raise the canary's weight.
    #[error(
        "step {} has weight {weight}, which is not above {}; each step raises the canary's weight, \
         up to 1 (100 %)",
        stage.0 + 1,
        before.map_or_else(|| "0".to_owned(), |before| format!("{before}, the weight before it"))
    )]
    NotRising {
        /// Which step.
        stage: StageIndex,
        /// Its weight.
        weight: f64,
        /// The weight of the step before it.
        before: Option<f64>,
    },
}

impl Ladder {
    /// These steps.
    ///
    /// # Errors
    /// There is none, or one does not raise the canary's weight.
    pub fn new(steps: Vec<RolloutStep>) -> Result<Self, LadderError> {
        if steps.is_empty() {
            return Err(LadderError::Empty);
        }
        if steps.len() > usize::from(u16::MAX) {
            return Err(LadderError::TooMany { count: steps.len() });
        }
        let mut before = None;
        for (index, step) in steps.iter().enumerate() {
            let weight = step.weight.get();
            if weight <= before.unwrap_or(0.0) {
                let stage = StageIndex(index as u16);
                return Err(LadderError::NotRising { stage, weight, before });
            }
            before = Some(weight);
        }
        Ok(Self(steps))
    }

    /// The steps, in their order.
    pub fn steps(&self) -> &[RolloutStep] {
        &self.0
    }

    /// A step; `None` after the last.
    pub fn step(&self, stage: StageIndex) -> Option<&RolloutStep> {
        self.0.get(usize::from(stage.0))
    }
}

impl TryFrom<Vec<RolloutStep>> for Ladder {
    type Error = LadderError;
    fn try_from(steps: Vec<RolloutStep>) -> Result<Self, LadderError> {
        Self::new(steps)
    }
}

impl From<Ladder> for Vec<RolloutStep> {
    fn from(ladder: Ladder) -> Self {
        ladder.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(weights: &[f64]) -> Result<Ladder, LadderError> {
        let step = |weight: &f64| RolloutStep {
            weight: Ratio::new(*weight).unwrap(),
            hold: Duration::from_secs(600),
            require: None,
            pause: false,
        };
        Ladder::new(weights.iter().map(step).collect())
    }

    #[test]
    fn each_step_raises_the_weight() {
        assert_eq!(ladder(&[0.05, 0.25, 1.0]).unwrap().steps().len(), 3);
        assert_eq!(ladder(&[]), Err(LadderError::Empty));
        for (weights, message) in [
            (&[0.0][..], "step 1 has weight 0, which is not above 0;"),
            (&[0.05, 0.05], "step 2 has weight 0.05, which is not above 0.05,"),
            (&[0.05, 0.5, 0.25], "step 3 has weight 0.25, which is not above 0.5,"),
        ] {
            let error = ladder(weights).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
