//! What came of a load, as a document for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::generate::Load;
use super::limits::Limits;
use super::meter::{LoadMeter, VersionMeter};
use crate::exchange::Ending;
use crate::json::outline;
use crate::stats::DurationHistogram;
use crate::units::{Duration, Timestamp, format_count, format_duration};

/// What came of a load. What its fields mean is said in its JSON Schema,
/// [`load_schema`](super::load_schema).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoadReport {
    /// The name of its JSON Schema.
    #[serde(rename = "$schema")]
    description: String,
    /// The number of the format.
    schema: u32,
    /// The version that made it.
    coalmine: String,
    /// Where requests went.
    pub target: String,
    /// Over which version of HTTP.
    pub http: &'static str,
    /// What was sent, in words.
    pub workload: String,
    /// Whether requests waited for answers to others, all or some: their latencies leave out who
    /// would have come meanwhile.
    #[serde(rename = "closed_loop")]
    pub is_closed: bool,
    /// How many sent at once, where all requests waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// Whether it was stopped before its end.
    #[serde(rename = "cut_short")]
    pub is_cut_short: bool,
    /// Whether its figures can be trusted.
    #[serde(rename = "valid")]
    pub is_valid: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// What its times count from.
    #[serde(serialize_with = "date")]
    pub began: Timestamp,
    /// From then to the end of the last request, or to where it was cut short.
    #[serde(rename = "duration_ns")]
    pub duration: Duration,
    /// Above which P99 of the lag it is not valid, unless all requests waited.
    #[serde(rename = "lag_limit_ns")]
    pub lag_limit: Duration,
    /// What goodput was held to.
    #[serde(rename = "limits_ns")]
    pub limits: BTreeMap<&'static str, Duration>,
    /// How many requests there were, and how they ended.
    pub requests: Requests,
    /// How many a second.
    pub rates: Rates,
    /// How long they took.
    pub times: LoadTimes,
    /// How many tokens they had.
    pub tokens: Tokens,
    /// By the version that answered, where a gateway says it.
    pub versions: Vec<LoadVersion>,
}

/// What is known of a load beside what was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadFacts {
    /// Where requests went.
    pub target: String,
    /// Over which version of HTTP.
    pub http: &'static str,
    /// What was sent, in words.
    pub workload: String,
    /// How many sent at once, in a closed loop.
    pub concurrency: Option<u64>,
    /// Whether it was stopped before its end.
    pub is_cut_short: bool,
    /// Above which P99 of the lag it is not valid, unless all requests waited.
    pub lag_limit: Duration,
}

/// How many requests there were, and how they ended.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Requests {
    /// How many were sent.
    pub sent: u64,
    /// How many of them ended.
    pub ended: u64,
    /// How many of them were cut off when the load was stopped.
    pub unfinished: u64,
    /// How many succeeded.
    pub succeeded: u64,
    /// How many succeeded within all limits.
    pub good: u64,
    /// How many were asked to be streamed.
    pub streamed: u64,
    /// By how they ended.
    pub endings: BTreeMap<String, u64>,
    /// What the first connection said of each ending that was one of a connection.
    pub causes: BTreeMap<String, String>,
    /// How many failed for want of something on this machine.
    pub local_failures: u64,
    /// How many new connections were made.
    pub connections: u64,
    /// Bytes of the bodies that were sent.
    pub bytes_sent: u64,
    /// Bytes of the bodies that came.
    pub bytes_received: u64,
}

/// How many a second, over the whole duration unless it says otherwise.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Rates {
    /// Requests that were to be sent, from the first intended time to the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<f64>,
    /// Requests that ended.
    pub ended: f64,
    /// Requests that succeeded.
    pub succeeded: f64,
    /// Requests that succeeded within all limits.
    pub good: f64,
    /// Tokens of the prompts of successes, as far as they were counted.
    pub input_tokens: f64,
    /// Tokens of successful answers.
    pub output_tokens: f64,
}

/// How long requests took; what nothing was recorded of is absent.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoadTimes {
    /// From the intended time to the end, of successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Spread>,
    /// From the send to the end, of successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_from_send: Option<Spread>,
    /// From the intended time to the end, of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_all: Option<Spread>,
    /// From the intended time to the first content, of streamed successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<Spread>,
    /// From the send to the first content, of streamed successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_from_send: Option<Spread>,
    /// Between two pieces with content, of streamed successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub itl: Option<Spread>,
    /// The mean time of a token after the first, of each streamed success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpot: Option<Spread>,
    /// From the intended time to the send, of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Spread>,
    /// To connect, of each new connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Spread>,
}

