//! The gamma distribution.

use super::elementary::{exp, exp_m1, ln, ln_1p, ln_gamma};
use super::normal::normal_quantile;
use super::saddle::{deviance, stirling_error};

/// The regularised lower incomplete gamma function P(a, x): the probability that a gamma variate of
/// shape `a` > 0 and scale 1 is at most `x` >= 0. NaN outside this domain. Relative error about
/// 1e-13; the work grows with the square root of `a`.
///
/// Source: series of NIST DLMF 8.11.4, <https://dlmf.nist.gov/8.11.E4>, and continued fraction
/// 8.9.2, <https://dlmf.nist.gov/8.9.E2>, evaluated by the modified Lentz method.
pub fn incomplete_gamma(a: f64, x: f64) -> f64 {
    match Tails::at(a, x) {
        None => f64::NAN,
        Some(Tails::Lower(lower)) => exp(lower),
        Some(Tails::Upper(upper)) => -exp_m1(upper),
    }
}

/// 1 - P(a, x), accurate where it is small: the probability that a gamma variate of shape `a` > 0
/// and scale 1 is above `x` >= 0. NaN outside this domain.
pub fn incomplete_gamma_upper(a: f64, x: f64) -> f64 {
    match Tails::at(a, x) {
        None => f64::NAN,
        Some(Tails::Lower(lower)) => -exp_m1(lower),
        Some(Tails::Upper(upper)) => exp(upper),
    }
}

