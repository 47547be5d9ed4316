//! Gathers what describes the requests of a model, of a version, or all of them.

use std::collections::BTreeMap;

use super::course::{Course, CourseSlot};
use super::figures::{Clustering, CostFigures, EndingCount, ErrorRate, Group, Outcomes};
use super::times::time_figures;
use super::windows::{Failures, Windows};
use crate::exchange::{Class, Classification, Ending};
use crate::stats::{Confidence, DurationHistogram, Interval};
use crate::trace::TraceRecord;
use crate::units::{Duration, Money};

/// What was seen of some requests, in constant memory.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct GroupMeter {
    requests: u64,
    endings: BTreeMap<Ending, u64>,
    latency: DurationHistogram,
    first_token: DurationHistogram,
    failure_latency: DurationHistogram,
    /// Output tokens of requests whose number is known, and the sum of their durations.
    generated: u64,
    generating_nanos: u128,
    priced: u64,
    cost: Money,
    failures: Windows<Failures>,
    course: Course,
}

impl Default for GroupMeter {
    fn default() -> Self {
        Self {
            requests: 0,
            endings: BTreeMap::new(),
            latency: DurationHistogram::default(),
            first_token: DurationHistogram::default(),
            failure_latency: DurationHistogram::default(),
            generated: 0,
            generating_nanos: 0,
            priced: 0,
            cost: Money::ZERO,
            failures: Windows::new(FAILURE_WINDOW),
            course: Course::default(),
        }
    }
}

impl GroupMeter {
    pub(super) fn add(&mut self, record: &TraceRecord) {
        self.requests += 1;
        let ending = record.ending();
        if let Some(ending) = ending {
            *self.endings.entry(ending).or_default() += 1;
        }
        let class = ending.map(|ending| ending.class(Classification::default()));
        let failed = class == Some(Class::Error);
        let judged = failed || class == Some(Class::Success);
        if judged {
            self.failures.add(record.at, failed);
        }
        let mut seen = CourseSlot {
            requests: 1,
            judged: u64::from(judged),
            failed: u64::from(failed),
            ..CourseSlot::default()
        };
        if let Some(duration) = record.duration.filter(|_| failed) {
            self.failure_latency.record(duration);
        }
        if matches!(class, None | Some(Class::Success)) {
            if let Some(duration) = record.duration {
                self.answered(record, duration);
                (seen.timed, seen.duration) = (1, duration);
            }
            if let Some(first_token) = record.first_token {
                self.first_token.record(first_token);
            }
        }
        if let Some(cost) = record.cost {
            self.priced += 1;
            self.cost += cost;
        }
        self.course.add(record.at, &seen);
    }

    /// A request that is not known to have ended otherwise than with success took so long.
    fn answered(&mut self, record: &TraceRecord, duration: Duration) {
        self.latency.record(duration);
        if let Some(output) = record.output {
            self.generated += u64::from(output.get());
            self.generating_nanos += u128::from(duration.as_nanos());
        }
    }

    /// The stretch went on `until` this time.
    pub(super) fn end(&mut self, until: Duration) {
        self.course.reach(until);
    }

    /// Adds what a meter has seen whose requests came after those of this one.
    pub(super) fn merge(&mut self, later: &Self) {
        self.requests += later.requests;
        for (ending, count) in &later.endings {
            *self.endings.entry(*ending).or_default() += count;
        }
        self.latency.merge(&later.latency);
        self.first_token.merge(&later.first_token);
        self.failure_latency.merge(&later.failure_latency);
        self.generated += later.generated;
        self.generating_nanos += later.generating_nanos;
        self.priced += later.priced;
        self.cost += later.cost;
        self.failures.merge(&later.failures);
        self.course.merge(&later.course);
    }

    /// The figures with the quantiles at `shares`, over time in slots of `slot` or the own if these
    /// are wider.
    pub(super) fn figures(&self, shares: &[u32], slot: Duration) -> Group {
        let nanos = self.generating_nanos as f64;
        Group {
            model: None,
            version: None,
            requests: self.requests,
            outcomes: self.outcomes(),
            latency: time_figures(&self.latency, shares),
            first_token: time_figures(&self.first_token, shares),
            failure_latency: time_figures(&self.failure_latency, shares),
            tokens_per_second: (nanos > 0.0).then(|| self.generated as f64 / nanos * 1e9),
            cost: (self.priced > 0).then(|| CostFigures {
                requests: self.priced,
                total: self.cost,
                usd_each: self.cost.as_usd() / self.priced as f64,
            }),
            course: self.course.in_slots_of(slot.max(self.course.width)),
        }
    }

    /// How long a slot of its course is.
    pub(super) const fn slot(&self) -> Duration {
        self.course.width
    }

    fn outcomes(&self) -> Option<Outcomes> {
        let of = |class: Class| -> u64 {
            let own = self.endings.iter();
            let own = own.filter(|(ending, _)| ending.class(Classification::default()) == class);
            own.map(|(_, count)| count).sum()
        };
        let observed: u64 = self.endings.values().sum();
        let (succeeded, failed) = (of(Class::Success), of(Class::Error));
        let judged = succeeded + failed;
        let error_rate = (judged > 0).then(|| {
            let Interval { low, high } = Interval::wilson(failed, judged, Confidence::PERCENT_95);
            ErrorRate { value: failed as f64 / judged as f64, low, high }
        });
        let endings = self.endings.iter();
        let endings =
            endings.map(|(ending, requests)| EndingCount { ending: *ending, requests: *requests });
        let clustering = self.failures.clustering();
        (observed > 0).then(|| Outcomes {
            observed,
            succeeded,
            failed,
            error_rate,
            endings: endings.collect(),
            clustering: clustering.map(|(windows, value)| Clustering { windows, value }),
        })
    }
}

/// Chosen: short against the windows of rollback rules, long enough for several requests.
const FAILURE_WINDOW: Duration = Duration::from_secs(10);
