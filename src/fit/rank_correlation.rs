//! Spearman's rank correlation.

/// Spearman's rho of pairs: the correlation of their ranks, equal values having the mean of theirs
/// (C. Spearman, American Journal of Psychology 15, 1904, doi:10.2307/1412159). `None` where either
/// is always the same.
pub(super) fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let mean = (pairs.len() as f64 - 1.0) / 2.0;
    let (mut product, mut squares) = (0.0, (0.0, 0.0));
    for (a, b) in first.iter().zip(&second) {
        let (a, b) = (a - mean, b - mean);
        product += a * b;
        squares = (squares.0 + a * a, squares.1 + b * b);
    }
    let scale = (squares.0 * squares.1).sqrt();
    (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
}

/// The rank of each value from 0 on; of equal ones the mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = from as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|place| ranks[*place] = rank);
        from += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.spearmanr([1, 2, 2, 3, 5, 8], [2, 1, 4, 4, 3, 9]) is 0.661765.
    #[test]
    fn equal_values_share_their_ranks() {
        let pairs = [(1.0, 2.0), (2.0, 1.0), (2.0, 4.0), (3.0, 4.0), (5.0, 3.0), (8.0, 9.0)];
        let found = rank_correlation(&pairs).unwrap();
        assert!((found - 0.661_765).abs() < 1e-6, "{found}");
    }

    #[test]
    fn what_never_varies_has_no_correlation() {
        assert_eq!(rank_correlation(&[(1.0, 5.0), (1.0, 6.0)]), None);
        assert_eq!(rank_correlation(&[]), None);
    }
}
