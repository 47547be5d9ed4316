//! What is measured of a load: one meter for each thread, added up at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::finished::{Finished, Observer};
use super::limits::Limits;
use crate::exchange::Ending;
use crate::stats::DurationHistogram;
use crate::units::{Duration, Timestamp};

/// Measures the requests of one thread, or of several once they are [merged](Self::merge).
#[derive(Clone, Default, Debug)]
pub struct LoadMeter {
    pub(super) limits: Limits,
    pub(super) endings: BTreeMap<Ending, u64>,
    /// What the first connection said that ended so.
    pub(super) causes: BTreeMap<Ending, String>,
    pub(super) times: Times,
    /// How many were asked to be streamed.
    pub(super) streamed: u64,
    /// How many succeeded within all limits.
    pub(super) good: u64,
    pub(super) tokens: TokenCounts,
    pub(super) bytes: [u64; 2],
    /// How many failed for want of something on this machine.
    pub(super) local: u64,
    pub(super) versions: BTreeMap<String, VersionMeter>,
    /// How many answers were of versions beyond those that are told apart.
    pub(super) other_versions: u64,
    /// The intended times of the first and the last, and when the last of all ended.
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    recent: Arc<Mutex<Recent>>,
}

/// Times of requests, by what they are of.
#[derive(Clone, Default, Debug)]
pub(super) struct Times {
    /// Of successes, from the intended time and from the send.
    pub(super) latency: DurationHistogram,
    pub(super) service_time: DurationHistogram,
    /// Of all, from the intended time.
    pub(super) latency_all: DurationHistogram,
    pub(super) ttft: DurationHistogram,
    pub(super) ttft_from_send: DurationHistogram,
    pub(super) itl: DurationHistogram,
    pub(super) tpot: DurationHistogram,
    pub(super) lag: DurationHistogram,
    pub(super) connect: DurationHistogram,
}

/// Tokens of successes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct TokenCounts {
    pub(super) input: u64,
    pub(super) output: u64,
    /// How many successes did not say how many tokens they have.
    pub(super) uncounted: u64,
}

/// What answered with the name of one version.
#[derive(Clone, Default, Debug)]
pub(super) struct VersionMeter {
    pub(super) requests: u64,
    pub(super) successes: u64,
    pub(super) latency: DurationHistogram,
    pub(super) ttft: DurationHistogram,
}

/// What has happened since it was last asked for, to be shown while a load is generated.
#[derive(Clone, Default, Debug)]
pub struct Recent {
    /// How many requests ended.
    pub ended: u64,
    /// How many of them did not succeed.
    pub failed: u64,
    /// The latencies of those that did, from their intended times.
    pub latency: DurationHistogram,
}

impl LoadMeter {
    /// One that holds requests to these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Where it tells what has just happened. Who shows it takes what is there.
    pub fn recent(&self) -> Arc<Mutex<Recent>> {
        Arc::clone(&self.recent)
    }

    /// How many requests have ended.
    pub fn requests(&self) -> u64 {
        self.endings.values().sum()
    }

    /// How many of them so.
    pub fn ended_as(&self, ending: Ending) -> u64 {
        self.endings.get(&ending).copied().unwrap_or(0)
    }

    /// How late requests were sent.
    pub const fn lag(&self) -> &DurationHistogram {
        &self.times.lag
    }

    /// Latencies of successes from their intended times.
    pub const fn latency(&self) -> &DurationHistogram {
        &self.times.latency
    }

    /// Latencies of successes from when they were sent.
    pub const fn service_time(&self) -> &DurationHistogram {
        &self.times.service_time
    }

    /// Adds what `other` has measured under the same limits.
    pub fn merge(&mut self, other: &Self) {
        for (ending, count) in &other.endings {
            *self.endings.entry(*ending).or_default() += count;
        }
        for (ending, cause) in &other.causes {
            self.causes.entry(*ending).or_insert_with(|| cause.clone());
        }
        self.times.merge(&other.times);
        self.streamed += other.streamed;
        self.good += other.good;
        self.tokens.input += other.tokens.input;
        self.tokens.output += other.tokens.output;
        self.tokens.uncounted += other.tokens.uncounted;
        for (ours, theirs) in self.bytes.iter_mut().zip(other.bytes) {
            *ours += theirs;
        }
        self.local += other.local;
        self.other_versions += other.other_versions;
        for (name, theirs) in &other.versions {
            match self.version(name) {
                Some(ours) => ours.merge(theirs),
                None => self.other_versions += theirs.requests,
            }
        }
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.ended = self.ended.max(other.ended);
    }

