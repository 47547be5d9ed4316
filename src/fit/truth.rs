//! Recordings of known scenarios: what is fitted to them is what they were made of.

use super::twin::twin;
use super::{
    ArrivalModel, FailurePattern, Figure, Fitted, Goodness, LatencyFit, Observed, RecordingSource,
};
use crate::trace::TraceRecord;
use crate::units::{Duration, VersionId};

/// What would be recorded of 1 h of these arrivals.
fn recorded(arrivals: &str) -> Observed {
    let yaml = format!(
        "schema: 1\nname: truth\n\
         workload: {{arrivals: {arrivals}, tokens: {{input: 1, output: 1}}}}\n\
         models: {{m: {{versions: {{v: {{upstream: {{latency: 1s}}}}}}}}}}\n\
         phases: [{{name: all, for: 1h}}]\n"
    );
    twin(&yaml, 11, 1_000_000).unwrap()
}

fn model(arrivals: &str) -> ArrivalModel {
    let fitted = Fitted::of(&recorded(arrivals), None).unwrap();
    let candidate = fitted.arrivals.candidate();
    assert!(candidate.fits, "{:?}", fitted.arrivals);
    candidate.model.clone()
}

fn close(found: f64, meant: f64, share: f64) {
    assert!((found / meant - 1.0).abs() <= share, "{found} for {meant}");
}

/// Their counts have no dispersion at all.
#[test]
fn equal_gaps_are_constant() {
    let recorded = recorded("{constant: 3/s}");
    let fitted = Fitted::of(&recorded, None).unwrap();
    let candidate = fitted.arrivals.candidate();
    assert!(candidate.fits, "{:?}", fitted.arrivals);
    assert_eq!(candidate.model, ArrivalModel::Constant { rate: 3.0 });
    let source = RecordingSource::default();
    let goodness = Goodness::of(&recorded, &fitted, "again", &source, 2).unwrap();
    assert!(goodness.figures.iter().all(|figure| figure.fits), "{:#?}", goodness.figures);
}

/// 10,800 requests, give or take 104: 1 %.
#[test]
fn independent_arrivals_are_poisson() {
    let ArrivalModel::Poisson { rate } = model("{poisson: 3/s}") else { panic!("another") };
    close(rate, 3.0, 0.04);
}

/// Of 10,800 gaps with a CV of 4 the sample CV has a standard error of some 4 %.
#[test]
fn bunched_gaps_are_gamma() {
    let found = model("{gamma: {rate: 3/s, cv: 4}}");
    let ArrivalModel::Gamma { rate, cv } = found else { panic!("{found:?}") };
    close(cv, 4.0, 0.15);
    close(rate, 3.0, 0.16);
}

/// Rates of a minute each, from 1 to 9: the mean of a minute's count is known to 15 % or so, and
/// all together follow the rates.
#[test]
fn rates_that_change_by_the_minute_are_piecewise() {
    let rates: Vec<String> = (0..60).map(|minute| format!("{}/s", 1 + minute * 7 % 9)).collect();
    let found = model(&format!("{{piecewise: {{every: 1m, rates: [{}]}}}}", rates.join(", ")));
    let ArrivalModel::Piecewise { every: 60, rates } = found else { panic!("{found:?}") };
    for (minute, rate) in rates.iter().enumerate() {
        let meant = (1 + minute * 7 % 9) as f64;
        assert!((rate - meant).abs() < 4.5 * (meant / 60.0).sqrt() + 0.1, "{minute}: {rate}");
    }
}

/// A hundred bursts in the hour: their mean length is known to 13 %, that of the silences to 10 %,
/// the rate within to 7 %; and what the figures do not fix the search may trade.
#[test]
fn bursts_are_bursts_of_about_their_length_distance_and_rate() {
    let found = model(
        "{on_off: {on: {lognormal: {mean: 9s, cv: 1.3}}, off: {exponential: {mean: 27s}}, rate: \
         {gamma: {mean: 10.2/s, cv: 0.7}}}}",
    );
    let ArrivalModel::OnOff(bursts) = found else { panic!("{found:?}") };
    close(bursts.on, 9.0, 0.5);
    close(bursts.off, 27.0, 0.5);
    close(bursts.rate, 10.2, 0.4);
}

