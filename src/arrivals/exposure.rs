//! What a Poisson process lives on: independent exponential amounts of mean 1.
//!
//! A Poisson process whose rate changes is one of rate 1 on the scale of its integrated rate (time
//! rescaling; Çınlar, "Introduction to Stochastic Processes", 1975, chapter 4.7): the next arrival
//! is where the integral since the last one has grown by such an amount.

use std::sync::LazyLock;

use crate::chance::{Distribution, Draws, Purpose, Sampler};

/// Yields the amount that each request takes.
pub(super) struct Exposure(Sampler);

impl Exposure {
    pub(super) fn new() -> Self {
        Self(UNIT.clone())
    }

    /// How much the integrated rate grows until the request with these draws.
    #[inline]
    pub(super) fn of(&self, draws: Draws) -> f64 {
        self.0.sample(draws.draw(Purpose::Gap, 0))
    }
}

/// Of all runs alike: to compile it takes as long as a hundred requests.
static UNIT: LazyLock<Sampler> = LazyLock::new(|| {
    let unit = Distribution::exponential(1.0).expect("1 is a valid mean");
    Sampler::new(&unit)
});
