//! What is held against what, and how.

use super::tolerances::Tolerances;
use crate::compare::RunInput;
use crate::stats::Confidence;

/// The two runs of one scenario.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The one in virtual time.
    pub simulated: RunInput<'a>,
    /// The one over HTTP.
    pub live: RunInput<'a>,
    /// Whether both met the same draws, request by request: their seeds are the same, and the live
    /// run's gateway and mock were told the number of every request. Then most of what chance does
    /// is the same in both.
    pub share_draws: bool,
}

impl<'a> Sides<'a> {
    /// Two runs that share their draws if they have one seed and the gateway was the harness's own:
    /// one elsewhere draws its split for itself.
    pub fn new(simulated: RunInput<'a>, live: RunInput<'a>) -> Self {
        let is_elsewhere = live.result.live.as_ref().is_some_and(|live| live.gateway.is_some());
        let of_one_seed = simulated.result.scenario.seed == live.result.scenario.seed;
        let share_draws = of_one_seed && !is_elsewhere;
        Self { simulated, live, share_draws }
    }
}

/// How errors are judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// What is allowed.
    pub tolerances: Tolerances,
    /// The probability that all judged errors lie in their intervals at once. Default: 95 %.
    pub confidence: Confidence,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerances: Tolerances::default(), confidence: Confidence::PERCENT_95 }
    }
}