    /// The meter of a version; `None`: there are too many to tell another apart.
    fn version(&mut self, name: &str) -> Option<&mut VersionMeter> {
        if !self.versions.contains_key(name) {
            if self.versions.len() >= MOST_VERSIONS {
                return None;
            }
            self.versions.insert(name.to_owned(), VersionMeter::default());
        }
        self.versions.get_mut(name)
    }

    fn count_version(&mut self, finished: &Finished<'_>) {
        let Some(name) = finished.served else { return };
        let Some(version) = self.version(name) else {
            self.other_versions += 1;
            return;
        };
        version.requests += 1;
        if finished.ending == Ending::Success {
            version.successes += 1;
            version.latency.record(finished.latency());
            finished.first_token().into_iter().for_each(|time| version.ttft.record(time));
        }
    }

    fn tell_recent(&self, finished: &Finished<'_>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.ended += 1;
        if finished.ending == Ending::Success {
            recent.latency.record(finished.latency());
        } else {
            recent.failed += 1;
        }
    }
}

impl Observer for LoadMeter {
    fn ended(&mut self, finished: &Finished<'_>) {
        *self.endings.entry(finished.ending).or_default() += 1;
        if let Some(cause) = finished.cause {
            self.causes.entry(finished.ending).or_insert_with(|| cause.to_owned());
        }
        self.times.record(finished);
        self.streamed += u64::from(finished.request.stream);
        self.good += u64::from(self.limits.are_kept_by(finished));
        if finished.ending == Ending::Success {
            match finished.usage {
                Some(usage) => self.tokens.input += u64::from(usage.input.get()),
                None => self.tokens.uncounted += 1,
            }
            self.tokens.output += u64::from(finished.output.get());
        }
        self.bytes[0] += finished.bytes_sent;
        self.bytes[1] += finished.bytes_received;
        self.local += u64::from(finished.is_local);
        self.count_version(finished);
        self.first = Some(self.first.map_or(finished.intended, |at| at.min(finished.intended)));
        self.last = self.last.max(Some(finished.intended));
        self.ended = self.ended.max(Some(finished.ended));
        self.tell_recent(finished);
    }
}

impl Times {
    fn record(&mut self, finished: &Finished<'_>) {
        let latency = finished.latency();
        self.latency_all.record(latency);
        self.lag.record(finished.lag());
        finished.connect.into_iter().for_each(|time| self.connect.record(time));
        if finished.ending != Ending::Success {
            return;
        }
        self.latency.record(latency);
        self.service_time.record(finished.service_time());
        let record = |times: &mut DurationHistogram, time: Option<Duration>| {
            time.into_iter().for_each(|time| times.record(time));
        };
        record(&mut self.ttft, finished.first_token());
        record(&mut self.ttft_from_send, finished.first_token_from_send());
        record(&mut self.tpot, finished.per_output_token());
        finished.gaps.iter().for_each(|gap| self.itl.record(*gap));
    }

    fn merge(&mut self, other: &Self) {
        self.latency.merge(&other.latency);
        self.service_time.merge(&other.service_time);
        self.latency_all.merge(&other.latency_all);
        self.ttft.merge(&other.ttft);
        self.ttft_from_send.merge(&other.ttft_from_send);
        self.itl.merge(&other.itl);
        self.tpot.merge(&other.tpot);
        self.lag.merge(&other.lag);
        self.connect.merge(&other.connect);
    }
}

impl VersionMeter {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.successes += other.successes;
        self.latency.merge(&other.latency);
        self.ttft.merge(&other.ttft);
    }
}

