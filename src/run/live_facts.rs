//! What is known of a live run beside what happened in it: how fast it was, and how late the
//! harness made things.

use serde::{Deserialize, Serialize};

use crate::stats::DurationHistogram;
use crate::units::{Duration, format_counted};

/// What is known of a run whose requests went over HTTP, beside what happened in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveFacts {
    /// How many times as fast as on the wall its time ran.
    pub speed: f64,
    /// How much later than intended requests were sent.
    pub dispatch_lag: Overhead,
    /// How much later than planned the bytes of answers left the mock.
    pub upstream_lateness: Overhead,
    /// How much longer than planned successful requests took, from when they were to be sent: all
    /// that harness and gateway add.
    pub overhead: Overhead,
    /// The part of that which is not dispatch lag: of the client, the gateway, the mock and the
    /// way between them.
    pub service_overhead: Overhead,
    /// Above which P99 of the dispatch lag, in the run's own time, the run shows nothing.
    #[serde(rename = "lag_limit_ns")]
    pub lag_limit: Duration,
    /// How many requests were sent and never reached the gateway, or of how many it never told the
    /// end.
    pub lost: u64,
    /// The gateway where it was one elsewhere; absent: it was the harness's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayFacts>,
}

/// What is known of a gateway that ran elsewhere and served a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFacts {
    /// Where it was.
    pub url: String,
    /// How far its clock and that of the run may have been apart.
    #[serde(rename = "clock_within_ns")]
    pub clock_within: Duration,
    /// How many requests of others it sent to the mock.
    pub strangers: u64,
    /// How many of its answers named another version than the mock was asked for, or none.
    pub contradicted: u64,
    /// How many requests it ended by itself, so that they reached no version: for limits of its
    /// own, or because the mock was out of its reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_answers: Vec<OwnAnswers>,
    /// What else speaks against the run, in sentences: what others did to its models and keys, what
    /// could not be read of what it told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// What is missing of what it told, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How each of the run's models was left, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// The access keys that were made for the run and that it may still have: it did not say that
    /// they are revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys_left: Vec<String>,
}

/// The requests that a gateway ended by itself in one way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnAnswers {
    /// How they ended for their clients: a status, or `timeout`.
    pub ending: String,
    /// How many there were.
    pub count: u64,
}

/// How much later than it should have been something was, on the wall: the run's own time is so
/// many times as long as it was fast.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overhead {
    /// How often it was measured.
    pub count: u64,
    /// The mean; this and the rest are absent where nothing was measured.
    #[serde(default, rename = "mean_ns", skip_serializing_if = "Option::is_none")]
    pub mean: Option<Duration>,
    /// The median.
    #[serde(default, rename = "p50_ns", skip_serializing_if = "Option::is_none")]
    pub p50: Option<Duration>,
    /// The 99th percentile.
    #[serde(default, rename = "p99_ns", skip_serializing_if = "Option::is_none")]
    pub p99: Option<Duration>,
    /// The largest.
    #[serde(default, rename = "max_ns", skip_serializing_if = "Option::is_none")]
    pub max: Option<Duration>,
    /// All of them.
    #[serde(default)]
    pub times: DurationHistogram,
}

impl Overhead {
    /// Of measurements in time on the wall.
    pub fn of(measured: &DurationHistogram) -> Self {
        Self {
            count: measured.count(),
            mean: measured.mean(),
            p50: measured.quantile(500),
            p99: measured.quantile(990),
            max: measured.max(),
            times: measured.clone(),
        }
    }
}

impl LiveFacts {
    /// So long on the wall in the run's own time.
    pub fn in_its_time(&self, wall: Duration) -> Duration {
        wall.mul_f64(self.speed)
    }

    /// Why the run shows nothing, in sentences; empty where it can be trusted.
    pub fn distrust(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let lag = self.dispatch_lag.p99.map(|lag| self.in_its_time(lag));
        if let Some(lag) = lag.filter(|lag| *lag > self.lag_limit) {
            reasons.push(format!(
                "P99 of the dispatch lag is {lag} of the run's time, more than {}: requests were \
                 sent late for want of a faster machine, or of a lower --speed",
                self.lag_limit
            ));
        }
        if self.lost > 0 {
            let lost = self.lost;
            reasons.push(format!("{lost} requests were lost between the load and the gateway"));
        }
        reasons.extend(self.gateway.iter().flat_map(GatewayFacts::distrust));
        reasons
    }
}

impl GatewayFacts {
    fn distrust(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.strangers > 0 {
            reasons.push(format!(
                "{} of others came through the gateway: the run did not have it for itself",
                format_counted(self.strangers, "request", "requests")
            ));
        }
        if self.contradicted > 0 {
            reasons.push(format!(
                "{} of the gateway named another version than the mock was asked for, or none",
                format_counted(self.contradicted, "answer", "answers")
            ));
        }
        reasons.extend(self.doubts.iter().cloned());
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(lag: &[u64], lost: u64) -> LiveFacts {
        let mut measured = DurationHistogram::default();
        lag.iter().for_each(|millis| measured.record(Duration::from_millis(*millis)));
        LiveFacts {
            speed: 10.0,
            dispatch_lag: Overhead::of(&measured),
            upstream_lateness: Overhead::default(),
            overhead: Overhead::default(),
            service_overhead: Overhead::default(),
            lag_limit: Duration::from_millis(1_000),
            lost,
            gateway: None,
        }
    }

    #[test]
    fn a_run_whose_requests_were_late_or_lost_is_not_trusted() {
        assert_eq!(facts(&[1, 2, 3], 0).distrust(), [""; 0]);
        assert_eq!(facts(&[], 0).distrust(), [""; 0]);
        assert_eq!(facts(&[99], 0).distrust(), [""; 0], "990 ms of its own time");
        let late = facts(&[1, 2, 300], 0).distrust();
        assert!(late.len() == 1 && late[0].contains("P99 of the dispatch lag is 3 s"), "{late:?}");
        let lost = facts(&[1], 7).distrust();
        assert_eq!(lost, ["7 requests were lost between the load and the gateway"]);
    }

    #[test]
    fn a_gateway_that_others_use_or_that_contradicts_the_mock_is_not_trusted() {
        let gateway = |strangers, contradicted| {
            let (url, clock_within) = ("http://host".to_owned(), Duration::ZERO);
            let gateway = GatewayFacts {
                url,
                clock_within,
                strangers,
                contradicted,
                own_answers: Vec::new(),
                doubts: (0..strangers).map(|_| "somebody else was there".to_owned()).collect(),
                notes: Vec::new(),
                left: Vec::new(),
                keys_left: Vec::new(),
            };
            LiveFacts { gateway: Some(gateway), ..facts(&[], 0) }.distrust()
        };
        assert_eq!(gateway(0, 0), [""; 0]);
        let told = gateway(1, 2);
        assert_eq!(told[2..], ["somebody else was there"]);
        assert!(told[0].starts_with("1 request of others"), "{told:?}");
        assert!(told[1].starts_with("2 answers of the gateway named another"), "{told:?}");
    }

    #[test]
    fn its_own_time_is_so_many_times_as_long() {
        let long = facts(&[], 0).in_its_time(Duration::from_millis(3));
        assert_eq!(long, Duration::from_millis(30));
    }
}
