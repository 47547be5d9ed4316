//! The rules of a model held to what they must find, by whoever sees its journal, its attempts and
//! what its rules tell, but not its engine.

use super::account::Account;
use super::refuted::Checked;
use super::rule_book::{Began, RuleBook, Underway};
use super::seen::Seen;
use crate::engine::{Cause, Change, Entry, EventKind, Safeguards, Slot, Trigger};
use crate::exchange::Observed;
use crate::units::Timestamp;

/// All that is known of a model and its rules. To be told of everything in the order of time.
#[derive(Clone, Debug)]
pub struct RuleAudit {
    account: Account,
    book: RuleBook,
    underway: Vec<Underway>,
    /// Of each of them, under which split it began.
    splits: Vec<u32>,
}

/// An attempt of a request that pinned no version, to be told of when it has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// Where it was sent.
    pub version: Slot,
    /// What was seen of it.
    pub observed: &'a Observed,
    /// Whether it was the first at its request.
    pub first: bool,
    /// The end of its owner's place, where requests of one owner stick together:
    /// [`Ticket::owner`](crate::engine::Ticket::owner).
    pub owner: Option<u16>,
}

impl RuleAudit {
    /// Of a model that is yet to be deployed, with these safeguards.
    pub fn new(safeguards: Safeguards) -> Self {
        let account = Account::new(safeguards);
        Self { account, book: RuleBook::default(), underway: Vec::new(), splits: Vec::new() }
    }

    /// An attempt of a request that pinned no version is sent to `version`.
    ///
    /// # Errors
    /// A rule did not tell what it must have found by now.
    pub fn begin(&mut self, at: Timestamp, version: Slot) -> Result<(), String> {
        self.run(at, true);
        self.underway.push(Underway { version, life: self.book.life(version), start: at });
        self.splits.push(self.book.split());
        told(self.book.is_all_told())
    }

    /// Such an attempt ended.
    ///
    /// # Errors
    /// A rule did not tell what it must have found by now, or the attempt never began.
    pub fn end(&mut self, ended: Ended<'_>) -> Result<(), String> {
        let Ended { began, at, version, observed, first, owner } = ended;
        self.run(at, false);
        told(self.book.is_all_told())?;
        let it = |flight: &Underway| (flight.start, flight.version) == (began, version);
        let place = self.underway.iter().position(it);
        let place = place.ok_or_else(|| format!("no attempt on {version:?} began at {began}"))?;
        let life = self.underway.swap_remove(place).life;
        let began = Began { life, split: self.splits.swap_remove(place), owner };
        let class = observed.ending.class(self.account.rules.classification);
        self.book.end(began, Seen { at, version, class, observed: *observed }, first);
        Ok(())
    }

    /// The engine wrote an entry into its journal, of this model or about keys.
    ///
    /// # Errors
    /// It is none that could follow.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), String> {
        if entry.change.is_of_keys() {
            return Ok(());
        }
        // Aborts and rollbacks by command come before the checks of their instant.
        let first = matches!(entry.cause, Cause::Command { .. })
            && matches!(entry.change, Change::RolledBack { .. } | Change::RolloutAborted { .. });
        self.run(entry.at, !first);
        let before = self.account.clone();
        told(self.account.follow(entry))?;
        self.book.follow(entry, &before, &self.account);
        Ok(())
    }

    /// A rule told something at a check.
    ///
    /// # Errors
    /// It must have told something else, or nothing.
    pub fn hear(&mut self, at: Timestamp, kind: &EventKind) -> Result<(), String> {
        self.run(at, true);
        told(self.book.hear(at, kind, &self.account))
    }

    /// The present rules.
    pub fn triggers(&self) -> &[Trigger] {
        &self.account.rules.triggers
    }

    fn run(&mut self, limit: Timestamp, including: bool) {
        self.book.run(limit, including, &self.account, &self.underway);
    }
}

fn told(checked: Checked) -> Result<(), String> {
    checked.map_err(|(claim, found)| format!("{claim:?}: {found}"))
}
