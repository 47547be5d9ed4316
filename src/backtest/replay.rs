//! A recording played through one engine: each request goes where it went, each completion comes
//! when it came, and what the rules say of it is kept.
//!
//! At one instant completions come first, then checks, then a new split, then arrivals: the order
//! of the engine's contract. Requests in flight are all that memory holds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::error::BacktestError;
use super::firing::Firing;
use super::muted::Muted;
use super::plan::Plan;
use super::split_plan::PlannedSplit;
use crate::engine::{
    Action, Ask, Command, CommandKind, Engine, Event, EventKind, Health, ModelSettings, RuleSet,
    Slot, Target, Ticket, Version,
};
use crate::exchange::{Class, ModelIndex, Observed, Request, VersionIndex};
use crate::record::{Arm, Observer, Outcome, Recorder};
use crate::units::{Draw, Duration, ModelId, RequestId, Timestamp};

/// A recording on its way through one engine.
pub(super) struct Replay<'a> {
    plan: &'a Plan,
    muted: Muted,
    engine: Engine,
    /// By version, the draw that falls to it under the split in force.
    draws: Vec<Option<Draw>>,
    /// Those that are still to come.
    splits: std::vec::IntoIter<PlannedSplit>,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    sequence: u64,
    seen: Seen,
    /// Kept by one of the replays, for all.
    recorder: Option<Box<Recorder>>,
}

/// What came of a replay so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The first firings, in the order of time.
    pub(super) firings: Vec<Firing>,
    /// How many more there were.
    pub(super) more_firings: u64,
    /// How many of all would have been false alarms.
    pub(super) false_alarms: u64,
    /// The first firing that moves traffic.
    pub(super) first: Option<Firing>,
    /// The first of them that is no false alarm.
    pub(super) first_true: Option<Firing>,
    /// Requests by version, and those that failed.
    pub(super) counts: Vec<Count>,
    /// Requests that went to a version to which the split in force gave nothing.
    pub(super) pinned: u64,
    /// What canaries had before the first firing that moves traffic, while they were bad.
    pub(super) harmed: Count,
    /// What had been moved by it: requests of others than its target.
    pub(super) moved: Count,
    /// What its target had while they came.
    pub(super) target: Count,
    /// What its target had since the last of them.
    target_since: Count,
    /// When it was found first that requests do not fall on versions as the weights say.
    pub(super) skewed: Option<Duration>,
}

/// Requests, and those of them that failed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Count {
    pub(super) requests: u64,
    pub(super) failed: u64,
}

/// A request on its way; the one that ends first is the least.
struct InFlight {
    ended: Timestamp,
    sequence: u64,
    ticket: Ticket,
    arm: Arm,
    observed: Observed,
}

impl<'a> Replay<'a> {
    /// A replay of the recording that `plan` is of, under `rules`, into `recorder` if there is one.
    ///
    /// # Errors
    /// The engine refuses the versions or the rules.
    pub(super) fn new(
        plan: &'a Plan,
        rules: &RuleSet,
        recorder: Option<Recorder>,
    ) -> Result<Self, BacktestError> {
        let count = plan.found.versions.len();
        let mut replay = Self {
            plan,
            muted: Muted::new(rules, &plan.found),
            engine: Engine::new([ModelSettings::new(model_id(plan))]),
            draws: vec![None; count],
            splits: plan.splits(rules).into_iter(),
            in_flight: BinaryHeap::new(),
            sequence: 0,
            seen: Seen { counts: vec![Count::default(); count], ..Seen::default() },
            recorder: recorder.map(Box::new),
        };
        let begin = plan.instant(Duration::ZERO);
        for slot in (0..count).map(|index| Slot(index as u16)) {
            let version = Version::new(plan.registered(slot), plan.id(slot).as_str(), begin);
            replay.command(begin, CommandKind::Register(Box::new(version)))?;
        }
        for (tag, slot) in plan.tags() {
            let version = replay.target(slot);
            replay.command(begin, CommandKind::Tag { tag, version, preserve_previous: true })?;
        }
        let rules = replay.muted.rules.clone();
        replay.command(begin, CommandKind::Rules(rules))?;
        Ok(replay)
    }

