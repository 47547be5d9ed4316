//! The beta distribution, and Student's t distribution through it.

use super::elementary::exp;
use super::saddle::{deviance, stirling_error};

/// The regularised incomplete beta function I_x(a, b): the probability that a beta variate with
/// parameters `a`, `b` > 0 is at most `x` in [0, 1]. NaN outside this domain. Relative error about
/// 1e-13, for parameters up to 10^9 too; the work grows with the square root of the larger one.
///
/// The binomial distribution follows from it: P(B <= k) = I_(1-q)(n - k, k + 1).
///
/// Source: continued fraction of NIST DLMF 8.17.22, <https://dlmf.nist.gov/8.17.E22>, evaluated by
/// the modified Lentz method.
pub fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if !(in_domain(a, b) && (0.0..=1.0).contains(&x)) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let scale = x * (1.0 - x) * beta_density(x, a, b);
    // The fraction converges fast on the lower side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        scale * continued_fraction(x, a, b) / a
    } else {
        1.0 - scale * continued_fraction(1.0 - x, b, a) / b
    }
}

/// The `p`-quantile of the beta distribution with parameters `a`, `b` > 0: the x with
/// I_x(a, b) = p. NaN outside the domain. Relative error about 1e-12.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(in_domain(a, b) && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    // Newton's method inside a bracket, on a geometric middle where it would leave it: quantiles
    // near 0 keep their relative precision.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut x = a / (a + b);
    for _ in 0..MAX_STEPS {
        let error = incomplete_beta(x, a, b) - p;
        if error < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let mut next = x - error / beta_density(x, a, b);
        if !(next > low && next < high) {
            next = if low == 0.0 {
                high * 1e-3
            } else if high > 4.0 * low {
                (low * high).sqrt()
            } else {
                low + 0.5 * (high - low)
            };
        }
        let step = (next - x).abs();
        x = next;
        if step <= 1e-15 * x {
            break;
        }
    }
    x
}

/// The `p`-quantile of Student's t distribution with `freedom` > 0 degrees of freedom; infinite
/// at p = 0 and 1, NaN outside the domain.
///
/// T^2 / (freedom + T^2) has the beta distribution with parameters 1/2 and freedom/2.
pub fn student_t_quantile(p: f64, freedom: f64) -> f64 {
    let central = (2.0 * p - 1.0).abs();
    let part = beta_quantile(central, 0.5, 0.5 * freedom);
    // Where the quantile is far out, its distance from 1 is the exact quantity.
    let odds = if part < 0.5 {
        part / (1.0 - part)
    } else {
        let rest = beta_quantile(2.0 * p.min(1.0 - p), 0.5 * freedom, 0.5);
        (1.0 - rest) / rest
    };
    let magnitude = (freedom * odds).sqrt();
    if p < 0.5 { -magnitude } else { magnitude }
}

/// The probability that Student's t with `freedom` > 0 degrees of freedom lies at least as far from
/// 0 as `t`, on either side: 1 at t = 0, 0 for an infinite t, NaN outside the domain.
///
/// T^2 / (freedom + T^2) has the beta distribution with parameters 1/2 and freedom/2.
pub fn student_t_tails(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)
}

fn in_domain(a: f64, b: f64) -> bool {
    a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite()
}

/// x^(a-1) (1-x)^(b-1) / B(a, b) for x in (0, 1), by the saddle-point expansion, which does not
/// cancel for large parameters.
///
/// Source: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000): the binomial
/// density is exp(stirling terms - deviances) sqrt(n / (2 pi a b)).
fn beta_density(x: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let log = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * (1.0 - x));
    let binomial = exp(log) * (n / (std::f64::consts::TAU * a * b)).sqrt();
    binomial * (a * b / n) / (x * (1.0 - x))
}

fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    // Convergence takes a few times sqrt(max(a, b)) terms.
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// Keeps Lentz's quotients away from 0, as in its original description.
const TINY: f64 = 1e-300;
/// Chosen: enough for parameters of 10^10; a bound against a loop without end only.
const MAX_TERMS: u32 = 1_000_000;
/// Chosen: bisection alone would need fewer.
const MAX_STEPS: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn the_incomplete_beta_function_agrees_with_scipy() {
        // (x, a, b, scipy.special.betainc(a, b, x)).
        let cases = [
            (0.5, 2.0, 3.0, 0.6875),
            (0.01, 0.5, 0.5, 0.06376856085851985),
            (0.999, 3.0, 0.5, 0.9407468104840536),
            (0.05, 20.0, 400.0, 0.6157734412697504),
            (0.3, 1000000.0, 2333000.0, 0.45249176907274424),
            (0.0101, 10000000.0, 990000000.0, 1.0),
            (1e-09, 1.0, 1000000000.0, 0.6321205590124974),
            (0.9, 1.0, 1.0, 0.9),
        ];
        for (x, a, b, expected) in cases {
            let found = incomplete_beta(x, a, b);
            assert!(close(found, expected, 1e-11), "I_{x}({a}, {b}) = {found} against {expected}");
        }
    }

    #[test]
    fn beta_quantiles_agree_with_scipy() {
        // (p, a, b, scipy.stats.beta.ppf(p, a, b)).
        let cases = [
            (0.025, 1.0, 100.0, 0.00025314603297742064),
            (0.975, 1.0, 100.0, 0.03621669264517641),
            (0.025, 13.0, 988.0, 0.006939617502851475),
            (0.975, 14.0, 987.0, 0.022127803636778486),
            (0.025, 1.0, 1000000000.0, 2.531780798396938e-11),
            (0.975, 1000001.0, 999000000.0, 0.001001960928819794),
            (0.95, 0.5, 10.0, 0.17868670660430083),
            (0.0001, 0.5, 3.0, 2.8444444552322614e-09),
            (0.975, 990.0, 11.0, 0.9944964058076864),
        ];
        for (p, a, b, expected) in cases {
            let found = beta_quantile(p, a, b);
            assert!(close(found, expected, 1e-11), "{p} ({a}, {b}): {found} against {expected}");
        }
    }

    #[test]
    fn student_quantiles_agree_with_scipy() {
        // (p, freedom, scipy.stats.t.ppf(p, freedom)).
        let cases = [
            (0.975, 1.0, 12.706204736174694),
            (0.975, 2.0, 4.302652729749462),
            (0.025, 9.0, -2.2621571627982053),
            (0.9875, 29.0, 2.363846073208312),
            (0.975, 1000000.0, 1.959966356814107),
            (0.6, 5.0, 0.2671808657041451),
            (0.999999, 3.0, 103.29946777942898),
        ];
        for (p, freedom, expected) in cases {
            let found = student_t_quantile(p, freedom);
            assert!(close(found, expected, 1e-11), "{p} ({freedom}): {found} against {expected}");
        }
    }

    #[test]
    fn the_edges_of_the_domain_are_exact_and_beyond_is_no_number() {
        assert_eq!(incomplete_beta(0.0, 2.0, 3.0), 0.0);
        assert_eq!(incomplete_beta(1.0, 2.0, 3.0), 1.0);
        assert_eq!(beta_quantile(1.0, 2.0, 3.0), 1.0);
        assert_eq!(student_t_quantile(0.5, 4.0), 0.0);
        assert_eq!(student_t_quantile(1.0, 4.0), f64::INFINITY);
        assert_eq!(student_t_quantile(0.0, 4.0), f64::NEG_INFINITY);
        assert!(incomplete_beta(0.5, 0.0, 1.0).is_nan());
        assert!(incomplete_beta(f64::NAN, 1.0, 1.0).is_nan());
        assert!(beta_quantile(1.1, 1.0, 1.0).is_nan());
        assert!(student_t_quantile(0.9, -1.0).is_nan());
    }

    #[test]
    fn tails_of_t_agree_with_scipy() {
        // 2 scipy.stats.t.sf(t, freedom).
        let cases = [
            (0.5, 3.0, 0.651447964848151),
            (2.1, 7.5, 0.07123707145807809),
            (12.0, 30.0, 5.580185415199261e-13),
            (4.0, 1e6, 6.33470340100481e-05),
            (40.0, 200.0, 2.2487396535202197e-97),
        ];
        for (t, freedom, expected) in cases {
            for t in [t, -t] {
                let found = student_t_tails(t, freedom);
                assert!((found / expected - 1.0).abs() < 1e-9, "{t} {freedom}: {found}");
            }
        }
        assert_eq!(student_t_tails(0.0, 5.0), 1.0);
        assert_eq!(student_t_tails(f64::INFINITY, 5.0), 0.0);
    }
}
