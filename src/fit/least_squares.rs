//! Linear models, fitted by least squares.

use crate::math::incomplete_beta;

/// y = intercept + slope . x, for one or two columns of x.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct LinearModel {
    pub(super) intercept: f64,
    pub(super) slopes: Vec<f64>,
    /// The share of the variance of y that it explains, 0 to 1.
    pub(super) explained: f64,
    residual: f64,
    count: usize,
}

impl LinearModel {
    /// The model of `rows` (the columns of x, and y) with the least squared error; `None` for fewer
    /// than [`LEAST_ROWS`] rows, or columns of x of which one never varies or follows from the
    /// others.
    pub(super) fn fit<const COLUMNS: usize>(rows: &[([f64; COLUMNS], f64)]) -> Option<Self> {
        if rows.len() < LEAST_ROWS {
            return None;
        }
        let n = rows.len() as f64;
        let mut means = [0.0; COLUMNS];
        let mut mean = 0.0;
        for (x, y) in rows {
            means.iter_mut().zip(x).for_each(|(sum, x)| *sum += x / n);
            mean += y / n;
        }
        // Centred, so that large values do not cancel.
        let (mut squares, mut products, mut total) =
            ([[0.0; COLUMNS]; COLUMNS], [0.0; COLUMNS], 0.0);
        // As they are: what varies by no more than their rounding does not vary.
        let (mut raw, mut raw_total) = ([0.0; COLUMNS], 0.0);
        for (x, y) in rows {
            raw.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * x);
            raw_total += y * y;
            let y = y - mean;
            total += y * y;
            for a in 0..COLUMNS {
                products[a] += (x[a] - means[a]) * y;
                for b in 0..COLUMNS {
                    squares[a][b] += (x[a] - means[a]) * (x[b] - means[b]);
                }
            }
        }
        if (0..COLUMNS).any(|column| squares[column][column] <= SINGULAR * raw[column]) {
            return None;
        }
        let total = beyond_rounding(total, raw_total);
        let slopes = solve(squares, products)?;
        let gained: f64 = slopes.iter().zip(products).map(|(slope, product)| slope * product).sum();
        let explained = if total > 0.0 { (gained / total).clamp(0.0, 1.0) } else { 0.0 };
        let offset: f64 = slopes.iter().zip(means).map(|(slope, mean)| slope * mean).sum();
        Some(Self {
            intercept: mean - offset,
            slopes: slopes.to_vec(),
            explained,
            residual: (total - gained).max(0.0),
            count: rows.len(),
        })
    }

    /// The probability of a reduction of the squared error such as this model's against `smaller`,
    /// which lacks some of its columns, if those explained nothing: the partial F test (Draper and
    /// Smith, Applied Regression Analysis, 3rd ed. 1998, section 6.1). 1 - F's distribution
    /// function at f with d1 and d2 degrees of freedom is I_(d2 / (d2 + d1 f))(d2 / 2, d1 / 2).
    pub(super) fn p_value_against(&self, smaller: &Self) -> f64 {
        let d1 = self.slopes.len().saturating_sub(smaller.slopes.len()) as f64;
        let d2 = (self.count - self.slopes.len() - 1) as f64;
        if self.residual <= 0.0 {
            return if smaller.residual > 0.0 { 0.0 } else { 1.0 };
        }
        let f = ((smaller.residual - self.residual) / d1 / (self.residual / d2)).max(0.0);
        incomplete_beta(d2 / (d2 + d1 * f), 0.5 * d2, 0.5 * d1)
    }

    /// The model without any column: the mean.
    pub(super) fn mean_of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let count = values.clone().count();
        let mean = values.clone().sum::<f64>() / count as f64;
        let raw: f64 = values.clone().map(|value| value * value).sum();
        let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
        let residual = beyond_rounding(squares, raw);
        let model = Self { intercept: mean, slopes: Vec::new(), explained: 0.0, residual, count };
        (count >= LEAST_ROWS).then_some(model)
    }
}

/// The squares of deviations of values with the squares `raw`, 0 where they are rounding.
fn beyond_rounding(squares: f64, raw: f64) -> f64 {
    if squares <= SINGULAR * raw { 0.0 } else { squares }
}

/// The solution of a small symmetric system by elimination with pivots; `None` where it is singular
/// to rounding.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    let scales: [f64; N] = std::array::from_fn(|row| matrix[row][row]);
    for column in 0..N {
        let size = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..N).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        if matrix[column][column].abs() <= SINGULAR * scales[column] {
            return None;
        }
        for row in column + 1..N {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column];
            for (value, above) in matrix[row].iter_mut().zip(above).skip(column) {
                *value -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|place| matrix[row][place] * right[place]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

/// Chosen: fewer tell nothing about a slope.
pub(super) const LEAST_ROWS: usize = 30;
/// Chosen: a column that is to a hundred-thousandth a multiple of the other, or a constant.
const SINGULAR: f64 = 1e-10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_plane_is_found_and_explains_everything() {
        let rows: Vec<([f64; 2], f64)> = (0..100)
            .map(|n| {
                let x = [f64::from(n % 13), f64::from(n * n % 29)];
                (x, 3.0 + 0.5 * x[0] + 0.02 * x[1])
            })
            .collect();
        let model = LinearModel::fit(&rows).unwrap();
        assert!((model.intercept - 3.0).abs() < 1e-12, "{model:?}");
        assert!((model.slopes[0] - 0.5).abs() < 1e-12 && (model.slopes[1] - 0.02).abs() < 1e-12);
        assert!(model.explained > 1.0 - 1e-12);
    }

    /// y = x + noise of +-1 in turn: by hand the slope is 1 less the noise's share, and F follows
    /// from the sums. scipy.stats.f.sf(4.0, 1, 98) is 0.048268.
    #[test]
    fn the_partial_f_test_has_the_tail_of_fs_distribution() {
        let model = LinearModel {
            intercept: 0.0,
            slopes: vec![1.0],
            explained: 0.0,
            residual: 98.0,
            count: 100,
        };
        let smaller = LinearModel { slopes: Vec::new(), residual: 102.0, ..model };
        let found = model.p_value_against(&smaller);
        assert!((found - 0.048_268).abs() < 5e-6, "{found}");
    }

    /// The mean of 3,000 equal values is not exactly that value: what they deviate by is rounding.
    #[test]
    fn what_never_varies_explains_nothing_and_is_not_explained() {
        let rows: Vec<_> = (0..3_000).map(|_| ([316.7], 0.1)).collect();
        assert_eq!(LinearModel::fit(&rows), None);
        let rows: Vec<_> = (0..3_000).map(|n| ([f64::from(n % 17), 316.7], 0.1)).collect();
        assert_eq!(LinearModel::fit(&rows), None);
        let rows: Vec<_> = (0..3_000).map(|n| ([f64::from(n % 17)], 0.1)).collect();
        let model = LinearModel::fit(&rows).unwrap();
        assert_eq!((model.explained, model.residual), (0.0, 0.0));
        let mean = LinearModel::mean_of(rows.iter().map(|(_, y)| *y)).unwrap();
        assert_eq!(model.p_value_against(&mean), 1.0);
    }

    #[test]
    fn columns_that_say_the_same_are_no_model() {
        let rows: Vec<_> = (0..50).map(|n| ([f64::from(n), f64::from(2 * n)], 1.0)).collect();
        assert_eq!(LinearModel::fit(&rows), None);
    }
}
