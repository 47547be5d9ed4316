//! How many requests ended in each second, and how many of them failed.

use crate::units::Duration;

/// Ends and failures by the second in which the request was sent; 8 bytes for each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct OutcomeCounts(Vec<Outcomes>);

/// Of one stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Outcomes {
    /// Requests of which the end is known.
    pub(super) ended: u32,
    /// Those of them that failed.
    pub(super) failed: u32,
}

impl Outcomes {
    /// The logarithm of the likelihood of exactly these failures where each request fails with
    /// `probability`.
    pub(super) fn ln_likelihood(self, probability: f64) -> f64 {
        let (failed, rest) = (f64::from(self.failed), f64::from(self.ended - self.failed));
        // 0 times the logarithm of 0 is nothing.
        let part = |count: f64, p: f64| if count == 0.0 { 0.0 } else { count * crate::math::ln(p) };
        part(failed, probability) + part(rest, 1.0 - probability)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self { ended: self.ended + other.ended, failed: self.failed + other.failed }
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self { ended: self.ended - other.ended, failed: self.failed - other.failed }
    }

    /// The share that failed; 0 of nothing.
    pub(super) fn share(self) -> f64 {
        if self.ended == 0 { 0.0 } else { f64::from(self.failed) / f64::from(self.ended) }
    }

    /// The likelihood at its greatest.
    pub(super) fn best_ln_likelihood(self) -> f64 {
        self.ln_likelihood(self.share())
    }
}

impl OutcomeCounts {
    /// A request sent in `second`, which the counts of all requests have as well.
    pub(super) fn add(&mut self, at: Duration, failed: bool) {
        let second = at.as_secs() as usize;
        if second >= self.0.len() {
            self.0.resize(second + 1, Outcomes::default());
        }
        self.0[second].ended += 1;
        self.0[second].failed += u32::from(failed);
    }

    /// Second by second.
    pub(super) fn seconds(&self) -> &[Outcomes] {
        &self.0
    }

    /// All of them.
    pub(super) fn total(&self) -> Outcomes {
        self.0.iter().fold(Outcomes::default(), |sum, second| sum.and(*second))
    }

    /// How unevenly failures come, in windows of 10 s.
    pub(super) fn unevenness(&self) -> Option<Unevenness> {
        let p = self.total().share();
        let q = 1.0 - p;
        if p <= 0.0 || q <= 0.0 {
            return None;
        }
        let (mut windows, mut sum, mut variance) = (0.0, 0.0, 0.0);
        for window in self.0.chunks(WINDOW) {
            let all = window.iter().fold(Outcomes::default(), |sum, second| sum.and(*second));
            if all.ended == 0 {
                continue;
            }
            let n = f64::from(all.ended);
            let deviation = f64::from(all.failed) - n * p;
            windows += 1.0;
            sum += deviation * deviation / (n * p * q);
            variance += 2.0 + (1.0 - 6.0 * p * q) / (n * p * q);
        }
        (windows >= LEAST_WINDOWS).then(|| Unevenness {
            dispersion: sum / windows,
            score: (sum - windows) / variance.sqrt(),
        })
    }
}

/// Failures in windows of 10 s against those of requests that fail each for itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Unevenness {
    /// The mean of (f - n p)^2 / (n p q) over the windows, n requests and f failures in each: 1
    /// where each request fails for itself.
    pub(super) dispersion: f64,
    /// How many standard errors that is above 1: the terms have the variance 2 + (1 - 6 p q) /
    /// (n p q), as follows from the fourth moment of a binomial count.
    pub(super) score: f64,
}

impl Unevenness {
    /// Whether failures come clearly together: a standard error of 3.09 is exceeded by chance once
    /// in 1,000 times.
    pub(super) const fn is_clear(self) -> bool {
        self.score > 3.09 && self.dispersion > 1.2
    }
}

/// Seconds.
const WINDOW: usize = 10;
/// Chosen: fewer say nothing.
const LEAST_WINDOWS: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    /// 5 requests a second for an hour, of which each fails for itself: the score is to lie within
    /// three standard errors.
    #[test]
    fn failures_that_come_each_for_itself_are_even() {
        let chance = Chance::new(9, 0);
        for probability in [0.001, 0.02, 0.3] {
            let mut counts = OutcomeCounts::default();
            for id in 0..18_000 {
                let draw = chance.request(RequestId(id), 0).draw(Purpose::Failure, 0);
                counts.add(Duration::from_millis(id * 200), draw.unit() < probability);
            }
            let found = counts.unevenness().unwrap();
            assert!(found.score.abs() < 3.0 && !found.is_clear(), "{probability} {found:?}");
        }
    }

    /// By hand: 20 windows of 10 requests, in half of which all fail and in half none: p = 1/2,
    /// each term is 25 / 2.5 = 10.
    #[test]
    fn failures_that_come_together_are_not() {
        let mut counts = OutcomeCounts::default();
        for second in 0..200 {
            counts.add(Duration::from_secs(second), second / 10 % 2 == 0);
        }
        let found = counts.unevenness().unwrap();
        assert!((found.dispersion - 10.0).abs() < 1e-12 && found.is_clear(), "{found:?}");
    }
}
