//! All rules of a model as they must work: which watch which version, on what evidence, and what
//! they must tell. Worked out from the journal's entries and from what ended, by lists where the
//! engine has rings of counts.

use std::collections::VecDeque;

use super::account::Account;
use super::refuted::{Checked, Claim, claim};
use super::rule_figure::Figure;
use super::rule_watch::{RuleWatch, Sight, Told, View, is_modelled, sees_in_flight};
use super::seen::Seen;
use crate::engine::{Change, Entry, EventKind, Evidence, Level, Reading, Slot, TriggerKind};
use crate::exchange::Class;
use crate::metric::Measure;
use crate::units::Timestamp;

/// The rules of a model at work.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleBook {
    watches: Vec<RuleWatch>,
    seen: Vec<Seen>,
    lives: Vec<Life>,
    expected: VecDeque<Expected>,
    /// The stable when the watches were last renewed.
    stable: Option<Slot>,
    /// Counts the splits: errors under an earlier one are no evidence for judges.
    split: u32,
}

/// Under what an attempt began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Began {
    /// The number of its version's activation.
    pub(super) life: u32,
    /// The number of the split.
    pub(super) split: u32,
    /// The end of its owner's place, where requests of one owner stick together.
    pub(super) owner: Option<u16>,
}

/// A version from the activation on.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// Attempts that began under an earlier number are no evidence any more.
    number: u32,
    activated_at: Timestamp,
    /// Whether attempts in flight are counted: those that were there before are no evidence.
    sees_in_flight: bool,
}

/// What must be told next.
#[derive(Clone, Copy, Debug)]
struct Expected {
    at: Timestamp,
    trigger: usize,
    version: Slot,
    told: Told,
}

/// An attempt in flight that no pin sent there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Underway {
    pub(super) version: Slot,
    pub(super) life: u32,
    pub(super) start: Timestamp,
}

impl RuleBook {
    /// The number of the version's present activation.
    pub(super) fn life(&self, version: Slot) -> u32 {
        self.lives.get(usize::from(version.0)).map_or(0, |life| life.number)
    }

    /// The number of the present split.
    pub(super) const fn split(&self) -> u32 {
        self.split
    }

    /// Takes in what ended, if it is evidence; `first` says whether it was the first attempt at its
    /// request.
    pub(super) fn end(&mut self, began: Began, seen: Seen, first: bool) {
        let Some(own) = self.lives.get(usize::from(seen.version.0)) else { return };
        if own.number != began.life {
            return;
        }
        // What came before its own windows begin is in none of them, but can be on the stable's
        // side of a comparison, which is over the same time for both.
        self.seen.push(seen);
        if !first || began.split != self.split {
            return;
        }
        let Self { watches, lives, stable, .. } = self;
        for watch in watches {
            let is_own = watch.version == seen.version;
            let is_live = seen.at >= lives[usize::from(watch.version.0)].activated_at;
            if let Some(errors) = &mut watch.errors
                && (is_own || *stable == Some(seen.version))
                && is_live
            {
                errors.take(seen.class == Class::Error, is_own, seen.at, began.owner);
            }
        }
    }

    /// Carries out the checks that are due before `limit`, or up to it.
    pub(super) fn run(
        &mut self,
        limit: Timestamp,
        including: bool,
        account: &Account,
        underway: &[Underway],
    ) {
        let is_due = |at: Timestamp| at < limit || including && at == limit;
        while let Some(at) = self.watches.iter().map(|watch| watch.next_check).min() {
            if !is_due(at) {
                return;
            }
            let Self { watches, seen, lives, expected, .. } = self;
            watches.sort_by_key(|watch| (watch.version, watch.trigger));
            for watch in watches.iter_mut().filter(|watch| watch.next_check == at) {
                let version = watch.version;
                let life = lives[usize::from(version.0)].number;
                let own = underway.iter().filter(|u| (u.version, u.life) == (version, life));
                let in_flight: Vec<_> = own.map(|underway| underway.start).collect();
                let view = View {
                    seen,
                    in_flight: &in_flight,
                    stable: account.stable(),
                    prices: &account.prices,
                };
                let trigger = watch.trigger;
                let tell = |told| Expected { at, trigger, version, told };
                expected.extend(watch.check(view).into_iter().map(tell));
            }
        }
    }

