//! Metrics that are counted over requests: shares, means, quantiles and costs.

use super::basis::Basis;
use super::estimate::{Estimate, Limits, Method};
use super::selection::Selected;
use crate::metric::{Measure, Metric, Quantile, Sample};
use crate::stats::{DurationHistogram, Interval, Moments, QuantileRanks};

impl Selected<'_> {
    /// A metric over the selected requests.
    pub(super) fn of_requests(&self, metric: Metric, method: Method) -> Estimate {
        let of_attempts = self.took_several_attempts() && counts_attempts(metric.measure());
        Estimate { of_attempts, ..Estimate::of(metric, &self.basis(metric), method) }
    }
}

impl Estimate {
    /// A metric from what it is made from.
    pub fn of(metric: Metric, basis: &Basis<'_>, method: Method) -> Self {
        match basis {
            Basis::Exact { value: Some(value), n } => Self::exact(metric, *value, *n),
            Basis::Exact { value: None, .. } => Self::absent(metric),
            Basis::Ratio(ratio) => Self::exact(metric, ratio.ratio(), ratio.count()),
            Basis::Share(share) => Self::share(metric, *share, method),
            Basis::Mean(moments) => mean(metric, *moments, method),
            Basis::Quantile(quantile, durations) => {
                quantile_of(metric, durations, *quantile, method)
            }
        }
    }
}

/// Whether what a measure is made of are attempts, where requests took several.
fn counts_attempts(measure: Measure) -> bool {
    match measure {
        Measure::ErrorRate
        | Measure::SuccessRate
        | Measure::ClientErrorRate
        | Measure::RateLimitedRate
        | Measure::TimeoutRate
        | Measure::EmptyRate
        | Measure::LengthFinishRate
        | Measure::Mean(Sample::LatencyAll)
        | Measure::Quantile(Sample::LatencyAll, _) => true,
        // Counts say what they count by their names; successes and first tokens by their own.
        Measure::Requests
        | Measure::Attempts
        | Measure::FinalErrorRate
        | Measure::Mean(Sample::Latency | Sample::FirstToken)
        | Measure::Quantile(Sample::Latency | Sample::FirstToken, _)
        | Measure::OutputTokens
        | Measure::OutputSpeed
        | Measure::CostPer1k
        | Measure::OfRun => false,
    }
}

/// A mean with Student's interval. What is averaged here is never negative, so neither is the
/// lower limit.
fn mean(metric: Metric, moments: Option<Moments>, method: Method) -> Estimate {
    let Some(moments) = moments else { return Estimate::absent(metric) };
    let interval = Interval::student(moments, method.confidence())
        .map(|interval| Limits { low: Some(interval.low.max(0.0)), high: Some(interval.high) });
    Estimate::estimated(metric, moments.mean, moments.count, interval)
}

/// An order statistic with the two that bound its quantile.
fn quantile_of(
    metric: Metric,
    durations: &DurationHistogram,
    quantile: Quantile,
    method: Method,
) -> Estimate {
    let n = durations.count();
    let seconds = |rank| durations.at_rank(rank).map(|duration| duration.as_secs_f64());
    let Some(value) = seconds(quantile.rank(n)) else { return Estimate::absent(metric) };
    let ranks = QuantileRanks::of(quantile.per_mille(), n, method.confidence());
    let error = |end: f64| match method {
        Method::Display => 0.0,
        Method::Gate(_) => (end * BIN_ERROR).max(SMALLEST_BIN_ERROR),
    };
    let limits = Limits {
        low: ranks.lower.and_then(seconds).map(|end| (end - error(end)).max(0.0)),
        high: ranks.upper.and_then(seconds).map(|end| end + error(end)),
    };
    let interval = (limits.low.is_some() || limits.high.is_some()).then_some(limits);
    Estimate::estimated(metric, value, n, interval)
}

/// By how much a value read from a [`DurationHistogram`] can differ from the one recorded.
const BIN_ERROR: f64 = 1e-3;
/// The same in seconds, where it is more: half a microsecond.
const SMALLEST_BIN_ERROR: f64 = 0.5e-6;

#[cfg(test)]
mod tests {
    use super::super::fixture::{NEW, OLD, record};
    use super::super::selection::{Selection, Summary};
    use super::*;
    use crate::exchange::ModelIndex;
    use crate::record::{Arm, Cell, KeyFault, KeyRejections, Tally};
    use crate::stats::Confidence;

    const GATE: Method = Method::Gate(Confidence::PERCENT_95);

    fn estimate(selection: Selection, metric: Metric, method: Method) -> Estimate {
        Summary::of(&record()).select(selection).estimate(metric, method)
    }

    fn baseline(metric: Metric, method: Method) -> Estimate {
        estimate(Selection { phase: Some(0), ..Selection::default() }, metric, method)
    }

