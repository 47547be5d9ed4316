//! One trigger watching one version: its check grid, its timer, what it has seen.

use super::finding::Finding;
use super::gauge::Gauge;
use super::in_flight::InFlight;
use super::judge_gauge::JudgeGauge;
use super::watched::Watched;
use super::{NoData, Reading, Slot, Trigger, TriggerKind};
use crate::exchange::{Class, Observed};
use crate::units::{Duration, Ratio, Timestamp};

/// A trigger on a version, from the version's activation to its end.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// The trigger's place in the rule set.
    pub(super) trigger: usize,
    pub(super) next_check: Timestamp,
    health: Health,
    check_interval: Duration,
    duration: Duration,
    no_data: NoData,
    gauge: AnyGauge,
    timer: Timer,
    last_finding: Option<Finding>,
}

#[derive(Clone, Debug)]
enum AnyGauge {
    Condition(Box<Gauge>),
    Judge(Box<JudgeGauge>),
}

/// How a trigger fared on a version.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Health {
    /// Checks made.
    pub checks: u64,
    /// Checks that had too little data.
    pub no_data: u64,
    /// Checks at which the comparison held.
    pub breaches: u64,
    /// Firings.
    pub firings: u64,
    /// The longest that the timer grew.
    pub longest_timer: Duration,
    /// How far a judge had come on the way to a breach when it ceased to watch, or has come by now:
    /// see [`Judgement::progress`](super::Judgement::progress); 1 of one that found one, whatever
    /// came after. `None` of conditions.
    pub progress: Option<Ratio>,
}

/// A comparison that has been seen to hold, up to the last check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breach {
    /// The trigger's place in the rule set.
    pub trigger: usize,
    /// On which version.
    pub version: Slot,
    /// The check at which it began.
    pub since: Timestamp,
    /// The timer's age: for how long it has been seen to hold.
    pub held: Duration,
    /// For how long it must hold for the trigger to fire.
    pub duration: Duration,
}

/// What a check led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing to tell.
    Same,
    /// The comparison began to hold.
    Began,
    /// It ceased to hold before the trigger fired.
    Ended,
    /// It has held for its duration; `began` if this is the check at which it began.
    Fires { began: bool },
}

impl Watch {
    /// A watch that begins empty at `activated_at`, a whole second; its first check is the first of
    /// the grid after it comes to be watched.
    pub(super) fn new(
        index: usize,
        trigger: &Trigger,
        watched: Watched,
        activated_at: Timestamp,
    ) -> Self {
        let (gauge, duration, no_data) = match &trigger.kind {
            TriggerKind::Condition(condition) => {
                let gauge = AnyGauge::Condition(Box::new(Gauge::new(condition, watched.prices)));
                (gauge, condition.duration, condition.no_data)
            }
            TriggerKind::Judge(judge) => {
                let gauge = AnyGauge::Judge(Box::new(JudgeGauge::new(judge, watched)));
                (gauge, Duration::ZERO, NoData::Clear)
            }
        };
        let past = watched.at.since(activated_at).as_nanos() / trigger.check_interval.as_nanos();
        Self {
            trigger: index,
            next_check: activated_at + trigger.check_interval * (past + 1),
            health: Health::default(),
            check_interval: trigger.check_interval,
            duration,
            no_data,
            gauge,
            timer: Timer::default(),
            last_finding: None,
        }
    }

    /// How it has fared.
    pub(super) fn health(&self) -> Health {
        let found = self.health.breaches > 0;
        let progress =
            self.judged().map(|(_, progress)| if found { 1.0 } else { progress.min(1.0) });
        Health { progress: progress.and_then(|part| Ratio::new(part).ok()), ..self.health }
    }

    /// What the last check found; `None` before the first.
    pub(super) fn last_finding(&self) -> Option<&Finding> {
        self.last_finding.as_ref()
    }

    /// Whether requests in flight for too long count as slow.
    pub(super) fn sees_in_flight(&self) -> bool {
        match &self.gauge {
            AnyGauge::Condition(gauge) => gauge.sees_in_flight(),
            AnyGauge::Judge(_) => false,
        }
    }

    /// Whether it has a window of the stable's completions as well.
    pub(super) fn compares(&self) -> bool {
        match &self.gauge {
            AnyGauge::Condition(gauge) => gauge.compares(),
            AnyGauge::Judge(judge) => judge.has_windows(),
        }
    }

