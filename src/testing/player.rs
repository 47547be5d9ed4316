//! Carries out operations on an engine, and looks after each whether all holds that must.

use std::collections::BTreeMap;

use super::operation::{Ladder, Operation, Rules};
use super::refuted::{Claim, Refuted};
use crate::engine::{
    Ask, Cause, Change, Command, CommandKind, Completion, DurableState, Engine, EventKind,
    ModelSettings, RawTrigger, RolloutStep, RuleSet, Safeguards, Sealed, Slot, Target, Ticket,
    Trigger, Version,
};
use crate::exchange::{Ending, ModelIndex, Observed, Usage};
use crate::units::{Draw, Duration, ModelId, Ratio, TagName, Timestamp, VersionId};

/// What came of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Played {
    /// Requests that were routed.
    pub routed: u64,
    /// Commands that were accepted.
    pub accepted: u64,
    /// Rollbacks that triggers carried out.
    pub rollbacks: u64,
    /// Promotions.
    pub promotions: u64,
}

/// Plays a case from an engine with one model, two versions and 100 % on the first.
///
/// # Errors
/// Something does not hold that must.
pub fn play(operations: &[Operation]) -> Result<Played, Refuted> {
    let mut player = Player::new();
    for kind in beginning() {
        player.command(kind);
    }
    for (index, operation) in operations.iter().enumerate() {
        player.carry_out(operation).map_err(|(claim, found)| Refuted {
            claim,
            operation: index,
            found,
        })?;
    }
    let last = operations.len().saturating_sub(1);
    let fold = player.check_fold();
    fold.map_err(|(claim, found)| Refuted { claim, operation: last, found })?;
    Ok(player.played)
}

type Checked = Result<(), (Claim, String)>;

struct Player {
    engine: Engine,
    now: Timestamp,
    in_flight: Vec<Ticket>,
    journal: Vec<Sealed>,
    /// How much of the journal has been looked at.
    seen: usize,
    rolled_back: Vec<VersionId>,
    tags: BTreeMap<TagName, Slot>,
    played: Played,
}

impl Player {
    fn new() -> Self {
        Self {
            engine: Engine::new([settings()]),
            now: Timestamp::from_second(1_000),
            in_flight: Vec::new(),
            journal: Vec::new(),
            seen: 0,
            rolled_back: Vec::new(),
            tags: BTreeMap::new(),
            played: Played::default(),
        }
    }

    fn carry_out(&mut self, operation: &Operation) -> Checked {
        let mut routed = None;
        let promotions = self.played.promotions;
        match operation {
            Operation::Wait(millis) => self.wait(*millis)?,
            Operation::Route { draw, pin } => routed = self.route(*draw, *pin),
            Operation::Complete { request, status, latency } => {
                self.complete(*request, *status, *latency);
            }
            Operation::Abandon(request) => {
                if let Some(ticket) = self.take(*request) {
                    self.engine.abandon(self.now, ticket, None);
                }
            }
            Operation::Restart => self.restart()?,
            command => self.command(kind(command)),
        }
        self.drain();
        self.look_at_journal()?;
        self.check_weights()?;
        if let Some(version) = routed {
            self.check_route(version)?;
        }
        self.check_tags(operation, self.played.promotions > promotions)?;
        let (found, counted) = (self.engine.in_flight(MODEL), self.in_flight.len() as u64);
        claim(found == counted, Claim::RequestsAddUp, || format!("{found}, not {counted}"))
    }

    fn wait(&mut self, millis: i32) -> Checked {
        let length = Duration::from_millis(u64::from(millis.unsigned_abs()));
        if millis < 0 {
            self.engine.advance(self.now - length);
        } else {
            self.now = self.now + length;
            self.engine.advance(self.now);
        }
        let due = self.engine.next_check();
        claim(due.is_none_or(|due| due > self.now), Claim::DueIsDone, || format!("{due:?} is due"))
    }

    /// The version that an unpinned request was sent to.
    fn route(&mut self, draw: u32, pin: Option<u8>) -> Option<Slot> {
        let pin = pin.map(version_target);
        let draw = Draw::from_bits(u64::from(draw) << 32);
        let ask = Ask { model: MODEL, pin: pin.as_ref(), draw, sticky: None };
        let ticket = self.engine.route(self.now, ask).ok()?;
        let version = ticket.attempted();
        self.in_flight.push(ticket);
        self.played.routed += 1;
        pin.is_none().then_some(version)
    }

    fn complete(&mut self, request: u8, status: u16, latency: u16) {
        let Some(ticket) = self.take(request) else { return };
        let ending = match status {
            0 => Ending::Timeout,
            200 => Ending::Success,
            status => Ending::Status(status),
        };
        let latency = Duration::from_millis(u64::from(latency));
        let usage = Usage::default();
        let observed = Observed { ending, latency, first_token: None, usage, finish: None };
        let completion = self.engine.complete(self.now, ticket, &observed);
        debug_assert_eq!(completion, Completion::Done, "no policy asks for another attempt");
    }

