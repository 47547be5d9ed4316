//! Requests counted by windows of one width, and what is summed over the windows.
//!
//! A meter may begin in the middle of a trace: the window that it begins in and the one that it is
//! in now stay open, so that two meters of consecutive stretches can be put together.

use crate::units::Duration;

/// A window: windows of one width follow each other from the beginning of the trace on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// How many windows are before it.
    pub(super) index: u64,
    pub(super) requests: u64,
    /// Those of them that failed.
    pub(super) failures: u64,
}

/// What is summed over windows that are full: in integers, so that their order does not matter.
pub(super) trait Sums: Default {
    /// A window is full.
    fn close(&mut self, window: &Window);
    /// Adds what others have summed up.
    fn merge(&mut self, other: &Self);
}

/// Counts requests by windows; those without any are not told apart from those that never were.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Windows<S> {
    width: Duration,
    /// The end of the window that is open: one comparison tells whether it is full.
    open_until: Duration,
    first: Option<Window>,
    /// The last window, where it is not the first.
    last: Option<Window>,
    /// Of the windows between the two.
    inner: S,
}

impl<S: Sums> Windows<S> {
    pub(super) fn new(width: Duration) -> Self {
        let open_until = Duration::ZERO;
        Self { width, open_until, first: None, last: None, inner: S::default() }
    }

    pub(super) const fn width(&self) -> Duration {
        self.width
    }

    /// A request was sent `at`, not before the one added last.
    #[inline]
    pub(super) fn add(&mut self, at: Duration, is_failure: bool) {
        if at >= self.open_until {
            self.open(at);
        }
        if let Some(open) = self.last.as_mut().or(self.first.as_mut()) {
            open.requests += 1;
            open.failures += u64::from(is_failure);
        }
    }

    /// The first window, the sums of those between, and the last where it is another; `None` where
    /// there are none.
    pub(super) fn parts(&self) -> Option<(Window, &S, Option<Window>)> {
        Some((self.first?, &self.inner, self.last))
    }

    /// Adds the windows of a meter that has begun after this one's last request.
    pub(super) fn merge(&mut self, later: &Self) {
        let Some((first, inner, last)) = later.parts() else { return };
        self.open_until = later.open_until;
        self.push(first);
        let Some(last) = last else { return };
        if let Some(full) = self.last.take() {
            self.inner.close(&full);
        }
        self.inner.merge(inner);
        self.last = Some(last);
    }

    #[cold]
    fn open(&mut self, at: Duration) {
        let index = at.as_nanos() / self.width.as_nanos();
        let end = (u128::from(index) + 1) * u128::from(self.width.as_nanos());
        self.open_until = Duration::from_nanos(u64::try_from(end).unwrap_or(u64::MAX));
        self.push(Window { index, requests: 0, failures: 0 });
    }

    /// Counts the requests of a window that is not before the one that is open.
    fn push(&mut self, window: Window) {
        match self.last.as_mut().or(self.first.as_mut()) {
            None => self.first = Some(window),
            Some(open) if open.index == window.index => {
                open.requests += window.requests;
                open.failures += window.failures;
            }
            Some(_) => {
                if let Some(full) = self.last.replace(window) {
                    self.inner.close(&full);
                }
            }
        }
    }
}

/// How requests are spread over windows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Counts {
    requests: u64,
    squares: u128,
    /// Windows with requests.
    occupied: u64,
    most: u64,
}

impl Sums for Counts {
    fn close(&mut self, window: &Window) {
        self.requests += window.requests;
        self.squares += u128::from(window.requests) * u128::from(window.requests);
        self.occupied += u64::from(window.requests > 0);
        self.most = self.most.max(window.requests);
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.squares += other.squares;
        self.occupied += other.occupied;
        self.most = self.most.max(other.most);
    }
}

impl Windows<Counts> {
    /// How many windows are full: all from the beginning of the trace to that of the last request,
    /// which is not over, and beyond where the trace is known to have gone on `until` a time. Then
    /// what was counted in them.
    fn full(&self, until: Option<Duration>) -> (u64, Counts) {
        let over = until.map_or(0, |until| until.as_nanos() / self.width.as_nanos());
        let Some((first, inner, last)) = self.parts() else { return (over, Counts::default()) };
        let windows = last.unwrap_or(first).index.max(over);
        let mut counts = inner.clone();
        let ends = [Some(first), last].into_iter().flatten();
        ends.filter(|window| window.index < windows).for_each(|window| counts.close(&window));
        (windows, counts)
    }

    /// The number of full windows.
    pub(super) fn full_windows(&self, until: Option<Duration>) -> u64 {
        self.full(until).0
    }

    /// Those of the full windows that have no request.
    pub(super) fn empty(&self, until: Option<Duration>) -> u64 {
        let (windows, counts) = self.full(until);
        windows - counts.occupied
    }

    /// The most requests in any window.
    pub(super) fn most(&self) -> u64 {
        let ends = [self.first, self.last].into_iter().flatten().map(|window| window.requests);
        ends.fold(self.inner.most, u64::max)
    }

    /// Sample variance over mean of the full windows' counts; `None` for fewer than two windows or
    /// no request in them.
    pub(super) fn dispersion(&self, until: Option<Duration>) -> Option<f64> {
        let (windows, counts) = self.full(until);
        if windows < 2 || counts.requests == 0 {
            return None;
        }
        let windows = windows as f64;
        let mean = counts.requests as f64 / windows;
        let squares = counts.squares as f64 - mean * counts.requests as f64;
        Some(squares / (windows - 1.0) / mean)
    }
}

/// How failures are spread over the windows that have requests.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Failures {
    windows: u64,
    requests: u64,
    failures: u64,
    /// Of failures squared over requests, in units of 2^-[`FRACTION_BITS`].
    ratios: u128,
}

