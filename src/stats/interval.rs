//! Confidence intervals of proportions, means and quantiles of independent observations.

use crate::math;

/// How sure an interval is to cover the true value.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Confidence(f64);

impl Confidence {
    /// 90 %: of an interval either limit of which alone has 95 %.
    pub const PERCENT_90: Self = Self(0.9);
    /// 95 %.
    pub const PERCENT_95: Self = Self(0.95);
    /// 97.5 %.
    pub const PERCENT_97_5: Self = Self(0.975);
    /// 98 %.
    pub const PERCENT_98: Self = Self(0.98);

    /// A confidence; `None` outside (0, 1).
    pub fn new(probability: f64) -> Option<Self> {
        (probability > 0.0 && probability < 1.0).then_some(Self(probability))
    }

    /// The probability of covering, in (0, 1).
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The confidence that each of so many intervals needs for all of them to hold at once with
    /// this one, whatever they have to do with each other (Bonferroni); itself for one or none.
    #[must_use]
    pub fn shared_by(self, intervals: usize) -> Self {
        Self(1.0 - (1.0 - self.0) / intervals.max(1) as f64)
    }

    /// The probability left out on each side.
    pub(super) fn tail(self) -> f64 {
        0.5 * (1.0 - self.0)
    }
}

/// A two-sided interval, in the unit of what was measured; both ends belong to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Every proportion there is: what no observation at all tells.
    const UNIT: Self = Self { low: 0.0, high: 1.0 };

    /// Wilson's score interval of a proportion, from `hits` of `total` trials, for display: with
    /// z the normal quantile and p = hits / n, `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) /
    /// (1 + z^2/n)`. It covers with about the stated confidence on average over p.
    ///
    /// [0, 1] for no trials. 0 hits give exactly 0 as lower end, n of n exactly 1 as upper end.
    ///
    /// Source: E. B. Wilson, JASA 22 (1927), 209-212, doi:10.1080/01621459.1927.10502953.
    ///
    /// # Panics
    /// More hits than trials.
    pub fn wilson(hits: u64, total: u64, confidence: Confidence) -> Self {
        assert!(hits <= total, "{hits} hits in {total} trials");
        if total == 0 {
            return Self::UNIT;
        }
        let n = total as f64;
        let share = hits as f64 / n;
        let z = -math::normal_quantile(confidence.tail());
        let square = z * z / n;
        let centre = share + 0.5 * square;
        let half = (square * (share * (1.0 - share) + 0.25 * square)).sqrt();
        let ends = |value: f64| (value / (1.0 + square)).clamp(0.0, 1.0);
        Self {
            low: if hits == 0 { 0.0 } else { ends(centre - half) },
            high: if hits == total { 1.0 } else { ends(centre + half) },
        }
    }

    /// The exact interval of a proportion, from `hits` of `total` trials, for gates: it covers at
    /// least with the stated confidence whatever the proportion. With a = 1 - confidence, from
    /// the a/2 quantile of Beta(k, n - k + 1) to the 1 - a/2 quantile of Beta(k + 1, n - k).
    ///
    /// [0, 1] for no trials. 0 hits give 0 as lower end and about 3.7/n as upper (95 %, both
    /// sides); n of n give 1 as upper end.
    ///
    /// Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413,
    /// doi:10.1093/biomet/26.4.404.
    ///
    /// # Panics
    /// More hits than trials.
    pub fn clopper_pearson(hits: u64, total: u64, confidence: Confidence) -> Self {
        assert!(hits <= total, "{hits} hits in {total} trials");
        let (k, rest) = (hits as f64, (total - hits) as f64);
        let tail = confidence.tail();
        Self {
            low: if hits == 0 { 0.0 } else { math::beta_quantile(tail, k, rest + 1.0) },
            high: if hits == total { 1.0 } else { math::beta_quantile(1.0 - tail, k + 1.0, rest) },
        }
    }

    /// Student's interval of a mean: mean +- t sqrt(variance / n) with n - 1 degrees of freedom.
    /// Exact for normal observations, close for many others when n is large.
    ///
    /// `None` for fewer than two observations; the point itself where all are equal.
    ///
    /// Source: Student, Biometrika 6 (1908), 1-25, doi:10.1093/biomet/6.1.1.
    pub fn student(moments: Moments, confidence: Confidence) -> Option<Self> {
        if moments.count < 2 {
            return None;
        }
        let n = moments.count as f64;
        let t = math::student_t_quantile(1.0 - confidence.tail(), n - 1.0);
        let half = t * (moments.variance / n).sqrt();
        Some(Self { low: moments.mean - half, high: moments.mean + half })
    }
}