    fn take(&mut self, request: u8) -> Option<Ticket> {
        let count = self.in_flight.len();
        (count > 0).then(|| self.in_flight.swap_remove(usize::from(request) % count))
    }

    fn command(&mut self, kind: CommandKind) {
        let command = Command { model: MODEL, by: "case".to_owned(), kind };
        self.played.accepted += u64::from(self.engine.apply(self.now, &command).is_ok());
        self.drain();
    }

    fn restart(&mut self) -> Checked {
        let state = self.check_fold()?;
        self.in_flight.clear();
        let restored = Engine::restore(self.now, [settings()], state);
        self.engine = restored.expect("the model is served as before");
        Ok(())
    }

    fn drain(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            if let EventKind::Journal(sealed) = event.kind {
                self.journal.push(*sealed);
            }
        }
    }

    /// Keeps account of what was rolled back, and evaluates the evidence of rollbacks again.
    fn look_at_journal(&mut self) -> Checked {
        for sealed in &self.journal[self.seen..] {
            let entry = sealed.entry();
            if let Some(shift) = entry.change.shift() {
                self.rolled_back.retain(|version| !shift.redeployed.contains(version));
            }
            match &entry.change {
                Change::RolledBack { marked, .. } => {
                    self.rolled_back.extend(marked.iter().cloned());
                    if let Cause::Trigger(evidence) = &entry.cause {
                        self.played.rollbacks += 1;
                        let found = || format!("{evidence:?}");
                        claim(evidence.holds(), Claim::EvidenceHolds, found)?;
                    }
                }
                Change::Promoted { .. } => self.played.promotions += 1,
                _ => {}
            }
        }
        self.seen = self.journal.len();
        Ok(())
    }

    fn check_weights(&self) -> Checked {
        let Some(split) = self.engine.split(MODEL) else { return Ok(()) };
        let sum: f64 = split.weights().iter().map(|weight| weight.get()).sum();
        let fits = (sum - 1.0).abs() <= 1e-9;
        claim(fits, Claim::WeightsSumToOne, || format!("they sum to {sum}"))?;
        let Some(rollout) = self.engine.rollout(MODEL) else { return Ok(()) };
        let Some((version, weight)) = rollout.version().zip(rollout.step_weight()) else {
            return Ok(());
        };
        let found = split.weight(version);
        claim(found == weight, Claim::StepHasItsWeight, || format!("{found:?}, not {weight:?}"))
    }

    fn check_route(&self, version: Slot) -> Checked {
        let weight = self.engine.split(MODEL).map_or(Ratio::ZERO, |split| split.weight(version));
        claim(weight > Ratio::ZERO, Claim::NothingAtWeightZero, || format!("{version:?}"))?;
        let id = self.engine.catalog(MODEL).map(|catalog| catalog.id(version));
        let marked = id.is_some_and(|id| self.rolled_back.contains(id));
        claim(!marked, Claim::NothingAfterRollback, || format!("{id:?}"))
    }

    fn check_tags(&mut self, operation: &Operation, promoted: bool) -> Checked {
        let Some(catalog) = self.engine.catalog(MODEL) else { return Ok(()) };
        let now: BTreeMap<_, _> = catalog.tags().map(|(tag, slot)| (tag.clone(), slot)).collect();
        let before = std::mem::replace(&mut self.tags, now);
        if matches!(operation, Operation::Tag { .. }) {
            return Ok(());
        }
        let moved = before.iter().find(|(tag, slot)| {
            let follows = promoted && tag.as_str() == "stable" && self.tags.contains_key(*tag);
            self.tags.get(*tag) != Some(*slot) && !follows
        });
        claim(moved.is_none(), Claim::TagsStay, || format!("{moved:?} moved"))
    }

    fn check_fold(&self) -> Result<DurableState, (Claim, String)> {
        let stored = self.journal.iter().map(|sealed| (sealed.to_bytes(), sealed.hash()));
        let folded =
            DurableState::fold(stored).map_err(|e| (Claim::FoldIsLiveState, e.to_string()))?;
        let same = folded.to_bytes() == self.engine.durable().to_bytes();
        claim(same, Claim::FoldIsLiveState, || format!("{folded:?}"))?;
        Ok(folded)
    }
}

fn claim(holds: bool, claim: Claim, found: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err((claim, found())) }
}

