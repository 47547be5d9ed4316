//! The two parts of the saddle-point expansion of a density, which do not cancel for large
//! parameters.
//!
//! Source: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000).

use super::elementary::{ln, ln_gamma};

/// ln Gamma(n + 1) less Stirling's approximation (n + 1/2) ln n - n + ln sqrt(2 pi), for n > 0.
pub(super) fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * ln(n) + n - LN_SQRT_TAU;
    }
    let square = n * n;
    let series = 1.0 / 1_680.0 - 1.0 / 1_188.0 / square;
    let series = 1.0 / 1_260.0 - series / square;
    let series = 1.0 / 360.0 - series / square;
    (1.0 / 12.0 - series / square) / n
}

/// x ln(x / mean) + mean - x, without cancellation where the two are close.
pub(super) fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * ln(x / mean) - difference;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        term *= v * v;
        odd += 2.0;
        let next = sum + term / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// ln sqrt(2 pi).
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;
