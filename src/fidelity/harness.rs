//! The harness of a live run: how fast it ran, and by how much it delayed what was measured.

use serde::{Deserialize, Serialize};

use crate::clock::TimeScale;
use crate::metric::Quantile;
use crate::run::LiveFacts;
use crate::stats::DurationHistogram;
use crate::units::Duration;

/// What is known of the harness that made a live run. Default: nothing, at the speed of the wall.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Harness {
    /// How many times as fast as on the wall engine time passed.
    pub speed: TimeScale,
    /// What it added to latencies, cause by cause: those that have nothing to do with each other
    /// nor with what was planned, such as the dispatch lag and the lateness of the mock.
    pub overheads: Vec<Overhead>,
}

/// One cause of delays: it delays the first token and the end of an answer alike.
#[derive(Clone, PartialEq, Debug)]
pub struct Overhead {
    /// What it is, in words: `dispatch lag`.
    pub name: String,
    /// How long it delayed requests, in engine time: what was measured on the wall, times the
    /// speed.
    pub times: DurationHistogram,
}

/// An overhead in figures, in engine time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OverheadSpread {
    /// What it is.
    pub name: String,
    /// How many delays were measured.
    pub count: u64,
    /// Their mean.
    #[serde(rename = "mean_ns")]
    pub mean: Duration,
    /// Their median.
    #[serde(rename = "p50_ns")]
    pub p50: Duration,
    /// Their 90th percentile.
    #[serde(rename = "p90_ns")]
    pub p90: Duration,
    /// Their 99th percentile.
    #[serde(rename = "p99_ns")]
    pub p99: Duration,
}

impl Harness {
    /// What a live run says of its own: the lag of its load and the lateness of its mock, which
    /// their own clocks have measured. What gateway, client and sockets add is not among it: that
    /// is only known as the difference from what was planned, so to subtract it would make any
    /// live run agree with its plan.
    pub fn of(live: Option<&LiveFacts>) -> Self {
        let Some(facts) = live else { return Self::default() };
        let overhead = |name: &str, times: &DurationHistogram| Overhead {
            name: name.to_owned(),
            times: times.scaled(facts.speed),
        };
        let overheads = vec![
            overhead("dispatch lag", &facts.dispatch_lag.times),
            overhead("lateness of the mock", &facts.upstream_lateness.times),
        ];
        // The speed of a run that was made was a speed.
        Self { speed: TimeScale::new(facts.speed).unwrap_or_default(), overheads }
    }

    /// Each overhead in figures; those of which nothing was measured are left out.
    pub(super) fn spreads(&self) -> Vec<OverheadSpread> {
        let spread = |overhead: &Overhead| {
            let Overhead { name, times } = overhead;
            let quantile = |quantile: Quantile| times.quantile(quantile.per_mille());
            Some(OverheadSpread {
                name: name.clone(),
                count: times.count(),
                mean: times.mean()?,
                p50: quantile(Quantile::P50)?,
                p90: quantile(Quantile::P90)?,
                p99: quantile(Quantile::P99)?,
            })
        };
        self.overheads.iter().filter_map(spread).collect()
    }

    /// All overheads together; `None` where nothing was measured.
    pub(super) fn delay(&self) -> Option<Delay> {
        let delays = self.overheads.iter().filter_map(|overhead| Delay::of(&overhead.times));
        delays.reduce(|one, other| one.and(&other))
    }
}

/// By how much requests were delayed, in seconds of engine time.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Delay {
    mean: f64,
    /// Values that are equally likely, in rising order: [`LIKELY`] of them.
    values: Vec<f64>,
}

impl Delay {
    fn of(times: &DurationHistogram) -> Option<Self> {
        let mean = times.mean()?.as_secs_f64();
        let count = times.count();
        let value = |place: usize| {
            let rank = (place as u64 * 2 + 1) * count / (2 * LIKELY as u64) + 1;
            times.at_rank(rank.min(count)).map(Duration::as_secs_f64)
        };
        Some(Self { mean, values: (0..LIKELY).filter_map(value).collect() })
    }

    /// The sum of two that have nothing to do with each other.
    fn and(&self, other: &Self) -> Self {
        let sums = self.values.iter().flat_map(|one| other.values.iter().map(move |two| one + two));
        let mut sums: Vec<f64> = sums.collect();
        sums.sort_by(f64::total_cmp);
        let values = sums.into_iter().skip(LIKELY / 2).step_by(LIKELY).collect();
        Self { mean: self.mean + other.mean, values }
    }

    /// By how much it makes the mean of durations more.
    pub(super) const fn of_mean(&self) -> f64 {
        self.mean
    }