    #[test]
    fn retries_hide_errors_from_clients_and_not_from_the_version() {
        let mut record = record();
        // Of the canary's 50 errors in the incident 40 were mended on the stable.
        let canary = record.cells.iter().position(|cell| cell.phase == 2).unwrap();
        let mut failed = Tally::default();
        std::mem::swap(&mut failed.failed, &mut record.cells[canary].tally.failed);
        let mended = Tally { succeeded: 40, ..Tally::default() };
        let mut finals = mended.clone();
        for _ in 0..10 {
            finals.failed.add(crate::exchange::Ending::Status(503));
        }
        record.cells[canary].attempts = Some(failed);
        record.cells[canary].finals = Some(finals);
        let stable = Cell {
            version: OLD,
            arm: Arm::Stable,
            tally: Tally::default(),
            attempts: Some(mended),
            finals: None,
            phase: 2,
        };
        record.cells.push(stable);
        let of = |version, metric| {
            let selection = Selection { phase: Some(2), version, ..Selection::default() };
            Summary::of(&record).select(selection).estimate(metric, Method::Display).value
        };
        assert_eq!(of(Some(NEW), Metric::ErrorRate), Some(50.0 / 150.0));
        assert_eq!(of(Some(NEW), Metric::FinalErrorRate), Some(10.0 / 150.0));
        assert_eq!(of(Some(OLD), Metric::Requests), Some(0.0));
        assert_eq!(of(Some(OLD), Metric::Attempts), Some(40.0));
        assert_eq!(of(None, Metric::Requests), Some(150.0));
        assert_eq!(of(None, Metric::Attempts), Some(190.0));
        let text = |metric| {
            let incident = Selection { phase: Some(2), ..Selection::default() };
            Summary::of(&record).select(incident).estimate(metric, Method::Display).to_string()
        };
        assert!(text(Metric::ErrorRate).ends_with(" of 190 attempts"));
        assert!(text(Metric::FinalErrorRate).ends_with(" of 150 requests"));
        let without = estimate(Selection::default(), Metric::ErrorRate, Method::Display);
        assert!(without.to_string().ends_with(" requests"), "{without}");
    }

    #[test]
    fn who_is_refused_for_a_key_has_failed_for_clients_and_for_no_version() {
        let mut record = record();
        let (client, reason) = (Some(0), Some(KeyFault::Replaced));
        let rejections =
            |phase, count| KeyRejections { phase, model: ModelIndex(0), client, reason, count };
        record.key_rejections = vec![rejections(2, 40), rejections(3, 60)];
        let of = |selection, metric| {
            Summary::of(&record).select(selection).estimate(metric, Method::Display)
        };
        let phase = |phase| Selection { phase: Some(phase), ..Selection::default() };
        // 50 of 150 failed, and 40 were not let in.
        let incident = of(phase(2), Metric::FinalErrorRate);
        assert_eq!((incident.value, incident.n), (Some(90.0 / 190.0), 190));
        assert_eq!(of(phase(3), Metric::FinalErrorRate).value, Some(60.0 / 360.0));
        assert_eq!(of(phase(0), Metric::FinalErrorRate).value, Some(5.0 / 1_005.0));
        let narrow = [
            Selection { version: Some(NEW), ..phase(2) },
            Selection { arm: Some(Arm::Canary), ..phase(2) },
        ];
        for selection in narrow {
            assert_eq!(of(selection, Metric::FinalErrorRate).value, Some(50.0 / 150.0));
        }
        let other = Selection { model: Some(ModelIndex(1)), ..phase(2) };
        assert_eq!(of(other, Metric::FinalErrorRate).value, None);
        assert_eq!(of(phase(2), Metric::ErrorRate).value, Some(50.0 / 150.0));
        assert_eq!(of(phase(2), Metric::Requests).value, Some(150.0));
    }

    fn assert_close(estimate: &Estimate, value: f64, n: u64, low: f64, high: f64) {
        let close = |found: f64, wanted: f64| (found - wanted).abs() <= 1e-9 * wanted.abs();
        let limits = estimate.interval.unwrap();
        assert!(close(estimate.value.unwrap(), value), "{estimate:?}");
        assert!(close(limits.low.unwrap(), low), "{estimate:?}");
        assert!(close(limits.high.unwrap(), high), "{estimate:?}");
        assert_eq!(estimate.n, n);
        assert!(!estimate.exact);
    }

