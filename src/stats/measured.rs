//! A value with its interval, and the difference of two such values.

use super::interval::Interval;

/// A value that was estimated from a sample.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measured {
    /// The estimate.
    pub value: f64,
    /// Between which limits the true value lies, at some confidence; infinite where the sample is
    /// too small to bound it on that side.
    pub limits: Interval,
}

impl Measured {
    /// The interval of `self` - `base` at the confidence that both their intervals have, where the
    /// two are independent (MOVER, by square and add): with l, u the limits of each and d the
    /// difference of the values,
    ///
    /// `[d - sqrt((x - l_x)^2 + (u_b - b)^2), d + sqrt((u_x - x)^2 + (b - l_b)^2)]`.
    ///
    /// Each side needs one limit of either value; it is infinite where one of them is.
    ///
    /// Source: G. Y. Zou and A. Donner, Construction of confidence limits about effect measures: a
    /// general approach, Statistics in Medicine 27 (2008), 1693-1702, doi:10.1002/sim.3095.
    pub fn difference(self, base: Self) -> Interval {
        let difference = self.value - base.value;
        let square = |distance: f64| distance * distance;
        let below = square(self.value - self.limits.low) + square(base.limits.high - base.value);
        let above = square(self.limits.high - self.value) + square(base.value - base.limits.low);
        Interval { low: difference - below.sqrt(), high: difference + above.sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(value: f64, low: f64, high: f64) -> Measured {
        Measured { value, limits: Interval { low, high } }
    }

    #[test]
    fn each_side_takes_the_limits_that_bear_on_it() {
        // 3-4-5 triangles: below 10 - 7 = 3 and 9 - 5 = 4, above 22 - 10 = 12 and 5 - 0 = 5.
        let found = measured(10.0, 7.0, 22.0).difference(measured(5.0, 0.0, 9.0));
        assert_eq!(found, Interval { low: 5.0 - 5.0, high: 5.0 + 13.0 });
    }

    #[test]
    fn a_side_without_limit_stays_without() {
        let open = measured(10.0, 7.0, f64::INFINITY);
        let found = open.difference(measured(5.0, 1.0, 9.0));
        assert_eq!(found, Interval { low: 0.0, high: f64::INFINITY });
        let found = measured(5.0, 1.0, 9.0).difference(open);
        assert_eq!(found, Interval { low: f64::NEG_INFINITY, high: 0.0 });
    }

    #[test]
    fn values_without_doubt_differ_without_doubt() {
        let found = measured(3.0, 3.0, 3.0).difference(measured(1.0, 1.0, 1.0));
        assert_eq!(found, Interval { low: 2.0, high: 2.0 });
    }
}
