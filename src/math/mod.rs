//! Elementary and special functions with the same result on every machine.
//!
//! The standard library hands `ln`, `exp` and the like to the platform's C library, whose last
//! digits differ; a simulated run must not. Everything here is computed by `libm` or by plain
//! arithmetic. Knows nothing of what the numbers mean.

mod beta;
mod elementary;
mod normal;

pub use beta::{beta_quantile, incomplete_beta, student_t_quantile};
pub use elementary::{exp, exp_m1, ln, ln_1p, ln_gamma, log10, pow};
pub use normal::{normal_cdf, normal_quantile};