/// How many tokens successes had.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Tokens {
    /// Of prompts, as far as they were counted.
    pub input: u64,
    /// Of answers; where they were not counted, the pieces of a stream with content.
    pub output: u64,
    /// How many successes did not say how many tokens they have.
    pub uncounted: u64,
    /// The median of the tokens per second of each stream after its first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second_of_stream_p50: Option<f64>,
    /// What 99 % of the streams are at least as fast as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second_of_stream_p1: Option<f64>,
}

/// What answered with the name of one version.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoadVersion {
    /// Its name; `None` for all beyond those that are told apart.
    pub version: Option<String>,
    /// How many requests it answered.
    pub requests: u64,
    /// How many of them succeeded.
    pub succeeded: u64,
    /// Latencies of its successes, from the intended time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Spread>,
    /// Times to its first content, from the intended time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<Spread>,
}

/// A distribution of times by its quantiles, each within 0.1 %.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Spread {
    /// How many were recorded.
    pub count: u64,
    /// Their mean.
    #[serde(rename = "mean_ns")]
    pub mean: Duration,
    /// The smallest.
    #[serde(rename = "min_ns")]
    pub min: Duration,
    /// The median.
    #[serde(rename = "p50_ns")]
    pub p50: Duration,
    /// The 90th percentile.
    #[serde(rename = "p90_ns")]
    pub p90: Duration,
    /// The 95th percentile.
    #[serde(rename = "p95_ns")]
    pub p95: Duration,
    /// The 99th percentile.
    #[serde(rename = "p99_ns")]
    pub p99: Duration,
    /// The 99.9th percentile.
    #[serde(rename = "p999_ns")]
    pub p999: Duration,
    /// The largest.
    #[serde(rename = "max_ns")]
    pub max: Duration,
}

impl Spread {
    /// Of what was recorded; `None`: nothing was.
    pub fn of(times: &DurationHistogram) -> Option<Self> {
        Some(Self {
            count: times.count(),
            mean: times.mean()?,
            min: times.min()?,
            p50: times.quantile(500)?,
            p90: times.quantile(900)?,
            p95: times.quantile(950)?,
            p99: times.quantile(990)?,
            p999: times.quantile(999)?,
            max: times.max()?,
        })
    }
}

impl LoadReport {
    /// The number of the format.
    pub const SCHEMA: u32 = 1;

    /// Of a load whose observers' meters add up to `meter`.
    pub fn new<O>(facts: LoadFacts, load: &Load<O>, meter: &LoadMeter) -> Self {
        let LoadFacts { target, http, workload, concurrency, is_cut_short, lag_limit } = facts;
        let last = meter.ended.unwrap_or(load.start);
        let end = if is_cut_short { load.ended.max(last) } else { last };
        let duration = end.since(load.start);
        let reasons = reasons(meter, concurrency.is_some(), lag_limit);
        Self {
            description: Self::schema_name(),
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            target,
            http,
            workload,
            is_closed: load.is_closed,
            concurrency,
            is_cut_short,
            is_valid: reasons.is_empty(),
            reasons,
            began: load.start,
            duration,
            lag_limit,
            limits: limits(&meter.limits),
            requests: Requests::new(load, meter),
            rates: Rates::new(meter, duration),
            times: LoadTimes::new(meter),
            tokens: Tokens::new(meter),
            versions: versions(meter),
        }
    }

    /// The document's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The name of the JSON Schema of this format.
    pub(super) fn schema_name() -> String {
        format!("urn:coalmine:load:{}", Self::SCHEMA)
    }
}

impl Requests {
    fn new<O>(load: &Load<O>, meter: &LoadMeter) -> Self {
        let named = |ending: Ending| ending.name().into_owned();
        Self {
            sent: load.sent,
            ended: meter.requests(),
            unfinished: load.unfinished,
            succeeded: meter.ended_as(Ending::Success),
            good: meter.good,
            streamed: meter.streamed,
            endings: meter.endings.iter().map(|(ending, count)| (named(*ending), *count)).collect(),
            causes: meter.causes.iter().map(|(end, cause)| (named(*end), cause.clone())).collect(),
            local_failures: meter.local,
            connections: meter.times.connect.count(),
            bytes_sent: meter.bytes[0],
            bytes_received: meter.bytes[1],
        }
    }
}

