//! Holm's correction for many tests at once.

/// The p-values adjusted for all being looked at: a hypothesis whose adjusted value is at most
/// alpha can be rejected, and the probability of rejecting any true one is at most alpha, however
/// the tests depend on each other. With p_(1) <= ... <= p_(m),
///
/// `adjusted_(i) = min(1, max over j <= i of (m - j + 1) p_(j))`.
///
/// In the order of `p_values`; of none there are none.
///
/// Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
/// of Statistics 6 (1979), 65-70.
///
/// # Panics
/// A value outside [0, 1], or NaN.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "p-values in [0, 1]: {p_values:?}");
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut greatest = 0.0_f64;
    for (index, left) in order.iter().zip((1..=p_values.len()).rev()) {
        greatest = greatest.max((left as f64 * p_values[*index]).min(1.0));
        adjusted[*index] = greatest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_values_agree_with_statsmodels() {
        // statsmodels.stats.multitest.multipletests(p, method="holm").
        let cases: [(&[f64], &[f64]); 2] = [
            (&[0.01, 0.04, 0.03, 0.005, 0.2], &[0.04, 0.09, 0.09, 0.025, 0.2]),
            (
                &[0.3, 0.00001, 0.6, 0.02, 0.9, 0.02, 1.0],
                &[1.0, 7.000000000000001e-05, 1.0, 0.12, 1.0, 0.12, 1.0],
            ),
        ];
        for (p_values, expected) in cases {
            for (found, expected) in holm(p_values).iter().zip(expected) {
                let near = (found - expected).abs() < 1e-15;
                assert!(near, "{:?}", holm(p_values));
            }
        }
    }

    #[test]
    fn one_test_needs_no_correction_and_none_give_none() {
        assert_eq!(holm(&[0.04]), [0.04]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
