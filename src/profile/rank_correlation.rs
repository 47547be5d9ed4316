//! Whether long prompts have long answers: Spearman's rank correlation of two token counts.

use super::figures::Correlation;
use crate::stats::LogBin;

/// Pairs of numbers: kept one by one while there are few, counted by a grid of bins from then on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Pairs {
    Few(Vec<(u32, u32)>),
    Many(Grid),
}

impl Default for Pairs {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Pairs {
    #[inline]
    pub(super) fn add(&mut self, one: u32, other: u32) {
        match self {
            Self::Few(pairs) if pairs.len() < FEW => pairs.push((one, other)),
            Self::Few(_) => {
                self.grid().add(one, other);
            }
            Self::Many(grid) => grid.add(one, other),
        }
    }

    pub(super) fn merge(&mut self, later: &Self) {
        match later {
            Self::Few(pairs) => pairs.iter().for_each(|(one, other)| self.add(*one, *other)),
            Self::Many(grid) => self.grid().merge(grid),
        }
    }

    /// `None` where one of the two is the same in all pairs, or there are fewer than two pairs.
    pub(super) fn correlation(&self) -> Option<Correlation> {
        match self {
            Self::Few(pairs) => {
                let (ones, others): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
                let ranks = doubled_ranks(&ones).into_iter().zip(doubled_ranks(&others));
                let moments = Moments::of(ranks.map(|(one, other)| (one, other, 1)));
                let value = moments.correlation()?;
                Some(Correlation { requests: pairs.len() as u64, value, error: 0.0 })
            }
            Self::Many(grid) => grid.correlation(),
        }
    }

    /// The grid, made of the pairs that were kept so far where it is not there yet.
    fn grid(&mut self) -> &mut Grid {
        if let Self::Few(pairs) = self {
            let mut grid = Grid::default();
            pairs.iter().for_each(|(one, other)| grid.add(*one, *other));
            *self = Self::Many(grid);
        }
        match self {
            Self::Many(grid) => grid,
            Self::Few(_) => unreachable!("what was kept has become a grid"),
        }
    }
}

/// Numbers below 128 have a bin each, larger ones one of 64 to the octave.
type Side = LogBin<6>;

/// How many pairs fell into each pair of bins: for each bin of the first number those of the
/// second, up to the last that was met. At most 12 MB.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Grid {
    counts: Vec<Vec<u32>>,
    /// Those of the two sides.
    ends: [Ends; 2],
}

/// The least and the greatest of some numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ends(u32, u32);

impl Grid {
    #[inline]
    fn add(&mut self, one: u32, other: u32) {
        let (row, column) = (Side::of(u64::from(one)).index(), Side::of(u64::from(other)).index());
        if self.counts.get(row).is_none_or(|counts| counts.len() <= column) {
            self.make_room(row, column);
        }
        let count = &mut self.counts[row][column];
        *count = count.saturating_add(1);
        self.ends[0].reach(Ends(one, one));
        self.ends[1].reach(Ends(other, other));
    }

    fn merge(&mut self, other: &Self) {
        let rows = other.counts.iter().enumerate();
        for (row, counts) in rows.filter(|(_, counts)| !counts.is_empty()) {
            self.make_room(row, counts.len() - 1);
            for (own, count) in self.counts[row].iter_mut().zip(counts) {
                *own = own.saturating_add(*count);
            }
        }
        self.ends.iter_mut().zip(other.ends).for_each(|(own, other)| own.reach(other));
    }

    #[cold]
    fn make_room(&mut self, row: usize, column: usize) {
        if row >= self.counts.len() {
            self.counts.resize_with(row + 1, Vec::new);
        }
        let counts = &mut self.counts[row];
        if column >= counts.len() {
            counts.resize(column + 1, 0);
        }
    }

