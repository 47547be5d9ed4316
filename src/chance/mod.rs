//! Randomness that is a function of its address, and distributions to spend it on.
//!
//! A draw is addressed by (seed, run, request, attempt, purpose, number): no generator has a state
//! that one consumer could advance under another, so two configurations under one seed meet the
//! same traffic, and a sample takes exactly one draw. Knows nothing of what draws are used for.
//!
//! ```
//! use coalmine::chance::{Chance, Distribution, Purpose, Sampler};
//! use coalmine::units::RequestId;
//!
//! let latency = Distribution::lognormal_mean_p99(1_247.0, 2_156.0).unwrap();
//! let sampler = Sampler::new(&latency);
//! let draws = Chance::new(42, 0).request(RequestId(7), 0);
//! let millis = sampler.sample(draws.draw(Purpose::Latency, 0));
//! assert_eq!(millis, sampler.sample(draws.draw(Purpose::Latency, 0)));
//! ```

mod distribution;
mod draws;
mod empirical;
mod family;
mod parameter;
mod sampler;
mod shape;
mod table;
mod zipf;

pub use distribution::Distribution;
pub(crate) use draws::mix;
pub use draws::{Chance, DrawRng, Draws, Purpose};
pub use parameter::{DistributionError, Parameter};
pub use sampler::Sampler;
pub use zipf::Zipf;