/// Number, mean and variance of observations.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moments {
    /// How many observations.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their sample variance, the sum of squared deviations over n - 1; 0 for a single one.
    pub variance: f64,
}

impl Moments {
    /// The moments of these observations; `None` for none.
    pub fn of(observations: &[f64]) -> Option<Self> {
        let n = observations.len() as f64;
        let mean = observations.iter().sum::<f64>() / n;
        let squares: f64 = observations.iter().map(|x| (x - mean) * (x - mean)).sum();
        let count = observations.len() as u64;
        let variance = if count > 1 { squares / (n - 1.0) } else { 0.0 };
        (count > 0).then_some(Self { count, mean, variance })
    }

    /// The moments of the observations of both. With d the difference of the means, the sum of
    /// squared deviations is that of either and `d^2 n m / (n + m)`.
    ///
    /// Source: T. F. Chan, G. H. Golub and R. J. LeVeque, Algorithms for computing the sample
    /// variance, The American Statistician 37 (1983), 242-247, doi:10.1080/00031305.1983.10483115.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let (n, m) = (self.count as f64, other.count as f64);
        let count = self.count + other.count;
        if count == 0 {
            return self;
        }
        let apart = other.mean - self.mean;
        let squares = |moments: Self, n: f64| moments.variance * (n - 1.0).max(0.0);
        let all = squares(self, n) + squares(other, m) + apart * apart * n * m / (n + m);
        let variance = if count > 1 { all / (n + m - 1.0) } else { 0.0 };
        Self { count, mean: self.mean + apart * m / (n + m), variance }
    }

    /// The moments of `count` whole numbers with this sum and sum of squares, `None` for none. The
    /// deviations are summed in integers, so that nothing cancels.
    pub fn of_sums(count: u64, sum: u128, sum_of_squares: u128) -> Option<Self> {
        let n = u128::from(count);
        let whole = sum.checked_div(n)?;
        let rest = sum % n;
        // The sum of (x - whole)^2: it fits, hence the wrapping of its terms cancels.
        let about_whole = sum_of_squares
            .wrapping_add(n.wrapping_mul(whole).wrapping_mul(whole))
            .wrapping_sub(whole.wrapping_mul(sum).wrapping_mul(2));
        let (n, rest) = (count as f64, rest as f64);
        let deviations = (about_whole as f64 - rest * rest / n).max(0.0);
        let variance = if count > 1 { deviations / (n - 1.0) } else { 0.0 };
        Some(Self { count, mean: whole as f64 + rest / n, variance })
    }
}

/// The ranks, from 1, of the two order statistics between which a quantile lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuantileRanks {
    /// The lower end; `None` where there are too few observations to bound the quantile below.
    pub lower: Option<u64>,
    /// The upper end; `None` where there are too few observations to bound the quantile above.
    pub upper: Option<u64>,
}

impl QuantileRanks {
    /// The ranks for the quantile of `per_mille` thousandths (990 is the 99th percentile) of
    /// `count` independent observations, whatever their distribution. With B ~ Bin(n, q) and
    /// a = 1 - confidence, the lower rank is the largest r with P(B < r) <= a/2, the upper the
    /// smallest r with P(B >= r) <= a/2. At 95 % the p99 is bounded above from 368 observations on.
    ///
    /// Source: H. A. David and H. N. Nagaraja, Order Statistics (3rd ed., 2003), section 7.1.
    ///
    /// # Panics
    /// `per_mille` outside 1 to 999.
    pub fn of(per_mille: u64, count: u64, confidence: Confidence) -> Self {
        Self::of_tail(per_mille, count, confidence.tail(), None)
    }

