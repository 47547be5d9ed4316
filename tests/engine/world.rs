//! A world to step the engine in: whole seconds, requests that end when they are told to.

use coalmine::engine::{
    Action, Ask, AuthError, Change, Command, CommandError, CommandKind, Completion, Digest, Engine,
    Event, EventKind, Evidence, ModelSettings, NoTarget, Principal, RawRules, RawTrigger, Retry,
    RolloutState, RuleSet, Safeguards, Sealed, Slot, StickyKey, Target, Ticket, Version, Waiting,
};
use coalmine::exchange::{Ending, ModelIndex, Observed};
use coalmine::units::{Draw, Duration, ModelId, Ratio, TagName, Timestamp, VersionId};

pub(crate) const MODEL: ModelIndex = ModelIndex(0);
pub(crate) const STABLE: Slot = Slot(0);
pub(crate) const CANARY: Slot = Slot(1);

/// An engine with a stable version `old` and a second version `new`.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) events: Vec<Event>,
    now: Timestamp,
}

impl World {
    /// Nothing deployed; `old` holds the tag `stable`, `new` the tag `beta`.
    pub(crate) fn new() -> Self {
        let model = ModelSettings::new(ModelId::new("gpt-4").unwrap());
        Self::of(Engine::new([model]))
    }

    /// The same with an engine made to measure.
    pub(crate) fn of(engine: Engine) -> Self {
        let mut world = Self { engine, events: Vec::new(), now: Timestamp::EPOCH };
        for id in ["old", "new"] {
            world.apply(register(id)).unwrap();
        }
        world.tag("stable", "old");
        world.tag("beta", "new");
        world
    }

    /// The same with these rules and half of the traffic on `new` from second 0 on.
    pub(crate) fn half(rules: impl IntoIterator<Item = RawTrigger>) -> Self {
        let mut world = Self::new();
        world.rules(rules);
        world.split(&[("old", 0.5), ("new", 0.5)]);
        world
    }

    pub(crate) fn rules(&mut self, rules: impl IntoIterator<Item = RawTrigger>) {
        self.apply(CommandKind::Rules(rule_set(rules))).unwrap();
    }

    pub(crate) fn tag(&mut self, tag: &str, version: &str) {
        let (tag, version) = (TagName::new(tag).unwrap(), target(version));
        self.apply(CommandKind::Tag { tag, version, preserve_previous: true }).unwrap();
    }

    pub(crate) fn split(&mut self, shares: &[(&str, f64)]) {
        self.try_split(shares, false).unwrap();
    }

    pub(crate) fn try_split(
        &mut self,
        shares: &[(&str, f64)],
        redeploy: bool,
    ) -> Result<(), CommandError> {
        let shares = shares.iter().map(|(v, w)| (target(v), Ratio::new(*w).unwrap())).collect();
        self.apply(CommandKind::Split { shares, redeploy })
    }

    /// A command at `seconds`, before anything else that is due then.
    pub(crate) fn apply_at(&mut self, seconds: f64, kind: CommandKind) {
        self.now = Timestamp::EPOCH + Duration::from_secs_f64(seconds);
        self.apply(kind).unwrap();
    }

    /// A command at `seconds` that is refused.
    pub(crate) fn apply_refused_at(&mut self, seconds: f64, kind: CommandKind) -> CommandError {
        self.now = Timestamp::EPOCH + Duration::from_secs_f64(seconds);
        self.apply(kind).unwrap_err()
    }

    pub(crate) fn apply(&mut self, kind: CommandKind) -> Result<(), CommandError> {
        let result =
            self.engine.apply(self.now, &Command { model: MODEL, by: "ops".to_owned(), kind });
        self.drain();
        result
    }