    /// Plays the next request, in the order of time.
    pub(super) fn add(
        &mut self,
        at: Duration,
        version: Slot,
        observed: &Observed,
    ) -> Result<(), BacktestError> {
        self.play_up_to(at)?;
        let now = self.plan.instant(at);
        let draw = self.draws[usize::from(version.0)];
        let pin = draw.is_none().then(|| self.target(version));
        let (pin, draw) = (pin.as_ref(), draw.unwrap_or(Draw::from_bits(0)));
        let ask = Ask { model: MODEL, pin, draw, sticky: None };
        let routed = self.engine.route(now, ask);
        self.take_events();
        // A split is in force from the first request on, unless that is another than it was.
        let Ok(ticket) = routed else { return Err(BacktestError::Changed) };
        assert_eq!(ticket.assigned(), version, "the engine decides as was recorded");
        let arm = match pin {
            Some(_) => Arm::Pinned,
            None if version == self.plan.stable => Arm::Stable,
            None => Arm::Canary,
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.assigned(now, 0, VersionIndex(version.0), arm);
        }
        self.count(at, version, observed);
        self.seen.pinned += u64::from(arm == Arm::Pinned);
        let (ended, sequence) = (now.saturating_add(observed.latency), self.sequence);
        self.sequence += 1;
        let observed = *observed;
        self.in_flight.push(Reverse(InFlight { ended, sequence, ticket, arm, observed }));
        Ok(())
    }

    /// Ends the replay with the last request that was sent: what happens after it nobody would have
    /// met. Requests that are in flight then tell the rules nothing, and are not drawn.
    pub(super) fn finish(mut self) -> Result<Ended, BacktestError> {
        let end = self.plan.found.end;
        self.play_up_to(end)?;
        self.engine.advance(self.plan.instant(end));
        self.take_events();
        let health = self.engine.health(MODEL);
        // The tickets of requests in flight go with the engine.
        let Self { muted, seen, recorder, .. } = self;
        Ok(Ended { muted, seen, health, recorder })
    }

    /// Completions and splits up to and at `at`.
    fn play_up_to(&mut self, at: Duration) -> Result<(), BacktestError> {
        let now = self.plan.instant(at);
        loop {
            let split = self.splits.as_slice().first().filter(|split| split.from <= at);
            let split_at = split.map(|split| self.plan.instant(split.from));
            let ended = self.in_flight.peek().map(|Reverse(request)| request.ended);
            match (ended.filter(|ended| *ended <= now), split_at) {
                (Some(ended), split_at) if split_at.is_none_or(|split| ended <= split) => {
                    self.complete();
                }
                (_, Some(split_at)) => {
                    if let Some(split) = self.splits.next() {
                        self.set_split(split_at, &split)?;
                    }
                }
                (_, None) => return Ok(()),
            }
        }
    }

    fn complete(&mut self) {
        let Some(Reverse(request)) = self.in_flight.pop() else { return };
        self.record(&request);
        let InFlight { ended, ticket, observed, .. } = request;
        let _ = self.engine.complete(ended, ticket, &observed);
        self.take_events();
    }

    /// Tells the recorder of a request that has ended.
    fn record(&mut self, request: &InFlight) {
        let Some(recorder) = &mut self.recorder else { return };
        let InFlight { ended, sequence, ticket, arm, observed } = request;
        let version = VersionIndex(ticket.assigned().0);
        let asked = Request {
            id: RequestId(*sequence),
            model: MODEL,
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: observed.usage.input,
            output: observed.usage.output,
            stream: observed.first_token.is_some(),
        };
        recorder.completed(&Outcome {
            request: asked,
            phase: 0,
            assigned: version,
            served: version,
            attempts: 1,
            retried: false,
            arm: *arm,
            started: ticket.start(),
            ended: *ended,
            class: self.engine.class(MODEL, observed.ending),
            observed: *observed,
            after_onset: false,
            counterfactual: None,
        });
    }

    fn set_split(&mut self, at: Timestamp, split: &PlannedSplit) -> Result<(), BacktestError> {
        let shares = split.shares.iter();
        let shares = shares.map(|(slot, weight)| (self.target(*slot), *weight)).collect();
        self.command(at, CommandKind::Split { shares, redeploy: false })?;
        let split = self.engine.split(MODEL).expect("it was just set");
        let slots = (0..self.draws.len()).map(|index| Slot(index as u16));
        self.draws = slots.map(|slot| split.draw_of(slot)).collect();
        Ok(())
    }

    fn command(&mut self, at: Timestamp, kind: CommandKind) -> Result<(), BacktestError> {
        let command = Command { model: MODEL, by: "recording".to_owned(), kind };
        let applied = self.engine.apply(at, &command);
        self.take_events();
        Ok(applied?)
    }

    fn target(&self, slot: Slot) -> Target {
        Target::new(self.plan.registered(slot).as_str()).expect("the id of a version names it")
    }