    #[test]
    fn shares_agree_with_scipy() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.95, "wilson" or "exact").
        let errors = baseline(Metric::ErrorRate, Method::Display);
        assert_close(&errors, 5.0 / 1_005.0, 1_005, 0.0021268919240271704, 0.011593260731945536);
        let errors = baseline(Metric::ErrorRate, GATE);
        assert_close(&errors, 5.0 / 1_005.0, 1_005, 0.0016173232637992768, 0.01157180466664687);
        let of_client = baseline(Metric::ClientErrorRate, Method::Display);
        assert_close(&of_client, 2.0 / 1_008.0, 1_008, 0.0005442879231438045, 0.007205403248666235);
        assert_eq!(baseline(Metric::SuccessRate, GATE).value, Some(1_000.0 / 1_005.0));
        assert_eq!(baseline(Metric::RateLimitedRate, GATE).value, Some(1.0 / 1_005.0));
        assert_eq!(baseline(Metric::TimeoutRate, GATE).value, Some(1.0 / 1_005.0));
    }

    #[test]
    fn means_agree_with_scipy() {
        // scipy.stats.t.interval of 0.001 to 1.000 s, and of these with eight times 0.01 s.
        let mean = baseline(Metric::LatencyAvg, GATE);
        assert_close(&mean, 0.5005, 1_000, 0.48257740068588106, 0.5184225993141188);
        let all = baseline(Metric::LatencyAllAvg, GATE);
        assert_close(&all, 0.49660714285714286, 1_008, 0.478624480790637, 0.5145898049236487);
        let tokens = baseline(Metric::OutputTokensAvg, Method::Display);
        assert_close(&tokens, 100.0, 1_000, 100.0, 100.0);
        let first = baseline(Metric::TtftAvg, Method::Display);
        assert!((first.value.unwrap() - 0.1001).abs() < 1e-9, "{first:?}");
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        // Ranks 983 and 997 of 1,000 by scipy.stats.binom; a histogram's value is within 0.1 %.
        let within = |found: f64, wanted: f64| (found - wanted).abs() <= 1.001e-3 * wanted;
        let shown = baseline(Metric::LatencyP99, Method::Display);
        let (low, high) = shown.interval.and_then(|limits| limits.low.zip(limits.high)).unwrap();
        assert!(within(shown.value.unwrap(), 0.990), "{shown:?}");
        assert!(within(low, 0.983) && within(high, 0.997), "{shown:?}");
        let judged = baseline(Metric::LatencyP99, GATE).interval.unwrap();
        assert!(judged.low.unwrap() <= 0.983 && judged.high.unwrap() >= 0.997, "{judged:?}");
    }

    #[test]
    fn a_quantile_of_too_few_is_unbounded_above() {
        let canary = Selection { phase: Some(1), version: Some(NEW), ..Selection::default() };
        let found = estimate(canary, Metric::LatencyP99, GATE);
        let limits = found.interval.unwrap();
        assert!(limits.low.is_some() && limits.high.is_none(), "{found:?}");
        let found = estimate(canary, Metric::LatencyP50, GATE);
        assert!(found.interval.unwrap().high.is_some(), "{found:?}");
    }

    #[test]
    fn cost_is_that_of_the_version_that_answered() {
        let cost = |selection, metric| estimate(selection, metric, Method::Display);
        let of = |version| Selection { version: Some(version), ..Selection::default() };
        let new = cost(of(NEW), Metric::CostPer1kTokens);
        assert_eq!((new.value, new.n, new.exact), (Some(0.005), 400, true));
        assert_eq!(cost(of(OLD), Metric::CostPer1kTokens).value, Some(0.008));
        // 400 tokens each: 2,000 answers of the old version, 400 of the new.
        let total = cost(Selection::default(), Metric::CostTotal).value.unwrap();
        assert!((total - (2_000.0 * 0.0032 + 400.0 * 0.002)).abs() < 1e-12, "{total}");
    }

    #[test]
    fn tokens_without_a_price_have_no_cost() {
        let mut record = record();
        record.models[0].versions[1].price = None;
        let all = Summary::of(&record).select(Selection::default());
        assert_eq!(all.estimate(Metric::CostTotal, GATE).value, None);
        assert_eq!(all.estimate(Metric::CostPer1kTokens, GATE).value, None);
        let baseline = Selection { phase: Some(0), ..Selection::default() };
        let baseline = Summary::of(&record).select(baseline);
        assert_eq!(baseline.estimate(Metric::CostPer1kTokens, GATE).value, Some(0.008));
    }

    #[test]
    fn a_phase_never_reached_and_an_arm_without_requests_have_no_data() {
        let unreached = Selection { phase: Some(4), ..Selection::default() };
        let unknown = Selection { version: Some(crate::exchange::VersionIndex(2)), ..unreached };
        for metric in Metric::all() {
            let nothing = Estimate::absent(metric);
            assert_eq!(estimate(unreached, metric, GATE), nothing);
            assert_eq!(estimate(unknown, metric, GATE), nothing);
        }
        let idle = Selection { phase: Some(0), arm: Some(Arm::Canary), ..Selection::default() };
        assert_eq!(estimate(idle, Metric::ErrorRate, GATE).value, None);
        assert_eq!(estimate(idle, Metric::LatencyP50, GATE).value, None);
        assert_eq!(estimate(idle, Metric::LatencyAvg, GATE).value, None);
        assert_eq!(estimate(idle, Metric::Requests, GATE).value, Some(0.0));
    }
}