    /// Holds an event of a rule against what must be told next.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn hear(&mut self, at: Timestamp, kind: &EventKind, account: &Account) -> Checked {
        let (trigger, version) = match kind {
            EventKind::BreachBegan { trigger, version }
            | EventKind::BreachEnded { trigger, version }
            | EventKind::Fired { trigger, version, .. } => (*trigger, *version),
            _ => return Ok(()),
        };
        if !account.rules.triggers.get(trigger).is_some_and(is_modelled) {
            return Ok(());
        }
        let next = self.expected.pop_front();
        let same = next.is_some_and(|next| {
            let told = match (kind, next.told) {
                (EventKind::BreachBegan { .. }, Told::Began)
                | (EventKind::BreachEnded { .. }, Told::Ended) => true,
                (EventKind::Fired { evidence, .. }, Told::Fired { breach, sight }) => {
                    let timer =
                        (breach.since, breach.age) == (evidence.first_breach, evidence.held);
                    timer && evidence.check == at && reads(evidence, sight)
                }
                _ => false,
            };
            told && (next.at, next.trigger, next.version) == (at, trigger, version)
        });
        claim(same, Claim::RulesDoAsTheySay, || format!("at {at}: {kind:?}, not {next:?}"))
    }

    /// After a call: all that had to be told was.
    ///
    /// # Errors
    /// Something was not.
    pub(super) fn is_all_told(&self) -> Checked {
        let next = self.expected.front();
        claim(next.is_none(), Claim::RulesDoAsTheySay, || format!("not told: {next:?}"))
    }

    /// The engine was restarted at `now`: what was seen is lost.
    pub(super) fn restart(&mut self, now: Timestamp, account: &Account) {
        let activated_at = now.ceil_second();
        let life = Life { number: 0, activated_at, sees_in_flight: false };
        *self = Self { lives: vec![life; account.versions.len()], ..Self::default() };
        self.renew(now, account);
    }

    /// Takes an entry in, `before` being what was known before it and `account` what is after it.
    pub(super) fn follow(&mut self, entry: &Entry, before: &Account, account: &Account) {
        let now = entry.at;
        let life = Life { number: 0, activated_at: now, sees_in_flight: false };
        self.lives.resize(account.versions.len(), life);
        if matches!(entry.change, Change::Rules { .. }) {
            self.keep_same(before, account);
        }
        if let Some(shift) = entry.change.shift() {
            self.split += 1;
            for slot in account.slots() {
                let (had, gets) = (before.weight(slot) > 0.0, account.weight(slot) > 0.0);
                let again = shift.redeployed.contains(&account.versions[usize::from(slot.0)]);
                let begins = gets && (!had || again);
                if begins || had && !gets {
                    self.watches.retain(|watch| watch.version != slot);
                    let life = &mut self.lives[usize::from(slot.0)];
                    life.number += 1;
                    life.sees_in_flight = false;
                    if begins {
                        life.activated_at = now.ceil_second();
                    }
                }
            }
        }
        if matches!(&entry.change, Change::RolledBack { version: Some(_), .. }) {
            // At one check the first firing that moves traffic is the only one.
            self.expected.retain(|next| next.at != now || !matches!(next.told, Told::Fired { .. }));
        }
        self.renew(now, account);
    }

    /// Rules that are as they were keep their windows and timers.
    fn keep_same(&mut self, before: &Account, account: &Account) {
        let rules = &account.rules;
        // What counts as an error is part of what each of them means.
        let same_errors = rules.classification == before.rules.classification;
        self.watches.retain_mut(|watch| {
            let same = rules.triggers.iter().position(|rule| *rule == watch.rule);
            watch.trigger = same.unwrap_or_default();
            // A judge shares what all judges may spend.
            let shares =
                matches!(&watch.rule.kind, TriggerKind::Judge(judge) if judge.alpha.is_none());
            let same_alpha = !shares || rules.alpha == before.rules.alpha;
            same.is_some() && rules.enable && same_errors && same_alpha
        });
    }

    fn renew(&mut self, now: Timestamp, account: &Account) {
        let stable = account.stable();
        if self.stable != stable {
            self.watches.retain(|watch| !watch.rule.is_relative());
            self.stable = stable;
        }
        self.watches.retain(|watch| is_wanted(account, watch.trigger, watch.version));
        for version in account.slots() {
            let wanted: Vec<_> = (0..account.rules.triggers.len())
                .filter(|trigger| is_wanted(account, *trigger, version))
                .collect();
            let life = self.lives[usize::from(version.0)];
            for trigger in &wanted {
                let is_it = |w: &RuleWatch| (w.trigger, w.version) == (*trigger, version);
                if !self.watches.iter().any(is_it) {
                    let (since, from) = (life.activated_at, self.seen.len());
                    let watch = RuleWatch::new(account, *trigger, version, since, now, from);
                    self.watches.extend(watch);
                }
            }
            let sees = wanted.iter().any(|t| sees_in_flight(&account.rules.triggers[*t]));
            let life = &mut self.lives[usize::from(version.0)];
            life.number += u32::from(sees && !life.sees_in_flight);
            life.sees_in_flight = sees;
        }
        let judges: Vec<_> =
            account.rules.judges().filter(|(_, judge)| judge.has_alpha()).collect();
        let pairs = |id: Option<&str>| {
            let sharing = judges.iter().filter(|(trigger, judge)| match id {
                Some(id) => trigger.id == id,
                None => judge.alpha.is_none(),
            });
            let place = |id: &str| account.rules.triggers.iter().position(|one| one.id == id);
            let looks = |place: usize| {
                account.slots().filter(|slot| is_wanted(account, place, *slot)).count()
            };
            let places = sharing.filter_map(|(trigger, _)| place(&trigger.id));
            places.map(looks).sum::<usize>() as f64
        };
        let shared = account.rules.alpha.get() / pairs(None);
        let stable = stable.map_or(0.0, |stable| account.weight(stable));
        for watch in &mut self.watches {
            if let Some(errors) = &mut watch.errors {
                errors.weigh(account.weight(watch.version), stable);
                let own = errors.own_alpha().map(|own| own / pairs(Some(&watch.rule.id)));
                errors.grant(own.unwrap_or(shared));
            }
        }
    }
}

