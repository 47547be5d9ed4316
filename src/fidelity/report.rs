//! How well a live run agrees with the simulated one, as a document for programs.

use serde::{Deserialize, Serialize};

use super::finding::{Chances, Finding, FindingCounts};
use super::harness::{Harness, OverheadSpread};
use super::metric_error::MetricError;
use super::notes::{dependences, notes};
use super::rollback_error::{RollbackError, rollback_errors};
use super::settings::{Settings, Sides};
use super::tolerances::Tolerances;
use super::version_errors::{VersionErrors, version_errors};
use crate::compare::{CompareError, ComparedRun, RunDifferences, scenario_differences};
use crate::json::outline;

/// How well a live run agrees with the simulated one. What its fields mean is said in its JSON
/// Schema, [`fidelity_schema`](super::fidelity_schema).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fidelity {
    /// The number of the format: [`Fidelity::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that held them against each other.
    pub coalmine: String,
    /// What all errors come to.
    pub verdict: Finding,
    /// How often each finding was made.
    pub counts: FindingCounts,
    /// The probability that all judged errors lie in their intervals at once, in (0, 1).
    pub confidence: f64,
    /// How many of them there are: each interval has the confidence that so many need.
    pub intervals: u64,
    /// The simulated run.
    pub simulated: ComparedRun,
    /// The live run.
    pub live: ComparedRun,
    /// Whether both met the same draws.
    pub share_draws: bool,
    /// How many times as fast as on the wall the live run was.
    pub speed: f64,
    /// What its harness added to latencies; empty where nothing was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overheads: Vec<OverheadSpread>,
    /// What is allowed.
    pub tolerances: Tolerances,
    /// The errors by phase and version.
    pub versions: Vec<VersionErrors>,
    /// Whether the live run sent as many requests as the simulated one, but for a twentieth. Not
    /// judged where the runs do not share their draws.
    pub requests: Finding,
    /// Every rollback of either run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollbacks: Vec<RollbackError>,
    /// What is to be known of the errors, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Fidelity {
    /// The number of the format that this version writes.
    pub const SCHEMA: u64 = 1;

    /// The document's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// Every error of a metric, with the version and phase that it is of.
    pub fn errors(&self) -> impl Iterator<Item = (&VersionErrors, &MetricError)> {
        self.versions.iter().flat_map(|own| own.errors.iter().map(move |error| (own, error)))
    }
}

/// Holds a live run against the simulated one of the same scenario. `harness` is that of the live
/// run.
///
/// # Errors
/// The runs are not of the same scenario and traces.
pub fn fidelity(
    sides: &Sides<'_>,
    harness: &Harness,
    settings: &Settings,
) -> Result<Fidelity, CompareError> {
    refuse_different(sides)?;
    let dependent = !dependences(sides).is_empty();
    let chances = match (sides.share_draws, dependent) {
        (true, _) => Chances::Same,
        (false, false) => Chances::Own,
        (false, true) => Chances::OwnAndDependent,
    };
    let (versions, intervals) = version_errors(sides, harness, settings, chances);
    let rollbacks = rollback_errors(sides, settings.tolerances.rollback_checks);
    let of_metrics = versions.iter().flat_map(|own| own.errors.iter().map(|error| error.finding));
    let requests = requests(sides);
    let findings = of_metrics.chain(rollbacks.iter().map(|rollback| rollback.finding));
    let findings = findings.chain([requests]);
    let counts = FindingCounts::of(findings);
    Ok(Fidelity {
        schema: Fidelity::SCHEMA,
        coalmine: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: counts.verdict(),
        counts,
        confidence: settings.confidence.get(),
        intervals: intervals as u64,
        simulated: ComparedRun::of(&sides.simulated),
        live: ComparedRun::of(&sides.live),
        share_draws: sides.share_draws,
        speed: harness.speed.times(),
        overheads: harness.spreads(),
        tolerances: settings.tolerances,
        versions,
        requests,
        rollbacks,
        notes: notes(sides, harness),
    })
}

/// Shares and quantiles say nothing of requests that were never sent.
fn requests(sides: &Sides<'_>) -> Finding {
    let [simulated, live] =
        [sides.simulated, sides.live].map(|run| run.result.record.requests() as f64);
    match sides.share_draws {
        false => Finding::Unjudged,
        true if (live - simulated).abs() <= MOST_MISSING * simulated => Finding::Within,
        true => Finding::Beyond,
    }
}