/// The `p`-quantile of the gamma distribution of shape `a` > 0 and scale 1: the x with P(a, x) = p;
/// infinite at p = 1, 0 where it is too small for a double. NaN outside the domain. Relative error
/// about 1e-12.
///
/// Newton's method for the logarithm of the nearer tail in t = ln x. The density of t is
/// log-concave, so both tails are: every step but the first lands on the far side of the root, and
/// the steps cannot leave it again.
pub fn gamma_quantile(p: f64, a: f64) -> f64 {
    if !(a > 0.0 && a.is_finite() && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    let lower = p <= 0.5;
    let target = if lower { ln(p) } else { ln_1p(-p) };
    let mut t = first_guess(p, a);
    for _ in 0..MAX_STEPS {
        let found = ln_tail(a, t, lower);
        // d ln P / dt = x density / P, and likewise with the other sign for the upper tail.
        let slope = exp(ln_density(a, t) - found);
        let step = (target - found) / if lower { slope } else { -slope };
        t += step;
        if step.abs() <= 1e-14 * t.abs().max(1.0) {
            break;
        }
    }
    exp(t)
}

/// The logarithm of whichever tail is summed directly.
enum Tails {
    Lower(f64),
    Upper(f64),
}

impl Tails {
    fn at(a: f64, x: f64) -> Option<Self> {
        if !(a > 0.0 && a.is_finite() && x >= 0.0) {
            return None;
        }
        if x == 0.0 {
            return Some(Self::Lower(f64::NEG_INFINITY));
        }
        if x == f64::INFINITY {
            return Some(Self::Upper(f64::NEG_INFINITY));
        }
        Some(Self::from_log(a, ln(x)))
    }

    /// At x = e^t, which may be too small for a double.
    fn from_log(a: f64, t: f64) -> Self {
        let x = exp(t);
        let density = ln_density(a, t);
        if x < a + 1.0 {
            Self::Lower(density + ln(series(a, x)))
        } else {
            Self::Upper(density + ln(continued_fraction(a, x)))
        }
    }
}

fn ln_tail(a: f64, t: f64, lower: bool) -> f64 {
    match (Tails::from_log(a, t), lower) {
        (Tails::Lower(tail), true) | (Tails::Upper(tail), false) => tail,
        (Tails::Lower(tail) | Tails::Upper(tail), _) => ln_1p(-exp(tail)),
    }
}

/// The logarithm of x times the density, x^a e^-x / Gamma(a), at x = e^t.
fn ln_density(a: f64, t: f64) -> f64 {
    let x = exp(t);
    if a < 1.0 {
        // Nothing cancels here, and x may be 0 where t is finite.
        return a * t - x - ln_gamma(a);
    }
    0.5 * ln(a / std::f64::consts::TAU) - stirling_error(a) - deviance(a, x)
}

/// P(a, x) over x^a e^-x / Gamma(a).
fn series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut n = a;
    loop {
        n += 1.0;
        term *= x / n;
        let next = sum + term;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// 1 - P(a, x) over x^a e^-x / Gamma(a), for x >= a + 1: no partial denominator is 0 there.
fn continued_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut d = 1.0 / b;
    let mut c = f64::INFINITY;
    let mut fraction = d;
    let mut m = 0.0;
    while m < MAX_TERMS {
        m += 1.0;
        let numerator = -m * (m - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// Where Newton's method begins: by Wilson and Hilferty's cube of a normal variate (PNAS 17, 1931,
/// doi:10.1073/pnas.17.12.684), or, where that is too low, by the lower bound that follows from
/// P(a, x) <= x^a / Gamma(a + 1).
fn first_guess(p: f64, a: f64) -> f64 {
    let bound = (ln(p) + ln_gamma(a + 1.0)) / a;
    let ninth = 1.0 / (9.0 * a);
    let root = 1.0 - ninth + normal_quantile(p) * ninth.sqrt();
    if root > 0.0 { (ln(a) + 3.0 * ln(root)).max(bound) } else { bound }
}

/// Chosen: a bound against a loop without end only; 10 steps are many.
const MAX_STEPS: u32 = 200;
/// Chosen: enough for shapes of 10^9.
const MAX_TERMS: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn the_incomplete_gamma_functions_agree_with_scipy_and_mpmath() {
        // (a, x, scipy.special.gammainc, gammaincc), checked with mpmath at 40 digits.
        let cases = [
            (0.0025, 1e-9, 0.9508772878681648, 0.04912271213183516),
            (0.25, 0.01, 0.34818645276048404, 0.6518135472395159),
            (0.5, 3.0, 0.9856941215645704, 0.01430587843542964),
            (1.0, 1.0, 0.6321205588285577, 0.36787944117144233),
            (4.0, 20.0, 0.9999967962802195, 3.2037197804769982e-06),
            (10.0, 2.5, 0.00027735209462083604, 0.9997226479053791),
            (400.0, 380.0, 0.15855070978429478, 0.8414492902157052),
            (400.0, 520.0, 0.9999999813747673, 1.8625232716785704e-08),
            (10000.0, 10000.0, 0.5013298083399552, 0.4986701916600448),
            (10000.0, 10400.0, 0.999961119829426, 3.88801705739882e-05),
            (1000000.0, 1001000.0, 0.8413447863683403, 0.15865521363165971),
        ];
        for (a, x, lower, upper) in cases {
            let found = incomplete_gamma(a, x);
            assert!(close(found, lower, 1e-12), "P({a}, {x}) = {found} against {lower}");
            let found = incomplete_gamma_upper(a, x);
            assert!(close(found, upper, 1e-12), "Q({a}, {x}) = {found} against {upper}");
        }
    }

    #[test]
    fn gamma_quantiles_agree_with_scipy() {
        // (p, a, scipy.special.gammaincinv(a, p)), or by gammainccinv of 1 - p in the upper tail.
        let cases = [
            (0.5, 0.0625, 9.005635429218584e-6),
            (1e-9, 0.25, 6.749697893111732e-37),
            (0.999, 0.25, 4.3764442578866865),
            (0.3, 0.5, 0.07423593091627272),
            (0.5, 1.0, std::f64::consts::LN_2),
            (0.999999, 1.0, 13.815510557935518),
            (1e-6, 4.0, 0.0709923913586211),
            (0.9, 4.0, 6.680783068255864),
            (0.5, 100.0, 99.66686491931549),
            (1e-12, 100.0, 44.886022030017614),
            (0.999999999999, 100.0, 187.24800173918598),
            (0.01, 10000.0, 9768.836856696591),
            (0.9999, 10000.0, 10376.185652970515),
        ];
        for (p, a, expected) in cases {
            let found = gamma_quantile(p, a);
            assert!(close(found, expected, 1e-11), "{p} ({a}): {found} against {expected}");
        }
    }

    #[test]
    fn quantiles_invert_the_distribution_function_over_all_shapes() {
        for a in [0.0025, 0.1, 0.9, 1.0, 1.1, 7.0, 300.0, 10_000.0] {
            for p in [1e-15, 1e-4, 0.2, 0.499, 0.5, 0.501, 0.9, 0.999_999] {
                let x = gamma_quantile(p, a);
                // Of a small shape the lowest quantiles are too small for a double.
                let back = incomplete_gamma(a, x);
                assert!(x == 0.0 || close(back, p, 1e-10), "{p} ({a}): {x} gives {back}");
            }
        }
    }

    #[test]
    fn the_edges_of_the_domain_are_exact_and_beyond_is_no_number() {
        assert_eq!((incomplete_gamma(2.0, 0.0), incomplete_gamma_upper(2.0, 0.0)), (0.0, 1.0));
        assert_eq!(incomplete_gamma(2.0, f64::INFINITY), 1.0);
        assert_eq!(incomplete_gamma_upper(2.0, f64::INFINITY), 0.0);
        assert_eq!((gamma_quantile(0.0, 2.0), gamma_quantile(1.0, 2.0)), (0.0, f64::INFINITY));
        assert!(incomplete_gamma(0.0, 1.0).is_nan() && incomplete_gamma(1.0, -1.0).is_nan());
        assert!(gamma_quantile(1.5, 1.0).is_nan() && gamma_quantile(0.5, f64::NAN).is_nan());
    }
}