    /// By how much it makes a quantile of durations more that have nothing to do with it: the
    /// quantile of their sums, less their own. That is no quantile of the delay itself, which
    /// rarely hits the longest of all; of durations that are all the same it is. `None` where there
    /// are no durations.
    pub(super) fn of_quantile(
        &self,
        quantile: Quantile,
        durations: &DurationHistogram,
    ) -> Option<f64> {
        let own = durations.quantile(quantile.per_mille())?.as_secs_f64();
        let mut through = 0;
        let counted = durations.iter().map(|(value, count)| {
            through += count;
            (value.as_secs_f64(), through)
        });
        let counted: Vec<(f64, u64)> = counted.collect();
        let up_to = |limit: f64| match counted.partition_point(|(value, _)| *value <= limit) {
            0 => 0,
            place => counted[place - 1].1,
        };
        let wanted = quantile.rank(durations.count()) * self.values.len() as u64;
        let reaches = |more: f64| {
            let sums: u64 = self.values.iter().map(|delay| up_to(own + more - delay)).sum();
            sums >= wanted
        };
        let (mut below, mut above) = (0.0, self.values.last().copied().unwrap_or(0.0));
        if reaches(below) {
            return Some(below);
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(below, above);
            if reaches(middle) {
                above = middle;
            } else {
                below = middle;
            }
        }
        Some(above)
    }
}

/// Chosen: the 99th percentile of a delay is told from its median, and two of them have 10,000
/// sums.
const LIKELY: usize = 100;

/// Of a delay of a minute they leave 0.1 us.
const HALVINGS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn of_millis(millis: impl Iterator<Item = u64>) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        millis.for_each(|millis| histogram.record(Duration::from_millis(millis)));
        histogram
    }

    fn harness(causes: &[DurationHistogram]) -> Harness {
        let overhead = |times: &DurationHistogram| Overhead {
            name: "dispatch lag".to_owned(),
            times: times.clone(),
        };
        let overheads = causes.iter().map(overhead).collect();
        Harness { overheads, ..Harness::default() }
    }

    fn added(harness: &Harness, quantile: Quantile, durations: &DurationHistogram) -> f64 {
        harness.delay().unwrap().of_quantile(quantile, durations).unwrap()
    }

    #[test]
    fn a_constant_delay_shifts_every_quantile_and_the_mean_by_itself() {
        let harness = harness(&[of_millis(std::iter::repeat_n(30, 50))]);
        let durations = of_millis(100..=1_100);
        for quantile in [Quantile::P50, Quantile::P90, Quantile::P99] {
            let more = added(&harness, quantile, &durations);
            // To the bins of the durations, 0.1 % of 1.1 s.
            assert!((more - 0.03).abs() < 0.0012, "{quantile:?}: {more}");
        }
        assert!((harness.delay().unwrap().of_mean() - 0.03).abs() < 1e-12);
    }

    #[test]
    fn of_durations_that_are_all_the_same_a_quantile_gains_that_of_the_delay() {
        let harness = harness(&[of_millis(1..=100)]);
        let constant = of_millis(std::iter::repeat_n(500, 1_000));
        for (quantile, millis) in
            [(Quantile::P50, 50.0), (Quantile::P90, 90.0), (Quantile::P99, 99.0)]
        {
            let more = added(&harness, quantile, &constant) * 1_000.0;
            assert!((more - millis).abs() < 1.1, "{quantile:?}: {more}");
        }
    }

    #[test]
    fn of_spread_durations_a_quantile_gains_the_mean_of_a_short_delay() {
        // x - 0.1 * 100 = 5,000 ms where a tenth of 1 to 10,000 ms is delayed by 100 ms: by 10 ms,
        // which is the mean of a delay whose median is none. Bins there are 4 ms wide.
        let harness = harness(&[of_millis((0..90).map(|_| 0).chain((0..10).map(|_| 100)))]);
        let more = added(&harness, Quantile::P50, &of_millis(1..=10_000));
        assert!((more - 0.01).abs() < 0.005, "{more}");
    }

    #[test]
    fn two_causes_add_up() {
        let one = of_millis(std::iter::repeat_n(2, 10));
        let other = of_millis(std::iter::repeat_n(5, 40));
        let harness = harness(&[one, DurationHistogram::default(), other]);
        let delay = harness.delay().unwrap();
        assert!((delay.of_mean() - 0.007).abs() < 1e-12);
        assert!(delay.values.iter().all(|value| (value - 0.007).abs() < 1e-12), "{delay:?}");
        assert_eq!(delay.values.len(), LIKELY);
        assert_eq!(harness.spreads().len(), 2, "nothing was measured of one");
    }

    #[test]
    fn no_delay_adds_nothing_and_nothing_measured_is_none() {
        let none = harness(&[of_millis(std::iter::repeat_n(0, 10))]);
        assert_eq!(added(&none, Quantile::P99, &of_millis(1..=1_000)), 0.0);
        assert_eq!(harness(&[DurationHistogram::default()]).delay(), None);
        assert_eq!(Harness::default().delay(), None);
    }

    #[test]
    fn an_overhead_is_told_by_its_mean_and_quantiles() {
        let [spread] = &harness(&[of_millis(1..=100)]).spreads()[..] else { panic!("one") };
        // The mean of 1 to 100 ms is 50.5 ms, the quantiles are within 0.1 % of 50, 90 and 99 ms.
        assert_eq!((spread.count, spread.mean), (100, Duration::from_micros(50_500)));
        for (found, millis) in [(spread.p50, 50.0), (spread.p90, 90.0), (spread.p99, 99.0)] {
            assert!((found.as_millis_f64() / millis - 1.0).abs() < 1.1e-3, "{found:?}");
        }
    }
}
