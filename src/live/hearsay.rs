//! What a gateway tells of itself: the harness's own before it answers a command, one elsewhere by
//! its feed.

use std::time::Duration as Wait;

use super::conductor::Conductor;
use super::error::LiveError;
use super::feed_event::FeedEvent;
use super::live_watch::LiveWatch;
use super::notice::Notice;
use crate::director::Told;
use crate::exchange::ModelIndex;
use crate::record::Happening;
use crate::units::Timestamp;

impl Conductor<'_> {
    /// Hears what a command has led to that was answered.
    pub(super) fn hear_effects(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        if let Some((far, _)) = self.stage.elsewhere() {
            let entries = far.entries()?;
            let until = self.clock.now() + self.in_its_time(FED_WITHIN);
            while self.last_entry() < entries && self.clock.now() < until {
                self.hear_next(until, watch)?;
            }
        }
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
        let told = far.retelling.retell(event, &mut numbers)?;
        drop(numbers);
        let Some(told) = told else { return Ok(()) };
        let changed_at = match &told {
            Told::Journalled(sealed) => Some(sealed.entry().at),
            Told::Happened { .. } => None,
        };
        self.hear(Notice::Told(told), watch)?;
        changed_at.map_or(Ok(()), |at| self.look_around(at))
    }

    /// Asks a gateway elsewhere which versions have which tags; tells of those that were lost.
    pub(super) fn look_around(&mut self, at: Timestamp) -> Result<(), LiveError> {
        let standing = self.stage.operator.standing(self.scenario)?;
        let Some(far) = self.far.as_mut() else { return Ok(()) };
        let mut lost: Vec<Happening> = Vec::new();
        for (model, stands) in (0..).map(ModelIndex).zip(standing.models) {
            let holder = stands.tags.iter().find(|(tag, _)| tag.as_str() == STABLE);
            let holder = holder.map(|(_, version)| *version);
            lost.extend(far.retelling.narrator.stands(model, holder, stands.tags));
        }
        lost.into_iter().for_each(|happening| self.happened(at, happening));
        Ok(())
    }

    fn last_entry(&self) -> u64 {
        self.far.as_ref().map_or(u64::MAX, |far| far.retelling.last_entry())
    }
}

const STABLE: &str = "stable";
/// How long it is waited for what a gateway has already done. Chosen: many times what the way of it
/// takes.
const FED_WITHIN: Wait = Wait::from_secs(2);