    /// The correlation of the mean ranks of the bins, and how far that of the ranks may be from it.
    ///
    /// A rank is that of its bin and a rest, whose mean over the bin is 0 and whose variance is at
    /// most (c^2 - 1) / 12 where the bin has c numbers, which is that of c different ones. With s
    /// and t the standard deviations of the bins' ranks on the two sides, and d and e at most those
    /// of the rests, the covariance differs by at most d t + s e + d e (Cauchy and Schwarz), and
    /// the deviation of the ranks lies between s and the root of s^2 + d^2. Where all of a side are
    /// in one bin, nothing is known.
    fn correlation(&self) -> Option<Correlation> {
        if !self.ends.iter().all(|ends| ends.differ()) {
            return None;
        }
        let width = self.counts.iter().map(Vec::len).max().unwrap_or(0);
        let (mut rows, mut columns) = (vec![0_u64; self.counts.len()], vec![0_u64; width]);
        for (row, counts) in self.counts.iter().enumerate() {
            for (column, count) in counts.iter().enumerate() {
                rows[row] += u64::from(*count);
                columns[column] += u64::from(*count);
            }
        }
        let (row_ranks, column_ranks) = (doubled_bin_ranks(&rows), doubled_bin_ranks(&columns));
        let cells = self.counts.iter().zip(&row_ranks).flat_map(|(counts, one)| {
            let ranked = counts.iter().zip(&column_ranks);
            ranked.map(|(count, other)| (*one, *other, u64::from(*count)))
        });
        let moments = Moments::of(cells);
        let requests = moments.count;
        let Some(value) = moments.correlation() else {
            return Some(Correlation { requests, value: 0.0, error: 1.0 });
        };
        let (s, t) = (moments.one.sqrt(), moments.other.sqrt());
        let (d, e) = (rest(&rows, requests), rest(&columns, requests));
        let off = d * t + s * e + d * e;
        let widest = ((moments.one + d * d) * (moments.other + e * e)).sqrt();
        let ends = [moments.covariance - off, moments.covariance + off];
        let ends = ends.into_iter().flat_map(|end| [end / (s * t), end / widest]);
        let error = ends.map(|end| (end.clamp(-1.0, 1.0) - value).abs()).fold(0.0, f64::max);
        Some(Correlation { requests, value, error })
    }
}

impl Default for Ends {
    /// Of no numbers: in reverse.
    fn default() -> Self {
        Self(u32::MAX, 0)
    }
}

impl Ends {
    #[inline]
    fn reach(&mut self, other: Self) {
        self.0 = self.0.min(other.0);
        self.1 = self.1.max(other.1);
    }

    /// Whether the numbers are not all the same.
    const fn differ(self) -> bool {
        self.0 < self.1
    }
}

/// The largest standard deviation of twice the ranks within bins of these counts.
fn rest(counts: &[u64], all: u64) -> f64 {
    let split = counts.iter().enumerate();
    let split = split.filter(|(bin, count)| Side::from_index(*bin).width() > 1 && **count > 1);
    let squares = split.map(|(bin, count)| {
        // Among few different numbers the ranks are spread less.
        let different = (*count).min(Side::from_index(bin).width()) as f64;
        let count = *count as f64;
        count * count * count * (1.0 - 1.0 / (different * different)) / 3.0
    });
    (squares.sum::<f64>() / all as f64).sqrt()
}

/// Twice the mean rank of the numbers in each bin, counted from 1: a whole number.
fn doubled_bin_ranks(counts: &[u64]) -> Vec<u64> {
    let mut below = 0;
    let ranks = counts.iter().map(|count| {
        let rank = 2 * below + count + 1;
        below += count;
        rank
    });
    ranks.collect()
}

/// Twice the rank of each number, counted from 1; equal ones have the mean of theirs.
fn doubled_ranks(numbers: &[u32]) -> Vec<u64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let rank = |number: &u32| {
        let below = sorted.partition_point(|other| other < number);
        let up_to = sorted.partition_point(|other| other <= number);
        (below + up_to + 1) as u64
    };
    numbers.iter().map(rank).collect()
}

/// Number, variances and covariance of pairs.
struct Moments {
    count: u64,
    one: f64,
    other: f64,
    covariance: f64,
}

impl Moments {
    /// Of pairs of twice the ranks, each with how often it came: their means are known, n + 1.
    fn of(pairs: impl Iterator<Item = (u64, u64, u64)> + Clone) -> Self {
        let count: u64 = pairs.clone().map(|(.., count)| count).sum();
        let about = |rank: u64| i128::from(rank) - i128::from(count) - 1;
        let (mut one, mut other, mut both) = (0, 0, 0);
        for (first, second, count) in pairs.filter(|(.., count)| *count > 0) {
            let (first, second, count) = (about(first), about(second), i128::from(count));
            one += count * first * first;
            other += count * second * second;
            both += count * first * second;
        }
        let mean = |sum: i128| sum as f64 / count.max(1) as f64;
        Self { count, one: mean(one), other: mean(other), covariance: mean(both) }
    }

    fn correlation(&self) -> Option<f64> {
        let deviations = (self.one * self.other).sqrt();
        (deviations > 0.0).then(|| (self.covariance / deviations).clamp(-1.0, 1.0))
    }
}

