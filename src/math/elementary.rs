//! Elementary functions, by `libm`.

/// The natural logarithm; NaN below 0, -infinity at 0.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x), accurate near 0; NaN below -1.
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// The decimal logarithm; NaN below 0, -infinity at 0.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// e^x.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1, accurate near 0.
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// base^exponent, with IEEE 754's values at the edges.
pub fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// Gamma(x); infinite above 171.6, NaN at negative integers.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// The natural logarithm of |Gamma(x)|; infinite at 0 and at negative integers.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The sine of an angle in radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// The cosine of an angle in radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether two numbers agree to `relative` of the second.
    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn elementary_functions_agree_with_numpy() {
        // numpy 2: log(3), log1p(1e-10), log10(3), exp(1), expm1(1e-10), 1.5 ** 2.5.
        assert!(close(ln(3.0), 1.0986122886681098, 1e-15));
        assert!(close(ln_1p(1e-10), 9.999_999_999_5e-11, 1e-15));
        assert!(close(log10(3.0), 0.47712125471966244, 1e-15));
        assert!(close(exp(1.0), std::f64::consts::E, 1e-15));
        assert!(close(exp_m1(1e-10), 1.000_000_000_05e-10, 1e-15));
        // numpy 2: cos(0.5).
        assert!(close(cos(0.5), 0.8775825618903728, 1e-15));
        assert!(close(pow(1.5, 2.5), 2.755_675_960_631_075_4, 1e-15));
    }

    #[test]
    fn sine_and_cosine_agree_with_numpy() {
        for (x, sine, cosine) in [
            (0.5, 0.479425538604203, 0.8775825618903728),
            (-2.0, -0.9092974268256817, -0.4161468365471424),
            (1e6, -0.34999350217129294, 0.9367521275331447),
        ] {
            assert!(close(sin(x), sine, 1e-15) && close(cos(x), cosine, 1e-15), "{x}");
        }
    }

    #[test]
    fn ln_gamma_agrees_with_scipy() {
        // scipy.special.gammaln.
        for (x, expected) in [
            (0.1, 2.252_712_651_734_206),
            (0.5, 0.572_364_942_924_700_1),
            (5.0, 3.178_053_830_347_946),
            (10.5, 13.940_625_219_403_763),
            (1e6, 12_815_504.569_147_611),
        ] {
            assert!(close(ln_gamma(x), expected, 1e-14), "{x}: {}", ln_gamma(x));
        }
        assert_eq!(ln_gamma(1.0), 0.0);
        assert_eq!(ln_gamma(2.0), 0.0);
        // scipy.special.gamma.
        assert!(close(gamma(1.1), 0.9513507698668732, 1e-15));
        assert!(close(gamma(11.0), 3_628_800.0, 1e-15));
    }
}
