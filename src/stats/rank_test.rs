//! The rank test of two samples, as Kayenta makes it.

use super::interval::{Confidence, Interval};
use crate::math;

/// The Mann-Whitney test (Wilcoxon's rank-sum test) of a canary's values against the stable's, by
/// the normal approximation.
///
/// With m values x of the canary and n values y of the stable, at a shift mu,
///
/// `W(mu) = (d - 0.5 sign(d)) / sigma`,
/// `d = (sum of the midranks of all x - mu) - m(m + 1)/2 - mn/2`,
/// `sigma^2 = mn/12 ((m + n + 1) - sum(t^3 - t) / ((m + n)(m + n - 1)))`, t the size of each tie.
///
/// It is what Kayenta's `NetflixACAJudge` decides by, number for number, and what `wilcox.test(x,
/// y, exact = FALSE, conf.int = TRUE)` of R gives, whose shift only is without the correction of W
/// for continuity: W falls in steps, and where it crosses a value is searched for to within 1e-4,
/// as both do. The values should be in a unit of which 1e-4 does not matter: percent or
/// milliseconds. Where many values are 0 or equal, all crossings can lie at one step, and limits
/// and shift differ from it by that much only.
///
/// Two things are to be known. Kayenta's values are metrics of time buckets, not requests: means or
/// percentiles of a minute, say, and so are what is tested and its error; buckets of a minute that
/// follow each other are not independent. And it is a test of one look at a fixed number of values:
/// who looks again and again as buckets come in rejects more often than the confidence says, at 2 %
/// and 30 looks in 10 % of 20,000 runs without a difference (`tests/judges.rs`).
///
/// Source: D. F. Bauer, Constructing confidence sets using rank statistics, JASA 67 (1972),
/// 687-690, doi:10.1080/01621459.1972.10481279; spinnaker/kayenta, kayenta-mannwhitney.
///
/// ```
/// use coalmine::stats::{Confidence, MannWhitney};
/// let (canary, stable) = ([10.0, 20.0, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0]);
/// let found = MannWhitney::of(&canary, &stable, Confidence::PERCENT_95).unwrap();
/// assert_eq!((found.limits.low, found.shift, found.limits.high), (6.0, 22.5, 39.0));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MannWhitney {
    /// By how much the canary's values are larger: the root of W = 0, an estimate of the median of
    /// all differences x - y (Hodges and Lehmann).
    pub shift: f64,
    /// Between which limits the shift lies: the roots of W = z and W = -z, at most the smallest and
    /// the largest difference.
    pub limits: Interval,
    /// The two-sided p-value that the shift is 0: `2 P(Z >= |W(0)|)`; 1 where all values are equal.
    pub p_value: f64,
    /// The canary's mean over the stable's; `None` where one of them is 0.
    pub mean_ratio: Option<f64>,
    /// The probability that a value of the canary is larger than one of the stable's, equal ones
    /// counted half: the common language effect size, 0.5 for no difference.
    pub superiority: f64,
}

impl MannWhitney {
    /// The test of the `canary`'s values against the `stable`'s. What is no number, or beyond
    /// 1e300, is left out; `None` where nothing is left on either side.
    pub fn of(canary: &[f64], stable: &[f64], confidence: Confidence) -> Option<Self> {
        let samples = Samples::of(canary, stable)?;
        let z = -math::normal_quantile(confidence.tail());
        let limits = Interval { low: samples.crossing(z), high: samples.crossing(-z) };
        let ranks = samples.ranks(0.0);
        Some(Self {
            shift: samples.crossing(0.0),
            limits,
            p_value: (2.0 * math::normal_cdf(-ranks.statistic().unwrap_or(0.0).abs())).min(1.0),
            mean_ratio: samples.mean_ratio(),
            superiority: ranks.above / ranks.pairs(),
        })
    }
}

/// Two samples in rising order, neither of them empty.
struct Samples {
    canary: Vec<f64>,
    stable: Vec<f64>,
}

