//! How many tokens prompts and answers have.

use crate::chance::{Distribution, Sampler};
use crate::units::{Draw, Tokens};

/// The token counts of requests.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenSizes {
    /// Of a prompt; rounded, at least 1.
    pub input: Distribution,
    /// Of a complete answer; rounded, at least 1.
    pub output: Distribution,
}

/// Draws the token counts of requests.
pub(super) struct SizeSamplers {
    pub(super) input: TokenSampler,
    pub(super) output: TokenSampler,
}

impl SizeSamplers {
    pub(super) fn new(sizes: &TokenSizes) -> Self {
        let (input, output) = (TokenSampler::new(&sizes.input), TokenSampler::new(&sizes.output));
        Self { input, output }
    }
}

/// Token counts of one kind; without a draw where there is but one.
pub(super) enum TokenSampler {
    Constant(Tokens),
    Drawn(Sampler),
}

impl TokenSampler {
    fn new(distribution: &Distribution) -> Self {
        let smallest = distribution.quantile(0.0);
        if smallest == distribution.quantile(1.0) {
            Self::Constant(whole(smallest))
        } else {
            Self::Drawn(Sampler::new(distribution))
        }
    }

    #[inline]
    pub(super) fn sample(&self, draw: impl FnOnce() -> Draw) -> Tokens {
        match self {
            Self::Constant(count) => *count,
            Self::Drawn(sampler) => whole(sampler.sample(draw())),
        }
    }
}

/// Rounded, at least 1, at most what a count holds.
#[inline]
fn whole(count: f64) -> Tokens {
    Tokens::new(((count + 0.5) as u32).max(1))
}
