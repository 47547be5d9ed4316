//! What is left of a period that had begun before.

use crate::chance::Distribution;
use crate::units::Draw;

/// The length, from a given instant on, of the period that contains it, where periods have this
/// distribution: its distribution function at x is the mean of min(period, x) over the mean period
/// (D. R. Cox, "Renewal Theory", 1962, chapter 5). Found by bisection to 1e-12; the mean must be
/// finite.
pub(super) fn residual(period: &Distribution, draw: Draw) -> f64 {
    let wanted = draw.unit() * period.mean();
    let limited = |limit: f64| {
        let clamped = period.clone().clamped(0.0, Some(limit));
        clamped.expect("limits are in range").mean()
    };
    let (mut low, mut high) = (0.0, period.mean());
    while limited(high) < wanted && high < LONGEST {
        (low, high) = (high, (2.0 * high).min(LONGEST));
    }
    while high - low > 1e-12 * high {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if limited(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

/// What a distribution's values reach at most.
const LONGEST: f64 = 1e18;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    /// Of an exponential the exponential itself, of a constant c uniform from 0 to c, of a uniform
    /// from 0 to c the smaller root of x - x^2 / 2c = u c / 2.
    #[test]
    fn what_is_left_of_known_periods_has_its_known_quantile() {
        let chance = Chance::new(5, 0);
        let exponential = Distribution::exponential(3.0).unwrap();
        let constant = Distribution::constant(4.0).unwrap();
        let uniform = Distribution::uniform(0.0, 2.0).unwrap();
        for id in 0..200 {
            let draw = chance.request(RequestId(id), 0).draw(Purpose::Start, 0);
            let u = draw.unit();
            let close = |found: f64, expected: f64| {
                assert!((found - expected).abs() < 1e-9 * (1.0 + expected), "{found} {expected}");
            };
            close(residual(&exponential, draw), exponential.quantile(u));
            close(residual(&constant, draw), 4.0 * u);
            close(residual(&uniform, draw), 2.0 * (1.0 - (1.0 - u).sqrt()));
        }
    }
}