const TWO_VERSIONS: &str = "
schema: 1
name: truth
workload:
  arrivals: {poisson: 8/s}
  tokens:
    input: {lognormal: {mean: 620, p99: 3500}}
    output: {lognormal: {mean: 210, p99: 900}}
    rank_correlation: 0.4
  users: {count: 800, zipf: 0.9}
  stream: 60%
  client_timeout: 4m
  upstream_timeout: 2m
models:
  gpt-4:
    versions:
      new:
        price: {input: 0.003 USD, output: 0.015 USD}
        upstream:
          latency: {first_token: {lognormal: {median: 300ms, sigma: 0.4}}, per_output_token: 20ms}
          failures: {'500': {probability: 0.4%, latency: 90ms}}
          burst: {enter: 0.4%, leave: 5%, failures: {'503': 70%}}
      old:
        tags: [stable]
        upstream:
          latency: {lognormal: {mean: 892ms, p99: 1423ms}}
          failures: {'429': 2%, reset: 1%}
phases:
  - {name: all, for: 2h, split: {old: 75%, new: 25%}}
";

/// 57,600 requests, 14,400 of them to the new version. Standard errors of the estimates: shares of
/// the split 0.2 %, of the failures of the old version 0.07 %; bursts, of which there are some 27,
/// a fifth and more in what they last and how far apart they are.
#[test]
fn two_versions_are_found_again() {
    let recorded = twin(TWO_VERSIONS, 5, 1_000_000).unwrap();
    let stable = VersionId::new("old").unwrap();
    let fitted = Fitted::of(&recorded, Some(&stable)).unwrap();
    let [model] = &fitted.models[..] else { panic!("{:?}", fitted.models) };
    let [old, new] = &model.versions[..] else { panic!("{:?}", model.versions) };
    assert!(old.id == "old" && old.is_stable && new.id == "new");
    close(new.share, 0.25, 0.04);

    let LatencyFit::Total { total, explained, .. } = &old.latency else { panic!("{old:?}") };
    close(total.mean(), 0.892, 0.01);
    assert!(explained.unwrap() < 0.01);
    let failures = old.failures.as_ref().unwrap();
    assert_eq!(failures.pattern, FailurePattern::Even);
    let kinds: Vec<_> =
        failures.normal.iter().map(|kind| (kind.key.as_str(), kind.probability)).collect();
    let [("429", limited), ("reset", reset)] = kinds[..] else { panic!("{kinds:?}") };
    assert!((limited - 0.02).abs() < 0.0028 && (reset - 0.01).abs() < 0.002, "{kinds:?}");

    let LatencyFit::Parts(parts) = &new.latency else { panic!("{:?}", new.latency) };
    close(parts.per_output_token.mean(), 0.02, 0.02);
    // The median times exp(sigma^2 / 2).
    close(parts.first_token.mean(), 0.325, 0.03);
    assert_eq!(parts.per_input_token, 0.0);
    let failures = new.failures.as_ref().unwrap();
    let FailurePattern::Bursts { enter, leave, failures: bursts } = &failures.pattern else {
        panic!("{failures:?}")
    };
    close(*enter, 0.004, 0.6);
    close(*leave, 0.05, 0.6);
    let burst = bursts.iter().find(|kind| kind.key == "503").unwrap();
    close(burst.probability, 0.7, 0.1);
    let normal = failures.normal.iter().find(|kind| kind.key == "500").unwrap();
    assert!((normal.probability - 0.004).abs() < 0.0025, "{normal:?}");
    close(normal.latency.as_ref().unwrap().mean(), 0.09, 0.01);
    let price = new.price.unwrap();
    close(price.input, 0.003, 1e-6);
    close(price.output, 0.015, 1e-6);

    let tokens = &fitted.tokens;
    close(tokens.input.as_ref().unwrap().mean(), 620.0, 0.03);
    close(tokens.output.as_ref().unwrap().mean(), 210.0, 0.03);
    assert!((tokens.rank_correlation - 0.4).abs() < 0.02, "{}", tokens.rank_correlation);
    close(fitted.stream.unwrap(), 0.6, 0.02);
    let users = fitted.users.unwrap();
    close(f64::from(users.count), 800.0, 0.1);
    assert!((users.zipf - 0.9).abs() < 0.06, "{users:?}");

    let source = RecordingSource::default();
    let goodness = Goodness::of(&recorded, &fitted, "again", &source, 2).unwrap();
    let bad: Vec<_> = goodness.figures.iter().filter(|figure| !figure.fits).collect();
    // Of some 40 figures three standard errors are exceeded once in ten twins.
    assert!(bad.len() <= 2, "{bad:#?}");
}

