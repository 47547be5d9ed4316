//! Distributions as they were measured: tables of quantiles.

use crate::chance::{Distribution, DistributionError};

/// The points (probability, value) of a quantile function, as few as describe it: linear between
/// them.
#[derive(Clone, PartialEq, Debug)]
pub struct QuantileTable(Vec<(f64, f64)>);

impl QuantileTable {
    /// The table of `sorted` values, which rise; `None` without any.
    ///
    /// Sample quantiles of type 7 (Hyndman and Fan, The American Statistician 50, 1996,
    /// doi:10.1080/00031305.1996.10473566). It begins with some points that people look at, and
    /// takes up, one after the other, the point at which the line between its neighbours is worst:
    /// until the area between table and sample is [`AREA`] of the mean.
    pub(super) fn of(sorted: &[f64]) -> Option<Self> {
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        if least == greatest {
            return Some(Self(vec![(0.0, least), (1.0, least)]));
        }
        let grid = grid(sorted.len());
        let values: Vec<f64> = grid.iter().map(|p| quantile(sorted, *p)).collect();
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        // A value that comes often begins and ends where it does.
        let is_edge = |place: usize| {
            let is_value = |other: Option<&f64>| other == Some(&values[place]);
            let flat = |to: Option<usize>| is_value(to.and_then(|to| values.get(to)));
            (flat(place.checked_sub(FLAT)) && !flat(Some(place + 1)))
                || (flat(Some(place + FLAT)) && !flat(place.checked_sub(1)))
        };
        let is_fixed = |place: &usize| FIXED.contains(&grid[*place]) || is_edge(*place);
        let mut knots: Vec<usize> = (0..grid.len()).filter(is_fixed).collect();
        let chord = |from: usize, to: usize| Chord::of(&grid, &values, from, to);
        let mut chords: Vec<Chord> = knots.windows(2).map(|pair| chord(pair[0], pair[1])).collect();
        while knots.len() < MOST_POINTS {
            let area: f64 = chords.iter().map(|chord| chord.area).sum();
            if area <= AREA * mean {
                break;
            }
            let worst =
                (0..chords.len()).max_by(|a, b| chords[*a].area.total_cmp(&chords[*b].area));
            let Some((place, split)) = worst.and_then(|place| Some((place, chords[place].split?)))
            else {
                break;
            };
            let (from, to) = (knots[place], knots[place + 1]);
            knots.insert(place + 1, split);
            chords.splice(place..=place, [chord(from, split), chord(split, to)]);
        }
        let points = knots.into_iter().map(|place| (grid[place], rounded(values[place])));
        Some(Self(points.collect()))
    }

    /// The table of values with weights, at least 0: a value counts for so much of all.
    pub(super) fn weighted(mut values: Vec<(f64, f64)>) -> Option<Self> {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        if total <= 0.0 {
            return None;
        }
        let (mut passed, mut place) = (0.0, 0);
        // As many equally likely values as have the same distribution.
        let spread = (0..STEPS).map(|step| {
            let wanted = (f64::from(step) + 0.5) / f64::from(STEPS) * total;
            while passed + values[place].1 < wanted && place + 1 < values.len() {
                passed += values[place].1;
                place += 1;
            }
            values[place].0
        });
        Self::of(&spread.collect::<Vec<_>>())
    }

    /// The points, from probability 0 to 1.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// The mean, a trapezoid for each piece.
    pub fn mean(&self) -> f64 {
        self.0.windows(2).map(|pair| (pair[1].0 - pair[0].0) * 0.5 * (pair[0].1 + pair[1].1)).sum()
    }

    /// The only value, where there is but one.
    pub fn only_value(&self) -> Option<f64> {
        let (first, last) = (self.0.first()?.1, self.0.last()?.1);
        (first == last).then_some(first)
    }

    /// The same as a distribution.
    ///
    /// # Errors
    /// A value is negative or beyond 10^18.
    pub fn distribution(&self) -> Result<Distribution, DistributionError> {
        Distribution::empirical(self.0.clone())
    }
}

/// The line between two points, against the sample.
#[derive(Clone, Copy)]
struct Chord {
    /// Between line and sample.
    area: f64,
    /// Where they are furthest apart; `None` without a point between.
    split: Option<usize>,
}