    /// Lets time pass to `seconds`, with all checks that are due on the way.
    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Timestamp::EPOCH + Duration::from_secs_f64(seconds);
        self.engine.advance(self.now);
        self.drain();
        self
    }

    /// The version that a request of `key` with this draw is assigned to; it ends at once.
    pub(crate) fn assign(&mut self, draw: f64, key: Option<StickyKey<'_>>) -> Slot {
        let ticket = self.route_as(None, draw, key);
        let version = ticket.assigned();
        self.complete(ticket, Ending::Success, Duration::ZERO);
        version
    }

    /// Routes a request to the version `pin`, or by the split's draw if there is none.
    pub(crate) fn route(&mut self, pin: Option<&str>, draw: f64) -> Ticket {
        self.route_as(pin, draw, None)
    }

    pub(crate) fn route_as(
        &mut self,
        pin: Option<&str>,
        draw: f64,
        sticky: Option<StickyKey<'_>>,
    ) -> Ticket {
        let pin = pin.map(target);
        let ask = Ask { model: MODEL, pin: pin.as_ref(), draw: bits(draw), sticky };
        let ticket = self.engine.route(self.now, ask).unwrap();
        self.drain();
        ticket
    }

    /// Who presents this secret at `seconds`.
    pub(crate) fn authenticate(
        &mut self,
        seconds: f64,
        key: &str,
        secret: &Digest,
    ) -> Result<Principal, AuthError> {
        self.now = Timestamp::EPOCH + Duration::from_secs_f64(seconds);
        let result = self.engine.authenticate(self.now, key, secret);
        self.drain();
        result
    }

    /// Ends a request for good.
    pub(crate) fn complete(&mut self, ticket: Ticket, ending: Ending, latency: Duration) {
        let completion = self.end(ticket, ending, latency);
        assert_eq!(completion, Completion::Done);
    }

    /// Ends an attempt.
    pub(crate) fn end(&mut self, ticket: Ticket, ending: Ending, latency: Duration) -> Completion {
        self.end_as(ticket, &Observed::without_answer(ending, latency))
    }

    /// Ends an attempt in this way.
    pub(crate) fn end_as(&mut self, ticket: Ticket, observed: &Observed) -> Completion {
        let completion = self.engine.complete(self.now, ticket, observed);
        self.drain();
        completion
    }

    /// Begins another attempt, by the split's draw where it needs one.
    pub(crate) fn retry(&mut self, retry: Retry, draw: f64) -> Ticket {
        let ticket = self.engine.retry(self.now, retry, bits(draw), None);
        self.drain();
        ticket
    }

    /// `count` requests that start and end now, on the canary while it gets half of the traffic.
    pub(crate) fn canary(&mut self, count: usize, ending: Ending) -> &mut Self {
        self.canary_in(count, ending, Duration::from_millis(100))
    }

    /// `count` requests with this draw that start now and are answered so at once.
    pub(crate) fn answers(&mut self, count: usize, draw: f64, observed: &Observed) {
        for _ in 0..count {
            let ticket = self.route(None, draw);
            assert_eq!(self.engine.complete(self.now, ticket, observed), Completion::Done);
            self.drain();
        }
    }

    /// The same, each with this latency.
    pub(crate) fn canary_in(
        &mut self,
        count: usize,
        ending: Ending,
        latency: Duration,
    ) -> &mut Self {
        for _ in 0..count {
            let ticket = self.route(None, 0.9);
            self.complete(ticket, ending, latency);
        }
        self
    }

    /// Every firing so far, with the second of its check.
    pub(crate) fn firings(&self) -> Vec<(i64, Evidence)> {
        let fired = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Fired { evidence, .. } => Some((event.at.second(), (**evidence).clone())),
            _ => None,
        });
        fired.collect()
    }

    /// The seconds at which something fired.
    pub(crate) fn fired_at(&self) -> Vec<i64> {
        self.firings().into_iter().map(|(second, _)| second).collect()
    }

    /// Where the rollout stood after each of its transitions.
    pub(crate) fn states(&self) -> Vec<(i64, RolloutState)> {
        let moved = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::RolloutMoved { to, .. } => Some((event.at.second(), *to)),
            _ => None,
        });
        moved.collect()
    }

    /// What steps waited for.
    pub(crate) fn waits(&self) -> Vec<(i64, Waiting)> {
        let waits = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::StepWaits { waiting, .. } => Some((event.at.second(), waiting.clone())),
            _ => None,
        });
        waits.collect()
    }

    /// The journal.
    pub(crate) fn sealed(&self) -> Vec<Sealed> {
        let entries = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Journal(sealed) => Some((**sealed).clone()),
            _ => None,
        });
        entries.collect()
    }

    /// Every change that the journal holds.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.sealed().into_iter().map(|sealed| sealed.entry().change.clone()).collect()
    }

    /// The same history, going on with an engine that was restored at `now`.
    pub(crate) fn restarted(self, engine: Engine, now: Timestamp) -> Self {
        let mut world = Self { engine, now, ..self };
        world.drain();
        world
    }

    pub(crate) fn weight(&self, version: Slot) -> f64 {
        self.engine.split(MODEL).unwrap().weight(version).get()
    }

    pub(crate) fn refused(&self) -> Vec<(Action, NoTarget)> {
        let refused = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::RollbackRefused { action, why, .. } => Some((action.clone(), *why)),
            _ => None,
        });
        refused.collect()
    }

    fn drain(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.events.push(event);
        }
    }
}