/// Chosen: half a megabyte, sorted in some milliseconds.
const FEW: usize = 65_536;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pairs: &[(u32, u32)]) -> Pairs {
        let mut all = Pairs::default();
        pairs.iter().for_each(|(one, other)| all.add(*one, *other));
        all
    }

    fn grid(pairs: &[(u32, u32)]) -> Option<Correlation> {
        let mut all = of(pairs);
        all.grid().correlation()
    }

    #[test]
    fn few_pairs_have_the_correlation_that_scipy_gives() {
        // scipy.stats.spearmanr([106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
        // [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]): -29/165; with ties
        // spearmanr([1, 2, 2, 4], [3, 1, 2, 2]): -0.5.
        let pairs = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110].into_iter();
        let pairs: Vec<_> = pairs.zip([7, 27, 2, 50, 28, 29, 20, 12, 6, 17]).collect();
        let found = of(&pairs).correlation().unwrap();
        assert!((found.value + 29.0 / 165.0).abs() < 1e-15, "{found:?}");
        assert_eq!((found.requests, found.error), (10, 0.0));
        let tied = of(&[(1, 3), (2, 1), (2, 2), (4, 2)]).correlation().unwrap();
        assert!((tied.value + 0.5).abs() < 1e-15, "{tied:?}");
    }

    #[test]
    fn what_does_not_vary_is_not_correlated() {
        let in_a_wide_bin = [(1_000, 2), (1_000, 300), (1_000, 4)];
        for pairs in [&[][..], &[(1, 2)], &[(1, 2), (1, 3), (1, 4)], &in_a_wide_bin] {
            assert_eq!((of(pairs).correlation(), grid(pairs)), (None, None), "{pairs:?}");
        }
    }

    #[test]
    fn of_what_varies_within_one_bin_nothing_is_known() {
        // 1,000 and 1,001 are in one bin of 64 to the octave; their ranks are those of 2 and 3.
        let pairs = [(1_000, 2), (1_001, 3), (1_000, 2), (1_001, 3)];
        assert_eq!(
            of(&pairs).correlation().map(|found| (found.value, found.error)),
            Some((1.0, 0.0))
        );
        for pairs in [pairs, pairs.map(|(one, other)| (other, one))] {
            assert_eq!(grid(&pairs), Some(Correlation { requests: 4, value: 0.0, error: 1.0 }));
        }
    }

    #[test]
    fn pairs_become_a_grid_when_there_are_many() {
        let mut pairs = Pairs::default();
        (0..FEW as u32 + 1).for_each(|number| pairs.add(number, 2 * number));
        let found = pairs.correlation().unwrap();
        // All ranks are equal: 1, less what the bins blur.
        assert!((1.0 - found.value).abs() <= found.error, "{found:?}");
        assert!(found.error > 0.0 && found.error < 0.04, "{found:?}");
    }

    /// Numbers of all magnitudes, the second somehow dependent on the first.
    fn arb_pairs() -> impl Strategy<Value = Vec<(u32, u32)>> {
        let pair =
            (any::<u32>(), any::<u32>(), 0..32_u32, 0..3_u32).prop_map(|(x, y, s, mixed)| {
                let one = x >> s;
                (one, one.checked_div(mixed).map_or(y >> s, |part| part.wrapping_add(y >> 24)))
            });
        prop::collection::vec(pair, 0..200)
    }

    proptest! {
        #[test]
        fn a_grid_is_off_by_no_more_than_it_says(pairs in arb_pairs()) {
            let (exact, found) = (of(&pairs).correlation(), grid(&pairs));
            prop_assert_eq!(exact.is_some(), found.is_some());
            if let (Some(exact), Some(found)) = (exact, found) {
                let off = (exact.value - found.value).abs();
                prop_assert!(off <= found.error + 1e-12, "{found:?} for {exact:?}");
            }
        }

        #[test]
        fn parts_merge_to_the_whole(pairs in arb_pairs(), cut in 0..200_usize, is_grid: [bool; 2]) {
            let (first, second) = pairs.split_at(cut.min(pairs.len()));
            let part = |pairs: &[(u32, u32)], is_grid: bool| {
                let mut part = of(pairs);
                if is_grid {
                    part.grid();
                }
                part
            };
            let mut merged = part(first, is_grid[0]);
            merged.merge(&part(second, is_grid[1]));
            prop_assert_eq!(merged, part(&pairs, is_grid[0] || is_grid[1]));
        }
    }
}
