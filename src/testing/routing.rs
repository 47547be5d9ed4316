//! Whether requests go where the split, their pin and the policies say.

use std::collections::BTreeMap;

use super::account::Account;
use super::refuted::{Checked, Claim, claim};
use crate::engine::{Assignment, Change, Slot};
use crate::exchange::{Class, Ending};
use crate::units::Draw;

/// What was assigned under one split.
#[derive(Clone, Debug, Default)]
pub(super) struct Assigned {
    turns: BTreeMap<Slot, u64>,
    requests: u64,
    homes: BTreeMap<u8, Slot>,
}

impl Assigned {
    /// A change can begin the counts anew.
    pub(super) fn follow(&mut self, change: &Change) {
        if change.shift().is_some() || matches!(change, Change::Assignment { .. }) {
            *self = Self::default();
        }
    }

    /// Holds the assignment of an unpinned request against the weights.
    ///
    /// # Errors
    /// It is not as the split's assignment says.
    pub(super) fn check(
        &mut self,
        account: &Account,
        version: Slot,
        draw: Draw,
        user: Option<u8>,
    ) -> Checked {
        may_serve(account, version)?;
        match (account.assignment, user) {
            (Assignment::Even, _) => self.check_turn(account, version),
            (Assignment::Sticky, Some(user)) => {
                let home = *self.homes.entry(user).or_insert(version);
                let found = || format!("user {user} goes to {version:?}, and went to {home:?}");
                claim(home == version, Claim::AssignmentIsKept, found)
            }
            _ => {
                let place = draw.bits() as f64 / ALL;
                let below: f64 = account.weights[..usize::from(version.0)].iter().sum();
                let above = below + account.weight(version);
                let inside = place >= below - NEAR && place <= above + NEAR;
                let found = || format!("{place} is not in {below}..{above} of {version:?}");
                claim(inside, Claim::AssignmentIsKept, found)
            }
        }
    }

    fn check_turn(&mut self, account: &Account, version: Slot) -> Checked {
        self.requests += 1;
        *self.turns.entry(version).or_default() += 1;
        for slot in account.slots() {
            let got = self.turns.get(&slot).copied().unwrap_or_default() as f64;
            let share = self.requests as f64 * account.weight(slot);
            let found = || format!("{slot:?} got {got} of {}, not {share}", self.requests);
            claim((got - share).abs() < 1.0, Claim::AssignmentIsKept, found)?;
        }
        Ok(())
    }
}

/// An attempt that ended, and what a further one may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempted {
    pub(super) version: Slot,
    pub(super) number: u8,
    pub(super) pinned: bool,
}

/// A version with weight may be sent unpinned requests.
pub(super) fn may_serve(account: &Account, version: Slot) -> Checked {
    let found = || format!("{version:?} of {:?}", account.weights);
    claim(account.weight(version) > 0.0, Claim::NothingAtWeightZero, found)?;
    may_follow_rollback(account, version)
}

fn may_follow_rollback(account: &Account, version: Slot) -> Checked {
    let marked = account.rolled_back.contains(&version);
    claim(!marked, Claim::NothingAfterRollback, || format!("{version:?} was rolled back"))
}

/// The number of the attempt that must follow; `None`: none may.
pub(super) fn following(
    account: &Account,
    attempted: Attempted,
    ending: Ending,
    token: bool,
) -> Option<u8> {
    let Attempted { version, number, pinned } = attempted;
    if token || matches!(ending, Ending::Success | Ending::ClientClosed) {
        return None;
    }
    let attempts = account.policies.retry.as_ref().map_or(0, |retry| retry.attempts());
    // Those that cases choose: 5xx, timeout, reset.
    let retried = match ending {
        Ending::Status(status) => (500..600).contains(&status),
        ending => matches!(ending, Ending::Timeout | Ending::Reset),
    };
    if retried && number < attempts {
        return Some(number + 1);
    }
    let failed = ending.class(account.rules.classification) == Class::Error;
    let refuge = account
        .stable()
        .is_some_and(|stable| stable != version && !account.rolled_back.contains(&stable));
    let falls = account.policies.fallback.is_some() && failed && !pinned && refuge;
    (falls && number != FALLBACK).then_some(FALLBACK)
}

/// Holds a further attempt against the policies: `failed` is the version of the one before.
///
/// # Errors
/// It goes elsewhere.
pub(super) fn check_further(account: &Account, failed: Slot, attempt: Attempted) -> Checked {
    let Attempted { version, number, pinned } = attempt;
    let is_refuge = number == FALLBACK && account.stable() == Some(version) && failed != version;
    if is_refuge {
        return may_follow_rollback(account, version);
    }
    if !pinned {
        may_serve(account, version)?;
    }
    let stays = number != FALLBACK && (pinned || account.weight(failed) > 0.0);
    let found = || format!("{version:?} after {failed:?}, attempt {number}");
    claim(!stays || version == failed, Claim::PoliciesAreKept, found)
}

/// The number of the attempt that falls back to the stable.
pub(super) const FALLBACK: u8 = u8::MAX;
const ALL: f64 = 18_446_744_073_709_551_616.0;
/// What rounding may move a boundary by.
const NEAR: f64 = 1e-9;