/// Whether a rule watches a version: one that gets traffic and that it names, or a canary, or one
/// that was just promoted; what compares with the stable never watches that.
fn is_wanted(account: &Account, trigger: usize, version: Slot) -> bool {
    let rule = &account.rules.triggers[trigger];
    let is_stable = account.stable() == Some(version);
    let named = match &rule.version {
        None => !is_stable || account.baking == Some(version),
        Some(name) => account.resolve(name.as_str()) == Some(version),
    };
    account.rules.enable
        && account.weight(version) > 0.0
        && named
        && !(is_stable && rule.is_relative())
}

/// Whether the evidence says what stood before the rule.
fn reads(evidence: &Evidence, sight: Sight) -> bool {
    let (figure, stable, limit) = match (&evidence.reading, sight) {
        (said, Sight::Judge(Some(seen))) => return seen.is_said_by(said),
        (_, Sight::Judge(_)) => return false,
        (_, Sight::Condition { figure, stable, limit }) => (figure, stable, limit),
    };
    let same_stable = |said: &Level| {
        stable.is_some_and(|seen| seen.requests == said.requests && near(said.value, seen.value))
    };
    match &evidence.reading {
        Reading::Share { hits, requests, .. } => {
            (*hits, *requests) == (figure.hits, figure.requests)
        }
        Reading::Time { metric, value, above, requests, .. } => {
            let Figure { hits, requests: counted, value: mean } = figure;
            let same = match metric.measure() {
                Measure::Quantile(..) => *above == Some(hits),
                _ => above.is_none() && near(value.map(|time| time.as_nanos() as f64), mean),
            };
            same && *requests == counted
        }
        Reading::Count { requests, .. } | Reading::NoData { requests, .. } => {
            *requests == figure.requests
        }
        Reading::Amount { value, requests, .. } => {
            *requests == figure.requests && near(Some(*value), figure.value)
        }
        Reading::Compared(said) => {
            said.requests == figure.requests
                && near(said.value, figure.value)
                && near(Some(said.limit), limit)
                && same_stable(&said.stable)
        }
        Reading::Sequential(_)
        | Reading::EventRatio(_)
        | Reading::Objective(_)
        | Reading::Ranks(_) => false,
    }
}

/// Whether two numbers are the same but for rounding: a nanosecond or two of a time, the last
/// figures of all else.
fn near(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            let rounding = if left.abs() > 1e6 { 2.0 } else { 0.0 };
            (left - right).abs() <= rounding + 1e-9 * left.abs().max(right.abs())
        }
        (left, right) => left == right,
    }
}
