//! Fisher's exact test of two proportions.

use super::proportion::Proportion;

/// The two-sided p-value of Fisher's exact test that two proportions of independent trials are
/// equal: given all hits k of both together, those of the first of n trials among N are
/// hypergeometric, `P(x) = C(n, x) C(N - n, k - x) / C(N, k)`, and p is the sum of all P(x) that
/// are at most that of the x seen. The error of the first kind is at most the level whatever the
/// proportions; with few hits it is well below it.
///
/// 1 where either has no trials, and where all trials or none are hits. 0 where the probability is
/// below some 1e-280.
///
/// The terms are built up from the likeliest one by their quotients, so that nothing cancels and
/// no factorial is needed; terms within 1e-7 of that seen count as equal to it, as is usual.
///
/// Source: R. A. Fisher, JRSS 98 (1935), 39-54, doi:10.2307/2342435; the two-sided sum: A. Agresti,
/// Statistical Science 7 (1992), 131-153, section 2.1, doi:10.1214/ss/1177011454.
pub fn fisher_exact(first: Proportion, second: Proportion) -> f64 {
    let terms =
        Terms { first: first.total(), second: second.total(), hits: first.hits() + second.hits() };
    let (seen, mode) = (first.hits(), terms.mode());
    let seen_weight = match seen < mode {
        true => terms.down(mode).take_while(|(x, _)| *x >= seen).last(),
        false => terms.up(mode).take_while(|(x, _)| *x <= seen).last(),
    };
    // The walk ends early where the weights vanish.
    let Some((_, limit)) = seen_weight.filter(|(x, _)| *x == seen) else { return 0.0 };
    let limit = limit * (1.0 + EQUAL);
    let mut all = 0.0;
    let mut extreme = 0.0;
    let both = terms.down(mode).chain(terms.up(mode).skip(1));
    for (_, weight) in both {
        all += weight;
        if weight <= limit {
            extreme += weight;
        }
    }
    (extreme / all).min(1.0)
}

/// The hypergeometric distribution of the first's hits.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// Trials of the first.
    first: u64,
    /// Trials of the second.
    second: u64,
    /// Hits of both.
    hits: u64,
}

impl Terms {
    const fn least(self) -> u64 {
        self.hits.saturating_sub(self.second)
    }

    fn most(self) -> u64 {
        self.hits.min(self.first)
    }

    /// The likeliest number of hits.
    fn mode(self) -> u64 {
        let (hits, first, second) =
            (u128::from(self.hits), u128::from(self.first), u128::from(self.second));
        let mode = (hits + 1) * (first + 1) / (first + second + 2);
        (mode as u64).clamp(self.least(), self.most())
    }

    /// P(x + 1) / P(x).
    fn quotient(self, x: u64) -> f64 {
        let [x, first, second, hits] = [x, self.first, self.second, self.hits].map(|n| n as f64);
        (hits - x) / (x + 1.0) * ((first - x) / (second - hits + x + 1.0))
    }

    /// From `x`, of weight 1, upwards: each number of hits with its weight.
    fn up(self, x: u64) -> impl Iterator<Item = (u64, f64)> {
        std::iter::successors(Some((x, 1.0)), move |(x, weight)| {
            let next = weight * self.quotient(*x);
            (*x < self.most() && next > VANISHING).then(|| (x + 1, next))
        })
    }

    /// The same downwards.
    fn down(self, x: u64) -> impl Iterator<Item = (u64, f64)> {
        std::iter::successors(Some((x, 1.0)), move |(x, weight)| {
            let below = x.checked_sub(1).filter(|below| *below >= self.least())?;
            let next = weight / self.quotient(below);
            (next > VANISHING).then_some((below, next))
        })
    }
}

/// Weights that differ by less are the same, as in R.
const EQUAL: f64 = 1e-7;

/// Chosen: well above the numbers that lose digits.
const VANISHING: f64 = 1e-280;

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value((a, n): (u64, u64), (b, m): (u64, u64)) -> f64 {
        fisher_exact(Proportion::new(a, n), Proportion::new(b, m))
    }

    #[test]
    fn p_values_agree_with_scipy() {
        // scipy.stats.fisher_exact([[a, n - a], [b, m - b]]).
        let cases = [
            ((56, 70), (48, 80), 0.012521129749209154),
            ((9, 10), (3, 10), 0.019766611097880443),
            ((10, 10), (0, 10), 1.082508822446903e-05),
            ((4, 3_498), (0, 1_779), 0.3073894953230885),
            ((0, 40), (3, 50), 0.25093632958801504),
            ((1_200, 100_000), (1_350, 100_000), 0.002974390740575111),
            ((500_000, 1_000_000), (501_500, 1_000_000), 0.03401373515775234),
            ((3, 12), (2, 1_000), 1.2603456994022522e-05),
            ((1, 2_000), (40, 2_000), 3.167188731993139e-11),
            ((30, 5_000), (400, 5_000), 8.368012633129087e-87),
        ];
        for (first, second, expected) in cases {
            let found = p_value(first, second);
            assert!((found / expected - 1.0).abs() < 1e-7, "{first:?} {second:?}: {found}");
            assert!((p_value(second, first) / expected - 1.0).abs() < 1e-7, "turned");
            let misses = |(hits, total): (u64, u64)| (total - hits, total);
            assert!((p_value(misses(first), misses(second)) / expected - 1.0).abs() < 1e-7);
        }
    }

    #[test]
    fn the_tea_tasting_lady() {
        // Fisher's own: 3 of 4 cups right; 34/70 by counting.
        assert!((p_value((3, 4), (1, 4)) - 34.0 / 70.0).abs() < 1e-14);
    }

    #[test]
    fn what_cannot_differ_has_no_evidence() {
        for (first, second) in
            [((0, 0), (3, 9)), ((3, 9), (0, 0)), ((0, 10), (0, 20)), ((7, 7), (9, 9))]
        {
            assert_eq!(p_value(first, second), 1.0, "{first:?} {second:?}");
        }
        assert_eq!(p_value((5, 10), (5, 10)), 1.0);
    }

    #[test]
    fn what_no_number_can_hold_is_0() {
        assert_eq!(p_value((0, 10_000_000), (5_000_000, 10_000_000)), 0.0);
    }

    /// The probability of rejecting at 5 % where both have the same proportion, summed over all
    /// outcomes of both.
    #[test]
    fn the_error_of_the_first_kind_keeps_its_level() {
        for (n, m, share) in [(20_u64, 30_u64, 0.1), (25, 25, 0.5), (40, 12, 0.03)] {
            let density = |n: u64| {
                let quotient = share / (1.0 - share);
                let none = (0..n).fold(1.0, |product, _| product * (1.0 - share));
                let more = move |(x, p): &(u64, f64)| {
                    let next = p * (n - x) as f64 / (x + 1) as f64 * quotient;
                    (*x < n).then_some((x + 1, next))
                };
                std::iter::successors(Some((0, none)), more).collect::<Vec<_>>()
            };
            let mut rejected = 0.0;
            for (a, p) in density(n) {
                for (b, q) in density(m) {
                    if p_value((a, n), (b, m)) <= 0.05 {
                        rejected += p * q;
                    }
                }
            }
            assert!(rejected <= 0.05, "{n} {m} {share}: {rejected}");
            assert!(rejected > 0.0, "{n} {m} {share}: never rejects");
        }
    }
}