impl Recent {
    /// Adds what `other` has, and leaves nothing of it.
    pub fn take_from(&mut self, other: &Mutex<Self>) {
        let other = std::mem::take(&mut *other.lock().unwrap_or_else(PoisonError::into_inner));
        self.ended += other.ended;
        self.failed += other.failed;
        self.latency.merge(&other.latency);
    }
}

/// How many versions are told apart. Chosen: more than any split has; a server that answers with
/// ever new names must not cost memory.
const MOST_VERSIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Usage;
    use crate::load::Limit;
    use crate::load::finished::tests::stream;
    use crate::units::Tokens;

    fn metered(limits: Limits, finished: &[Finished<'_>]) -> LoadMeter {
        let mut meter = LoadMeter::new(limits);
        finished.iter().for_each(|one| meter.ended(one));
        meter
    }

    #[test]
    fn times_are_of_successes_but_lag_and_latency_of_all() {
        let gaps = [20, 20].map(Duration::from_millis);
        let good = stream([42, 82], &gaps, 3);
        let failed = Finished { ending: Ending::Truncated, cause: Some("cut"), ..good };
        let meter = metered(Limits::default(), &[good, failed, failed]);
        assert_eq!((meter.requests(), meter.ended_as(Ending::Truncated)), (3, 2));
        let counts = |of: &DurationHistogram| of.count();
        let times = &meter.times;
        assert_eq!([&times.latency, &times.service_time, &times.ttft].map(counts), [1; 3]);
        assert_eq!([&times.latency_all, &times.lag].map(counts), [3; 2]);
        assert_eq!(times.itl.count(), 2);
        assert_eq!(times.tpot.max(), Some(Duration::from_millis(20)));
        assert_eq!(meter.causes[&Ending::Truncated], "cut");
        assert_eq!((meter.good, meter.streamed), (1, 3));
        assert_eq!(meter.tokens, TokenCounts { input: 0, output: 3, uncounted: 1 });
    }

    #[test]
    fn goodput_counts_who_keeps_to_the_limits() {
        let limits = Limits::default().with(Limit::Ttft, Duration::from_millis(50));
        let meter = metered(limits, &[stream([42, 82], &[], 3), stream([51, 82], &[], 3)]);
        assert_eq!((meter.good, meter.requests()), (1, 2));
    }

    #[test]
    fn meters_add_up_to_what_one_would_have_measured() {
        let gaps = [20, 20].map(Duration::from_millis);
        let usage = Some(Usage { input: Tokens::new(9), output: Tokens::new(4) });
        let all = [
            Finished { served: Some("v1"), usage, ..stream([42, 82], &gaps, 3) },
            Finished { served: Some("v2"), is_local: true, ..stream([7, 90], &gaps, 3) },
            Finished { ending: Ending::Status(503), served: Some("v1"), ..stream([1, 2], &[], 0) },
        ];
        let whole = metered(Limits::default(), &all);
        let mut parts = metered(Limits::default(), &all[..1]);
        parts.merge(&metered(Limits::default(), &all[1..]));
        let shown = |meter: &LoadMeter| {
            let mut meter = meter.clone();
            meter.recent = Arc::default();
            format!("{meter:?}")
        };
        assert_eq!(shown(&parts), shown(&whole));
        let [one, two] = ["v1", "v2"].map(|name| &whole.versions[name]);
        assert_eq!((one.requests, one.successes, two.requests), (2, 1, 1));
    }

    #[test]
    fn names_without_end_cost_no_memory() {
        let mut meter = LoadMeter::default();
        for number in 0..1_000 {
            let name = format!("v{number}");
            meter.ended(&Finished { served: Some(&name), ..stream([1, 2], &[], 3) });
        }
        assert_eq!((meter.versions.len(), meter.other_versions), (64, 936));
    }

    #[test]
    fn what_is_recent_is_told_once() {
        let meter = metered(Limits::default(), &[stream([1, 2], &[], 3)]);
        let mut shown = Recent::default();
        shown.take_from(&meter.recent());
        shown.take_from(&meter.recent());
        assert_eq!((shown.ended, shown.failed, shown.latency.count()), (1, 0, 1));
    }
}