impl Sums for Failures {
    fn close(&mut self, window: &Window) {
        if window.requests > 0 {
            let squared = u128::from(window.failures) * u128::from(window.failures);
            self.windows += 1;
            self.requests += window.requests;
            self.failures += window.failures;
            self.ratios += (squared << FRACTION_BITS) / u128::from(window.requests);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.windows += other.windows;
        self.requests += other.requests;
        self.failures += other.failures;
        self.ratios += other.ratios;
    }
}

impl Windows<Failures> {
    /// How many windows have requests, and Pearson's chi-squared of their failures over its degrees
    /// of freedom: with n_i requests and f_i failures in window i of k, and p the share of failures
    /// of all, the sum of (f_i - p n_i)^2 / (n_i p (1 - p)) over k - 1. It is about 1 where each
    /// request fails with the same probability, whatever the others do and however many there are,
    /// and larger where failures come together. `None` for fewer than two windows, and where all
    /// requests failed or none.
    ///
    /// Source: P. McCullagh and J. A. Nelder, Generalized Linear Models (2nd ed., 1989), section
    /// 4.5.
    pub(super) fn clustering(&self) -> Option<(u64, f64)> {
        let (first, inner, last) = self.parts()?;
        let mut sums = inner.clone();
        sums.close(&first);
        last.iter().for_each(|last| sums.close(last));
        if sums.windows < 2 || sums.failures == 0 || sums.failures == sums.requests {
            return None;
        }
        let (failures, requests) = (sums.failures as f64, sums.requests as f64);
        let ratios = sums.ratios as f64 / (1_u64 << FRACTION_BITS) as f64;
        let share = failures / requests;
        let squares = ratios - failures * share;
        let freedom = (sums.windows - 1) as f64;
        Some((sums.windows, (squares / (share * (1.0 - share)) / freedom).max(0.0)))
    }
}

/// Chosen: a sum of 2^60 windows is off by less than 2^-20 of one, and 2^40 failures fit.
const FRACTION_BITS: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(millis: &[u64]) -> Windows<Counts> {
        let mut windows = Windows::new(Duration::from_secs(1));
        millis.iter().for_each(|at| windows.add(Duration::from_millis(*at), false));
        windows
    }

    #[test]
    fn dispersion_is_the_sample_variance_over_the_mean_of_full_windows() {
        // Counts in the five full windows of 1 s: 2, 1, 0, 0, 1: mean 0.8, sample variance 0.7.
        let windows = seconds(&[0, 500, 1_000, 4_000, 5_000]);
        assert!((windows.dispersion(None).unwrap() - 0.7 / 0.8).abs() < 1e-15);
        assert_eq!((windows.full_windows(None), windows.empty(None), windows.most()), (5, 2, 2));
        assert_eq!(seconds(&[0, 500]).dispersion(None), None);
        // The trace began before its first request: 0, 0, 3 in three full windows.
        let late = seconds(&[2_000, 2_001, 2_002, 3_000]);
        assert!((late.dispersion(None).unwrap() - 3.0).abs() < 1e-15);
        assert_eq!((late.full_windows(None), late.empty(None)), (3, 2));
    }

    #[test]
    fn windows_after_the_last_request_are_full_where_the_trace_went_on() {
        let until = |millis: u64| Some(Duration::from_millis(millis));
        // Counts 2, 1, 0, 0, 1, 1, 0, 0 in eight full windows: mean 0.625, sample variance
        // (7 - 8 * 0.625^2) / 7 = 3.875 / 7.
        let windows = seconds(&[0, 500, 1_000, 4_000, 5_000]);
        assert_eq!((windows.full_windows(until(8_999)), windows.empty(until(8_999))), (8, 4));
        let dispersion = windows.dispersion(until(8_999)).unwrap();
        assert!((dispersion - 3.875 / 7.0 / 0.625).abs() < 1e-15, "{dispersion}");
        // The window that the last request is in is full only once it is over.
        assert_eq!((windows.full_windows(until(5_999)), windows.empty(until(5_999))), (5, 2));
        assert_eq!((windows.full_windows(until(6_000)), windows.empty(until(6_000))), (6, 2));
        let one = seconds(&[0]);
        assert_eq!((one.full_windows(until(3_000)), one.empty(until(3_000))), (3, 2));
        assert_eq!((seconds(&[]).full_windows(None), seconds(&[]).empty(until(3_000))), (0, 3));
    }

    #[test]
    fn windows_far_beyond_any_trace_do_not_overflow() {
        let mut windows = Windows::<Counts>::new(Duration::from_secs(600));
        windows.add(Duration::ZERO, false);
        windows.add(Duration::MAX, false);
        windows.add(Duration::MAX, false);
        assert_eq!(windows.full_windows(None), u64::MAX / 600_000_000_000);
    }

    #[test]
    fn failures_that_come_together_are_clustered() {
        // statsmodels GLM(Binomial, constant) of failures [0, 5, 0, 0] in [10, 10, 10, 10]
        // requests: pearson_chi2 / df_resid = 17.142857142857142 / 3.
        let mut windows = Windows::<Failures>::new(Duration::from_secs(10));
        for request in 0..40 {
            windows.add(Duration::from_secs(request), (10..15).contains(&request));
        }
        let (count, clustering) = windows.clustering().unwrap();
        assert_eq!(count, 4);
        assert!((clustering - 17.142857142857142 / 3.0).abs() < 1e-9, "{clustering}");
        // One failure in every window: less spread than chance.
        let mut even = Windows::<Failures>::new(Duration::from_secs(10));
        (0..40).for_each(|request| even.add(Duration::from_secs(request), request % 10 == 3));
        assert!(even.clustering().unwrap().1 < 1e-9);
    }
}