    /// Whether it is a judge.
    pub(super) const fn is_judge(&self) -> bool {
        matches!(self.gauge, AnyGauge::Judge(_))
    }

    /// Whether requests that are no errors tell a judge something, one by one.
    pub(super) fn sees_all_ends(&self) -> bool {
        matches!(&self.gauge, AnyGauge::Judge(judge) if judge.sees_all_ends())
    }

    /// The judge's evidence, if this is one.
    pub(super) fn judge(&mut self) -> Option<&mut JudgeGauge> {
        match &mut self.gauge {
            AnyGauge::Condition(_) => None,
            AnyGauge::Judge(judge) => Some(judge),
        }
    }

    /// Takes in a completion of the version.
    #[inline]
    pub(super) fn record(&mut self, second: i64, class: Class, observed: &Observed) {
        match &mut self.gauge {
            AnyGauge::Condition(gauge) => gauge.record(second, class, observed),
            AnyGauge::Judge(judge) => judge.record(second, class, observed),
        }
    }

    /// Takes in a completion of the stable.
    pub(super) fn record_stable(&mut self, second: i64, class: Class, observed: &Observed) {
        match &mut self.gauge {
            AnyGauge::Condition(gauge) => gauge.record_stable(second, class, observed),
            AnyGauge::Judge(judge) => judge.record_stable(second, class, observed),
        }
    }

    /// Carries out the check that is due at `next_check`.
    pub(super) fn check(&mut self, in_flight: Option<&InFlight>) -> Step {
        let at = self.next_check;
        self.next_check = at + self.check_interval;
        let finding = match &mut self.gauge {
            AnyGauge::Condition(gauge) => gauge.check(at, in_flight),
            AnyGauge::Judge(judge) => judge.check(at),
        };
        self.last_finding = Some(finding.clone());
        self.health.checks += 1;
        self.health.no_data += u64::from(finding == Finding::NoData);
        let breach = match (&finding, self.no_data) {
            (Finding::NoData, NoData::Hold) => {
                return if self.timer.hold(at, self.duration) { Step::Ended } else { Step::Same };
            }
            (Finding::NoData, NoData::Breach) | (Finding::Breach, _) => true,
            (Finding::NoData, NoData::Clear) | (Finding::Clear, _) => false,
        };
        if !breach {
            return if self.timer.clear() { Step::Ended } else { Step::Same };
        }
        self.health.breaches += 1;
        let began = self.timer.breach(at, self.duration);
        self.health.longest_timer = self.health.longest_timer.max(self.timer.age);
        if self.timer.age >= self.duration && !self.timer.fired {
            self.timer.fired = true;
            self.health.firings += 1;
            return Step::Fires { began };
        }
        if began { Step::Began } else { Step::Same }
    }

    /// What stood before the trigger at the check that was carried out last, at `at`.
    pub(super) fn reading(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> Reading {
        match &mut self.gauge {
            AnyGauge::Condition(gauge) => gauge.reading(at, in_flight),
            AnyGauge::Judge(judge) => judge.reading(),
        }
    }

    /// The last check that was carried out; `None` before the first.
    pub(super) fn last_check(&self) -> Option<Timestamp> {
        (self.health.checks > 0).then(|| self.next_check - self.check_interval)
    }

    /// How near to a breach what stood before it at the check at `at` was: 1 if it was one.
    pub(super) fn nearness(&mut self, at: Timestamp, in_flight: Option<&InFlight>) -> f64 {
        if self.last_finding == Some(Finding::Breach) {
            return 1.0;
        }
        let nearness = match &mut self.gauge {
            AnyGauge::Condition(gauge) => gauge.nearness(at, in_flight),
            AnyGauge::Judge(judge) => judge.reading().nearness(),
        };
        // Not a number where nothing is known.
        if nearness > 0.0 { nearness.min(NO_BREACH) } else { 0.0 }
    }

    /// What a judge has seen so far, and how far it has come, if this is one.
    pub(super) fn judged(&self) -> Option<(Reading, f64)> {
        match &self.gauge {
            AnyGauge::Condition(_) => None,
            AnyGauge::Judge(judge) => {
                let reading = judge.reading();
                let progress = reading.progress(self.last_finding == Some(Finding::Breach));
                Some((reading, progress))
            }
        }
    }

    /// How long the comparison must hold.
    pub(super) const fn duration(&self) -> Duration {
        self.duration
    }

    /// The check at which the present breach began, and for how long it has been seen to hold.
    pub(super) fn held(&self) -> Option<(Timestamp, Duration)> {
        self.timer.since.map(|since| (since, self.timer.age))
    }
}

/// What is below 1 by more than any error of rounding.
const NO_BREACH: f64 = 1.0 - 1e-9;

impl Health {
    /// The sums by (trigger, version), in their order; of timers and of progress the greatest.
    pub(super) fn sums(
        watches: impl Iterator<Item = (usize, Slot, Self)>,
    ) -> Vec<(usize, Slot, Self)> {
        let mut all: Vec<_> = watches.collect();
        all.sort_by_key(|(trigger, version, _)| (*trigger, *version));
        let mut sums: Vec<(usize, Slot, Self)> = Vec::new();
        for (trigger, version, health) in all {
            match sums.last_mut().filter(|last| (last.0, last.1) == (trigger, version)) {
                Some(last) => last.2.add(health),
                None => sums.push((trigger, version, health)),
            }
        }
        sums
    }

