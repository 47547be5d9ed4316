//! What becomes of a request whose attempt has failed, by its model's policies.

use super::backoff::Wait;
use super::deployment::Deployment;
use super::retry::FALLBACK_ATTEMPT;
use super::{Completion, Retry, Slot, StickyKey, Ticket};
use crate::exchange::{Class, Ending, Observed};
use crate::units::Draw;

impl Deployment {
    /// What follows on an attempt that did not succeed, for a client that still waits.
    #[cold]
    pub(super) fn follow_up(&self, ticket: &Ticket, observed: &Observed) -> Completion {
        let ending = observed.ending;
        // The client has a part of this answer, and cannot be given another.
        if observed.first_token.is_some() || ending == Ending::ClientClosed {
            return Completion::Done;
        }
        let policies = &self.state.policies;
        let &Ticket { model, assigned, attempted, pinned, attempt, .. } = ticket;
        let follow = |attempt, wait| {
            Completion::Retry(Retry { model, assigned, failed: attempted, pinned, attempt, wait })
        };
        if let Some(policy) = policies.retry.as_ref().filter(|retry| retry.applies(ending, attempt))
        {
            return follow(attempt + 1, policy.wait(attempt + 1, observed.retry_after));
        }
        let failed = ending.class(self.state.rules.classification) == Class::Error;
        let falls_back = policies.fallback.is_some() && failed && !pinned;
        if falls_back && attempt < FALLBACK_ATTEMPT && self.refuge(attempted).is_some() {
            return follow(FALLBACK_ATTEMPT, Wait::NONE);
        }
        Completion::Done
    }

    /// Where another attempt goes: to the version that failed the last one, or to the stable where
    /// it falls back; if the one has lost its traffic since, or the other has failed itself, to
    /// where the split points now.
    pub(super) fn target_of(
        &self,
        retry: &Retry,
        draw: Draw,
        sticky: Option<StickyKey<'_>>,
    ) -> Slot {
        let target = if retry.is_fallback() {
            self.refuge(retry.failed)
        } else {
            let stays = retry.pinned || self.state.weight(retry.failed).get() > 0.0;
            stays.then_some(retry.failed)
        };
        match (target, &self.split) {
            (Some(target), _) => target,
            (None, Some(split)) => self.assigner.reassign(split, &self.state.places, draw, sticky),
            (None, None) => retry.failed,
        }
    }

    /// The stable, where it is another than the version that failed, and was not rolled back.
    fn refuge(&self, failed: Slot) -> Option<Slot> {
        let sound = |stable: &Slot| !self.state.catalog.is_rolled_back(*stable);
        self.state.stable().filter(|stable| *stable != failed).filter(sound)
    }
}