impl Rates {
    fn new(meter: &LoadMeter, duration: Duration) -> Self {
        let per_second = |count: u64| {
            if duration.is_zero() { 0.0 } else { count as f64 / duration.as_secs_f64() }
        };
        let gaps = meter.requests().saturating_sub(1);
        let span = meter.first.zip(meter.last).map(|(first, last)| last.since(first));
        let span = span.filter(|span| !span.is_zero());
        Self {
            offered: span.map(|span| gaps as f64 / span.as_secs_f64()),
            ended: per_second(meter.requests()),
            succeeded: per_second(meter.ended_as(Ending::Success)),
            good: per_second(meter.good),
            input_tokens: per_second(meter.tokens.input),
            output_tokens: per_second(meter.tokens.output),
        }
    }
}

impl LoadTimes {
    fn new(meter: &LoadMeter) -> Self {
        let times = &meter.times;
        Self {
            latency: Spread::of(&times.latency),
            latency_from_send: Spread::of(&times.service_time),
            latency_all: Spread::of(&times.latency_all),
            ttft: Spread::of(&times.ttft),
            ttft_from_send: Spread::of(&times.ttft_from_send),
            itl: Spread::of(&times.itl),
            tpot: Spread::of(&times.tpot),
            lag: Spread::of(&times.lag),
            connect: Spread::of(&times.connect),
        }
    }
}

impl Tokens {
    fn new(meter: &LoadMeter) -> Self {
        // The speed of a stream is one over the time of its token: its quantiles are those of the
        // times from the other end.
        let speed = |per_mille| {
            let time: Duration = meter.times.tpot.quantile(per_mille)?;
            (!time.is_zero()).then(|| 1.0 / time.as_secs_f64())
        };
        Self {
            input: meter.tokens.input,
            output: meter.tokens.output,
            uncounted: meter.tokens.uncounted,
            per_second_of_stream_p50: speed(500),
            per_second_of_stream_p1: speed(990),
        }
    }
}

fn versions(meter: &LoadMeter) -> Vec<LoadVersion> {
    let told = |(name, version): (&String, &VersionMeter)| LoadVersion {
        version: Some(name.clone()),
        requests: version.requests,
        succeeded: version.successes,
        latency: Spread::of(&version.latency),
        ttft: Spread::of(&version.ttft),
    };
    let others = (meter.other_versions > 0).then_some(LoadVersion {
        version: None,
        requests: meter.other_versions,
        succeeded: 0,
        latency: None,
        ttft: None,
    });
    meter.versions.iter().map(told).chain(others).collect()
}

fn limits(limits: &Limits) -> BTreeMap<&'static str, Duration> {
    limits.iter().map(|(limit, most)| (limit.name(), most)).collect()
}