    fn add(&mut self, other: Self) {
        self.checks += other.checks;
        self.no_data += other.no_data;
        self.breaches += other.breaches;
        self.firings += other.firings;
        self.longest_timer = self.longest_timer.max(other.longest_timer);
        if other.progress > self.progress {
            self.progress = other.progress;
        }
    }
}

/// How long a comparison has been seen to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Timer {
    /// The check at which it began to hold; `None`: it does not.
    since: Option<Timestamp>,
    /// Grows between consecutive checks that both had data.
    age: Duration,
    /// The previous check, if it had data.
    last_data: Option<Timestamp>,
    /// The first of the checks without data that came last.
    no_data_since: Option<Timestamp>,
    /// Whether it has fired since it began to hold.
    fired: bool,
}

impl Timer {
    /// The comparison holds at `at`. Whether it began to.
    ///
    /// A timer that was not refreshed within `duration` is forgotten: what happened in between was
    /// not seen. That comes only where the interval is longer than the duration, with the safeguard
    /// against that off: then the timer never grows, and the trigger stays silent.
    fn breach(&mut self, at: Timestamp, duration: Duration) -> bool {
        let whole = duration.ceil_secs();
        let stale = self.last_data.is_some_and(|last| at.since(last) > whole);
        let began = self.since.is_none();
        if began || (stale && !duration.is_zero()) {
            *self = Self { since: Some(at), ..Self::default() };
        } else if let Some(last) = self.last_data {
            self.age += at.since(last);
        }
        self.last_data = Some(at);
        self.no_data_since = None;
        began
    }

    /// The comparison does not hold. Whether it did.
    fn clear(&mut self) -> bool {
        let ended = self.since.is_some();
        *self = Self::default();
        ended
    }

    /// There is no data at `at`: the age stands still, and after more than `duration` without data
    /// the breach is forgotten. Whether it was.
    fn hold(&mut self, at: Timestamp, duration: Duration) -> bool {
        self.last_data = None;
        let since = *self.no_data_since.get_or_insert(at);
        at.since(since) > duration && self.clear()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second)
    }

    #[test]
    fn the_age_grows_only_between_consecutive_checks_with_data() {
        let mut timer = Timer::default();
        let minute = Duration::from_secs(60);
        assert!(timer.breach(at(15), minute));
        assert!(!timer.breach(at(30), minute));
        assert_eq!(timer.age, Duration::from_secs(15));
        assert!(!timer.hold(at(45), minute));
        assert!(!timer.breach(at(60), minute), "a hold does not end the breach");
        assert_eq!(timer.age, Duration::from_secs(15), "nor does the age grow over it");
        timer.breach(at(75), minute);
        assert_eq!(timer.age, Duration::from_secs(30));
    }

    #[test]
    fn no_data_for_longer_than_the_duration_forgets_the_breach() {
        let mut timer = Timer::default();
        let duration = Duration::from_secs(30);
        timer.breach(at(15), duration);
        assert!(!timer.hold(at(30), duration));
        assert!(!timer.hold(at(45), duration));
        assert!(!timer.hold(at(60), duration), "30 s are not longer than 30 s");
        assert!(timer.hold(at(75), duration));
        assert!(timer.breach(at(90), duration), "the next breach begins anew");
    }
}