    /// The same for a tail of a/2 in (0, 0.5], which may be too small for a confidence to tell. The
    /// ranks are looked for between those of a smaller and of a larger tail, where these are known.
    pub(super) fn of_tail(
        per_mille: u64,
        count: u64,
        tail: f64,
        within: Option<[Self; 2]>,
    ) -> Self {
        assert!((1..=999).contains(&per_mille), "quantile {per_mille} of 1000");
        let miss = (1_000 - per_mille) as f64 / 1_000.0;
        // P(B < r) rises with r, from 0 at r = 0 to nearly 1 at r = n.
        let below = |rank: u64| {
            let (rank, n) = (rank as f64, count as f64);
            math::incomplete_beta(miss, n - rank + 1.0, rank)
        };
        // P(B >= r), not as 1 - P(B < r), which would cancel.
        let from = |rank: u64| {
            let (rank, n) = (rank as f64, count as f64);
            math::incomplete_beta(1.0 - miss, rank, n - rank + 1.0)
        };
        let ends = |ranks: Self| (ranks.lower.unwrap_or(0), ranks.upper.unwrap_or(count + 1));
        let wide = within.map_or((0, count + 1), |[wide, _]| ends(wide));
        let narrow = within.map_or((count, 1), |[_, narrow]| ends(narrow));
        let lower = first_rank([wide.0 + 1, narrow.0 + 1], |rank| below(rank) > tail) - 1;
        let upper = first_rank([narrow.1, wide.1], |rank| from(rank) <= tail);
        Self { lower: (lower > 0).then_some(lower), upper: (upper <= count).then_some(upper) }
    }
}

