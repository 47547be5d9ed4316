//! How many tokens requests have: counted one by one up to 131,071, by narrow bins above.

use super::figures::{TokenFigures, cv};
use crate::stats::{LogBin, Moments};
use crate::units::Tokens;

/// Numbers of tokens. A quantile of numbers below 131,072 is exact, of larger ones within
/// [`TokenCounts::RELATIVE_ERROR`]; all else is exact. Takes 4 bytes for each number up to the
/// largest, at most 4.5 MB.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct TokenCounts {
    count: u64,
    sum: u128,
    squares: u128,
    least: u32,
    most: u32,
    /// How many numbers fell into each bin, up to that of the largest or a little further.
    bins: Vec<u32>,
}

/// 65,536 bins to the octave.
type TokenBin = LogBin<16>;

impl TokenCounts {
    /// How far a quantile may be off, as a share of it, where it is not exact.
    pub(super) const RELATIVE_ERROR: f64 = 1.0 / 131_072.0;

    #[inline]
    pub(super) fn add(&mut self, tokens: Tokens) {
        let number = tokens.get();
        self.least = if self.count == 0 { number } else { self.least.min(number) };
        self.most = self.most.max(number);
        self.count += 1;
        self.sum += u128::from(number);
        self.squares += u128::from(number) * u128::from(number);
        let bin = TokenBin::of(u64::from(number)).index();
        if bin >= self.bins.len() {
            self.make_room(bin);
        }
        self.bins[bin] = self.bins[bin].saturating_add(1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.least = if self.count == 0 { other.least } else { self.least.min(other.least) };
        self.most = self.most.max(other.most);
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        if self.bins.len() < other.bins.len() {
            self.bins.resize(other.bins.len(), 0);
        }
        for (own, other) in self.bins.iter_mut().zip(&other.bins) {
            *own = own.saturating_add(*other);
        }
    }

    /// What describes them, with the quantiles at `shares`; `None` where nothing was added.
    pub(super) fn figures(&self, shares: &[f64]) -> Option<TokenFigures> {
        let moments = Moments::of_sums(self.count, self.sum, self.squares)?;
        let ranked = self.ranked();
        let of = |share: f64| self.quantile(&ranked, share);
        Some(TokenFigures {
            requests: self.count,
            mean: moments.mean,
            cv: cv(&moments),
            min: Tokens::new(self.least),
            p50: of(0.5),
            p90: of(0.9),
            p95: of(0.95),
            p99: of(0.99),
            max: Tokens::new(self.most),
            relative_error: if self.is_exact() { 0.0 } else { Self::RELATIVE_ERROR },
            quantiles: shares.iter().map(|share| (*share, of(*share))).collect(),
        })
    }

    /// Whether every number was counted by itself.
    fn is_exact(&self) -> bool {
        TokenBin::of(u64::from(self.most)).width() == 1
    }

    /// The sample quantile: interpolated between the values of the ranks around (n - 1) share,
    /// counted from 0 (type 7 of Hyndman and Fan, The American Statistician 50, 1996,
    /// doi:10.1080/00031305.1996.10473566; numpy's default). At least one number was added.
    fn quantile(&self, ranked: &[Ranked], share: f64) -> f64 {
        let position = (self.count - 1) as f64 * share;
        let at = |rank: f64| {
            let reaching = ranked.partition_point(|bin| bin.up_to <= rank as u64);
            ranked.get(reaching).map_or_else(|| f64::from(self.most), |bin| bin.value)
        };
        let (low, high) = (at(position.floor()), at(position.ceil()));
        low + (high - low) * position.fract()
    }

    fn ranked(&self) -> Vec<Ranked> {
        let mut up_to = 0;
        let occupied = self.bins.iter().enumerate().filter(|(_, count)| **count > 0);
        let ranked = occupied.map(|(bin, count)| {
            up_to += u64::from(*count);
            let middle = TokenBin::from_index(bin).middle() as f64;
            Ranked { up_to, value: middle.clamp(f64::from(self.least), f64::from(self.most)) }
        });
        ranked.collect()
    }

    /// Makes `bin` one of the bins, and some after it: larger numbers come one after the other.
    #[cold]
    fn make_room(&mut self, bin: usize) {
        self.bins.resize((bin / ROOM + 1) * ROOM, 0);
    }
}

/// A bin in the order of the numbers.
struct Ranked {
    /// How many numbers are in it and in those before it.
    up_to: u64,
    value: f64,
}

/// Chosen: 16 KB at a time.
const ROOM: usize = 4_096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(numbers: &[u32]) -> TokenCounts {
        let mut counts = TokenCounts::default();
        numbers.iter().for_each(|number| counts.add(Tokens::new(*number)));
        counts
    }

    /// numpy's default quantile, from the sorted numbers themselves.
    fn sorted_quantile(numbers: &[u32], share: f64) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        let position = (sorted.len() - 1) as f64 * share;
        let [low, high] =
            [position.floor(), position.ceil()].map(|rank| f64::from(sorted[rank as usize]));
        low + (high - low) * position.fract()
    }

    #[test]
    fn a_small_example_has_the_figures_that_numpy_gives() {
        // numpy.mean, .std(ddof=1) and .quantile of [30, 10, 20, 40, 50].
        let figures = of(&[30, 10, 20, 40, 50]).figures(&[0.0, 0.1, 1.0]).unwrap();
        assert_eq!((figures.requests, figures.mean, figures.p50), (5, 30.0, 30.0));
        assert!((figures.cv.unwrap() - 15.811388300841896 / 30.0).abs() < 1e-15);
        assert!((figures.p99 - 49.6).abs() < 1e-12);
        assert_eq!(figures.quantiles, [(0.0, 10.0), (0.1, 14.0), (1.0, 50.0)]);
        assert_eq!((figures.min.get(), figures.max.get()), (10, 50));
        assert_eq!(of(&[]).figures(&[]), None);
    }

    #[test]
    fn what_is_said_to_be_exact_is_and_the_rest_says_how_far_off_it_may_be() {
        let exact = of(&[0, 131_071]).figures(&[]).unwrap();
        assert_eq!((exact.relative_error, exact.p50), (0.0, 65_535.5));
        let far = of(&[0, 131_072]).figures(&[]).unwrap();
        assert_eq!(far.relative_error, TokenCounts::RELATIVE_ERROR);
        assert_eq!(of(&[u32::MAX; 3]).figures(&[]).unwrap().p50, f64::from(u32::MAX));
    }

    /// Numbers of all magnitudes.
    fn arb_numbers() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec((any::<u32>(), 0..32_u32).prop_map(|(x, s)| x >> s), 1..200)
    }

    proptest! {
        #[test]
        fn quantiles_are_as_exact_as_they_say(numbers in arb_numbers(), share in 0.0..=1.0) {
            let figures = of(&numbers).figures(&[share]).unwrap();
            let (expected, found) = (sorted_quantile(&numbers, share), figures.quantiles[0].1);
            let allowed = expected * (figures.relative_error + 1e-12);
            prop_assert!((found - expected).abs() <= allowed, "{found} for {expected}");
        }

        #[test]
        fn parts_merge_to_the_whole(numbers in arb_numbers(), cut in 0..200_usize) {
            let (first, second) = numbers.split_at(cut.min(numbers.len()));
            let (mut merged, whole) = (of(first), of(&numbers));
            merged.merge(&of(second));
            merged.bins.resize(whole.bins.len(), 0);
            prop_assert_eq!(merged, whole);
        }
    }
}
