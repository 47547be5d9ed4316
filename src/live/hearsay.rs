//! What a gateway tells of itself: the harness's own before it answers a command, one elsewhere by
//! its feed.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration as Wait;

use super::conductor::{Conductor, MOMENT};
use super::error::LiveError;
use super::feed::ended;
use super::feed_event::FeedEvent;
use super::live_watch::LiveWatch;
use super::notice::Notice;
use super::orders::Ask;
use super::status::rollout_state;
use crate::director::TriggerHealth;
use crate::exchange::ModelIndex;

impl Conductor<'_> {
    /// Hears what a command has led to that was answered. Of requests nothing is heard before: on
    /// which side of a split they stand it may have changed.
    pub(super) fn hear_effects(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        let Some((far, _)) = self.stage.elsewhere() else { return self.hear_told(watch) };
        let entries = far.entries()?;
        let until = self.clock.now() + self.in_its_time(FED_WITHIN);
        let mut later = Vec::new();
        while self.last_entry() < entries && self.clock.now() < until {
            if (watch.is_asked_to_stop)() {
                return Err(LiveError::Interrupted);
            }
            match self.inbox.recv_timeout(MOMENT) {
                Ok(Notice::Fed(event)) => self.hear_feed(&event, watch)?,
                Ok(Notice::FeedEnded(why)) => return Err(ended(&why)),
                Ok(notice) => later.push(notice),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.last_entry() < entries {
            return Err(LiveError::Interface(format!(
                "its events tell of journal entry {}, and {entries} have been made: what a command \
                 has led to does not come",
                self.last_entry()
            )));
        }
        if let Some(far) = self.far.as_mut() {
            far.retelling.all_told();
        }
        later.into_iter().try_for_each(|notice| self.hear(notice, watch))?;
        self.hear_told(watch)
    }

    /// A gateway elsewhere has told something.
    pub(super) fn hear_feed(
        &mut self,
        event: &FeedEvent,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let mut numbers = self.rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(far) = self.far.as_mut() else { return Ok(()) };
        let told = far.retelling.retell(event, &mut numbers);
        drop(numbers);
        if let Some(version) = far.retelling.doubts().strange_version() {
            return Err(LiveError::Interface(format!(
                "it gives traffic to its version {version}, which the scenario does not have: what \
                 is really served there must not get the run's requests"
            )));
        }
        told.into_iter().try_for_each(|told| self.hear(Notice::Told(told), watch))
    }

    /// Asks a gateway elsewhere how it stands before the run begins.
    pub(super) fn look_around(&mut self) -> Result<(), LiveError> {
        let operator = &self.stage.operator;
        let (standing, status) =
            (operator.standing(self.scenario)?, operator.read(&Ask::status())?);
        let Some(far) = self.far.as_mut() else { return Ok(()) };
        let models = (0..).map(ModelIndex).zip(&self.scenario.models);
        for ((model, plan), stands) in models.zip(standing.models) {
            let rollout = rollout_state(&status, &plan.id);
            far.retelling.stands(model, stands.tags, rollout.unwrap_or_default());
        }
        Ok(())
    }

    /// How a run has ended. Where the interface of a gateway elsewhere has failed, what was heard
    /// until then is worth telling: that is the end of it, and it is doubted.
    pub(super) fn break_off(&mut self, conducted: Result<(), LiveError>) -> Result<(), LiveError> {
        match (conducted, self.far.as_mut()) {
            (Err(LiveError::Interface(why)), Some(far)) => {
                far.broken_off = Some((self.clock.now(), why));
                Ok(())
            }
            (conducted, _) => conducted,
        }
    }

    /// How every trigger fared, once the run has ended; none where a gateway elsewhere does not
    /// say so any more.
    pub(super) fn last_health(&mut self) -> Result<Vec<TriggerHealth>, LiveError> {
        match (self.trigger_health(), self.far.as_mut()) {
            (Err(LiveError::Interface(why)), Some(far)) => {
                far.health_unknown = Some(why);
                Ok(Vec::new())
            }
            (health, _) => health,
        }
    }

    fn last_entry(&self) -> u64 {
        self.far.as_ref().map_or(u64::MAX, |far| far.retelling.last_entry())
    }
}

/// How long it is waited for what a gateway has already done. Chosen: longer than it takes to find
/// a stream of events broken and to take it up again.
const FED_WITHIN: Wait = Wait::from_secs(20);