impl Samples {
    fn of(canary: &[f64], stable: &[f64]) -> Option<Self> {
        let sorted = |values: &[f64]| {
            let mut kept: Vec<f64> =
                values.iter().copied().filter(|value| value.abs() <= LARGEST).collect();
            kept.sort_unstable_by(f64::total_cmp);
            (!kept.is_empty()).then_some(kept)
        };
        Some(Self { canary: sorted(canary)?, stable: sorted(stable)? })
    }

    /// The shift at which W crosses `level`, within the smallest and the largest difference. Where
    /// neither sample varies there is but one difference.
    fn crossing(&self, level: f64) -> f64 {
        let [least, most] = self.differences();
        // All values can be tied at the only difference: there W has no value.
        let above = |shift: f64| self.ranks(shift).statistic().map_or(0.0, |w| w - level);
        if least == most || above(least) <= 0.0 {
            return least;
        }
        if above(most) >= 0.0 {
            return most;
        }
        math::root(above, [least, most], TOLERANCE)
    }

    /// The smallest and the largest of all differences.
    fn differences(&self) -> [f64; 2] {
        let ends = |values: &[f64]| [values[0], values[values.len() - 1]];
        let ([canary_least, canary_most], [least, most]) = (ends(&self.canary), ends(&self.stable));
        [canary_least - most, canary_most - least]
    }

    /// How the canary's values, less a shift, rank among the stable's.
    fn ranks(&self, shift: f64) -> Ranks {
        let (canary, stable) = (&self.canary, &self.stable);
        let mut ranks = Ranks {
            canary: canary.len() as f64,
            stable: stable.len() as f64,
            above: 0.0,
            ties: 0.0,
        };
        let (mut i, mut j) = (0, 0);
        while i < canary.len() || j < stable.len() {
            let next = |values: &[f64], place: usize| values.get(place).copied();
            let ours = next(canary, i).map(|value| value - shift);
            let value = match (ours, next(stable, j)) {
                (Some(ours), Some(theirs)) => ours.min(theirs),
                (ours, theirs) => ours.or(theirs).unwrap_or_default(),
            };
            let tied = canary[i..].iter().take_while(|x| **x - shift == value).count();
            let tied_stable = stable[j..].iter().take_while(|y| **y == value).count();
            ranks.above += tied as f64 * (j as f64 + 0.5 * tied_stable as f64);
            let size = (tied + tied_stable) as f64;
            ranks.ties += size * size * size - size;
            (i, j) = (i + tied, j + tied_stable);
        }
        ranks
    }

    fn mean_ratio(&self) -> Option<f64> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (canary, stable) = (mean(&self.canary), mean(&self.stable));
        (canary != 0.0 && stable != 0.0).then(|| canary / stable)
    }
}

/// What W is made of.
struct Ranks {
    /// How many values the canary has.
    canary: f64,
    /// How many values the stable has.
    stable: f64,
    /// In how many pairs the canary's value is the larger one, ties counted half.
    above: f64,
    /// The sum of t^3 - t.
    ties: f64,
}

impl Ranks {
    fn pairs(&self) -> f64 {
        self.canary * self.stable
    }

    /// W; `None` where all values are tied.
    fn statistic(&self) -> Option<f64> {
        let all = self.canary + self.stable;
        let excess = self.above - 0.5 * self.pairs();
        let variance = self.pairs() / 12.0 * ((all + 1.0) - self.ties / (all * (all - 1.0)));
        let correction = if excess == 0.0 { 0.0 } else { 0.5_f64.copysign(excess) };
        (variance > 0.0).then(|| (excess - correction) / variance.sqrt())
    }
}

/// That of R's `wilcox.test` and of Kayenta, in the unit of the values.
const TOLERANCE: f64 = 1e-4;

/// Chosen: sums of a few such values are finite.
const LARGEST: f64 = 1e300;

#[cfg(test)]
mod tests {
    use super::*;

    /// Values with how often each comes.
    fn sample(counted: &[(f64, usize)]) -> Vec<f64> {
        counted.iter().flat_map(|&(value, times)| std::iter::repeat_n(value, times)).collect()
    }

