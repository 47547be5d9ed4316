//! The standard normal distribution.

/// The probability that a standard normal variate is at most `x`.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density of the standard normal distribution at `x`.
pub fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) * DENSITY_AT_ZERO
}

/// The `p`-quantile of the standard normal distribution, to about 1e-16 relative; -infinity at 0,
/// infinity at 1, NaN outside [0, 1].
///
/// Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), 477-484,
/// doi:10.2307/2347330.
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE_NUMERATOR, &CENTRE_DENOMINATOR);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return q.signum() * f64::INFINITY;
    }
    let r = (-libm::log(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        ratio(r - 1.6, &MIDDLE_NUMERATOR, &MIDDLE_DENOMINATOR)
    } else {
        ratio(r - 5.0, &FAR_NUMERATOR, &FAR_DENOMINATOR)
    };
    magnitude * q.signum()
}

/// The quotient of two polynomials with coefficients in ascending order.
fn ratio(x: f64, numerator: &[f64; 8], denominator: &[f64; 8]) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    value(numerator) / value(denominator)
}

/// 1 / sqrt(2 pi).
const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;
// The coefficients of AS 241, as printed.
const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    // scipy.stats.norm: (p, ppf(p)).
    const PAIRS: [(f64, f64); 7] = [
        (1e-300, -37.0470962993612),
        (1e-12, -7.034483825301131),
        (0.001, -3.090232306167813),
        (0.3, -0.5244005127080409),
        (0.6, 0.2533471031357997),
        (0.975, 1.959963984540054),
        (0.99, 2.3263478740408408),
    ];

    #[test]
    fn normal_functions_agree_with_scipy() {
        for (p, z) in PAIRS {
            let quantile = normal_quantile(p);
            assert!((quantile - z).abs() <= 2e-15 * z.abs(), "{p}: {quantile} against {z}");
            let cdf = normal_cdf(z);
            // One rounding of z alone changes the tail by z^2 * 1.1e-16 relative.
            assert!((cdf - p).abs() <= 4e-16 * (z * z + 4.0) * p, "{z}: {cdf} against {p}");
        }
    }

    #[test]
    fn the_quantile_has_its_limits_at_the_edges() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert_eq!(normal_quantile(0.5), 0.0);
        assert!(normal_quantile(-0.1).is_nan());
        assert!(normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn the_density_agrees_with_scipy() {
        // scipy.stats.norm.pdf.
        for (x, density) in
            [(0.0, 0.3989422804014327), (1.5, 0.12951759566589174), (-4.0, 0.00013383022576488537)]
        {
            let found = normal_density(x);
            assert!((found - density).abs() <= 1e-14 * density, "{x}: {found}");
        }
    }
}