/// A canary that fails from 37 min 10 s on.
#[test]
fn an_incident_becomes_a_fault_of_the_twin() {
    let yaml = TWO_VERSIONS.replace(
        "phases:\n  - {name: all, for: 2h, split: {old: 75%, new: 25%}}",
        "phases:\n  - name: all\n    for: 1h\n    split: {old: 80%, new: 20%}\n    faults: {new: \
         [{at: 37m 10s, failures: {'502': {probability: 30%, latency: 2s}}}]}",
    );
    let yaml =
        yaml.replace("          burst: {enter: 0.4%, leave: 5%, failures: {'503': 70%}}\n", "");
    let recorded = twin(&yaml, 3, 1_000_000).unwrap();
    let fitted = Fitted::of(&recorded, None).unwrap();
    let new = fitted.models[0].versions.iter().find(|version| version.id == "new").unwrap();
    let (id, lines) = new.fault().unwrap();
    assert_eq!(id, "new");
    let at = lines[0].strip_prefix("at: ").unwrap();
    let at = Duration::parse(at).unwrap().as_secs_f64();
    // 1.6 requests a second, of which every third fails.
    assert!((at - 2_230.0).abs() < 10.0, "{at}");
    let FailurePattern::Episode { within, failures, .. } = &new.failures.as_ref().unwrap().pattern
    else {
        panic!("{:?}", new.failures)
    };
    assert!((within - 0.3).abs() < 0.04, "{within}");
    let most = failures.iter().max_by(|a, b| a.probability.total_cmp(&b.probability)).unwrap();
    assert_eq!(most.key, "502");
    let text = fitted.to_yaml("again", &RecordingSource::default());
    let again = twin(&text, 9, 1_000_000).unwrap();
    let refitted = Fitted::of(&again, None).unwrap();
    let again = refitted.models[0].versions.iter().find(|version| version.id == "new").unwrap();
    assert!(again.fault().is_some(), "the twin has the incident");
}

/// Answers that would take longer than the gateway waits, 20 s, are what times out of the slow
/// version; of the fast one nothing does. No failure is named.
const TAILS: &str = "
schema: 1
name: truth
workload:
  arrivals: {poisson: 8/s}
  tokens: {input: 100, output: {lognormal: {mean: 210, p99: 900}}}
  upstream_timeout: 20s
  client_timeout: 1m
models:
  gpt-4:
    versions:
      slow:
        tags: [stable]
        upstream:
          latency:
            first_token: 300ms
            per_output_token: {lognormal: {median: 16ms, sigma: 0.4}}
      fast:
        upstream:
          latency:
            first_token: 300ms
            per_output_token: {lognormal: {median: 2ms, sigma: 0.4}}
phases:
  - {name: all, for: 1h, split: {slow: 97%, fast: 3%}}
";

/// A recorded timeout is a failure of its own and the tail of no answer. Eight twins of n requests
/// each have together the recorded share p with a standard error of sqrt(p (1 - p) / (8 n));
/// counted twice it would be nearly 2 p, some 40 of them more.
#[test]
fn timeouts_are_counted_once() {
    let recorded = twin(TAILS, 4, 1_000_000).unwrap();
    let fitted = Fitted::of(&recorded, None).unwrap();
    assert_eq!(fitted.timeout, Some(Duration::from_secs(20)));
    let text = fitted.to_yaml("again", &RecordingSource::default());
    let slow = &fitted.models[0].versions[0];
    let failures = slow.failures.as_ref().unwrap();
    assert_eq!(failures.normal[0].key, "timeout");
    let share = failures.share();
    assert!((0.002..0.02).contains(&share), "{share}");
    let (mut ended, mut failed) = (0, 0);
    for seed in 0..8 {
        let again = twin(&text, seed, 1_000_000).unwrap();
        for version in &again.versions {
            let total = version.outcomes.total();
            if version.id.as_ref().unwrap().as_str() == "slow" {
                (ended, failed) = (ended + total.ended, failed + total.failed);
            } else {
                assert_eq!((total.failed, total.ended > 500), (0, true), "seed {seed}");
            }
        }
    }
    let found = f64::from(failed) / f64::from(ended);
    let error = (share * (1.0 - share) / f64::from(ended)).sqrt();
    assert!((found - share).abs() < 4.0 * error, "{found} for {share}, give or take {error}");
}