    fn confidence(probability: f64) -> Confidence {
        Confidence::new(probability).unwrap()
    }

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} {expected}");
    }

    /// The samples that Kayenta's tests hold against R, with their counts.
    fn ninety() -> [Vec<f64>; 2] {
        let canary = [
            (1.5, 9),
            (2.0, 16),
            (2.5, 22),
            (3.0, 17),
            (3.5, 9),
            (4.0, 5),
            (4.5, 1),
            (5.0, 3),
            (5.5, 1),
            (6.0, 2),
            (6.5, 2),
            (7.0, 1),
            (7.5, 1),
            (16.5, 1),
        ];
        let stable = [
            (1.5, 2),
            (2.0, 16),
            (2.5, 18),
            (3.0, 16),
            (3.5, 10),
            (4.0, 8),
            (4.5, 4),
            (5.0, 6),
            (5.5, 2),
            (6.0, 5),
            (8.0, 1),
            (15.5, 1),
            (54.5, 1),
        ];
        [sample(&canary), sample(&stable)]
    }

    fn hundred_eighty() -> [Vec<f64>; 2] {
        let canary = [
            (0.5, 20),
            (1.0, 41),
            (1.5, 67),
            (2.0, 37),
            (2.5, 3),
            (3.0, 2),
            (3.5, 3),
            (4.0, 1),
            (5.0, 1),
            (5.5, 3),
            (8.5, 1),
            (19.0, 1),
        ];
        let stable = [
            (0.0, 1),
            (0.5, 7),
            (1.0, 32),
            (1.5, 70),
            (2.0, 33),
            (2.5, 22),
            (3.0, 6),
            (3.5, 2),
            (4.0, 3),
            (4.5, 1),
            (5.5, 1),
            (7.0, 1),
            (7.5, 1),
        ];
        [sample(&canary), sample(&stable)]
    }

    #[test]
    fn limits_agree_with_those_of_r() {
        // wilcox.test of R, as quoted in Kayenta's own tests of the same samples.
        let [canary, stable] = ninety();
        let found = MannWhitney::of(&canary, &stable, confidence(0.95)).unwrap();
        close(found.limits.low, -0.500_002_521_696_696, 1e-9);
        close(found.limits.high, -3.486_287_505_871_302e-5, 1e-9);
        // R corrects for continuity in the limits only.
        close(found.shift, -0.499_939_390_718_032_3, 1e-4);
        let [canary, stable] = hundred_eighty();
        let found = MannWhitney::of(&canary, &stable, confidence(0.98)).unwrap();
        close(found.limits.low, -0.499_917_325_054_908_7, 1e-9);
        close(found.limits.high, -6.912_685_789_769_486e-6, 1e-9);
        close(found.shift, -3.450_440_827_293_15e-5, 1e-4);
    }

    #[test]
    fn shifts_p_values_and_effects_agree_with_scipy() {
        // p: scipy.stats.mannwhitneyu(method="asymptotic"); limits and shift: the formulas with
        // scipy.stats.rankdata and R's zeroin, written down apart.
        let untied: [Vec<f64>; 2] =
            [vec![1.2, 3.4, 2.2, 5.1, 4.4], vec![0.3, 2.2, 1.9, 2.8, 1.1, 0.7]];
        let whole = |factor: usize, modulus: usize, offset: f64, n: usize| -> Vec<f64> {
            (0..n).map(|i| (i * factor % modulus) as f64 + offset).collect()
        };
        let many = [whole(37, 101, 20.0, 40), whole(53, 97, 0.0, 30)];
        let cases = [
            (
                untied,
                0.98,
                [-0.999_981_138_683_655_8, 1.659_925_764_209_077_7, 4.399_972_742_211_332],
                [0.067_264_075_193_760_6, 0.85, 2.173_333_333_333_333],
            ),
            (
                many.clone(),
                0.98,
                [7.999_944_141_699_04, 25.999_951_234_369_085, 43.000_056_271_653_96],
                [0.001_409_522_068_337_410_2, 0.724_583_333_333_333_4, 1.579_125_847_776_940_3],
            ),
            (
                many,
                0.95,
                [10.999_977_583_362_728, 25.999_951_234_369_085, 40.000_018_856_104_596],
                [0.001_409_522_068_337_410_2, 0.724_583_333_333_333_4, 1.579_125_847_776_940_3],
            ),
            (
                ninety(),
                0.95,
                [-0.500_002_521_696_699_8, -0.499_997_108_746_072, -3.486_287_505_679_691e-5],
                [0.040_972_234_992_844_116, 0.412_839_506_172_839_54, 0.784_530_386_740_331_5],
            ),
            (
                hundred_eighty(),
                0.98,
                [-0.499_917_325_054_908_7, -2.401_945_872_060_194e-7, -6.912_685_789_769_486e-6],
                [0.002_624_852_836_756_49, 0.411_651_234_567_901_26, 0.936_532_507_739_938],
            ),
        ];
        for ([canary, stable], probability, [low, shift, high], [p, superiority, ratio]) in cases {
            let found = MannWhitney::of(&canary, &stable, confidence(probability)).unwrap();
            close(found.limits.low, low, 1e-9);
            close(found.shift, shift, 1e-9);
            close(found.limits.high, high, 1e-9);
            close(found.p_value, p, 1e-12);
            close(found.superiority, superiority, 1e-12);
            close(found.mean_ratio.unwrap(), ratio, 1e-12);
        }
    }

    #[test]
    fn the_shift_is_the_median_of_all_differences_to_the_tolerance() {
        // By brute force: every difference, sorted. An odd number of them has one median; W is 0 up
        // to the next difference on either side of it.
        let mut draws = super::super::splitmix::SplitMix::new(8);
        for _ in 0..200 {
            let mut values = |n: usize| -> Vec<f64> { (0..n).map(|_| draws.uniform()).collect() };
            let (canary, stable) = (values(7), values(9));
            let mut differences: Vec<f64> =
                canary.iter().flat_map(|x| stable.iter().map(move |y| x - y)).collect();
            differences.sort_unstable_by(f64::total_cmp);
            let found = MannWhitney::of(&canary, &stable, confidence(0.95)).unwrap();
            assert!(found.shift >= differences[30] - 1e-4 && found.shift <= differences[32] + 1e-4);
            assert!(found.limits.low <= found.shift && found.shift <= found.limits.high);
        }
    }

    #[test]
    fn samples_without_variation_have_their_difference_as_shift() {
        let found = MannWhitney::of(&[7.0; 6], &[5.0; 8], confidence(0.98)).unwrap();
        assert_eq!((found.limits.low, found.shift, found.limits.high), (2.0, 2.0, 2.0));
        assert_eq!((found.superiority, found.mean_ratio), (1.0, Some(1.4)));
        let equal = MannWhitney::of(&[5.0; 6], &[5.0; 8], confidence(0.98)).unwrap();
        assert_eq!((equal.shift, equal.p_value, equal.superiority), (0.0, 1.0, 0.5));
    }

    #[test]
    fn no_numbers_are_left_out_and_an_empty_sample_cannot_be_compared() {
        let confidence = confidence(0.95);
        let dirty = [f64::NAN, 10.0, 20.0, f64::INFINITY, 30.0, 40.0];
        let stable = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(
            MannWhitney::of(&dirty, &stable, confidence),
            MannWhitney::of(&[10.0, 20.0, 30.0, 40.0], &stable, confidence)
        );
        assert_eq!(MannWhitney::of(&[f64::NAN], &stable, confidence), None);
        assert_eq!(MannWhitney::of(&stable, &[], confidence), None);
        let huge = MannWhitney::of(&[-1e300, 1e300, f64::MAX], &[1e300], confidence).unwrap();
        assert_eq!((huge.limits.low, huge.limits.high), (-2e300, 0.0));
        let one = MannWhitney::of(&[3.0], &[1.0], confidence).unwrap();
        assert_eq!((one.shift, one.p_value), (2.0, 1.0));
        let zero = MannWhitney::of(&[0.0, 0.0], &stable, confidence).unwrap();
        assert_eq!(zero.mean_ratio, None);
    }
}