/// Why the figures of a load cannot be trusted; `is_timeless`: nothing had a time to be sent at.
fn reasons(meter: &LoadMeter, is_timeless: bool, lag_limit: Duration) -> Vec<String> {
    let mut reasons = Vec::new();
    if meter.requests() == 0 {
        reasons.push("no request has ended".to_owned());
    }
    let lag = meter.times.lag.quantile(990).filter(|lag| !is_timeless && *lag > lag_limit);
    if let Some(lag) = lag {
        let (lag, limit) = (format_duration(lag), format_duration(lag_limit));
        reasons.push(format!(
            "requests were sent too late: the P99 of the dispatch lag is {lag}, allowed are \
             {limit}; the generator did not keep up, or as many requests were under way as may be"
        ));
    }
    if meter.local > 0 {
        let count = format_count(meter.local);
        reasons.push(format!(
            "{count} requests failed for want of file descriptors or ports on this machine"
        ));
    }
    reasons
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn date<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::exchange::Usage;
    use crate::load::finished::tests::stream;
    use crate::load::{Finished, Limit, Observer};

    pub(in crate::load) fn facts() -> LoadFacts {
        LoadFacts {
            target: "http://a/v1/chat/completions".to_owned(),
            http: "1.1",
            workload: "constant, 20/s".to_owned(),
            concurrency: None,
            is_cut_short: false,
            lag_limit: Duration::from_millis(10),
        }
    }

    /// The report of [`meter`], for tests of who shows it.
    pub(crate) fn example_report() -> LoadReport {
        LoadReport::new(facts(), &load(false), &meter())
    }

    pub(in crate::load) fn load(is_closed: bool) -> Load<()> {
        let (start, ended) = (Timestamp::EPOCH, Timestamp::from_second(9));
        Load { observers: Vec::new(), start, ended, sent: 4, unfinished: 1, is_closed }
    }

    /// Three requests: two streams of 3 tokens at 20 and 10 ms each, and a refusal.
    pub(in crate::load) fn meter() -> LoadMeter {
        let limits = Limits::default().with(Limit::Ttft, Duration::from_millis(41));
        let mut meter = LoadMeter::new(limits);
        let usage = |output| {
            Some(Usage {
                input: crate::units::Tokens::new(10),
                output: crate::units::Tokens::new(output),
            })
        };
        let (slow, fast) = ([20; 2].map(Duration::from_millis), [10; 2].map(Duration::from_millis));
        let first = Finished { usage: usage(3), ..stream([42, 82], &slow, 3) };
        let connect = Some(Duration::from_millis(1));
        meter.ended(&Finished {
            served: Some("v1"),
            connect,
            output: crate::units::Tokens::new(3),
            ..first
        });
        meter.ended(&Finished {
            intended: Timestamp::from_nanos(1_000_000),
            ..stream([41, 61], &fast, 3)
        });
        let cause = Some("broke off");
        meter.ended(&Finished { ending: Ending::Reset, cause, served: Some("v2"), ..first });
        meter
    }

    #[test]
    fn rates_are_over_the_whole_duration_and_tokens_of_successes() {
        let report = LoadReport::new(facts(), &load(false), &meter());
        // The last request ended 100 ms after the beginning.
        assert_eq!(report.duration, Duration::from_millis(100));
        assert_eq!(
            (report.rates.ended, report.rates.succeeded, report.rates.good),
            (30.0, 20.0, 10.0)
        );
        assert_eq!((report.rates.input_tokens, report.rates.output_tokens), (100.0, 60.0));
        // Three requests within a millisecond: two gaps.
        assert_eq!(report.rates.offered, Some(2_000.0));
        assert_eq!(report.tokens.uncounted, 1);
        // 20 and 10 ms a token: the slower is the 50th percentile from the fast end's other side.
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 0.1;
        assert!(near(report.tokens.per_second_of_stream_p50, 100.0));
        assert!(near(report.tokens.per_second_of_stream_p1, 50.0));
        assert_eq!(report.requests.endings["reset"], 1);
        assert_eq!(report.requests.causes["reset"], "broke off");
        assert!(report.is_valid, "{:?}", report.reasons);
    }

    #[test]
    fn a_load_that_was_cut_short_lasted_until_then() {
        let facts = LoadFacts { is_cut_short: true, ..facts() };
        let report = LoadReport::new(facts, &load(false), &meter());
        assert_eq!(report.duration, Duration::from_secs(9));
    }

    #[test]
    fn an_open_loop_that_sends_too_late_is_not_valid_and_a_closed_one_cannot_be_late() {
        let strict = || LoadFacts { lag_limit: Duration::from_micros(1_999), ..facts() };
        let report = LoadReport::new(strict(), &load(false), &meter());
        assert!(!report.is_valid);
        assert!(
            report.reasons[0].contains("P99 of the dispatch lag is 2 ms"),
            "{:?}",
            report.reasons
        );
        let exact = LoadFacts { lag_limit: Duration::from_millis(2), ..facts() };
        assert!(LoadReport::new(exact, &load(false), &meter()).is_valid, "at the limit is within");
        // Users of a schedule who wait for answers have their times all the same.
        assert!(!LoadReport::new(strict(), &load(true), &meter()).is_valid);
        let closed = LoadFacts { concurrency: Some(3), ..strict() };
        assert!(LoadReport::new(closed, &load(true), &meter()).is_valid);
    }

    #[test]
    fn what_this_machine_lacks_and_nothing_at_all_are_not_valid() {
        let mut meter = meter();
        meter.ended(&Finished {
            is_local: true,
            ending: Ending::Refused,
            ..stream([1, 2], &[], 0)
        });
        let report = LoadReport::new(facts(), &load(false), &meter);
        assert!(
            report.reasons[0].contains("1 requests failed for want of"),
            "{:?}",
            report.reasons
        );
        let report = LoadReport::new(facts(), &load(false), &LoadMeter::default());
        assert_eq!(report.reasons, ["no request has ended"]);
    }
}