/// Only streamed answers have a first token, 60 % of them: it is that of the scenario, with the
/// median of 300 ms and sigma 0.4, and every figure of the twin's fits.
#[test]
fn first_tokens_of_streamed_answers_hold_for_all() {
    let recorded = twin(TWO_VERSIONS, 5, 1_000_000).unwrap();
    let fitted = Fitted::of(&recorded, None).unwrap();
    let new = fitted.models[0].versions.iter().find(|version| version.id == "new").unwrap();
    let LatencyFit::Parts(parts) = &new.latency else { panic!("{:?}", new.latency) };
    assert!((parts.first_tokens - 0.6).abs() < 0.02, "{}", parts.first_tokens);
    let first = parts.first_token.distribution().unwrap();
    close(first.quantile(0.5), 0.3, 0.02);
    // The normal quantile at 95 % is 1.645.
    close(first.quantile(0.95), 0.3 * crate::math::exp(0.4 * 1.645), 0.04);
    let source = RecordingSource::default();
    let goodness = Goodness::of(&recorded, &fitted, "again", &source, 2).unwrap();
    let of_first = |figure: &&Figure| figure.of == "new first token";
    let figures: Vec<_> = goodness.figures.iter().filter(of_first).collect();
    assert!(figures.len() == 5 && figures.iter().all(|figure| figure.fits), "{figures:#?}");
}

/// Each request is a session of its own: none has a pause that could be told.
#[test]
fn sessions_of_one_request_have_no_gap() {
    let text = |sessions: u64| {
        let mut recorded = Observed::default();
        for number in 0..1_000_u64 {
            let at = Duration::from_millis(1_000 * number + number * number % 997);
            let session = Some(number % sessions);
            recorded.add(&TraceRecord { at, session, ..TraceRecord::default() }).unwrap();
        }
        Fitted::of(&recorded, None).unwrap().to_yaml("again", &RecordingSource::default())
    };
    let (single, paired) = (text(1_000), text(500));
    assert!(
        single.contains("sessions:\n    requests: 1\n") && !single.contains("gap:"),
        "{single}"
    );
    // The second comes 500 s after the first, and at most 996 ms more.
    assert!(paired.contains("sessions:\n    requests: 2\n    gap: 8m21s\n"), "{paired}");
}

/// Of 4,000 requests every fifth names no version, and fails; of the others every third was `v2`'s.
#[test]
fn shares_are_those_of_the_requests_that_name_a_version() {
    let mut recorded = Observed::default();
    for number in 0..4_000_u64 {
        let version = match (number % 5, number % 3) {
            (0, _) => None,
            (_, 0) => Some("v2"),
            _ => Some("v1"),
        };
        let record = TraceRecord {
            at: Duration::from_millis(1_000 * number + number * number % 997),
            version: version.map(|id| VersionId::new(id).unwrap()),
            status: Some(if version.is_none() { 503 } else { 200 }),
            duration: Some(Duration::from_millis(100 + number % 50)),
            ..TraceRecord::default()
        };
        recorded.add(&record).unwrap();
    }
    let fitted = Fitted::of(&recorded, None).unwrap();
    let source = RecordingSource::default();
    let goodness = Goodness::of(&recorded, &fitted, "again", &source, 2).unwrap();
    let is_it = |figure: &&Figure| figure.of == "v2" && figure.name == "share of requests";
    let share = goodness.figures.iter().find(is_it).unwrap();
    close(share.recorded, 1.0 / 3.0, 0.001);
    assert!(share.fits, "{share:?}");
    let told = "800 requests name no version: they count as arrivals; how they ended is left out \
                (800 failed).";
    assert!(goodness.not_reproduced.iter().any(|words| words == told), "{goodness:#?}");
}

#[test]
fn too_little_is_refused_with_what_is_needed() {
    let few = recorded("{constant: 0.01/s}");
    let error = Fitted::of(&few, None).unwrap_err().to_string();
    assert_eq!(error, "36 requests are too few to be fitted: at least 50 are needed");
    let stable = VersionId::new("w").unwrap();
    let error = Fitted::of(&recorded("{poisson: 1/s}"), Some(&stable)).unwrap_err().to_string();
    assert_eq!(error, "no version of the recording is called \"w\": it has v");
}
