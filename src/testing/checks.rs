//! What is looked at after every operation, and with every event: the live engine against what is
//! known of it.

use super::played::Happening;
use super::player::{Known, Player, index};
use super::refuted::{Checked, Claim, claim};
use super::rule_book::Underway;
use crate::engine::{
    Action, Cause, Change, DurableState, Entry, Event, EventKind, RolloutState, Sealed, Slot,
    StageIndex,
};

impl Player {
    /// Takes an event in; `underway` is what was in flight when it came.
    pub(super) fn hear(&mut self, event: Event, underway: &[Vec<Underway>]) -> Checked {
        let Event { at, model, kind } = event;
        let place = usize::from(model.0);
        let Known { account, book, fired, .. } = &mut self.models[place];
        match &kind {
            EventKind::Fired { .. } => *fired = true,
            EventKind::RollbackRefused { .. } => *fired = false,
            EventKind::Journal(sealed) => {
                *fired &= !matches!(sealed.entry().cause, Cause::Trigger(_));
            }
            _ => {}
        }
        match kind {
            EventKind::Journal(sealed) => return self.take_in(place, *sealed, underway),
            EventKind::RolloutMoved { from, to, .. } => {
                let moves = is_in_table(from, to);
                claim(moves, Claim::RolloutFollowsItsTable, || format!("{from} to {to}"))?;
            }
            EventKind::RollbackRefused { version, .. } => {
                self.played.note(Happening::RollbackRefused);
                let sound = account.last_stable(version);
                let found = || format!("{version:?} could go to {sound:?}");
                let named = matches!(&kind, EventKind::RollbackRefused { action, .. }
                    if *action != Action::RollbackToLastStable);
                claim(named || sound.is_none(), Claim::RollbackHasItsTarget, found)?;
            }
            EventKind::StepWaits { .. } => self.played.note(Happening::StepWaits),
            EventKind::Drained(_) => self.played.note(Happening::Drained),
            EventKind::Fired { .. } => self.played.note(Happening::Fired),
            _ => {}
        }
        let rule = matches!(
            kind,
            EventKind::BreachBegan { .. } | EventKind::BreachEnded { .. } | EventKind::Fired { .. }
        );
        if rule {
            book.run(at, true, account, &underway[place]);
            book.hear(at, &kind, account)?;
        }
        Ok(())
    }

    /// Takes in a journal entry that concerns this model.
    fn take_in(&mut self, model: usize, sealed: Sealed, underway: &[Vec<Underway>]) -> Checked {
        let (bytes, hash) = (sealed.to_bytes(), sealed.hash());
        let read = Sealed::read(&bytes, hash).map_err(|e| e.to_string());
        let followed = read.and_then(|read| self.folded.follow(&read).map_err(|e| e.to_string()));
        followed.map_err(|found| (Claim::FoldIsLiveState, found))?;
        let Known { account, assigned, book, .. } = &mut self.models[model];
        let entry = sealed.entry();
        // Aborts and rollbacks by command come before the checks of their instant.
        let first = matches!(entry.cause, Cause::Command { .. })
            && matches!(entry.change, Change::RolledBack { .. } | Change::RolloutAborted { .. });
        book.run(entry.at, !first, account, &underway[model]);
        if !entry.change.is_of_keys() {
            let before = account.clone();
            account.follow(entry)?;
            book.follow(entry, &before, account);
            assigned.follow(&entry.change);
        }
        self.keys.follow(entry, account);
        for happening in happenings(entry) {
            self.played.note(happening);
        }
        self.journal.push(sealed);
        Ok(())
    }

    /// What holds between any two operations; states that have `changed` are compared by their
    /// bytes too.
    pub(super) fn check_state(&self, changed: bool) -> Checked {
        for (place, known) in self.models.iter().enumerate() {
            self.check_weights(place, known)?;
            self.check_catalog(place, known)?;
        }
        let live = self.engine.durable();
        let same = live == self.folded && (!changed || live.to_bytes() == self.folded.to_bytes());
        claim(same, Claim::FoldIsLiveState, || format!("live: {live:?}\nfolded: {:?}", self.folded))
    }