/// Registers a version `id` with an upstream of the same name.
pub(crate) fn register(id: &str) -> CommandKind {
    CommandKind::Register(Box::new(version(id)))
}

pub(crate) fn version(id: &str) -> Version {
    Version::new(VersionId::new(id).unwrap(), id, Timestamp::EPOCH)
}

fn bits(draw: f64) -> Draw {
    Draw::from_bits((draw * 18_446_744_073_709_551_616.0) as u64)
}

pub(crate) fn target(name: &str) -> Target {
    Target::new(name).unwrap()
}

pub(crate) fn rule_set(rules: impl IntoIterator<Item = RawTrigger>) -> RuleSet {
    let raw = RawRules { conditions: rules.into_iter().collect(), ..RawRules::default() };
    RuleSet::new(&raw, Safeguards::default()).unwrap()
}

/// `metric > threshold`, for no duration.
pub(crate) fn rule(metric: &str, threshold: f64) -> RawTrigger {
    let metric = Some(metric.to_owned());
    RawTrigger { metric, threshold: Some(threshold), ..error_rate(0.0) }
}

/// The document's first rule: `error_rate > 5 %` for `duration` seconds.
pub(crate) fn error_rate(duration: f64) -> RawTrigger {
    RawTrigger {
        metric: Some("error_rate".to_owned()),
        operator: Some(">".to_owned()),
        threshold: Some(0.05),
        duration_seconds: Some(duration),
        action: Some("rollback_to_last_stable".to_owned()),
        ..RawTrigger::default()
    }
}

/// The document's second rule: `latency_p99 > 3000 ms` for `duration` seconds.
pub(crate) fn latency_p99(duration: f64) -> RawTrigger {
    RawTrigger {
        metric: Some("latency_p99".to_owned()),
        threshold: None,
        threshold_ms: Some(3_000.0),
        ..error_rate(duration)
    }
}

/// A judge of the canary's share of errors, with a closed form at hand.
pub(crate) fn judge() -> RawTrigger {
    RawTrigger { prior_strength: Some(10.0), ..judge_of("sequential") }
}

/// One of this name, with nothing but defaults.
pub(crate) fn judge_of(name: &str) -> RawTrigger {
    RawTrigger {
        judge: Some(name.to_owned()),
        action: Some("rollback_to_last_stable".to_owned()),
        ..RawTrigger::default()
    }
}

/// Nothing has fired.
pub(crate) const NEVER: [i64; 0] = [];
