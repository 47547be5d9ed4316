//! How many requests came in each second, and how unevenly.

use super::error::FitError;
use crate::stats::Moments;
use crate::units::Duration;

/// Requests by the second in which they came; 4 bytes for each second of the recording.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct SecondCounts(Vec<u32>);

impl SecondCounts {
    /// Counts a request that came `at`.
    ///
    /// # Errors
    /// It came later than [`LONGEST`].
    pub(super) fn add(&mut self, at: Duration) -> Result<(), FitError> {
        if at > LONGEST {
            return Err(FitError::TooLong { at, most: LONGEST });
        }
        let second = at.as_secs() as usize;
        if second >= self.0.len() {
            self.0.resize(second + 1, 0);
        }
        self.0[second] += 1;
        Ok(())
    }

    /// The recording lasts until `end`, whenever its last request came.
    pub(super) fn end(&mut self, end: Duration) {
        let seconds = end.min(LONGEST).as_secs() as usize + 1;
        if seconds > self.0.len() {
            self.0.resize(seconds, 0);
        }
    }

    /// The counts, second by second; in the last one recording may have ended.
    pub(super) fn seconds(&self) -> &[u32] {
        &self.0
    }

    /// The counts of windows of so many seconds that the last request did not come in: they are
    /// whole.
    pub(super) fn windows(&self, seconds: usize) -> impl Iterator<Item = u64> {
        let whole = self.0.len().saturating_sub(1) / seconds * seconds;
        let sum = |window: &[u32]| window.iter().map(|count| u64::from(*count)).sum();
        self.0[..whole].chunks(seconds).map(sum)
    }

    /// Variance over mean of the counts of whole windows; 1 for a Poisson process. `None` for fewer
    /// than two windows, or empty ones.
    pub(super) fn dispersion(&self, seconds: usize) -> Option<f64> {
        let (mut windows, mut sum, mut squares) = (0, 0, 0);
        for count in self.windows(seconds).map(u128::from) {
            windows += 1;
            sum += count;
            squares += count * count;
        }
        let moments = Moments::of_sums(windows, sum, squares)?;
        (windows >= 2 && sum > 0).then(|| moments.variance / moments.mean)
    }
}

/// Sample variance over mean.
pub(super) fn dispersion(counts: &[f64]) -> Option<f64> {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    if counts.len() < 2 || mean <= 0.0 {
        return None;
    }
    let squares: f64 = counts.iter().map(|count| (count - mean) * (count - mean)).sum();
    Some(squares / (n - 1.0) / mean)
}

/// Chosen: 31 MB of counts.
const LONGEST: Duration = Duration::from_secs(90 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: counts 2, 1, 0, 0, 1 of the whole seconds have mean 0.8 and sample variance 0.7.
    #[test]
    fn the_second_of_the_last_request_is_no_whole_window() {
        let mut counts = SecondCounts::default();
        for millis in [0, 500, 1_000, 4_000, 5_000] {
            counts.add(Duration::from_millis(millis)).unwrap();
        }
        assert!((counts.dispersion(1).unwrap() - 0.7 / 0.8).abs() < 1e-15);
        assert_eq!(counts.windows(2).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(counts.dispersion(5), None);
    }

    #[test]
    fn a_time_beyond_all_recordings_is_refused_before_memory_is_taken_for_it() {
        let error = SecondCounts::default().add(Duration::from_secs(90 * 86_400 + 1)).unwrap_err();
        assert!(matches!(error, FitError::TooLong { .. }));
    }
}