    fn check_weights(&self, place: usize, known: &Known) -> Checked {
        let Some(split) = self.engine.split(index(place)) else { return Ok(()) };
        let weights: Vec<_> = split.weights().iter().map(|weight| weight.get()).collect();
        let sum: f64 = weights.iter().sum();
        let fits = (sum - 1.0).abs() <= 1e-9 && weights == known.account.weights;
        let found = || format!("{weights:?}, and {:?} by the journal", known.account.weights);
        claim(fits, Claim::WeightsSumToOne, found)?;
        let Some(rollout) = self.engine.rollout(index(place)) else { return Ok(()) };
        let Some((version, weight)) = rollout.version().zip(rollout.step_weight()) else {
            return Ok(());
        };
        let found = split.weight(version);
        claim(found == weight, Claim::StepHasItsWeight, || format!("{found:?}, not {weight:?}"))
    }

    fn check_catalog(&self, place: usize, known: &Known) -> Checked {
        let Some(catalog) = self.engine.catalog(index(place)) else { return Ok(()) };
        let count = catalog.versions().len();
        let limit = usize::from(self.max_versions(place));
        let found = || format!("{count} versions of {limit}");
        claim(count <= limit, Claim::VersionsKeepToTheirLimit, found)?;
        let tags = catalog.tags().map(|(tag, slot)| (tag.clone(), slot)).collect();
        let stay = known.account.tags == tags;
        let found = || format!("{tags:?}, not {:?}", known.account.tags);
        claim(stay, Claim::TagsStay, found)?;
        let marked: Vec<_> = catalog.slots().filter(|slot| catalog.is_rolled_back(*slot)).collect();
        let expected: Vec<Slot> = known.account.rolled_back.iter().copied().collect();
        let found = || format!("{marked:?}, not {expected:?}");
        claim(marked == expected, Claim::WhatIsRolledBackIsMarked, found)
    }

    /// The state that the whole journal leads to, which is the live one.
    pub(super) fn check_whole_fold(&self) -> Result<DurableState, (Claim, String)> {
        let stored = self.journal.iter().map(|sealed| (sealed.to_bytes(), sealed.hash()));
        let folded =
            DurableState::fold(stored).map_err(|e| (Claim::FoldIsLiveState, e.to_string()))?;
        let same = folded.to_bytes() == self.engine.durable().to_bytes();
        claim(same, Claim::FoldIsLiveState, || format!("{folded:?}"))?;
        Ok(folded)
    }
}

/// What an entry tells of.
fn happenings(entry: &Entry) -> Vec<Happening> {
    let mut told = Vec::new();
    if let Some(shift) = entry.change.shift() {
        told.extend(shift.redeployed.first().map(|_| Happening::Redeployed));
        told.extend(shift.dropped_tags.first().map(|_| Happening::TagDropped));
    }
    told.extend(match (&entry.change, &entry.cause) {
        (Change::RolledBack { .. }, Cause::Trigger(_)) => Some(Happening::RolledBackByRule),
        (Change::RolledBack { .. }, _) => Some(Happening::RolledBackByCommand),
        (Change::RolloutStarted { .. }, _) => Some(Happening::RolloutStarted),
        (Change::RolloutStepped { .. }, _) => Some(Happening::StepOver),
        (Change::RolloutPaused { .. }, _) => Some(Happening::Paused),
        (Change::RolloutResumed { .. }, _) => Some(Happening::Resumed),
        (Change::RolloutAborted { .. }, _) => Some(Happening::Aborted),
        (Change::Promoted { .. }, _) => Some(Happening::Promoted),
        (Change::BakeOver, _) => Some(Happening::Baked),
        (Change::KeysInvalidated { .. }, _) => Some(Happening::KeysInvalidated),
        (Change::ObservationLost { .. }, _) => Some(Happening::ObservationLost),
        _ => None,
    });
    told
}

/// Whether the table of transitions has this one.
fn is_in_table(from: RolloutState, to: RolloutState) -> bool {
    use RolloutState::{Aborted, Idle, Paused, Promoted, RolledBack, Stepping};
    let first = StageIndex(0);
    match (from, to) {
        (Idle | RolledBack | Aborted, Stepping(stage) | Paused(stage)) => stage == first,
        (Idle | RolledBack | Aborted, Promoted) | (Promoted, Idle) => true,
        (Stepping(here), Stepping(next)) => next.0 == here.0 + 1,
        (Stepping(here), Paused(next)) => next == here || next.0 == here.0 + 1,
        (Paused(here), Stepping(next)) => next == here,
        (Stepping(_) | Paused(_), Promoted | Aborted | RolledBack) => true,
        (Promoted, RolledBack) => true,
        _ => false,
    }
}