/// The command of an operation that is one.
fn kind(operation: &Operation) -> CommandKind {
    match operation {
        Operation::Register(version) => register(*version),
        Operation::Tag { tag, version, preserve_previous } => CommandKind::Tag {
            tag: tag_name(*tag),
            version: version_target(*version),
            preserve_previous: *preserve_previous,
        },
        Operation::Split { parts, redeploy } => {
            let sum = parts.iter().map(|part| f64::from(*part)).sum::<f64>().max(1.0);
            let weight = |part: &u8| Ratio::new(f64::from(*part) / sum).unwrap_or_default();
            let shares = (0..).zip(parts).filter(|(_, part)| **part > 0);
            let shares = shares.map(|(v, part)| (version_target(v), weight(part))).collect();
            CommandKind::Split { shares, redeploy: *redeploy }
        }
        Operation::Rules(rules) => CommandKind::Rules(rule_set(*rules)),
        Operation::Rollback(version) => CommandKind::Rollback(version.map(version_target)),
        Operation::Start { version, ladder, redeploy } => CommandKind::StartRollout {
            version: version_target(*version),
            steps: steps(*ladder),
            bake: Duration::from_secs(20),
            redeploy: *redeploy,
        },
        Operation::Promote { version, redeploy } => {
            CommandKind::Promote { version: version_target(*version), redeploy: *redeploy }
        }
        Operation::Pause => CommandKind::Pause,
        Operation::Resume => CommandKind::Resume,
        _ => CommandKind::Abort,
    }
}

fn beginning() -> Vec<CommandKind> {
    let stable =
        CommandKind::Tag { tag: tag_name(0), version: version_target(0), preserve_previous: true };
    let all = CommandKind::Split { shares: vec![(version_target(0), Ratio::ONE)], redeploy: false };
    vec![register(0), register(1), stable, all]
}

fn settings() -> ModelSettings {
    ModelSettings::new(ModelId::new("model").expect("a valid name"))
}

fn register(version: u8) -> CommandKind {
    let id = VersionId::new(&version_name(version)).expect("a valid name");
    CommandKind::Register(Box::new(Version::new(id, "upstream", Timestamp::EPOCH)))
}

fn version_name(version: u8) -> String {
    format!("v{}", version % 4)
}

fn version_target(version: u8) -> Target {
    Target::new(&version_name(version)).expect("a valid name")
}

fn tag_name(tag: u8) -> TagName {
    let name = ["stable", "beta", "old"][usize::from(tag % 3)];
    TagName::new(name).expect("a valid name")
}

fn steps(ladder: Ladder) -> crate::engine::Ladder {
    let step = |weight: f64, seconds: u64| RolloutStep {
        weight: Ratio::new(weight).unwrap_or_default(),
        hold: Duration::from_secs(seconds),
        require: Some(0),
        pause: false,
    };
    let steps = match ladder {
        Ladder::One => vec![step(1.0, 0)],
        Ladder::Three => {
            vec![step(0.1, 2), RolloutStep { require: None, ..step(0.5, 3) }, step(0.75, 1)]
        }
        Ladder::Paused => vec![step(0.2, 1), RolloutStep { pause: true, ..step(0.6, 1) }],
    };
    crate::engine::Ladder::new(steps).expect("the steps rise")
}

fn rule_set(rules: Rules) -> RuleSet {
    let errors = |threshold: f64, seconds: f64, min_requests: u64| RawTrigger {
        metric: Some("error_rate".to_owned()),
        operator: Some(">".to_owned()),
        threshold: Some(threshold),
        duration_seconds: Some(seconds),
        min_requests: Some(min_requests),
        action: Some("rollback_to_last_stable".to_owned()),
        ..RawTrigger::default()
    };
    let latency = RawTrigger {
        metric: Some("latency_p99".to_owned()),
        threshold: None,
        threshold_ms: Some(3_000.0),
        ..errors(0.0, 5.0, 3)
    };
    let judge = RawTrigger {
        judge: Some("sequential".to_owned()),
        action: Some("rollback_to_last_stable".to_owned()),
        ..RawTrigger::default()
    };
    let raw = match rules {
        Rules::None => Vec::new(),
        Rules::Hasty => vec![errors(0.2, 0.0, 5)],
        Rules::Document => {
            let of_stable =
                RawTrigger { version: Some("stable".to_owned()), ..errors(0.5, 2.0, 3) };
            vec![errors(0.05, 10.0, 3), latency, of_stable]
        }
        Rules::Strict => {
            let silent = RawTrigger { no_data: Some("breach".to_owned()), ..errors(0.9, 30.0, 10) };
            vec![judge, silent]
        }
    };
    let trigger =
        |raw: &RawTrigger| Trigger::new(raw, Safeguards::default()).expect("the rules are valid");
    let triggers = raw.iter().map(trigger).collect();
    RuleSet { enable: true, triggers, ..RuleSet::default() }
}

const MODEL: ModelIndex = ModelIndex(0);