    fn take_events(&mut self) {
        while let Some(Event { at, kind, .. }) = self.engine.poll_event() {
            match kind {
                EventKind::Fired { trigger, version, evidence } => {
                    let action = &self.muted.triggers[trigger].action;
                    let target = self.target_of(action, version);
                    let firing = Firing {
                        at: self.plan.elapsed(at),
                        version: self.plan.id(version).clone(),
                        action: action.to_string(),
                        target: target.map(|slot| self.plan.id(slot).clone()),
                        first_breach: self.plan.elapsed(evidence.first_breach),
                        false_alarm: None,
                        evidence: *evidence,
                    };
                    let false_alarm = target.and_then(|_| self.is_false(version, &firing));
                    self.seen.fired(Firing { false_alarm, ..firing });
                }
                EventKind::SplitSkew(_) if !self.outlasts(self.plan.elapsed(at)) => {
                    self.seen.skewed.get_or_insert_with(|| self.plan.elapsed(at));
                }
                _ => {}
            }
        }
    }

    /// Whether a version that had lost its traffic by `at` has its weight still, for the checks
    /// that can belong to that: then requests cannot fall as the weights say.
    fn outlasts(&self, at: Duration) -> bool {
        let ends = self.plan.ends.iter().zip(&self.draws);
        let mut weighted =
            ends.filter(|(_, draw)| draw.is_some()).filter_map(|(end, _)| end.as_ref());
        weighted.any(|end| end.earliest <= at)
    }

    /// Where an action would have sent the traffic of `version`.
    fn target_of(&self, action: &Action, version: Slot) -> Option<Slot> {
        let target = match action {
            Action::RollbackToLastStable => self.engine.stable(MODEL),
            Action::RollbackTo(name) => self.engine.catalog(MODEL)?.resolve(name.as_str()),
            Action::Pause | Action::Notify => None,
        };
        target.filter(|target| *target != version)
    }

    /// Whether a firing on `version` came while it was not bad: its breach had ended before, or
    /// fired before. `None` where nobody says when it was.
    fn is_false(&self, version: Slot, firing: &Firing) -> Option<bool> {
        let incident = self.plan.incident?;
        let over = incident.to.is_some_and(|to| firing.first_breach > to);
        Some(version == self.plan.stable || firing.at < incident.from || over)
    }

    /// Counts a request that was sent at `at`. All checks that were due by then have been made.
    fn count(&mut self, at: Duration, version: Slot, observed: &Observed) {
        let failed = self.engine.class(MODEL, observed.ending) == Class::Error;
        let one = Count { requests: 1, failed: u64::from(failed) };
        self.seen.counts[usize::from(version.0)].add(one);
        let is_bad = self
            .plan
            .incident
            .is_none_or(|incident| incident.from <= at && incident.to.is_none_or(|to| at <= to));
        let seen = &mut self.seen;
        match &seen.first {
            None if version != self.plan.stable && is_bad => seen.harmed.add(one),
            None => {}
            Some(first) if first.target.as_ref() == Some(self.plan.id(version)) => {
                seen.target_since.add(one);
            }
            Some(_) => {
                seen.moved.add(one);
                let since = std::mem::take(&mut seen.target_since);
                seen.target.add(since);
            }
        }
    }
}

/// A replay that has come to its end.
pub(super) struct Ended {
    pub(super) muted: Muted,
    pub(super) seen: Seen,
    pub(super) health: Vec<(usize, Slot, Health)>,
    pub(super) recorder: Option<Box<Recorder>>,
}

impl Seen {
    fn fired(&mut self, firing: Firing) {
        if firing.target.is_some() {
            self.false_alarms += u64::from(firing.false_alarm == Some(true));
            if firing.false_alarm == Some(false) && self.first_true.is_none() {
                self.first_true = Some(firing.clone());
            }
            if self.first.is_none() {
                self.first = Some(firing.clone());
            }
        }
        if self.firings.len() < MOST_FIRINGS {
            self.firings.push(firing);
        } else {
            self.more_firings += 1;
        }
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
    }
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for InFlight {}

impl PartialOrd for InFlight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InFlight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.ended, self.sequence).cmp(&(other.ended, other.sequence))
    }
}

/// The model, by the trace's name or, where it has none, by the one that rules are shown with.
pub(super) fn model_id(plan: &Plan) -> ModelId {
    let unnamed = || ModelId::new("model").expect("a name");
    plan.model().cloned().unwrap_or_else(unnamed)
}

/// The only one.
const MODEL: ModelIndex = ModelIndex(0);

/// Chosen: of a rule that fires again and again the first tell how.
const MOST_FIRINGS: usize = 100;