/// The smallest rank from the first of these for which `holds`, which then holds for all larger
/// ones; the second if for none below it.
pub(super) fn first_rank([mut low, mut high]: [u64; 2], holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const C95: Confidence = Confidence::PERCENT_95;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn proportions_agree_with_scipy() {
        // scipy.stats.binomtest(hits, total).proportion_ci(0.95, "wilson"), and beta.ppf of the
        // definition: "exact" of the former is a root to 1e-12 only.
        let cases = [
            (0, 40, (0.0, 0.08762160119728662), (0.0, 0.08809730287880237)),
            (
                3,
                50,
                (0.020614970348973957, 0.1621709168883817),
                (0.01254858783533406, 0.16548194660377288),
            ),
            (40, 40, (0.9123783988027133, 1.0), (0.9119026971211976, 1.0)),
            (
                12,
                1000,
                (0.006877647806403521, 0.020857268475498278),
                (0.006215525559595245, 0.02086767959103641),
            ),
            (
                1,
                1000000,
                (1.765245767453709e-07, 5.664911804311442e-06),
                (2.5317807663794178e-08, 5.571630655166939e-06),
            ),
            (
                4995,
                10000,
                (0.4897022587116792, 0.5092981252866914),
                (0.48965153116030896, 0.5093487601829834),
            ),
        ];
        for (hits, total, wilson, exact) in cases {
            let found = Interval::wilson(hits, total, C95);
            assert!((found.low - wilson.0).abs() <= 1e-12 * found.high, "{found:?}");
            assert!(close(found.high, wilson.1, 1e-12), "{found:?}");
            let found = Interval::clopper_pearson(hits, total, C95);
            assert!(close(found.low, exact.0, 1e-11), "{found:?}");
            assert!(close(found.high, exact.1, 1e-11), "{found:?}");
        }
        let found = Interval::clopper_pearson(3, 50, Confidence::PERCENT_97_5);
        assert!(
            close(found.low, 0.00963031715700646, 1e-9)
                && close(found.high, 0.18206000347353044, 1e-9)
        );
    }

    #[test]
    fn no_trials_tell_nothing_and_none_of_n_touches_zero() {
        for make in [Interval::wilson, Interval::clopper_pearson] {
            assert_eq!(make(0, 0, C95), Interval { low: 0.0, high: 1.0 });
            assert_eq!(make(0, 40, C95).low, 0.0);
            assert_eq!(make(40, 40, C95).high, 1.0);
            assert!(make(40, 40, C95).low < 1.0);
        }
        // 1 - 0.025^(1/n).
        let upper = Interval::clopper_pearson(0, 1_000, C95).high;
        assert!(close(upper, -math::exp_m1(math::ln(0.025) / 1_000.0), 1e-12));
    }

    #[test]
    fn a_mean_agrees_with_scipy() {
        // scipy.stats.t.interval(0.95, n - 1, mean, sem) of [12, 15, 11, 19, 14, 13].
        let values = [12_u128, 15, 11, 19, 14, 13];
        let squares = values.iter().map(|x| x * x).sum();
        let moments = Moments::of_sums(6, values.iter().sum(), squares).unwrap();
        assert!(close(moments.mean, 14.0, 1e-15));
        assert!(close(moments.variance, 8.0, 1e-15));
        let interval = Interval::student(moments, C95).unwrap();
        assert!(close(interval.low, 11.031747770442824, 1e-12), "{interval:?}");
        assert!(close(interval.high, 16.968252229557176, 1e-12), "{interval:?}");
    }

    #[test]
    fn moments_of_parts_are_those_of_the_whole() {
        // numpy.mean and numpy.var(ddof=1) of all seven.
        let parts: [&[f64]; 3] = [&[1.5, -2.0, 4.25], &[10.0], &[0.5, 0.25, 7.0]];
        let parts = parts.map(|part| Moments::of(part).unwrap());
        let all = parts[0].merged(parts[1]).merged(parts[2]);
        assert_eq!(all.count, 7);
        assert!(close(all.mean, 3.0714285714285716, 1e-15), "{all:?}");
        assert!(close(all.variance, 17.931547619047617, 1e-14), "{all:?}");
        assert_eq!(Moments::of(&[]), None);
    }

    #[test]
    fn moments_of_huge_nearly_equal_numbers_do_not_cancel() {
        // Half of them x, half x + 2: variance n / (n - 1), far below the rounding of x^2.
        let (x, half) = (3_600_000_000_001_u128, 500_000_000_u128);
        let squares = half * (x * x + (x + 2) * (x + 2));
        let moments = Moments::of_sums(1_000_000_000, half * (2 * x + 2), squares).unwrap();
        assert!(close(moments.variance, 1e9 / (1e9 - 1.0), 1e-15));
        assert_eq!(moments.mean, 3_600_000_000_002.0);
    }

    #[test]
    fn one_observation_bounds_no_mean_and_equal_ones_leave_no_doubt() {
        assert_eq!(Moments::of_sums(0, 0, 0), None);
        let one = Moments::of_sums(1, 7, 49).unwrap();
        assert_eq!(one, Moments { count: 1, mean: 7.0, variance: 0.0 });
        assert_eq!(Interval::student(one, C95), None);
        let three = Moments::of_sums(3, 21, 147).unwrap();
        assert_eq!(Interval::student(three, C95), Some(Interval { low: 7.0, high: 7.0 }));
    }

    #[test]
    fn quantile_ranks_agree_with_scipy() {
        // By scipy.stats.binom.cdf and the definition.
        let cases = [
            (500, 6, Some(1), Some(6)),
            (500, 100, Some(40), Some(61)),
            (950, 200, Some(184), Some(197)),
            (990, 1000, Some(983), Some(997)),
            (990, 10000, Some(9880), Some(9920)),
            (999, 3000, Some(2993), None),
            (10, 1000, Some(4), Some(18)),
            (990, 2000000, Some(1979724), Some(1980276)),
        ];
        for (per_mille, count, lower, upper) in cases {
            let found = QuantileRanks::of(per_mille, count, C95);
            assert_eq!(found, QuantileRanks { lower, upper }, "{per_mille} of {count}");
        }
    }

    #[test]
    fn too_few_observations_leave_a_quantile_unbounded() {
        let none = QuantileRanks { lower: None, upper: None };
        assert_eq!(QuantileRanks::of(500, 0, C95), none);
        assert_eq!(QuantileRanks::of(500, 5, C95), none);
        // 0.99^367 > 0.025 >= 0.99^368.
        assert_eq!(QuantileRanks::of(990, 367, C95).upper, None);
        assert_eq!(QuantileRanks::of(990, 368, C95).upper, Some(368));
        // The p1 mirrors the p99.
        assert_eq!(QuantileRanks::of(10, 368, C95).lower, Some(1));
    }
}
