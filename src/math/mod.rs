//! Elementary and special functions, and roots of others, with the same result on every machine.
//!
//! The standard library hands `ln`, `exp` and the like to the platform's C library, whose last
//! digits differ; a simulated run must not. Everything here is computed by `libm` or by plain
//! arithmetic. Knows nothing of what the numbers mean.

mod beta;
mod elementary;
mod gamma;
mod normal;
mod root;
mod saddle;

pub use beta::{beta_quantile, incomplete_beta, student_t_quantile, student_t_tails};
pub use elementary::{cos, exp, exp_m1, gamma, ln, ln_1p, ln_gamma, log10, pow, sin};
pub use gamma::{gamma_quantile, incomplete_gamma, incomplete_gamma_upper};
pub use normal::{normal_cdf, normal_density, normal_quantile};
pub use root::root;