impl Chord {
    fn of(grid: &[f64], values: &[f64], from: usize, to: usize) -> Self {
        let slope = (values[to] - values[from]) / (grid[to] - grid[from]);
        let (mut area, mut furthest, mut split) = (0.0, 0.0, None);
        for place in from + 1..to {
            let line = values[from] + slope * (grid[place] - grid[from]);
            let apart = (values[place] - line).abs();
            area += apart * 0.5 * (grid[place + 1] - grid[place - 1]);
            if apart > furthest {
                (furthest, split) = (apart, Some(place));
            }
        }
        Self { area, split }
    }
}

/// The sample quantile (type 7) of values that rise; `p` from 0 to 1.
///
/// # Panics
/// There are no values.
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let low = (position.floor() as usize).min(sorted.len() - 1);
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (position - low as f64)
}

/// To five significant digits: more are no knowledge, and fewer would be seen.
pub(super) fn rounded(value: f64) -> f64 {
    significant(value, 5)
}

/// To so many significant digits.
pub(super) fn significant(value: f64, digits: usize) -> f64 {
    // The decimal number nearest to it, and back: exact, whatever its size.
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// Probabilities at which a table may have points: those beyond what a sample of `count` tells are
/// left out.
fn grid(count: usize) -> Vec<f64> {
    let middle = (0..=198).map(|step| f64::from(step) / 200.0);
    let tail = (1..10).map(|step| (990.0 + f64::from(step)) / 1_000.0);
    let far = [0.9995, 0.9999, 1.0];
    let tells = |p: &f64| *p == 1.0 || (1.0 - *p) * count as f64 >= 1.0;
    middle.chain(tail).chain(far).filter(tells).collect()
}

/// Points of every table that the sample is large enough for.
const FIXED: [f64; 11] = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0];
/// How many steps of the grid a value takes that comes often: 2.5 % of the sample.
const FLAT: usize = 5;
/// Chosen: the mean is then within 0.2 %, where 3 % are asked for.
const AREA: f64 = 0.002;
/// Chosen: what a page shows.
const MOST_POINTS: usize = 60;
/// How many values stand for a weighted sample.
const STEPS: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of an exponential distribution at 10,000 equal steps: its mean is 1 and its
    /// quantile at p is -ln(1 - p).
    #[test]
    fn a_table_has_the_mean_and_the_quantiles_of_its_sample() {
        let sample: Vec<f64> =
            (0..10_000).map(|n| -crate::math::ln(1.0 - (f64::from(n) + 0.5) / 1e4)).collect();
        let table = QuantileTable::of(&sample).unwrap();
        assert!((table.mean() - 1.0).abs() < 0.003, "{}", table.mean());
        let distribution = table.distribution().unwrap();
        for p in [0.05, 0.33, 0.5, 0.87, 0.99, 0.997] {
            let expected = -crate::math::ln(1.0 - p);
            let found = distribution.quantile(p);
            assert!((found / expected - 1.0).abs() < 0.04, "{found} {expected}");
        }
        assert!(table.points().len() <= 40, "{}", table.points().len());
    }

    #[test]
    fn a_value_that_comes_often_stays_a_value_that_comes_often() {
        let mut sample = vec![13.0; 600];
        sample.extend((0..400).map(|n| 20.0 + f64::from(n)));
        sample.sort_by(f64::total_cmp);
        let distribution = QuantileTable::of(&sample).unwrap().distribution().unwrap();
        assert_eq!([0.001, 0.2, 0.59].map(|p| distribution.quantile(p)), [13.0; 3]);
        assert!((distribution.quantile(0.8) - 219.5).abs() < 3.0);
    }

    /// Weights 1, 2 and 1: the middle value is half of all.
    #[test]
    fn weights_count() {
        let table = QuantileTable::weighted(vec![(3.0, 1.0), (1.0, 1.0), (2.0, 2.0)]).unwrap();
        let distribution = table.distribution().unwrap();
        assert_eq!([0.1, 0.5, 0.9].map(|p| distribution.quantile(p)), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn the_sample_quantile_is_numpys() {
        let sorted = [10.0, 20.0, 30.0, 40.0, 50.0];
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|p| quantile(&sorted, p)), [10.0, 30.0, 49.6, 50.0]);
    }
}
