//! The ratio of two values that were estimated.

use super::interval::Interval;
use super::measured::Measured;

impl Measured {
    /// The interval of `self` / `base`, two values that are never below 0, at the confidence that
    /// both their intervals have, where the two are independent (MOVER-R): with l, u the limits of
    /// each,
    ///
    /// `L = l_x (2 x - l_x) / (x b + sqrt((x b)^2 - l_x (2 x - l_x) u_b (2 b - u_b)))`,
    /// `U = (x b + sqrt((x b)^2 - u_x (2 x - u_x) l_b (2 b - l_b))) / (l_b (2 b - l_b))`.
    ///
    /// These are the ratios R at which an end of the interval that [`Measured::difference`] makes
    /// of x - R b is 0: the interval lies above 1, or below, exactly where that of the difference
    /// lies above 0, or below. Of symmetric limits it is Fieller's.
    ///
    /// L is 0 where `l_x` is not above 0 and where `u_b` is infinite; U is infinite where `l_b` is
    /// not above 0 and where `u_x` is infinite. Neither is below 0.
    ///
    /// Source: A. Donner and G. Y. Zou, Closed-form confidence intervals for functions of the
    /// normal mean and standard deviation, Statistical Methods in Medical Research 21 (2012),
    /// 347-359, doi:10.1177/0962280210383082; R. G. Newcombe, MOVER-R confidence intervals for
    /// ratios and products of two independently estimated quantities, the same 25 (2016),
    /// 1774-1778, doi:10.1177/0962280213502144.
    pub fn ratio(self, base: Self) -> Interval {
        let (l, u) = (self.limits.low, self.limits.high);
        let low = match l > 0.0 && base.limits.high.is_finite() {
            true => {
                let [product, root] = terms(self.value, base.value, self.value - l, base.above());
                l * (2.0 * self.value - l) / (product + root)
            }
            false => 0.0,
        };
        let (bottom, b) = (base.limits.low, base.value);
        let high = match bottom > 0.0 && u.is_finite() {
            true => {
                let [product, root] = terms(self.value, b, self.above(), b - bottom);
                (product + root) / (bottom * (2.0 * b - bottom))
            }
            false => f64::INFINITY,
        };
        Interval { low, high }
    }

    /// How far the upper limit lies above the value.
    fn above(self) -> f64 {
        self.limits.high - self.value
    }
}

/// The product of the values, and the root: with d and e the distances of the limits from their
/// values, `l (2 x - l) = x^2 - d^2`, and the difference under it is `(b d)^2 + (x^2 - d^2) e^2`,
/// in which nothing cancels where the distances are small.
fn terms(value: f64, base: f64, distance: f64, base_distance: f64) -> [f64; 2] {
    let (d, e) = (distance, base_distance);
    let square = base * base * d * d + (value - d) * (value + d) * e * e;
    // It is not negative where a ratio is asked for, but for its rounding.
    [value * base, square.max(0.0).sqrt()]
}

#[cfg(test)]
mod tests {
    use super::super::interval::Confidence;
    use super::super::proportion::Proportion;
    use super::*;

    fn measured(value: f64, low: f64, high: f64) -> Measured {
        Measured { value, limits: Interval { low, high } }
    }

    #[test]
    fn ratios_agree_with_roots_of_the_difference() {
        // scipy.optimize.brentq of the ends of x - R b after the definition, with Wilson's limits
        // by scipy.stats.norm.
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-9 * expected;
        let cases = [
            ((50, 1_000), (10, 1_000), (2.5623306454958357, 9.665045856021129)),
            ((13, 3_648), (4, 3_498), (1.0375050823151435, 9.097663224981705)),
            ((0, 500), (3, 400), (0.0, 1.3523354239563536)),
            ((30, 930), (5, 1_005), (2.5658867493267943, 16.072348090622235)),
        ];
        for (other, first, (low, high)) in cases {
            let of = |(hits, total)| Proportion::new(hits, total).measured(Confidence::PERCENT_95);
            let found = of(other).ratio(of(first));
            assert!(near(found.low, low) && near(found.high, high), "{other:?}: {found:?}");
        }
        let found = measured(10.0, 7.0, 12.0).ratio(measured(5.0, 4.0, 8.0));
        assert!(near(found.low, 1.105563197324561), "{found:?}");
        assert!(near(found.high, 8.0 / 3.0), "{found:?}");
    }

    #[test]
    fn a_ratio_is_on_the_side_of_1_on_which_the_difference_is_of_0() {
        for step in 0..2_000 {
            let above = f64::from(step) * 1e-3;
            let (one, two) = (measured(5.0, 4.2, 5.9), measured(5.0 + above, 4.5 + above, 8.0));
            let (difference, ratio) = (two.difference(one), two.ratio(one));
            assert_eq!(difference.low > 0.0, ratio.low > 1.0, "{above}: {ratio:?}");
            let (difference, ratio) = (one.difference(two), one.ratio(two));
            assert_eq!(difference.high < 0.0, ratio.high < 1.0, "{above}: {ratio:?}");
        }
    }

    #[test]
    fn values_without_doubt_have_a_ratio_without_doubt() {
        let found = measured(0.82, 0.82, 0.82).ratio(measured(0.8, 0.8, 0.8));
        assert!((found.low - 1.025).abs() < 1e-15, "{found:?}");
        assert!((found.high - 1.025).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn what_may_be_0_bounds_nothing_and_no_ratio_is_below_it() {
        let whole = measured(5.0, 4.0, 6.0);
        assert_eq!(measured(1.0, -1.0, 3.0).ratio(whole).low, 0.0);
        assert_eq!(measured(1.0, f64::NEG_INFINITY, 3.0).ratio(whole).low, 0.0);
        assert_eq!(measured(5.0, 4.0, f64::INFINITY).ratio(whole).high, f64::INFINITY);
        for low in [0.0, -1.0, f64::NEG_INFINITY] {
            let found = whole.ratio(measured(1.0, low, 3.0));
            assert!(found.low > 0.0 && found.high == f64::INFINITY, "{found:?}");
        }
        let found = whole.ratio(measured(5.0, 4.0, f64::INFINITY));
        assert!(found.low == 0.0 && found.high.is_finite(), "{found:?}");
    }
}