/// Chosen: a phase that ends with a rollback is longer or shorter by the check that is allowed.
const MOST_MISSING: f64 = 0.05;

fn refuse_different(sides: &Sides<'_>) -> Result<(), CompareError> {
    let [simulated, live] =
        [sides.simulated, sides.live].map(|run| (&run.result.scenario, &run.result.traces[..]));
    let differences = scenario_differences(simulated, live);
    if differences.is_empty() {
        return Ok(());
    }
    let labels = [sides.simulated, sides.live].map(|run| run.label.to_owned()).to_vec();
    Err(CompareError { labels, differing: vec![RunDifferences { run: 1, differences }] })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::example::{
        harness, live, of, repeated, simulated, slower, small, with_overheads,
    };
    use super::super::tolerances::Allowed;
    use super::*;
    use crate::metric::Metric;
    use crate::result::ResultFile;
    use crate::units::{Duration, Ratio};

    /// The error of a metric in the first phase.
    fn error(fidelity: &Fidelity, metric: Metric) -> &MetricError {
        fidelity.versions[0].errors.iter().find(|error| error.metric == metric).unwrap()
    }

    fn plain(simulated: &ResultFile, live: &ResultFile) -> Fidelity {
        of((simulated, live), &Harness::default(), &Settings::default())
    }

    const LATENCIES: [Metric; 4] =
        [Metric::LatencyAvg, Metric::LatencyP50, Metric::LatencyP90, Metric::LatencyP99];

    #[test]
    fn errors_are_those_of_values_known_by_construction() {
        // 1 to 1,000 ms, each 100 times, and the same 2 % longer: every quantile and the mean are.
        let found = slower();
        for (metric, value) in LATENCIES.into_iter().zip([0.5005, 0.5, 0.9, 0.99]) {
            let error = error(&found, metric);
            assert!((error.simulated.unwrap() / value - 1.0).abs() < 1e-3, "{error:?}");
            // Values are known to 0.1 %, means exactly.
            let precision = if metric == Metric::LatencyAvg { 1e-6 } else { 2e-3 };
            assert!((error.raw.unwrap().error - 0.02).abs() < precision, "{error:?}");
            assert_eq!(error.less_overhead, None);
        }
        assert_eq!(found.versions[0].requests, [100_008, 100_008]);
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_welch_with_a_shared_confidence() {
        let found = slower();
        let interval = error(&found, Metric::LatencyAvg).raw.unwrap().interval.unwrap();
        // 100,000 of either, uniform: a variance of (10^6 - 1) / 12 ms^2 and 1.02^2 times that.
        // With so many degrees of freedom t is the normal quantile of 1 - 0.05 / (2 k); the ratio
        // by Fieller, whose terms beyond (1 + 1.02^2 ...) are below 1e-5 here.
        let k = found.intervals as f64;
        let z = -crate::math::normal_quantile(0.025 / k);
        let relative_error = z * ((1e6 - 1.0) / 12.0 / 1e5_f64).sqrt() / 500.5;
        let half = 1.02 * relative_error * 2_f64.sqrt();
        let (low, high) = (interval.low.unwrap(), interval.high.unwrap());
        assert!((low - (0.02 - half)).abs() < 5e-5, "{interval:?}, {half}");
        assert!((high - (0.02 + half)).abs() < 5e-5, "{interval:?}, {half}");
    }

    #[test]
    fn a_live_run_that_is_2_percent_slower_is_beyond() {
        let found = slower();
        assert_eq!(found.verdict, Finding::Beyond);
        assert_eq!(error(&found, Metric::LatencyAvg).finding, Finding::Beyond);
        assert_eq!(error(&found, Metric::ErrorRate).finding, Finding::Within);
        // 3 % are allowed of the P99.
        assert_eq!(error(&found, Metric::LatencyP99).finding, Finding::Within);
        let share = Ratio::from_percent(4);
        let mut tolerances = Tolerances { rollback_checks: 2, ..Tolerances::default() };
        (tolerances.mean, tolerances.p50) = (Allowed::UpTo(share), Allowed::UpTo(share));
        tolerances.p90 = Allowed::UpTo(share);
        let settings = Settings { tolerances, ..Settings::default() };
        let live = live(100, |latency| latency.mul_f64(1.02));
        let found = of((&repeated(100), &live), &Harness::default(), &settings);
        assert_eq!(found.verdict, Finding::Within, "{:?}", found.counts);
    }

    #[test]
    fn a_small_sample_is_undecided_and_not_beyond() {
        let found = small();
        // The P99 of these, 990 of 1 to 1,000 ms, is known better than its 3 %.
        for metric in &LATENCIES[..3] {
            assert_eq!(error(&found, *metric).finding, Finding::Undecided, "{metric}");
        }
        assert_eq!((found.verdict, found.counts.beyond), (Finding::Undecided, 0));
        // It is also where the same draws make the intervals too wide: 2 % are more than 1 %.
        let live = live(1, |latency| latency.mul_f64(1.02));
        let same = plain(&simulated(), &live);
        assert_eq!(error(&same, Metric::LatencyAvg).finding, Finding::Undecided);
        assert_eq!(error(&same, Metric::LatencyP99).finding, Finding::Within);
    }

    #[test]
    fn overheads_are_taken_off_and_both_figures_are_told() {
        // 0.2 and 0.1 ms at 10 times the speed are 3 ms: all that the live run is slower by.
        let found = with_overheads(10.0);
        let mean = error(&found, Metric::LatencyAvg);
        assert!((mean.raw.unwrap().error - 3.0 / 500.5).abs() < 1e-9, "{mean:?}");
        assert!(mean.less_overhead.unwrap().error.abs() < 1e-6, "{mean:?}");
        assert!((mean.overhead.unwrap() - 0.003).abs() < 1e-9, "{mean:?}");
        let p50 = error(&found, Metric::LatencyP50);
        assert!((p50.raw.unwrap().error - 0.006).abs() < 2e-3, "{p50:?}");
        assert!(p50.less_overhead.unwrap().error.abs() < 2e-3, "{p50:?}");
        let [raw, less] = [p50.raw, p50.less_overhead].map(|one| one.unwrap().interval.unwrap());
        let moved = raw.low.unwrap() - less.low.unwrap();
        assert!((moved - p50.overhead.unwrap() / p50.simulated.unwrap()).abs() < 1e-12);
        assert_eq!(error(&found, Metric::ErrorRate).less_overhead, None);
        assert_eq!((found.overheads.len(), found.verdict), (2, Finding::Within));
    }

    #[test]
    fn what_is_judged_is_the_error_without_the_overhead() {
        let live = live(100, |latency| latency + Duration::from_millis(30));
        let mut harness = harness(20.0);
        let sides = (&repeated(100), &live);
        // 0.3 ms at 20 times the speed are 6 of the 30 ms.
        let found = of(sides, &harness, &Settings::default());
        assert_eq!(error(&found, Metric::LatencyAvg).finding, Finding::Beyond);
        harness.overheads = vec![harness.overheads[0].clone(); 7];
        let found = of(sides, &harness, &Settings::default());
        assert_eq!(error(&found, Metric::LatencyAvg).finding, Finding::Within);
    }

    #[test]
    fn above_20_times_the_speed_only_split_errors_and_rollbacks_are_judged() {
        let found = with_overheads(60.0);
        for (_, error) in found.errors() {
            let judged = [Metric::ErrorRate, Metric::Share].contains(&error.metric);
            assert_eq!(error.finding == Finding::Unjudged, !judged, "{error:?}");
            assert!(error.raw.is_some() || error.simulated.is_none(), "{error:?}");
        }
        assert_eq!(found.rollbacks[0].finding, Finding::Within);
        assert!(found.notes.iter().any(|note| note.starts_with("At 60 times the speed")));
        assert!(with_overheads(20.0).counts.judged() > found.counts.judged());
    }

    #[test]
    fn a_split_and_an_error_rate_are_within_what_chance_explains() {
        let simulated = simulated();
        let with_failures = |count: u64| {
            let mut live = simulated.clone();
            let tally = &mut live.record.cells[0].tally;
            (0..count).for_each(|_| tally.failed.add(crate::exchange::Ending::Status(503)));
            tally.assigned += count;
            plain(&simulated, &live)
        };
        // 5 of 1,005 and 5 more: Newcombe's interval holds 0; 60 more: it does not.
        let few = with_failures(5);
        let rate = error(&few, Metric::ErrorRate);
        assert!((rate.raw.unwrap().error - (10.0 / 1_010.0 - 5.0 / 1_005.0)).abs() < 1e-12);
        assert_eq!(rate.finding, Finding::Within);
        assert_eq!(error(&with_failures(60), Metric::ErrorRate).finding, Finding::Beyond);
    }

    #[test]
    fn another_scenario_is_refused_with_what_differs() {
        let (simulated, mut live) = (simulated(), simulated());
        live.scenario.resolved["seed"] = serde_json::json!(7);
        assert_eq!(plain(&simulated, &live).verdict, Finding::Within, "a seed chooses a run");
        live.scenario.resolved["models"][0]["rules"]["conditions"][0]["check_interval_seconds"] =
            serde_json::json!(20.0);
        let run = |label, result| crate::compare::RunInput { label, sha256: "", result };
        let sides = Sides::new(run("sim", &simulated), run("live", &live));
        let error = fidelity(&sides, &Harness::default(), &Settings::default()).unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("live is not of the same scenario as sim:"), "{told}");
        assert!(told.contains("check_interval_seconds: 15.0 / 20.0"), "{told}");
    }

    #[test]
    fn where_requests_bear_on_each_other_it_is_told_and_without_shared_draws_undecided() {
        let mut pair = [repeated(100), live(100, |latency| latency.mul_f64(1.02))];
        for result in &mut pair {
            result.scenario.closed_users = Some(7);
        }
        let told = |fidelity: &Fidelity| {
            fidelity.notes.iter().any(|note| note.contains("users wait for their answers"))
        };
        let same = plain(&pair[0], &pair[1]);
        assert!(told(&same) && same.verdict == Finding::Beyond, "{:?}", same.counts);
        pair[1].scenario.seed = 43;
        let own = plain(&pair[0], &pair[1]);
        assert!(told(&own) && own.verdict == Finding::Undecided, "{:?}", own.counts);
    }

    #[test]
    fn a_version_that_the_live_run_never_used_has_no_errors_but_that_of_the_split() {
        let (simulated, mut live) = (simulated(), simulated());
        let canary = live.record.cells.iter().position(|cell| cell.phase == 1).unwrap() + 1;
        live.record.cells.remove(canary);
        let found = plain(&simulated, &live);
        let own = found.versions.iter().find(|own| own.requests[1] == 0).unwrap();
        let judged = own.errors.iter().filter(|error| error.finding != Finding::Unjudged);
        let judged: Vec<_> = judged.map(|error| (error.metric, error.finding)).collect();
        assert_eq!(judged, [(Metric::Share, Finding::Beyond)]);
    }

    proptest! {
        #[test]
        fn a_run_agrees_with_itself_without_any_error(
            times in 1_u64..4, speed in 1_u8..100, own_draws: bool,
        ) {
            let (simulated, mut live) = (repeated(times), repeated(times));
            live.scenario.seed += u64::from(own_draws);
            let found = plain(&simulated, &live);
            for (_, error) in found.errors() {
                prop_assert!(error.raw.is_none_or(|raw| raw.error == 0.0), "{:?}", error);
                prop_assert_ne!(error.finding, Finding::Beyond);
            }
            if !own_draws {
                prop_assert_eq!(found.verdict, Finding::Within);
            }
            let fast = Harness {
                speed: crate::clock::TimeScale::new(f64::from(speed)).unwrap(),
                ..Harness::default()
            };
            let fast = of((&simulated, &live), &fast, &Settings::default());
            prop_assert!(fast.counts.judged() <= found.counts.judged());
        }

        #[test]
        fn turned_around_errors_are_those_of_the_inverse_ratio(percent in 50_u32..200) {
            let (one, other) =
                (simulated(), live(1, |latency| latency.mul_f64(f64::from(percent) / 100.0)));
            let (found, turned) = (plain(&one, &other), plain(&other, &one));
            for ((_, there), (_, back)) in found.errors().zip(turned.errors()) {
                let Some((there_raw, back_raw)) = there.raw.zip(back.raw) else { continue };
                if MetricError::is_difference(there.metric) {
                    prop_assert!((there_raw.error + back_raw.error).abs() < 1e-12);
                    prop_assert_eq!(there.finding, back.finding);
                } else {
                    let product = (1.0 + there_raw.error) * (1.0 + back_raw.error);
                    prop_assert!((product - 1.0).abs() < 1e-9, "{:?} {:?}", there, back);
                }
            }
            prop_assert_eq!(found.intervals, turned.intervals);
        }
    }
}
